// The cases of a shipment that were announced on one pallet, and why each counts as what it does.

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ask, type Unanswered } from "../asked";
import { byName, doorTitle, itemTitle, zoneTitle } from "../titles";
import type { CaseEvidence, CaseView } from "../views";
import { dateTime, percent, Say, say } from "../words";
import { Mark, type Meaning } from "./mark";

/** So many cases of a pallet are drawn at once. */
const SHOWN = 60;

const MEANING: Record<CaseView["state"], Meaning> = {
  seen: "done",
  inferred: "quiet",
  expected: "quiet",
  missing: "wrong",
  unexpected: "attention",
  over: "attention",
};
const LOUDEST: readonly CaseView["state"][] = ["missing", "unexpected", "over", "inferred", "expected", "seen"];

const isOff = (one: CaseView): boolean =>
  one.state === "missing" || one.state === "unexpected" || one.state === "over" || one.wrong_pallet;

/** Cases by the pallet that they were announced on, those on none last; in each the loudest first. */
export function byPallet(cases: readonly CaseView[]): [string, CaseView[]][] {
  const pallets = new Map<string, CaseView[]>();
  for (const one of cases) {
    const pallet = one.sscc ?? "";
    pallets.set(pallet, [...(pallets.get(pallet) ?? []), one]);
  }
  const rank = (one: CaseView) => (one.wrong_pallet ? 0 : LOUDEST.indexOf(one.state));
  for (const standing of pallets.values()) standing.sort((a, b) => rank(a) - rank(b) || byName(a.epc, b.epc));
  return [...pallets].sort(([a], [b]) => Number(a === "") - Number(b === "") || byName(a, b));
}

interface PalletProps {
  shipment: string;
  /** EPC of its tag; empty for cases on none. */
  pallet: string;
  cases: readonly CaseView[];
  /** Some came through the wrong door and others did not: it is worth saying of each. */
  doors: boolean;
}

export function Pallet({ shipment, pallet, cases, doors }: PalletProps): JSX.Element {
  const [open, setOpen] = useState(() => cases.some(isOff));
  const [shown, setShown] = useState(SHOWN);
  const expected = cases.filter(({ state }) => state !== "unexpected" && state !== "over").length;
  const seen = cases.filter(({ state }) => state === "seen").length;
  const states = LOUDEST.filter((state) => state !== "seen" && cases.some((one) => one.state === state));
  return (
    <details class="pallet" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <strong>{pallet ? <Say id="shipment.pallet" pallet={pallet} /> : <Say id="shipment.loose" />}</strong>
        <span>
          <Say id="shipment.palletOf" seen={seen} expected={expected} />
        </span>
        {states.map((state) => (
          <Mark key={state} meaning={MEANING[state]}>
            <Say id={`case.${state}`} /> {cases.filter((one) => one.state === state).length}
          </Mark>
        ))}
      </summary>
      {open && (
        <ul>
          {cases.slice(0, shown).map((one) => (
            <Case key={one.epc} shipment={shipment} one={one} doors={doors} />
          ))}
        </ul>
      )}
      {open && cases.length > shown && (
        <button type="button" class="plain" onClick={() => setShown(shown + SHOWN)}>
          <Say id="shipment.more" count={cases.length - shown} />
        </button>
      )}
    </details>
  );
}

function Case({ shipment, one, doors }: { shipment: string; one: CaseView; doors: boolean }): JSX.Element {
  const [why, setWhy] = useState<CaseEvidence | Unanswered | "closed" | "asked">("closed");
  const toggle = async () => {
    if (why !== "closed") return setWhy("closed");
    setWhy("asked");
    const answer = await ask<CaseEvidence>(`shipments/${encodeURIComponent(shipment)}/cases/${one.epc}`);
    setWhy((now) => (now === "asked" ? answer : now));
  };
  return (
    <li data-case={one.epc} data-state={one.state}>
      <span class="case-name">
        <bdi>{itemTitle(one.sku)}</bdi> <code>{one.epc}</code>
        <span class="muted">
          {one.lot !== null && <Say id="shipment.lot" lot={one.lot} />}{" "}
          {one.expires !== null && <Say id="shipment.expires" day={one.expires} />}
        </span>
      </span>
      <span class="case-state">
        <Mark meaning={MEANING[one.state]}>
          <Say id={`case.${one.state}`} />
        </Mark>
        {one.wrong_pallet && (
          <Mark meaning="attention">
            <Say id="case.wrongPallet" pallet={<code>{one.seen_on}</code>} />
          </Mark>
        )}
        {doors && one.wrong_door && one.door !== null && (
          <Mark meaning="attention">
            <Say id="case.wrongDoor" door={doorTitle(one.door)} />
          </Mark>
        )}
        {one.late && (
          <Mark meaning="attention">
            <Say id="case.late" />
          </Mark>
        )}
      </span>
      {one.told_us !== null && (
        <button
          type="button"
          class="plain"
          aria-expanded={why !== "closed"}
          aria-label={say("shipment.whyOf", { epc: one.epc })}
          onClick={toggle}
        >
          <Say id="shipment.why" />
        </button>
      )}
      <div class="why" role="status">
        {typeof why === "object" && <Evidence told={why} />}
        {why === "unknown" && <Say id="shipment.noWhy" />}
        {why === "failed" && <Say id="todo.noAnswer" />}
      </div>
    </li>
  );
}

function Evidence({ told }: { told: CaseEvidence }): JSX.Element {
  const { direction, confidence, inside, outside, tags = 1 } = told;
  const rule = told.rule as Rule | null | undefined; // the contract's events name them
  return (
    <ul>
      <li>
        <Say id="evidence.row" row={told.row} time={dateTime(told.at_us)} agent={told.agent} />
      </li>
      {told.who != null && (
        <li>
          <Say id="evidence.told" who={told.who} />
        </li>
      )}
      {told.place !== "" && (
        <li>
          <Say id="evidence.place" place={direction == null ? zoneTitle(told.place) : doorTitle(told.place)} />
        </li>
      )}
      {told.inferred && (
        <li>
          <Say id="evidence.inferred" pallet={<code>{told.tag}</code>} />
        </li>
      )}
      {direction != null && confidence != null && rule != null && (
        <li>
          <Say
            id="evidence.passed"
            direction={say(`passes.${direction}`)}
            percent={percent(confidence)}
            rule={say(`rule.${rule}`)}
          />
        </li>
      )}
      {inside != null && outside != null && (
        <li>
          <Say id="evidence.reads" inside={inside.reads} outside={outside.reads} />
        </li>
      )}
      {tags > 1 && (
        <li>
          <Say id="evidence.with" count={tags - 1} />
        </li>
      )}
      {told.straggler && (
        <li>
          <Say id="evidence.straggler" />
        </li>
      )}
    </ul>
  );
}

type Rule = "centroid" | "phase" | "photo_eye" | "group" | "margin";
