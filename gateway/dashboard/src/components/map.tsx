// Zones and the doors between them, drawn from the site file: how much stands where, how warm it is, and what moves.

import type { JSX } from "preact";
import { conditions, doors, nowUs, stock, zones } from "../store";
import { inLanguage } from "../titles";
import type { DoorView, ZoneView } from "../views";
import { useWidth } from "../width";
import { decimal, number, Say, say } from "../words";
import { Card } from "./card";

const HEIGHT = 136;
const GAP = 24;
const DOOR = 40;
const MOVES_FOR_US = 5e6;

export function ZoneMap(): JSX.Element {
  const [ref, width] = useWidth<HTMLDivElement>();
  const all = zones.value;
  const box = (width - GAP * (all.length - 1)) / Math.max(1, all.length);
  const left = (i: number) => i * (box + GAP);
  const place = new Map(all.map((zone, i) => [zone.name, i]));
  return (
    <Card name="map" area="map" title={<Say id="map.title" />}>
      <div class="map" ref={ref}>
        {width > 0 && (
          <svg width={width} height={HEIGHT} role="img" aria-label={all.map(summary).join(" ")}>
            {all.map((zone, i) => (
              <Zone key={zone.name} zone={zone} x={left(i)} width={box} />
            ))}
            {Object.values(doors.value).map((door) => {
              const [a, b] = [place.get(door.inside), door.outside === null ? undefined : place.get(door.outside)];
              if (a === undefined) return null;
              if (b !== undefined && Math.abs(a - b) === 1)
                return <Gate key={door.name} door={door} x={left(Math.max(a, b)) - GAP} y={HEIGHT / 2 - DOOR} />;
              return <Dock key={door.name} door={door} x={left(a) + box * dockShare(door)} />;
            })}
          </svg>
        )}
      </div>
    </Card>
  );
}

const unitsIn = (zone: string): number =>
  Object.values(stock.value).reduce((sum, view) => sum + (view.zones[zone] ?? 0), 0);

const summary = (zone: ZoneView): string =>
  say("map.summary", { zone: inLanguage(zone.title), units: unitsIn(zone.name) });

/** Where along the zone's edge a door stands, as a share of its length. */
function dockShare(door: DoorView): number {
  const beside = Object.values(doors.value).filter(
    (other) => other.inside === door.inside && other.outside === door.outside,
  );
  return (beside.findIndex((other) => other.name === door.name) + 1) / (beside.length + 1);
}

const moves = (door: DoorView): boolean =>
  door.last_pass_us !== null && nowUs.value !== null && nowUs.value - door.last_pass_us < MOVES_FOR_US;

function Zone({ zone, x, width }: { zone: ZoneView; x: number; width: number }): JSX.Element {
  const sensor = Object.values(conditions.value).find(
    (view) => view.zone === zone.name && view.quantity === "temperature_c",
  );
  return (
    <g transform={`translate(${x} 0)`} class="zone">
      <rect x=".5" y=".5" width={Math.max(0, width - 1)} height={HEIGHT - 25} rx="4" />
      <text x="12" y="24" class="zone-name">
        {inLanguage(zone.title)}
      </text>
      <text x="12" y="76" class="zone-units">
        {number(unitsIn(zone.name))}
      </text>
      <text x="12" y="97" class="zone-note">
        {say("map.cases")}
      </text>
      {sensor && (
        <text x={width - 12} y="97" text-anchor="end" class="zone-note">
          {say("map.degrees", { value: decimal(sensor.value) })}
        </text>
      )}
    </g>
  );
}

/** A door between two zones that stand side by side. */
function Gate({ door, x, y }: { door: DoorView; x: number; y: number }): JSX.Element {
  return (
    <g class={`gate ${moves(door) ? "moves" : ""}`} transform={`translate(${x} ${y})`}>
      <title>{inLanguage(door.title)}</title>
      <path d={`M-1 0H${GAP + 1}M-1 ${DOOR}H${GAP + 1}`} />
      <path class="arrow" d={`M6 ${DOOR / 2}h${GAP - 12}m-4 -4l4 4l-4 4M10 ${DOOR / 2 - 4}l-4 4l4 4`} />
    </g>
  );
}

/** A door to the world. */
function Dock({ door, x }: { door: DoorView; x: number }): JSX.Element {
  return (
    <g class={`gate ${moves(door) ? "moves" : ""}`} transform={`translate(${x} ${HEIGHT - 25})`}>
      <path class="opening" d={`M${-DOOR / 2} 0H${DOOR / 2}`} />
      <text y="18" text-anchor="middle" class="zone-note">
        {inLanguage(door.title)}
      </text>
    </g>
  );
}
