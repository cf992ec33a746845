import { describe, expect, it } from "vitest";
import { isJudged, widest } from "../src/lots";
import type { LotView } from "../src/views";

const LOT: LotView = {
  lot: "L-1",
  sku: null,
  customer: null,
  begun_us: 1,
  ended_us: null,
  good: 0,
  defective: 0,
  unsure: 0,
  unseen: 0,
  missed: 0,
  rate: null,
  low: null,
  high: null,
  limit: 0.1,
  state: "running",
};

describe("the picture of a lot's rate", () => {
  it("is there as soon as something was judged", () => {
    expect(isJudged(LOT)).toBe(false);
    expect(isJudged({ ...LOT, rate: 0, low: 0, high: 0.4 })).toBe(true);
  });

  it("always holds the limit and the whole interval", () => {
    for (const limit of [0, 0.001, 0.02, 0.1, 0.5, 0.9, 1])
      for (const high of [0, 0.01, 0.1, 0.3, 0.8, 1]) {
        const end = widest({ high, limit });
        expect(end, `${high} ${limit}`).toBeGreaterThan(0);
        expect(end).toBeGreaterThanOrEqual(Math.max(high, limit));
        expect(end).toBeLessThanOrEqual(1);
      }
  });

  it("stands in the middle of a good lot's", () => {
    expect(widest({ high: 0.05, limit: 0.1 })).toBeCloseTo(0.2);
  });
});
