// Whether somebody can see the page: pictures are not asked for in vain.

import { signal } from "@preact/signals";

export const visible = signal(document.visibilityState === "visible");

document.addEventListener("visibilitychange", () => {
  visible.value = document.visibilityState === "visible";
});
