// The one screen: what is to do stands first in reading order, and beside the doors where there is room.

import type { JSX } from "preact";
import { Announcer } from "./components/announcer";
import { Card, Empty } from "./components/card";
import { Conditions } from "./components/conditions";
import { Devices } from "./components/devices";
import { Door } from "./components/door";
import { Lines } from "./components/lines";
import { ZoneMap } from "./components/map";
import { Orders } from "./components/orders";
import { Passes } from "./components/passes";
import { ShipmentPage } from "./components/shipments";
import { Stock } from "./components/stock";
import { Silence, Strip } from "./components/strip";
import { ToDo } from "./components/todo";
import { doors, known, stale, startedMs } from "./store";
import type { DoorView } from "./views";
import { Say } from "./words";

export function App(): JSX.Element {
  return (
    <>
      <a class="skip" href="#todo-title">
        <Say id="skip.todo" />
      </a>
      <Strip />
      <Silence />
      <main data-stale={stale.value || undefined}>{known.value ? <Blocks /> : <Waiting />}</main>
      <Announcer />
    </>
  );
}

function Blocks(): JSX.Element {
  return (
    <>
      <ToDo />
      <div class="primary">
        <ShipmentPage />
        <Doors />
        <ZoneMap />
        <Lines />
        <Stock />
        <Conditions />
      </div>
      <div class="secondary">
        <Orders />
        <Passes />
        <Devices />
      </div>
    </>
  );
}

/** Doors to the world stand before those within the house; among themselves they keep the order of the site file. */
const docksFirst = (a: DoorView, b: DoorView): number => Number(a.outside !== null) - Number(b.outside !== null);

function Doors(): JSX.Element {
  const all = Object.values(doors.value).sort(docksFirst);
  if (all.length > 0)
    return (
      <>
        {all.map((door) => (
          <Door key={door.name} door={door} />
        ))}
      </>
    );
  return (
    <Card name="doors" area="door" title={<Say id="doors.title" />}>
      <Empty>
        <Say id="doors.empty" />
      </Empty>
    </Card>
  );
}

/** Before the first snapshot. */
function Waiting(): JSX.Element {
  return (
    <p class="waiting" role="status">
      {startedMs.value < PATIENCE_MS ? <Say id="start.connecting" /> : <Say id="start.failing" host={location.host} />}
    </p>
  );
}

const PATIENCE_MS = 3_000;
