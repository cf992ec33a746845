// A stock's last levels as a small picture, with the reorder point as a dashed line. Stock moves in steps, so it is drawn so.

import type { JSX } from "preact";

const WIDTH = 96;
const HEIGHT = 24;
const MARGIN = 2;

interface SparkProps {
  trace: readonly (readonly [number, number])[];
  nowUs: number;
  limit: number;
  label: string;
}

export function Spark({ trace, nowUs, limit, label }: SparkProps): JSX.Element {
  const first = trace[0];
  if (!first) return <span class="spark" />;
  const levels = trace.map(([, level]) => level);
  const low = Math.min(...levels, limit);
  const high = Math.max(...levels, limit, low + 1);
  const span = Math.max(1, nowUs - first[0]);
  const x = (us: number) => (((us - first[0]) / span) * WIDTH).toFixed(1);
  const y = (level: number) => (HEIGHT - MARGIN - ((level - low) / (high - low)) * (HEIGHT - 2 * MARGIN)).toFixed(1);
  const steps = trace.map(([us, level], i) => (i === 0 ? `M0 ${y(level)}` : `H${x(us)}V${y(level)}`)).join("");
  return (
    <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} width={WIDTH} height={HEIGHT} role="img" aria-label={label}>
      <path class="limit" d={`M0 ${y(limit)}H${WIDTH}`} />
      <path class="level" d={`${steps}H${WIDTH}`} />
    </svg>
  );
}
