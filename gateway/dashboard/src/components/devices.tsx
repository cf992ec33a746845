// Whether everything that watches still watches. What has trouble stands first.

import type { JSX } from "preact";
import { memo } from "../memo";
import { devices, stateOf } from "../store";
import { byName, zoneTitle } from "../titles";
import type { DeviceView } from "../views";
import { Say, signed } from "../words";
import { Ago, Span } from "./age";
import { Card, Empty } from "./card";
import { Mark, type Meaning } from "./mark";

const MEANING: Record<DeviceView["state"], Meaning> = {
  connected: "quiet",
  lost: "wrong",
  blind: "wrong",
  drifted: "attention",
  silent: "stale",
  unknown: "stale",
};
/** A clock further off than this is worth a word. */
const CLOCK_SHOWN_US = 500_000;
const PRESENT = "present_";

export function Devices(): JSX.Element {
  const all = Object.values(devices.value).sort(troubleFirst);
  const well = all.filter(isWell);
  return (
    <Card
      name="devices"
      area="devices"
      title={<Say id="devices.title" />}
      state={all.length > 0 && <Tally well={well.length} count={all.length} />}
    >
      {all.length === 0 && (
        <Empty>
          <Say id="devices.empty" />
        </Empty>
      )}
      <ul class="rows">
        {all.map((device) => (
          <Device key={device.name} device={device} />
        ))}
      </ul>
    </Card>
  );
}

const isWell = ({ state }: DeviceView): boolean => state === "connected";

/** What has trouble, then agents, then what hangs on them. */
const troubleFirst = (a: DeviceView, b: DeviceView): number =>
  Number(isWell(a)) - Number(isWell(b)) ||
  Number(a.kind !== "agent") - Number(b.kind !== "agent") ||
  byName(a.name, b.name);

function Tally({ well, count }: { well: number; count: number }): JSX.Element {
  if (well === count)
    return (
      <span class="muted">
        <Say id="devices.allWell" count={count} />
      </span>
    );
  return (
    <span>
      <Say id="devices.some" well={well} count={count} />
    </span>
  );
}

const Device = memo(function Device({ device }: { device: DeviceView }): JSX.Element {
  const state = stateOf(device);
  const offset = device.clock_offset_us ?? 0;
  return (
    <li data-device={device.name} data-state={device.state} class={isWell(device) ? "well" : ""}>
      <span class="row-name">
        <bdi>{device.name}</bdi>{" "}
        <span class="muted">
          <Say id={`kind.${device.kind}`} />
        </span>
      </span>
      <span class="row-number">
        <Mark meaning={MEANING[state]}>
          <Say id={`device.${state}`} />
        </Mark>
      </span>
      <span class={`row-note muted ${isWell(device) ? "beside" : ""}`}>
        <span>
          {isWell(device) && <Heard device={device} />}
          {!isWell(device) && device.since_us > 0 && <Say id="device.for" age={<Span since={device.since_us} />} />}
        </span>
      </span>
      <span class="row-note muted">
        {device.waiting != null && (
          <span>
            <Say id="device.waiting" count={device.waiting} />
          </span>
        )}
        {Math.abs(offset) > CLOCK_SHOWN_US && (
          <span>
            <Say id="device.clock" offset={signed(offset / 1e6)} />
          </span>
        )}
        {isWell(device) && <Present counts={device.counts} />}
        {!!device.counts.recording_dropped && (
          <span>
            <Say id="device.unrecorded" count={device.counts.recording_dropped} />
          </span>
        )}
        {!isWell(device) && device.detail && (
          <bdi lang="en" class="detail">
            {device.detail}
          </bdi>
        )}
      </span>
    </li>
  );
});

/** How many tags a zone reader has in each zone that it looks at. */
function Present({ counts }: { counts: Record<string, number> }): JSX.Element {
  const zones = Object.entries(counts).filter(([name]) => name.startsWith(PRESENT));
  return (
    <>
      {zones.map(([name, count]) => (
        <span key={name} data-count={name}>
          <Say id="device.present" count={count} zone={zoneTitle(name.slice(PRESENT.length))} />
        </span>
      ))}
    </>
  );
}

function Heard({ device }: { device: DeviceView }): JSX.Element {
  return <Say id="device.heard" ago={<Ago us={device.heard_us ?? device.since_us} />} />;
}
