// A lot's share of defective fruit with its confidence interval, and the limit that it must not exceed.

import type { JSX } from "preact";
import { isJudged, type Judged, widest } from "../lots";
import type { LotView } from "../views";
import { rate, Say, say } from "../words";
import { Figure } from "./figure";

const HEIGHT = 40;
const BAR = 28;

export function Rate({ lot }: { lot: LotView }): JSX.Element {
  if (!isJudged(lot))
    return (
      <p class="rate muted">
        <Say id="lot.unjudged" />
      </p>
    );
  return (
    <div class="rate">
      <p>
        <span class={`rate-figure ${lot.state === "over" ? "wrong" : ""}`}>
          <Figure value={lot.rate} as={rate} size="large" />
        </span>{" "}
        <span class="muted">
          <Say id="verdict.defective" />
        </span>
      </p>
      <Interval lot={lot} />
      <p class="muted small">
        <Say id="lot.interval" low={rate(lot.low)} high={rate(lot.high)} />
      </p>
    </div>
  );
}

function Interval({ lot }: { lot: Judged }): JSX.Element {
  const end = widest(lot);
  const x = (share: number) => `${((share / end) * 100).toFixed(2)}%`;
  const limit = rate(lot.limit);
  const label = say("lot.picture", { rate: rate(lot.rate), low: rate(lot.low), high: rate(lot.high), limit });
  return (
    <svg class={`interval ${lot.state}`} width="100%" height={HEIGHT} role="img" aria-label={label}>
      <rect class="beyond" x={x(lot.limit)} y="16" width={x(end - lot.limit)} height={HEIGHT - 16} />
      <line x1="0" x2="100%" y1={BAR} y2={BAR} />
      <line class="limit" x1={x(lot.limit)} x2={x(lot.limit)} y1="16" y2={HEIGHT} />
      <text x={x(lot.limit)} y="11" text-anchor={lot.limit / end < 0.2 ? "start" : "middle"}>
        {say("lot.limit", { limit })}
      </text>
      <line class="span" x1={x(lot.low)} x2={x(lot.high)} y1={BAR} y2={BAR} />
      {[lot.low, lot.high].map((share, side) => (
        <line key={side === 0 ? "low" : "high"} class="end" x1={x(share)} x2={x(share)} y1={BAR - 5} y2={BAR + 5} />
      ))}
      <circle cx={x(lot.rate)} cy={BAR} r="5" />
    </svg>
  );
}
