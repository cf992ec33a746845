// What runs over a line, how good it is, and what ran before.

import type { JSX } from "preact";
import { isJudged } from "../lots";
import { itemTitle } from "../titles";
import type { LotView } from "../views";
import { rate, Say } from "../words";
import { Figure } from "./figure";
import { KeptLot } from "./keptlot";
import { Mark, type Meaning } from "./mark";

const MEANING: Record<LotView["state"], Meaning> = {
  running: "moving",
  within: "done",
  over: "wrong",
  released: "quiet",
};

export function LotState({ state }: { state: LotView["state"] }): JSX.Element {
  return (
    <Mark meaning={MEANING[state]}>
      <Say id={`lot.${state}`} />
    </Mark>
  );
}

export function LotName({ lot }: { lot: LotView }): JSX.Element {
  return (
    <p class="lot-name">
      <strong>
        <Say id="lot.name" lot={lot.lot} />
      </strong>{" "}
      <span class="muted">
        {lot.sku !== null && <bdi>{itemTitle(lot.sku)} </bdi>}
        {lot.customer !== null && <Say id="lot.customer" customer={lot.customer} />}
      </span>
    </p>
  );
}

const COUNTS = ["good", "unsure", "defective", "unseen"] as const;

/** How many fruit were judged how, in a row. */
export function Counts({ lot }: { lot: LotView }): JSX.Element {
  return (
    <dl class="counts">
      {COUNTS.map((name) => (
        <div key={name} data-count={name}>
          <dt>
            <Say id={`verdict.${name}`} />
          </dt>
          <dd>
            <Figure value={lot[name]} size="large" />
          </dd>
        </div>
      ))}
      {lot.missed > 0 && (
        <div data-count="missed" class="attention">
          <dt>
            <Say id="line.late" />
          </dt>
          <dd>
            <Figure value={lot.missed} size="large" />
          </dd>
        </div>
      )}
    </dl>
  );
}

export function EarlierLots({ lots }: { lots: readonly LotView[] }): JSX.Element | null {
  if (lots.length === 0) return null;
  return (
    <details class="lots">
      <summary>
        <Say id="lot.earlier" count={lots.length} />
      </summary>
      <ul class="rows">
        {lots.map((lot) => (
          <Earlier key={`${lot.lot} ${lot.begun_us}`} lot={lot} />
        ))}
      </ul>
    </details>
  );
}

function Earlier({ lot }: { lot: LotView }): JSX.Element {
  return (
    <li data-lot={lot.lot}>
      <LotName lot={lot} />
      <span class="row-number">{isJudged(lot) ? rate(lot.rate) : "–"}</span>
      <span class="row-note muted">
        {isJudged(lot) && <Say id="lot.interval" low={rate(lot.low)} high={rate(lot.high)} />}
      </span>
      <span class="row-state">
        <LotState state={lot.state} />
      </span>
      <KeptLot lot={lot} />
    </li>
  );
}
