// The live stream: a fetch that is read as server-sent events, watched for silence, and opened again for ever.
//
// EventSource is not used because it cannot be told to give up on a black hole, and forgets the last id when it is
// closed by hand.

import { EventParser, type ServerEvent } from "./sse";
import { STALE_AFTER_MS } from "./staleness";

export interface Sink {
  /** A connection is open; what comes next may be a snapshot or the deltas after the last id. */
  opened(): void;
  /** One event. Returns false when it does not fit what is held: the next connection begins with a snapshot. */
  event(event: ServerEvent): boolean;
}

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 3_000;
/** A connection that lived this long was a good one: the next pause is short again. */
const GOOD_AFTER_MS = 3_000;

/** How long to wait before connection number `failures + 1`: doubling, capped, half of it by chance. */
export function pauseMs(failures: number, chance: number): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures, 10)) * (0.5 + chance / 2);
}

class Refused extends Error {}

/** One thing at a time that can be hurried: a pause between connections, or the patience with a silent one. */
class Alarm {
  #timer: ReturnType<typeof setTimeout> | undefined;

  set(ms: number, ring: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(ring, ms);
  }

  clear(): void {
    clearTimeout(this.#timer);
  }
}

export class Stream {
  #lastId = "";
  #failures = 0;
  #connection: AbortController | null = null;
  #goOn: (() => void) | null = null;
  #lastByteWallMs = 0;

  constructor(
    private readonly url: string,
    private readonly sink: Sink,
  ) {}

  /** Follow the stream until the page is gone. */
  async run(): Promise<never> {
    for (;;) {
      try {
        await this.#connect();
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        console.info(`live stream: ${error.message}`);
      }
      await this.#pause(pauseMs(this.#failures++, Math.random()));
    }
  }

  /** The machine woke or the network came back: do not wait out a pause or a connection that is dead by now. */
  hurry(): void {
    this.#failures = 0;
    this.#goOn?.();
    if (Date.now() - this.#lastByteWallMs > STALE_AFTER_MS) this.drop("silent when looked at");
  }

  /** Give up this connection. */
  drop(reason: string): void {
    this.#connection?.abort(new Error(reason));
  }

  async #connect(): Promise<void> {
    const connection = new AbortController();
    const silence = new Alarm();
    const patience = () => silence.set(STALE_AFTER_MS, () => connection.abort(new Error("silent")));
    const begun = Date.now();
    this.#connection = connection;
    this.#lastByteWallMs = begun;
    patience();
    try {
      const body = await this.#open(connection.signal);
      this.sink.opened();
      const parser = new EventParser();
      for await (const text of texts(body)) {
        this.#lastByteWallMs = Date.now();
        patience();
        for (const event of parser.feed(text)) this.#take(event);
      }
      throw new Refused("closed by the gateway");
    } finally {
      silence.clear();
      connection.abort();
      if (this.#lastByteWallMs - begun > GOOD_AFTER_MS) this.#failures = 0;
    }
  }

  async #open(signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const headers: Record<string, string> = { Accept: "text/event-stream" };
    if (this.#lastId) headers["Last-Event-ID"] = this.#lastId;
    const response = await fetch(this.url, { headers, signal, cache: "no-store" });
    if (!response.ok || !response.body) throw new Refused(`answered ${response.status}`);
    return response.body;
  }

  #take(event: ServerEvent): void {
    if (!this.sink.event(event)) {
      this.#lastId = "";
      throw new Refused(`a ${event.type} that does not fit: beginning again`);
    }
    this.#lastId = event.id;
  }

  async #pause(ms: number): Promise<void> {
    const timer = new Alarm();
    await new Promise<void>((resolve) => {
      this.#goOn = resolve;
      timer.set(ms, resolve);
    });
    timer.clear();
    this.#goOn = null;
  }
}

async function* texts(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield decoder.decode(value, { stream: true });
  }
}
