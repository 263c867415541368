// @ts-check
// How the overlay draws the bars that Plotly does not have yet, by chart type: as Plotly draws the finished ones. Pure.

import { ground, sides } from "./baseline.mjs";
import { CLOSE, HIGH, LOW, OPEN, rises, rose } from "./series.mjs";

/** @typedef {import("./series.mjs").Bar} Bar */
/**
 * @typedef {object} Scene
 * @property {Bar[]} bars to draw, ascending @property {Bar | undefined} before the one before them, drawn already
 * @property {(bar: Bar) => number} x its middle, px in the pane @property {(price: number) => number} y px in the pane
 * @property {number} half of a bar's width, px @property {number} floor the pane's height, px
 * @property {number | null} base the price of a baseline
 */
/** @typedef {{d: string, fill?: string, stroke?: string, width?: number}} Stroke a path and tokens */

export const LINE_WIDTH = 1.6;
const TICK_WIDTH = 1.4;

const px = (/** @type {number} */ value) => value.toFixed(2);

/** @param {Bar} bar @param {Scene} scene */
function candle(bar, { x, y, half }) {
  const middle = x(bar);
  const [open, high, low, close] = [OPEN, HIGH, LOW, CLOSE].map((field) => px(y(bar[field])));
  const [over, under] = bar[CLOSE] >= bar[OPEN] ? [close, open] : [open, close];
  const [left, right, at] = [px(middle - half), px(middle + half), px(middle)];
  return `M${left} ${open}H${right}V${close}H${left}ZM${at} ${high}V${over}M${at} ${under}V${low}`;
}

/** One path for each of the kinds of bars that there are. @param {Scene} scene @param {(bar: Bar, before: Bar | undefined) => string} kind @param {(bar: Bar, scene: Scene) => string} path */
function grouped(scene, kind, path) {
  /** @type {Map<string, string>} */
  const paths = new Map();
  for (const [at, bar] of scene.bars.entries()) {
    const of = kind(bar, scene.bars[at - 1] ?? scene.before);
    paths.set(of, (paths.get(of) ?? "") + path(bar, scene));
  }
  return [...paths];
}

/** @param {Scene} scene @returns {Stroke[]} */
function candles(scene) {
  const tone = (/** @type {Bar} */ bar, /** @type {Bar | undefined} */ before) => (rises(bar, before) ? "--up" : "--down");
  return grouped(scene, tone, candle).map(([token, d]) => ({ d, fill: token, stroke: token }));
}

/** @param {Scene} scene @returns {Stroke[]} */
function hollow(scene) {
  const kind = (/** @type {Bar} */ bar, /** @type {Bar | undefined} */ before) => `${rose(bar, before) ? "--up" : "--down"} ${bar[CLOSE] < bar[OPEN] ? "filled" : ""}`;
  return grouped(scene, kind, candle).map(([of, d]) => {
    const [stroke, filled] = of.split(" ");
    return { d, stroke, ...(filled && { fill: stroke }) };
  });
}

/** @param {Scene} scene @returns {Stroke[]} */
function ohlc(scene) {
  const tone = (/** @type {Bar} */ bar, /** @type {Bar | undefined} */ before) => (rises(bar, before) ? "--up" : "--down");
  const path = (/** @type {Bar} */ bar, /** @type {Scene} */ { x, y, half }) => {
    const middle = x(bar);
    const [open, high, low, close] = [OPEN, HIGH, LOW, CLOSE].map((field) => px(y(bar[field])));
    const at = px(middle);
    return `M${px(middle - half)} ${open}H${at}M${at} ${high}V${low}M${at} ${close}H${px(middle + half)}`;
  };
  return grouped(scene, tone, path).map(([token, d]) => ({ d, stroke: token, width: TICK_WIDTH }));
}

/** The closes, from the last that is drawn already. @param {Scene} scene @returns {[number, number][]} */
function closes({ bars, before, x, y }) {
  return [...(before ? [before] : []), ...bars].map((bar) => [x(bar), y(bar[CLOSE])]);
}

/** @param {[number, number][]} points */
const path = (points) => `M${points.map(([x, y]) => `${px(x)} ${px(y)}`).join("L")}`;

/** @param {Scene} scene @returns {Stroke[]} */
function line(scene) {
  return [{ d: path(closes(scene)), stroke: "--accent", width: LINE_WIDTH }];
}

/** @param {Scene} scene @returns {Stroke[]} */
function area(scene) {
  const points = closes(scene);
  return [{ d: `${path(ground(points, scene.floor))}Z`, fill: "--accent-veil" }, ...line(scene)];
}

/** @param {Scene} scene @returns {Stroke[]} */
function baseline(scene) {
  if (scene.base === null) return [];
  const level = scene.y(scene.base);
  // Px go down, the sides are those of the prices.
  const down = (/** @type {[number, number][]} */ points) => /** @type {[number, number][]} */ (points.map(([x, y]) => [x, -y]));
  const found = sides(down(closes(scene)), -level);
  return [
    { runs: found.above.map(down), token: "--up" },
    { runs: found.below.map(down), token: "--down" },
  ].flatMap(({ runs, token }) =>
    runs.length
      ? [
          { d: runs.map((run) => `${path(ground(run, level))}Z`).join(""), fill: `${token}-veil` },
          { d: runs.map(path).join(""), stroke: token, width: LINE_WIDTH },
        ]
      : [],
  );
}

/**
 * By chart type: whether bars are shown from low to high or by their close alone, whether they are averaged
 * (Heikin-Ashi), and what draws them.
 * @type {Record<string, {spans: boolean, averaged?: boolean, draw: (scene: Scene) => Stroke[]}>}
 */
export const KINDS = {
  candles: { spans: true, draw: candles },
  hollow: { spans: true, draw: hollow },
  ohlc: { spans: true, draw: ohlc },
  line: { spans: false, draw: line },
  area: { spans: false, draw: area },
  baseline: { spans: false, draw: baseline },
  "heikin-ashi": { spans: true, averaged: true, draw: candles },
};
