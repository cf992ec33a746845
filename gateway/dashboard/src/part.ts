// A part of the page that is loaded where it is needed. Components ask for it when they are there, and draw what stands
// in its place until it has come.

import { signal } from "@preact/signals";

export class Part<Module extends object> {
  readonly #state = signal<Module | "loading" | "failed" | null>(null);
  readonly #load: () => Promise<Module>;

  constructor(load: () => Promise<Module>) {
    this.#load = load;
  }

  /** Null while it has not come. */
  get here(): Module | null {
    const state = this.#state.value;
    return typeof state === "object" ? state : null;
  }

  /** It was asked for in vain: no answer, or a gateway that has a newer page by now. */
  get failed(): boolean {
    return this.#state.value === "failed";
  }

  /** For an effect. What has failed is only asked for again when somebody says so: `again`. */
  readonly want = (): void => {
    if (this.#state.peek() === null) this.again();
  };

  readonly again = (): void => {
    this.#state.value = "loading";
    this.#load().then(
      (module) => {
        this.#state.value = module;
      },
      () => {
        this.#state.value = "failed";
      },
    );
  };
}
