import { describe, expect, it } from "vitest";
import { pauseMs } from "../src/stream";

describe("the pause between connections", () => {
  it("doubles up to its cap, and chance spreads the clients", () => {
    expect([0, 1, 2, 3].map((failures) => pauseMs(failures, 1))).toEqual([250, 500, 1000, 2000]);
    expect(pauseMs(50, 1)).toBe(3000);
    expect(pauseMs(50, 0)).toBe(1500);
  });
});
