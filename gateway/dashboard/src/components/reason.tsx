// Why something was not taken: the gateway's words, which are English, or that there were none.

import type { JSX } from "preact";
import { Say } from "../words";

export function Reason({ said }: { said: string }): JSX.Element {
  return said ? <bdi lang="en">{said}</bdi> : <Say id="todo.noAnswer" />;
}
