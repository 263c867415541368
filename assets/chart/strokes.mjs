// @ts-check
// How the overlay goes on with the lines of indicators, from the last bar that Plotly has to the forming one: as Plotly
// draws the finished part. Pure.

import { toned } from "./panes.mjs";

/** @typedef {import("./series.mjs").Bar} Bar */
/** @typedef {import("./kinds.mjs").Stroke} Stroke */

/** Plotly's widths of dashes for a line so thin, px. */
export const DASHES = { dot: [3, 3], dash: [9, 9] };
export const WIDTH = 1.4;

const px = (/** @type {number} */ value) => value.toFixed(2);

/**
 * The strokes of one indicator, one an output that has something to draw.
 * @param {import("../indicators/studies.mjs").Shown} shown
 * @param {object} on
 * @param {Bar[]} on.bars the bar before those that are drawn already, where there is one, then those to draw
 * @param {boolean} on.joined whether the first of them is that bar before
 * @param {(output: number) => number[]} on.values at them
 * @param {(bar: Bar) => number} on.x a bar's middle, px in the pane @param {(value: number) => number} on.y px in the pane
 * @param {number} on.half of a bar's width, px
 * @returns {Stroke[]}
 */
export function strokes(shown, { bars, joined, values, x, y, half }) {
  const { lines, outputs } = shown.chosen.about;
  return outputs.flatMap((_name, output) => {
    const { dash = "", draw = "line" } = lines[output] ?? {};
    const column = values(output);
    if (draw === "histogram") return histogram(bars, joined, column, { x, y, half });
    let d = "";
    let going = false;
    for (const [at, bar] of bars.entries()) {
      const value = column[at];
      if (Number.isFinite(value)) d += `${going ? "L" : "M"}${px(x(bar))} ${px(y(value))}`;
      // Between two that are missing it is a dot.
      if (Number.isFinite(value) && !going && !Number.isFinite(column[at + 1]) && !(joined && at === 0)) d += "h2";
      going = Number.isFinite(value);
    }
    return d ? [{ d, stroke: toned(shown, output), width: WIDTH, dash: DASHES[dash] }] : [];
  });
}

/** @param {Bar[]} bars @param {boolean} joined @param {number[]} column @param {{x: (bar: Bar) => number, y: (value: number) => number, half: number}} place @returns {Stroke[]} */
function histogram(bars, joined, column, { x, y, half }) {
  const paths = { up: "", down: "" };
  for (const [at, bar] of bars.entries()) {
    const value = column[at];
    if ((joined && at === 0) || !Number.isFinite(value)) continue;
    const [left, right] = [px(x(bar) - half), px(x(bar) + half)];
    paths[value >= 0 ? "up" : "down"] += `M${left} ${px(y(0))}V${px(y(value))}H${right}V${px(y(0))}Z`;
  }
  return Object.entries(paths).flatMap(([way, d]) => (d ? [{ d, fill: `--${way}-volume` }] : []));
}
