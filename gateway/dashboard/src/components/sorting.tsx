// Everything about fruit, in one part that is loaded where there is a line: the lines, and the review when it is open.

import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { lines } from "../store";
import { Line } from "./line";
import { Review } from "./review";
import "./sorting.css";

/** Which button opened the review, on which card; each press is a new one. */
const reviewing = signal<{ opener: HTMLElement; card: Element | null } | null>(null);

export function Sorting(): JSX.Element {
  return (
    <>
      {Object.values(lines.value).map((line) => (
        <Line key={line.name} line={line} review={openReview} />
      ))}
      {reviewing.value && <Review asked={reviewing.value} close={closeReview} />}
    </>
  );
}

function openReview(opener: HTMLElement): void {
  reviewing.value = { opener, card: opener.closest(".card") };
}

/** The keyboard goes back to the button, or to its card where no fruit waits any more. */
function closeReview(): void {
  const { opener, card } = reviewing.value ?? {};
  reviewing.value = null;
  (opener?.isConnected ? opener : card?.querySelector("h2"))?.focus();
}
