// What stands in the place of a part of the page that did not come.

import type { JSX } from "preact";
import { Say } from "../words";

export function Unloaded({ again }: { again: () => void }): JSX.Element {
  return (
    <>
      <p role="status">
        <Say id="part.unloaded" />
      </p>
      <button type="button" class="alone" onClick={again}>
        <Say id="part.again" />
      </button>
    </>
  );
}
