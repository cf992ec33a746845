// One block of the page: a heading, how fresh it is, and its content.

import type { ComponentChildren, JSX } from "preact";

interface CardProps {
  /** Unique on the page. */
  name: string;
  title: ComponentChildren;
  /** State of the whole block, and its age. */
  state?: ComponentChildren;
  children: ComponentChildren;
  /** The figures of this block alone are old, whatever the stream says. */
  stale?: boolean;
  area?: string;
  onKeyDown?: (event: KeyboardEvent) => void;
}

export function Card({ name, title, state, children, stale = false, area, onKeyDown }: CardProps): JSX.Element {
  return (
    <section
      class={`card ${area ?? ""}`}
      id={name}
      aria-labelledby={`${name}-title`}
      data-stale={stale || undefined}
      onKeyDown={onKeyDown}
    >
      <header>
        <h2 id={`${name}-title`} tabIndex={-1}>
          {title}
        </h2>
        {state && <div class="state">{state}</div>}
      </header>
      {children}
    </section>
  );
}

/** What to do next, where there is nothing to show. */
export function Empty({ children }: { children: ComponentChildren }): JSX.Element {
  return <p class="empty">{children}</p>;
}
