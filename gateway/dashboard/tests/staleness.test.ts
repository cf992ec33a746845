import { describe, expect, it } from "vitest";
import { gatewayNowUs, hear, readingIsStale, STALE_AFTER_MS, silenceMs } from "../src/staleness";

const HOUR_MS = 3_600_000;
const at = (ms: number, wallOffsetMs = 0) => ({ steadyMs: ms, wallMs: 1_000_000 + ms + wallOffsetMs });

describe("the age of the news", () => {
  it("grows with silence", () => {
    const heard = hear(null, 5_000_000, at(0));
    expect(silenceMs(heard, at(400))).toBeCloseTo(400);
    expect(silenceMs(heard, at(STALE_AFTER_MS + 1))).toBeGreaterThan(STALE_AFTER_MS);
  });

  it("does not depend on what the tablet's clock says", () => {
    const right = hear(null, 5_000_000, at(0));
    const wrong = hear(null, 5_000_000, at(0, 7 * HOUR_MS));
    expect(gatewayNowUs(wrong, at(2000, 7 * HOUR_MS))).toBe(gatewayNowUs(right, at(2000)));
  });

  it("counts the sleep of a phone whose steady clock stood still", () => {
    const heard = hear(null, 5_000_000, at(0));
    expect(silenceMs(heard, { steadyMs: 100, wallMs: at(0).wallMs + HOUR_MS })).toBeCloseTo(HOUR_MS);
  });

  it("sees that news which was long under way is old when it comes", () => {
    let heard = hear(null, 5_000_000, at(0));
    heard = hear(heard, 6_000_000, at(9_000));
    expect(silenceMs(heard, at(9_000))).toBeCloseTo(8_000);
  });

  it("begins anew with a new connection, so that a gateway's clock that was set back is no silence", () => {
    const before = hear(null, 5_000_000_000, at(0));
    expect(silenceMs(hear(before, 1_000_000, at(1_000)), at(1_000))).toBeGreaterThan(STALE_AFTER_MS);
    expect(silenceMs(hear(null, 1_000_000, at(1_000)), at(1_000))).toBe(0);
  });
});

describe("a sensor's reading", () => {
  const every = (us: number): [number, number][] => [0, 1, 2, 3].map((i) => [i * us, 4.5]);

  it("is stale when the sensor has missed several of its own intervals", () => {
    const minutely = every(60_000_000);
    expect(readingIsStale(minutely, 180_000_000, 180_000_000 + 120_000_000)).toBe(false);
    expect(readingIsStale(minutely, 180_000_000, 180_000_000 + 301_000_000)).toBe(true);
  });

  it("is given some time even if it came every two seconds, or only once", () => {
    expect(readingIsStale(every(2_000_000), 6_000_000, 20_000_000)).toBe(false);
    expect(readingIsStale(every(2_000_000), 6_000_000, 22_000_000)).toBe(true);
    expect(readingIsStale([[0, 4.5]], 0, 14_000_000)).toBe(false);
    expect(readingIsStale([], 0, 16_000_000)).toBe(true);
  });
});
