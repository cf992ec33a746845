// A dock door: the truck at it, what passed, and whether anything is watching.

import type { JSX } from "preact";
import { memo } from "../memo";
import { strayKey } from "../messages";
import { shipments } from "../store";
import { inLanguage, zoneTitle } from "../titles";
import type { DoorView, ReaderView, ShipmentView } from "../views";
import { Say, say } from "../words";
import { Ago, Span } from "./age";
import { Card } from "./card";
import { Figure } from "./figure";
import { Mark, type Meaning } from "./mark";
import { Progress } from "./progress";
import { ShipmentLink } from "./shipments";
import { Unheard } from "./unheard";

export const Door = memo(function Door({ door }: { door: DoorView }): JSX.Element {
  const shipment = door.shipment === null ? undefined : shipments.value[door.shipment];
  const blind = door.readers.length > 0 && door.readers.every((reader) => reader.state !== "connected");
  return (
    <Card
      name={`door-${door.name}`}
      area="door"
      title={<bdi>{inLanguage(door.title)}</bdi>}
      state={(shipment || !blind) && <DoorState shipment={shipment} />}
      stale={blind}
    >
      {shipment ? <Truck shipment={shipment} /> : <NoTruck door={door} />}
      <dl class="counts">
        <Count name="in" value={door.inbound} />
        <Count name="out" value={door.outbound} />
        <Count name="unknown" value={door.unknown} />
        {door.unread > 0 && <Count name="unread" value={door.unread} />}
      </dl>
      <footer>
        <span class="muted">
          {door.last_pass_us === null ? (
            <Say id="door.noPass" />
          ) : (
            <Say id="door.lastPass" ago={<Ago us={door.last_pass_us} />} />
          )}
        </span>
        {door.readers.map((reader) => (
          <Reader key={reader.name} reader={reader} />
        ))}
      </footer>
      <Strays strays={door.strays} />
      {blind && (
        <p class="advice">
          <Say id="door.blind" />
        </p>
      )}
    </Card>
  );
});

/** Tags that were heard and did not go through, most frequent reason first: the proof that they were not forgotten. */
function Strays({ strays }: { strays: Record<string, number> }): JSX.Element | null {
  const reasons = Object.entries(strays)
    .filter(([, count]) => count > 0)
    .sort(([, a], [, b]) => b - a);
  if (reasons.length === 0) return null;
  return (
    <details class="strays muted">
      <summary>
        <Say id="door.strays" count={reasons.reduce((sum, [, count]) => sum + count, 0)} />
      </summary>
      <dl>
        {reasons.map(([reason, count]) => (
          <div key={reason} data-stray={reason}>
            <dt>
              <Say id={strayKey(reason)} />
            </dt>
            <dd>
              <Figure value={count} />
            </dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

/** What the door joins, which truck was the last, and which comes next. */
function NoTruck({ door }: { door: DoorView }): JSX.Element {
  const here = Object.values(shipments.value).filter((shipment) => shipment.door === door.name);
  const next = here
    .filter((shipment) => shipment.state === "expected")
    .sort((a, b) => a.announced_us - b.announced_us)[0];
  const last = here
    .filter((shipment) => shipment.state === "complete" || shipment.state === "short")
    .sort((a, b) => (b.last_seen_us ?? 0) - (a.last_seen_us ?? 0))[0];
  return (
    <div class="no-truck muted">
      <p>
        <DoorPlace door={door} />
      </p>
      {last && (
        <p>
          <Say
            id="shipment.last"
            shipment={<ShipmentLink id={last.id} />}
            partner={last.partner}
            seen={last.seen}
            expected={last.expected}
          />
        </p>
      )}
      {next && (
        <p>
          <Say
            id="shipment.next"
            shipment={<ShipmentLink id={next.id} />}
            partner={next.partner}
            count={next.expected}
          />
        </p>
      )}
    </div>
  );
}

function DoorPlace({ door }: { door: DoorView }): JSX.Element {
  const inside = zoneTitle(door.inside);
  if (door.outside === null) return <Say id="door.dock" inside={inside} />;
  return <Say id="door.between" outside={zoneTitle(door.outside)} inside={inside} />;
}

function Count({ name, value }: { name: "in" | "out" | "unknown" | "unread"; value: number }): JSX.Element {
  return (
    <div data-count={name} class={(name === "unknown" || name === "unread") && value > 0 ? "attention" : undefined}>
      <dt>{say(`door.${name}`)}</dt>
      <dd>
        <Figure value={value} size="large" />
      </dd>
    </div>
  );
}

function DoorState({ shipment }: { shipment: ShipmentView | undefined }): JSX.Element {
  if (!shipment)
    return (
      <Mark meaning="quiet">
        <Say id="door.idle" />
      </Mark>
    );
  const [meaning, words] = SHIPMENT_STATE[shipment.state];
  const moving = shipment.state === "receiving" && shipment.direction === "outbound" ? "door.shipping" : words;
  return (
    <Mark meaning={meaning}>
      <Say id={moving} />
    </Mark>
  );
}

const SHIPMENT_STATE = {
  expected: ["quiet", "door.expecting"],
  receiving: ["moving", "door.receiving"],
  complete: ["done", "door.complete"],
  short: ["wrong", "door.short"],
} as const satisfies Record<ShipmentView["state"], readonly [Meaning, string]>;

function Truck({ shipment }: { shipment: ShipmentView }): JSX.Element {
  const { seen, expected, missing, unexpected, inferred = 0, state } = shipment;
  const toCome = Math.max(0, expected - seen - inferred);
  return (
    <div class="truck" data-shipment={shipment.id}>
      <p class="truck-name">
        <ShipmentLink id={shipment.id} /> <bdi class="muted">{shipment.partner}</bdi>
      </p>
      <p class="of">
        <Figure value={seen} size="large" />
        <span class="muted">
          {" "}
          / <Figure value={expected} size="strong" />
        </span>
      </p>
      <Progress seen={seen} expected={expected} state={state} label={say("shipment.of", { seen, expected })} />
      <p class="truck-words">
        {state === "short" && (
          <Mark meaning="wrong">
            <Say id="shipment.missing" count={missing} />
          </Mark>
        )}
        {state !== "short" && toCome > 0 && (
          <span class="muted">
            <Say id="shipment.toCome" count={toCome} />
          </span>
        )}
        {inferred > 0 && (
          <span class="muted">
            <Say id="shipment.inferred" count={inferred} />
          </span>
        )}
        {seen === expected && (
          <span class="muted">
            <Say id="shipment.allSeen" />
          </span>
        )}
        {unexpected > 0 && (
          <Mark meaning="attention">
            <Say id="shipment.unexpected" count={unexpected} />
          </Mark>
        )}
      </p>
    </div>
  );
}

function Reader({ reader: { name, state, since_us } }: { reader: ReaderView }): JSX.Element {
  switch (state) {
    case "connected":
      return (
        <span class="muted">
          <Say id="reader.connected" reader={name} />
        </span>
      );
    case "unknown":
      return <Unheard name={name} />;
    default:
      return (
        <Mark meaning="wrong">
          <Say id={`reader.${state}`} reader={name} age={<Span since={since_us} />} />
        </Mark>
      );
  }
}
