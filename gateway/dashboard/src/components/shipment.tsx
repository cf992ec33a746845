// One shipment: its figures, every case by its pallet, and why each counts as what it does.

import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { endShipment } from "../actions";
import { ask, type Unanswered } from "../asked";
import { useHandOver } from "../focus";
import { onEscape } from "../keys";
import { leaveShipment } from "../route";
import { shipments } from "../store";
import { doorTitle, isListed, itemTitle } from "../titles";
import type { CaseView, ShipmentDetail, ShipmentView } from "../views";
import { Say } from "../words";
import { Ago } from "./age";
import { Card, Empty } from "./card";
import { DeedForm } from "./deed";
import { Figure } from "./figure";
import { Mark } from "./mark";
import { byPallet, Pallet } from "./pallet";
import { Unloaded } from "./unloaded";
import "./shipment.css";

/** While cases come, the shipment is asked for again, but not more often than this. */
const AGAIN_AFTER_MS = 700;

export function Shipment({ id }: { id: string }): JSX.Element {
  const card = useRef<HTMLDivElement | null>(null);
  const [opener] = useState(() => document.activeElement);
  const [detail, again] = useDetail(id);
  useLayoutEffect(() => card.current?.querySelector("h2")?.focus(), []);
  const close = () => {
    leaveShipment();
    if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
    else document.getElementById("todo-title")?.focus();
  };
  const view = shipments.value[id];
  return (
    <div class="shipment" ref={card}>
      <Card
        name="shipment"
        title={<Say id="shipment.title" shipment={id} />}
        state={
          <button type="button" class="plain" onClick={close}>
            <Say id="shipment.close" />
          </button>
        }
        onKeyDown={onEscape(close)}
      >
        {view ? <Head shipment={view} /> : detail === "unknown" && <Empty children={<Say id="shipment.unknown" />} />}
        {detail === "failed" && <Unloaded again={again} />}
        {isThere(detail) && <Cases detail={detail} />}
        {view && <Ending key={String(view.closed_us)} shipment={view} />}
      </Card>
    </div>
  );
}

/** The shipment with its cases, asked for anew when the stream has said that it changed. */
function useDetail(id: string): [ShipmentDetail | Unanswered | null, () => void] {
  const [detail, setDetail] = useState<ShipmentDetail | Unanswered | null>(null);
  const [tries, setTries] = useState(0);
  const askedMs = useRef(Number.NEGATIVE_INFINITY);
  const here = useRef(true);
  const view = shipments.value[id];
  useEffect(
    () => () => {
      here.current = false;
    },
    [],
  );
  useEffect(() => {
    const load = async () => {
      askedMs.current = performance.now();
      const answer = await ask<ShipmentDetail>(`shipments/${encodeURIComponent(id)}`);
      if (here.current) setDetail((known) => (answer === "failed" && isThere(known) ? known : answer));
    };
    const timer = setTimeout(load, askedMs.current + AGAIN_AFTER_MS - performance.now());
    return () => clearTimeout(timer);
  }, [id, view, tries]);
  return [detail, () => setTries(tries + 1)];
}

const isThere = (detail: ShipmentDetail | Unanswered | null): detail is ShipmentDetail =>
  typeof detail === "object" && detail !== null;

function Head({ shipment }: { shipment: ShipmentView }): JSX.Element {
  const { direction, partner, door, order, purpose, closed_by, closed_us, closed_why } = shipment;
  return (
    <>
      <p class="about muted">
        <span>
          {direction === "inbound" ? (
            <Say id="shipment.from" partner={partner} />
          ) : (
            <Say id="shipment.to" partner={partner} />
          )}
        </span>
        {door !== null && (
          <span>
            <Say id="shipment.door" door={doorTitle(door)} />
          </span>
        )}
        {order !== null && (
          <span>
            <Say id="shipment.order" order={order} />
          </span>
        )}
        {purpose === "return" && (
          <Mark meaning="attention">
            <Say id="shipment.return" />
          </Mark>
        )}
      </p>
      <Figures shipment={shipment} />
      {closed_by != null && (
        <p class="advice">
          <Say id="shipment.closed" who={closed_by} ago={<Ago us={closed_us} />} why={closed_why ?? ""} />
        </p>
      )}
      <Lines shipment={shipment} />
    </>
  );
}

const ALWAYS = ["expected", "seen"] as const;
const SOMETIMES = ["inferred", "unexpected", "over", "wrong_pallet", "wrong_door", "late"] as const;

function Figures({ shipment }: { shipment: ShipmentView }): JSX.Element {
  const settled = shipment.state === "short" || shipment.state === "complete";
  const figures = [...ALWAYS, ...SOMETIMES.filter((name) => (shipment[name] ?? 0) > 0)];
  return (
    <dl class="counts">
      {figures.map((name) => (
        <Count key={name} name={name} value={shipment[name] ?? 0} />
      ))}
      {shipment.missing > 0 && <Count name={settled ? "missing" : "toCome"} value={shipment.missing} />}
    </dl>
  );
}

const LOUD: Readonly<Record<string, string>> = {
  missing: "wrong",
  unexpected: "attention",
  over: "attention",
  wrong_pallet: "attention",
  wrong_door: "attention",
  late: "attention",
};

type Counted = (typeof ALWAYS)[number] | (typeof SOMETIMES)[number] | "missing" | "toCome";

function Count({ name, value }: { name: Counted; value: number }): JSX.Element {
  return (
    <div data-count={name} class={LOUD[name]}>
      <dt>
        <Say id={`figure.${name}`} />
      </dt>
      <dd>
        <Figure value={value} size="large" />
      </dd>
    </div>
  );
}

/** What was announced, where it is not only cases by their tags. */
function Lines({ shipment: { lines } }: { shipment: ShipmentView }): JSX.Element | null {
  if (lines.length === 0) return null;
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">
              <Say id="shipment.lines" />
            </th>
            {(["expected", "seen", "inferred", "over"] as const).map((name) => (
              <th key={name} scope="col" class="number">
                <Say id={`figure.${name}`} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {lines.map(({ sku, expected, seen, inferred = 0, over = 0 }) => (
            <tr key={sku}>
              <th scope="row">{isListed(sku) ? <bdi>{itemTitle(sku)}</bdi> : <Say id="item.unidentified" />}</th>
              {[expected, seen, inferred, over].map((value, i) => (
                <td key={i} class="number">
                  <Figure value={value} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Cases({ detail: { id, cases } }: { detail: ShipmentDetail }): JSX.Element {
  const came = cases.filter(({ door, state }) => door !== null && (state === "seen" || state === "inferred"));
  const doors = !came.every((one) => one.wrong_door);
  return (
    <div class="pallets">
      {byPallet(cases).map(([pallet, standing]: [string, CaseView[]]) => (
        <Pallet key={pallet} shipment={id} pallet={pallet} cases={standing} doors={doors} />
      ))}
    </div>
  );
}

/** Somebody ends it as it is, or takes that back. */
function Ending({ shipment: { id, closed_us } }: { shipment: ShipmentView }): JSX.Element {
  const [asking, setAsking] = useState(false);
  const opener = useRef<HTMLButtonElement | null>(null);
  const self = useRef<HTMLDivElement | null>(null);
  useHandOver(self, () => document.getElementById("shipment-title"));
  const how = closed_us == null ? "close" : "reopen";
  const word = closed_us == null ? "shipment.end" : "shipment.again";
  const close = () => {
    setAsking(false);
    opener.current?.focus();
  };
  return (
    <div class="ending" ref={self}>
      <button type="button" ref={opener} class="alone" aria-expanded={asking} onClick={() => setAsking(!asking)}>
        <Say id={word} />
      </button>
      {asking && (
        <DeedForm
          id={`shipment ${id}`}
          usually={[]}
          choices={[{ word, act: (deed) => endShipment(id, how, deed) }]}
          close={close}
        />
      )}
    </div>
  );
}
