// A device of which nobody can tell how it is: it was never heard, or its agent is silent.

import type { JSX } from "preact";
import { devices, stateOf } from "../store";
import { Say, time } from "../words";
import { Mark } from "./mark";

export function Unheard({ name }: { name: string }): JSX.Element {
  return (
    <Mark meaning="stale">
      <Words name={name} />
    </Mark>
  );
}

function Words({ name }: { name: string }): JSX.Element {
  const device = devices.value[name];
  if (device === undefined || stateOf(device) !== "silent") return <Say id="reader.unknown" reader={name} />;
  if (device.heard_us === null) return <Say id="reader.silent" reader={name} />;
  return <Say id="reader.silentSince" reader={name} time={time(device.heard_us)} />;
}
