// How long ago, by the gateway's clock. Only this text is drawn again as time passes.

import type { JSX } from "preact";
import { nowUs } from "../store";
import { dateTime, Say, span } from "../words";

/** A span since a moment: 00:12. */
export function Span({ since }: { since: number }): JSX.Element {
  const now = nowUs.value ?? since;
  return (
    <time class="age" dateTime={new Date(since / 1000).toISOString()} title={dateTime(since)}>
      {span(now - since)}
    </time>
  );
}

/** 00:12 ago. */
export function Ago({ us }: { us: number | null | undefined }): JSX.Element {
  return us == null ? <Say id="age.never" /> : <Say id="age.ago" age={<Span since={us} />} />;
}
