// The last things that moved, newest first: the page's heartbeat for whoever stands beside the door.

import type { JSX } from "preact";
import { memo } from "../memo";
import { feed } from "../store";
import { itemTitle, titleOf } from "../titles";
import type { FeedEntry } from "../views";
import { percent, Say, time } from "../words";
import { Ago } from "./age";
import { Card, Empty } from "./card";
import { Mark } from "./mark";

const SHOWN = 8;
/** The end of an EPC, enough to tell two cases apart by their labels. */
const TAIL = 6;
/** A confidence from here on is not worth a word. */
const SURE = 0.95;
/** Header of a pallet's tag, and the digits at its end that are always zero (TDS 1.13, section 14.5.2). */
const SSCC_96 = "31";
const SSCC_96_UNUSED = 6;

export function Passes(): JSX.Element {
  const shown = feed.value.slice(-SHOWN).reverse();
  return (
    <Card
      name="passes"
      area="passes"
      title={<Say id="passes.title" />}
      state={
        shown[0] && (
          <span class="muted">
            <Ago us={shown[0].recorded_us} />
          </span>
        )
      }
    >
      {shown.length === 0 && (
        <Empty>
          <Say id="passes.empty" />
        </Empty>
      )}
      <ol class="feed">
        {shown.map((entry) => (
          <Entry key={entry.id} entry={entry} />
        ))}
      </ol>
    </Card>
  );
}

const Entry = memo(function Entry({ entry }: { entry: FeedEntry }): JSX.Element {
  return (
    <li data-entry={entry.id}>
      <time class="muted" dateTime={new Date(entry.at_us / 1000).toISOString()}>
        {time(entry.at_us)}
      </time>
      <bdi>{titleOf(entry.place)}</bdi>
      <span>
        <Way entry={entry} />
      </span>
      <span class="case">{entry.kind === "empty_pass" ? <Say id="passes.unread" /> : <Case entry={entry} />}</span>
      <span class="sure muted number">
        {entry.confidence != null && entry.confidence < SURE && (
          <Say id="passes.sure" percent={percent(entry.confidence)} />
        )}
      </span>
    </li>
  );
});

function Case({ entry }: { entry: FeedEntry }): JSX.Element {
  const { sku = null, epc = null, tags, stragglers } = entry;
  const pallet = epc?.startsWith(SSCC_96) ?? false;
  return (
    <>
      {sku !== null ? <bdi>{itemTitle(sku)}</bdi> : <Say id={pallet ? "passes.pallet" : "passes.untitled"} />}{" "}
      {epc !== null && (
        <span class="muted">{pallet ? epc.slice(-SSCC_96_UNUSED - TAIL, -SSCC_96_UNUSED) : epc.slice(-TAIL)}</span>
      )}
      {tags != null && tags > 1 && (
        <>
          {" "}
          <Say id="passes.with" count={tags - 1} />
        </>
      )}
      {stragglers > 0 && <Say id="passes.late" count={stragglers} />}
    </>
  );
}

function Way({ entry }: { entry: FeedEntry }): JSX.Element {
  if (!entry.direction) return <Say id={entry.kind === "zone_left" ? "passes.left" : "passes.seen"} />;
  const words = <Say id={`passes.${entry.direction}`} />;
  return entry.direction === "unknown" ? <Mark meaning="attention">{words}</Mark> : words;
}
