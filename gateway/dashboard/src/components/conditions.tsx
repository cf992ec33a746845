// The cold chain: what each sensor reads now, whether that is within its limits, and how it came to it.

import type { JSX } from "preact";
import { memo } from "../memo";
import { readingIsStale } from "../staleness";
import { conditions, nowUs } from "../store";
import { byName, byZone, zoneTitle } from "../titles";
import type { ConditionView } from "../views";
import { decimal, Say, say, time } from "../words";
import { Ago, Span } from "./age";
import { Card, Empty } from "./card";
import { Figure } from "./figure";
import { Mark } from "./mark";
import { Trace } from "./trace";

const UNITS: Readonly<Record<string, string>> = { temperature_c: "°C", humidity_pct: "%", weight_kg: "kg" };

export function Conditions(): JSX.Element {
  const views = Object.values(conditions.value).sort((a, b) => byZone(a.zone, b.zone) || byName(a.device, b.device));
  return (
    <Card name="conditions" area="conditions" title={<Say id="conditions.title" />}>
      {views.length === 0 && (
        <Empty>
          <Say id="conditions.empty" />
        </Empty>
      )}
      <div class="sensors">
        {views.map((view) => (
          <Condition key={view.device} view={view} />
        ))}
      </div>
    </Card>
  );
}

const Condition = memo(function Condition({ view }: { view: ConditionView }): JSX.Element {
  const unit = UNITS[view.quantity] ?? "";
  const old = nowUs.value !== null && readingIsStale(view.trace, view.at_us, nowUs.value);
  const place = zoneTitle(view.zone);
  const values = view.trace.map(([, value]) => value);
  const label = say("conditions.trace", {
    place,
    unit,
    value: decimal(view.value),
    low: decimal(Math.min(view.value, ...values)),
    high: decimal(Math.max(view.value, ...values)),
  });
  return (
    <div class="condition" data-condition={view.device} data-stale={old || undefined}>
      <h3>
        <bdi>{place}</bdi>{" "}
        <span class="muted">
          <Quantity name={view.quantity} />
        </span>
      </h3>
      <p class="reading">
        <Figure value={view.value} as={view.quantity === "door_open" ? openOrClosed : decimal} size="large" />{" "}
        <span class="muted">{unit}</span>
      </p>
      <p class="verdict">
        {view.faulty ? (
          <Mark meaning="wrong">
            <Say id="conditions.faulty" time={time(view.at_us)} />
          </Mark>
        ) : old ? (
          <Mark meaning="stale">
            <Say id="conditions.silent" time={time(view.at_us)} />
          </Mark>
        ) : (
          <Verdict view={view} />
        )}
        {view.min !== null && view.max !== null && (
          <span class="muted">
            <Say id="conditions.limits" min={decimal(view.min)} max={decimal(view.max)} unit={unit} />
          </span>
        )}
        <span class="muted">
          <Ago us={view.at_us} />
        </span>
      </p>
      <Lately view={view} unit={unit} />
      <Trace view={view} label={label} />
    </div>
  );
});

/** The last day: its extremes, and how long it was outside. */
function Lately({
  view: { quantity, low, high, out_minutes },
  unit,
}: {
  view: ConditionView;
  unit: string;
}): JSX.Element | null {
  if (quantity === "door_open" || low == null || high == null) return null;
  return (
    <p class="verdict muted">
      <span>
        <Say id="conditions.lately" low={decimal(low)} high={decimal(high)} unit={unit} />
      </span>
      {out_minutes > 0 && (
        <span>
          <Say id="conditions.latelyOut" minutes={Math.round(out_minutes)} />
        </span>
      )}
    </p>
  );
}

const openOrClosed = (value: number): string => say(value ? "quantity.open" : "quantity.closed");

function Quantity({ name }: { name: string }): JSX.Element {
  switch (name) {
    case "temperature_c":
    case "humidity_pct":
    case "weight_kg":
    case "door_open":
      return <Say id={`quantity.${name}`} />;
    default:
      return <bdi>{name}</bdi>;
  }
}

function Verdict({ view }: { view: ConditionView }): JSX.Element {
  const side = sideOf(view, view.value);
  if (side === "within")
    return (
      <Mark meaning="quiet">
        <Say id="conditions.within" />
      </Mark>
    );
  return (
    <Mark meaning="wrong">
      <Say id={`conditions.${side}`} age={<Span since={outsideSince(view)} />} />
    </Mark>
  );
}

function sideOf({ min, max }: ConditionView, value: number): "within" | "above" | "below" {
  if (max !== null && value > max) return "above";
  return min !== null && value < min ? "below" : "within";
}

/** Time of the first of the latest readings in a row that are outside. */
function outsideSince(view: ConditionView): number {
  if (view.since_us != null) return view.since_us;
  let since = view.at_us;
  for (const [us, value] of [...view.trace].reverse()) {
    if (sideOf(view, value) === "within") break;
    since = Math.min(since, us);
  }
  return since;
}
