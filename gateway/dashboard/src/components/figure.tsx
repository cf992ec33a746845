// A number that came over the stream: tinted for a moment when it changes, hatched when it is old.

import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { number } from "../words";

interface FigureProps {
  value: number;
  /** How it is written; as a whole number unless told otherwise. */
  as?: (value: number) => string;
  size?: "body" | "strong" | "large";
}

export function Figure({ value, as = number, size = "body" }: FigureProps): JSX.Element {
  const shown = useRef(value);
  const changes = useRef(0);
  if (shown.current !== value) {
    shown.current = value;
    changes.current += 1;
  }
  // Two names for one animation: a change of name is what starts it again.
  const tint = changes.current === 0 ? undefined : changes.current % 2 ? "odd" : "even";
  return (
    <span class={`figure ${size}`} data-tint={tint}>
      {as(value)}
    </span>
  );
}
