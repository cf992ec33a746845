// Where the keyboard is. What it is in may leave the page at any time; it never falls back to the top for that.

import type { RefObject } from "preact";
import { useLayoutEffect } from "preact/hooks";

type Place = HTMLElement | null | undefined;

/** When this leaves the page with the keyboard in it, the keyboard goes to `next`, which is asked then. */
export function useHandOver(self: RefObject<HTMLElement | null>, next: (self: HTMLElement) => Place): void {
  useLayoutEffect(
    () => () => {
      const leaving = self.current;
      if (leaving?.contains(document.activeElement)) next(leaving)?.focus();
    },
    [],
  );
}
