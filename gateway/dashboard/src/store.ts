// What the page knows: the last snapshot with every delta since, and when it was last told so.
// Components read from here and nowhere else; only the stream writes.

import { batch, computed, signal } from "@preact/signals";
import type { ServerEvent } from "./sse";
import { gatewayNowUs, type Heard, hear, type Instant, STALE_AFTER_MS, silenceMs } from "./staleness";
import type { Sink } from "./stream";
import type { Beat, Delta, DeviceView, ExceptionView, FeedEntry, Section, Snapshot } from "./views";

/** Feed entries kept, and only of things that moved: readings, fruit and device health have blocks of their own. */
const FEED_LENGTH = 30;
const MOVEMENTS = new Set(["door_pass", "empty_pass", "zone_seen", "zone_left", "tag_count"]);

// --- pure: how a snapshot grows by a delta ---------------------------------------------------------------------------

/** The state after a delta, or null when the delta does not follow the state. Sections that did not change are kept. */
export function applied(state: Snapshot, delta: Delta): Snapshot | null {
  if (delta.n !== state.n + 1) return null;
  const next: Snapshot = { ...state, n: delta.n, now_us: delta.now_us };
  const copied = new Map<Section, Record<string, unknown>>();
  for (const { section, key, value } of delta.changes) {
    let views = copied.get(section);
    if (!views) {
      views = { ...state[section] };
      copied.set(section, views);
    }
    if (value === null) delete views[key];
    else views[key] = value;
  }
  for (const [section, views] of copied) Object.assign(next, { [section]: views });
  if (delta.feed.length > 0) next.feed = lastMovements([...state.feed, ...delta.feed]);
  return next;
}

export function lastMovements(feed: readonly FeedEntry[]): FeedEntry[] {
  return feed.filter((entry) => MOVEMENTS.has(entry.kind)).slice(-FEED_LENGTH);
}

// --- the state -------------------------------------------------------------------------------------------------------

const state = signal<Snapshot | null>(null);
const heard = signal<Heard | null>(null);

/** Ticks five times a second; only the strip's age reads it. */
export const pulse = signal<Instant>(instant());
/** The gateway's clock in whole seconds, for ages; null until it was heard once. */
export const nowUs = computed(() => {
  const last = heard.value;
  return last ? Math.floor(gatewayNowUs(last, pulse.value) / 1e6) * 1e6 : null;
});
export const silentMs = computed(() => (heard.value ? silenceMs(heard.value, pulse.value) : null));
/** The figures are not of now. */
export const stale = computed(() => (silentMs.value ?? 0) > STALE_AFTER_MS);
/** Gateway's time of the newest news. */
export const heardUs = computed(() => heard.value?.gatewayUs ?? null);

/** How often the stream was opened: what failed while it was away is worth another try. */
export const openings = signal(0);

const started = performance.now();
/** How long the page has been there. */
export const startedMs = computed(() => pulse.value.steadyMs - started);

export const known = computed(() => state.value !== null);
export const site = computed(() => state.value?.site.site ?? null);
export const zones = computed(() => state.value?.zones ?? []);
export const doors = computed(() => state.value?.doors ?? {});
export const shipments = computed(() => state.value?.shipments ?? {});
export const stock = computed(() => state.value?.stock ?? {});
export const exceptions = computed(() => state.value?.exceptions ?? {});
export const orders = computed(() => state.value?.orders ?? {});
export const devices = computed(() => state.value?.devices ?? {});
export const conditions = computed(() => state.value?.conditions ?? {});
export const lines = computed(() => state.value?.lines ?? {});
export const reviews = computed(() => state.value?.reviews ?? {});
export const feed = computed(() => state.value?.feed ?? []);

export const openExceptions = computed(() =>
  loudestFirst(({ state, snoozed_until_us }) => state === "open" && !snoozed_until_us),
);

/** The exceptions of which something is so, in the order of the list. */
export const loudestFirst = (isSo: (exception: ExceptionView) => boolean): ExceptionView[] =>
  Object.values(exceptions.value)
    .filter(isSo)
    .sort(
      (a, b) =>
        Number(a.snoozed_until_us ?? 0) - Number(b.snoozed_until_us ?? 0) ||
        Number(b.severity === "wrong") - Number(a.severity === "wrong") ||
        b.opened_us - a.opened_us,
    );

/** What is known of a device: of one behind a silent agent nothing new, though it was heard. */
export function stateOf({ state, agent }: DeviceView): DeviceView["state"] {
  return state === "unknown" && devices.value[agent]?.state === "silent" ? "silent" : state;
}

export function instant(): Instant {
  return { steadyMs: performance.now(), wallMs: Date.now() };
}

/** Let time pass, so that ages grow and silence is noticed. */
export function startClock(everyMs = 200): void {
  const tick = () => {
    pulse.value = instant();
  };
  setInterval(tick, everyMs);
  document.addEventListener("visibilitychange", tick);
}

// --- the stream writes -----------------------------------------------------------------------------------------------

/** The stream's end in the store. `fresh` says that nothing was heard on this connection yet. */
export class StoreSink implements Sink {
  #fresh = true;

  opened(): void {
    this.#fresh = true;
    openings.value += 1;
  }

  event({ type, data }: ServerEvent): boolean {
    const body: unknown = JSON.parse(data);
    if (type === "beat") return isNumbered(body) && body.n === state.value?.n && this.#tell(state.value, body.now_us);
    if (type === "snapshot") return isSnapshot(body) && this.#tell(begun(body), body.now_us);
    if (type !== "delta") return true;
    if (!isDelta(body) || !state.value) return false;
    const next = applied(state.value, body);
    return next !== null && this.#tell(next, body.now_us);
  }

  #tell(next: Snapshot | null, gatewayUs: number): true {
    const at = instant();
    batch(() => {
      state.value = next;
      heard.value = hear(this.#fresh ? null : heard.value, gatewayUs, at);
      pulse.value = at;
    });
    this.#fresh = false;
    return true;
  }
}

function begun(snapshot: Snapshot): Snapshot {
  return { ...snapshot, feed: lastMovements(snapshot.feed) };
}

// The gateway's own types stand in the OpenAPI file; here it is only made sure that this is a gateway of ours.

function isRecord(body: unknown): body is Record<string, unknown> {
  return typeof body === "object" && body !== null;
}

function isNumbered(body: unknown): body is Record<string, unknown> & Beat {
  return isRecord(body) && typeof body.n === "number" && typeof body.now_us === "number";
}

function isSnapshot(body: unknown): body is Snapshot {
  return isNumbered(body) && isRecord(body.site) && isRecord(body.doors) && Array.isArray(body.feed);
}

function isDelta(body: unknown): body is Delta {
  return isNumbered(body) && Array.isArray(body.changes) && Array.isArray(body.feed);
}
