// Expected against seen, as people read it from across the hall.

import type { JSX } from "preact";
import type { ShipmentView } from "../views";

interface ProgressProps {
  seen: number;
  expected: number;
  state: ShipmentView["state"];
  label: string;
}

export function Progress({ seen, expected, state, label }: ProgressProps): JSX.Element {
  const share = expected > 0 ? Math.min(1, seen / expected) : 0;
  return (
    <div
      class={`progress ${state}`}
      role="progressbar"
      aria-valuemin={0}
      aria-valuemax={expected}
      aria-valuenow={Math.min(seen, expected)}
      aria-label={label}
    >
      <div style={{ width: `${share * 100}%` }} />
    </div>
  );
}
