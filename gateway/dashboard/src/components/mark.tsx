// The shape of each meaning. A mark never stands without its word.

import type { ComponentChildren, JSX } from "preact";

export type Meaning = "wrong" | "attention" | "moving" | "stale" | "done" | "quiet";

const SHAPES: Record<Meaning, JSX.Element> = {
  wrong: <path d="M6 0l6 6-6 6-6-6z" />,
  attention: <path d="M6 .8l6 10.4H0z" />,
  moving: <path d="M1.5 0l9 6-9 6z" />,
  stale: <path d="M0 4V0h4zM0 9l9-9h3L0 12zM12 4v3l-5 5H4zM12 9v3H9z" />,
  done: <path d="M4.4 10.6L0 6.2l1.6-1.6 2.8 2.8L10.4 1.4 12 3z" />,
  quiet: <path d="M0 5h12v2H0z" />,
};

/** A word that stands for a state, with its shape and colour. */
export function Mark({ meaning, children }: { meaning: Meaning; children: ComponentChildren }): JSX.Element {
  return (
    <span class={`mark ${meaning}`}>
      <svg class="shape" viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
        {SHAPES[meaning]}
      </svg>
      <span>{children}</span>
    </span>
  );
}
