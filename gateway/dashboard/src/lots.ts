// What is known of a lot's rate, and how it is drawn. Pure.

import type { LotView } from "./views";

/** A lot of which something was judged. */
export type Judged = LotView & { rate: number; low: number; high: number };

export const isJudged = (lot: LotView): lot is Judged => lot.rate !== null && lot.low !== null && lot.high !== null;

/** The share at the right end: twice the limit, or more where the interval needs it. */
export function widest({ high, limit }: { high: number; limit: number }): number {
  return Math.min(1, Math.max(2 * limit, high * 1.1, 0.02));
}
