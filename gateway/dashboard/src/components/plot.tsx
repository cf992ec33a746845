// The chart of a sensor's last readings with its limits drawn, by uPlot: loaded where there is a sensor. Colours and
// sizes come from the tokens.

import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { theme } from "../settings";
import type { ConditionView } from "../views";
import { useWidth } from "../width";
import { number, time, timeOfMinute } from "../words";

const HEIGHT = 112;

export function Plot({ view }: { view: ConditionView }): JSX.Element {
  const [ref, width] = useWidth<HTMLDivElement>();
  const plot = useRef<uPlot | null>(null);
  const { min, max } = view;
  const colours = theme.value;

  useEffect(() => {
    if (!ref.current || width === 0) return;
    const made = new uPlot(options(width, min, max), columns(view), ref.current);
    plot.current = made;
    return () => made.destroy();
  }, [width, min, max, colours]);
  useEffect(() => plot.current?.setData(columns(view)), [view]);
  return <div ref={ref} />;
}

function columns(view: ConditionView): uPlot.AlignedData {
  return [view.trace.map(([us]) => us / 1e6), view.trace.map(([, value]) => value)];
}

function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function options(width: number, min: number | null, max: number | null): uPlot.Options {
  const limits = [min, max].filter((limit) => limit !== null);
  const axis = {
    stroke: token("--muted"),
    font: `${token("--text-small")} ${token("--font")}`,
    grid: { show: false },
    ticks: { show: false },
  };
  return {
    width,
    height: HEIGHT,
    padding: [8, 28, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: { y: { range: (_, low, high) => around(low, high, min, max) } },
    axes: [
      {
        ...axis,
        size: 20,
        gap: 4,
        space: 72,
        values: (_, seconds, _axis, _space, step) => seconds.map((at) => (step < 60 ? time : timeOfMinute)(at * 1e6)),
      },
      {
        ...axis,
        size: 32,
        gap: 8,
        space: 32,
        ...(limits.length > 0 && { splits: () => limits }),
        values: (_, values) => values.map(number),
      },
    ],
    series: [{}, { stroke: token("--text"), width: 1.5, points: { show: false } }],
    hooks: { drawAxes: [(plot) => drawLimits(plot, limits)] },
  };
}

/** The readings and their limits, with a little air, so that a limit is always in the picture. */
function around(low: number, high: number, min: number | null, max: number | null): [number, number] {
  const bottom = Math.min(low, min ?? low);
  const top = Math.max(high, max ?? high);
  const air = Math.max(0.5, (top - bottom) * 0.1);
  return [bottom - air, top + air];
}

function drawLimits(plot: uPlot, limits: readonly number[]): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.strokeStyle = token("--edge");
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
  for (const limit of limits) {
    const y = Math.round(plot.valToPos(limit, "y", true)) + 0.5;
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
  }
  ctx.restore();
}
