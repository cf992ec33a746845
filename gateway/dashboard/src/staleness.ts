// How old the news is. Pure: the clocks are arguments.
//
// The tablet's clock may be wrong by hours and a phone's steady clock may stand still while it sleeps. So ages are
// counted by the gateway's clock, which is the wall clock plus a `lead` learned from what arrives, and silence is the
// larger of what the two local clocks say.

export interface Instant {
  /** performance.now(): never steps, may stop in sleep. */
  steadyMs: number;
  /** Date.now(): may step, goes on in sleep. */
  wallMs: number;
}

export interface Heard {
  at: Instant;
  /** The gateway's clock in the newest message. */
  gatewayUs: number;
  /** Gateway's clock minus wall clock, in us: the largest seen on this connection, so the one with the least delay. */
  leadUs: number;
}

/** After this much silence the figures are shown as stale; a little under 3 s, so that it is on the screen by then. */
export const STALE_AFTER_MS = 2_700;
/** A reading is stale after this many of its own intervals, */
const MISSED_READINGS = 5;
/** but never before this. */
const READING_STALE_AFTER_MS = 15_000;

/** A message came. `previous` is null for the first one of a connection. */
export function hear(previous: Heard | null, gatewayUs: number, at: Instant): Heard {
  const leadUs = gatewayUs - at.wallMs * 1000;
  return { at, gatewayUs, leadUs: previous ? Math.max(previous.leadUs, leadUs) : leadUs };
}

/** The gateway's clock now, as well as it can be known from here. */
export function gatewayNowUs(heard: Heard, at: Instant): number {
  return at.wallMs * 1000 + heard.leadUs;
}

/** Age of the newest news in ms. News that was long under way is old when it comes. */
export function silenceMs(heard: Heard, at: Instant): number {
  const steady = at.steadyMs - heard.at.steadyMs;
  const lag = (gatewayNowUs(heard, at) - heard.gatewayUs) / 1000;
  return Math.max(steady, lag, 0);
}

/** Whether a sensor has missed its readings, judged by the rhythm of those it sent. */
export function readingIsStale(trace: readonly (readonly [number, number])[], atUs: number, nowUs: number): boolean {
  const gaps = trace.slice(1).map(([us], i) => us - (trace[i]?.[0] ?? us));
  const typicalUs = gaps.sort((a, b) => a - b)[gaps.length >> 1] ?? 0;
  return nowUs - atUs > Math.max(READING_STALE_AFTER_MS * 1000, MISSED_READINGS * typicalUs);
}
