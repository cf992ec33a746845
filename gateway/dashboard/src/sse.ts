// Server-sent events (WHATWG HTML, section 9.2.6) from the chunks of a response body.

export interface ServerEvent {
  type: string;
  data: string;
  id: string;
}

/** An event longer than this is no event of ours. */
const MAX_EVENT_CHARS = 32 * 1024 * 1024;

export class TooLong extends Error {}

/** Feed it text as it arrives; it returns the events that are complete. Keeps the last id, as the standard says. */
export class EventParser {
  #rest = "";
  #type = "";
  #data: string[] = [];
  #id = "";

  feed(text: string): ServerEvent[] {
    const events: ServerEvent[] = [];
    this.#rest += text;
    if (this.#rest.length > MAX_EVENT_CHARS) throw new TooLong(`an event of more than ${MAX_EVENT_CHARS} characters`);
    for (;;) {
      const end = /\r\n|\n|\r(?!$)/.exec(this.#rest);
      if (!end) return events;
      const line = this.#rest.slice(0, end.index);
      this.#rest = this.#rest.slice(end.index + end[0].length);
      const event = this.#line(line);
      if (event) events.push(event);
    }
  }

  #line(line: string): ServerEvent | null {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.#type = value;
    else if (field === "data") this.#data.push(value);
    else if (field === "id" && !value.includes("\0")) this.#id = value;
    return null;
  }

  #dispatch(): ServerEvent | null {
    const data = this.#data.join("\n");
    const event = { type: this.#type || "message", data, id: this.#id };
    const empty = this.#data.length === 0;
    this.#type = "";
    this.#data = [];
    return empty ? null : event;
  }
}
