// Everything about fruit, in one part that is loaded where there is a line: the lines, and the review when it is open.

import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { lines } from "../store";
import { Line } from "./line";
import { Review } from "./review";
import "./sorting.css";

const reviewing = signal(false);

export function Sorting(): JSX.Element {
  return (
    <>
      {Object.values(lines.value).map((line) => (
        <Line key={line.name} line={line} review={openReview} />
      ))}
      {reviewing.value && <Review close={closeReview} />}
    </>
  );
}

function openReview(): void {
  reviewing.value = true;
}

function closeReview(): void {
  reviewing.value = false;
}
