import { describe, expect, it } from "vitest";
import { applied, lastMovements } from "../src/store";
import type { Change, DoorView, FeedEntry, Snapshot } from "../src/views";

function door(name: string, inbound: number): DoorView {
  const title = { en: name, zh: name };
  return {
    name,
    title,
    inside: "hall",
    outside: null,
    inbound,
    outbound: 0,
    unknown: 0,
    strays: {},
    unread: 0,
    last_pass_us: null,
    shipment: null,
    readers: [],
  };
}

const pass = (id: number, kind = "door_pass"): FeedEntry => ({
  id,
  kind,
  agent: "dock",
  at_us: id,
  decided_us: id,
  recorded_us: id,
  place: "a",
  direction: "inbound",
  confidence: 1,
  epc: null,
  sku: null,
  tags: null,
  stragglers: 0,
});

const SNAPSHOT: Snapshot = {
  n: 7,
  now_us: 70,
  zones: [],
  site: {},
  doors: { a: door("a", 1), b: door("b", 2) },
  shipments: {},
  stock: {},
  exceptions: {},
  orders: {},
  devices: {},
  conditions: {},
  lines: {},
  reviews: {},
  counts: {},
  feed: [pass(1)],
};

const delta = (n: number, changes: Change[], feed: FeedEntry[] = []) => ({
  n,
  now_us: n * 10,
  changes,
  feed,
  skipped: 0,
});

describe("a snapshot and the deltas after it", () => {
  it("takes over what changed, and keeps everything else as the same objects", () => {
    const next = applied(SNAPSHOT, delta(8, [{ section: "doors", key: "a", value: door("a", 5) }]));
    expect(next?.doors.a?.inbound).toBe(5);
    expect(next?.doors.b).toBe(SNAPSHOT.doors.b);
    expect(next?.stock).toBe(SNAPSHOT.stock);
    expect(SNAPSHOT.doors.a?.inbound).toBe(1);
  });

  it("forgets what is gone and learns what is new", () => {
    const next = applied(
      SNAPSHOT,
      delta(8, [
        { section: "doors", key: "a", value: null },
        { section: "doors", key: "c", value: door("c", 0) },
      ]),
    );
    expect(Object.keys(next?.doors ?? {})).toEqual(["b", "c"]);
  });

  it("refuses a delta that does not follow", () => {
    for (const n of [6, 7, 9]) expect(applied(SNAPSHOT, delta(n, []))).toBeNull();
  });

  it("keeps the last movements of the feed and nothing but movements", () => {
    const feed = [...Array(40).keys()].map((id) => pass(id, id % 2 ? "door_pass" : "condition"));
    expect(lastMovements(feed).map((entry) => entry.id)).toEqual([...Array(20).keys()].map((i) => 2 * i + 1));
    const next = applied(
      SNAPSHOT,
      delta(
        8,
        [],
        [...Array(50).keys()].map((id) => pass(id)),
      ),
    );
    expect(next?.feed).toHaveLength(30);
    expect(next?.feed.at(-1)?.id).toBe(49);
  });
});
