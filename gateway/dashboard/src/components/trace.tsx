// A sensor's last readings as a chart. Its place is there before its part of the page is.

import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { Part } from "../part";
import type { ConditionView } from "../views";
import { Unloaded } from "./unloaded";

const part = new Part(() => import("./plot"));

export function Trace({ view, label }: { view: ConditionView; label: string }): JSX.Element {
  useEffect(part.want, []);
  if (part.failed)
    return (
      <div class="trace">
        <Unloaded again={part.again} />
      </div>
    );
  return (
    <div class="trace" role="img" aria-label={label}>
      {part.here && <part.here.Plot view={view} />}
    </div>
  );
}
