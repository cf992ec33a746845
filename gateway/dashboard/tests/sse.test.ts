import { describe, expect, it } from "vitest";
import { EventParser } from "../src/sse";

const STREAM = 'retry: 1000\n\nid: a-1\nevent: snapshot\ndata: {"n": 1}\n\n: a comment\nevent: beat\ndata: {}\n\n';

describe("a stream of server-sent events", () => {
  it("gives the same events however it is cut into chunks", () => {
    const whole = new EventParser().feed(STREAM);
    expect(whole).toEqual([
      { type: "snapshot", data: '{"n": 1}', id: "a-1" },
      { type: "beat", data: "{}", id: "a-1" },
    ]);
    for (let cut = 1; cut < STREAM.length; cut++) {
      const parser = new EventParser();
      expect([...parser.feed(STREAM.slice(0, cut)), ...parser.feed(STREAM.slice(cut))]).toEqual(whole);
    }
    const parser = new EventParser();
    expect([...STREAM].flatMap((char) => parser.feed(char))).toEqual(whole);
  });

  it("knows all three line endings, and data of several lines", () => {
    const events = new EventParser().feed("data: one\r\ndata: two\r\rdata:three\n\n");
    expect(events.map((event) => event.data)).toEqual(["one\ntwo", "three"]);
  });

  it("takes no event from lines without data", () => {
    expect(new EventParser().feed("event: beat\nid: 7\n\n\n\n")).toEqual([]);
  });
});
