// @ts-check
// Draws a view of more bars than Plotly should on a sheet under the overlay: candles of several bars, volumes, lines of
// indicators, with Plotly's own scales. Drawn anew where the view or a closed bar has changed, not with every tick.

import { kept } from "./ink.mjs";
import { at as indexAt, rises, START, VOLUME } from "./series.mjs";
import { Sheet } from "./sheet.mjs";
import { DASHES, WIDTH } from "./strokes.mjs";
import { toned } from "./panes.mjs";

/** @typedef {import("./kinds.mjs").Stroke} Stroke */

const px = (/** @type {number} */ value) => value.toFixed(1);

/** A price's height in its pane, px; far below it where a logarithmic axis has no place for it. @param {any} axis @param {number} price */
export function heightOf(axis, price) {
  const at = axis.d2p(price);
  return Number.isFinite(at) ? at : 2 * axis._length;
}

/** Draw in a pane's own px, and nothing outside of it. @param {CanvasRenderingContext2D} brush @param {any} pane @param {() => void} draw */
export function within(brush, pane, draw) {
  brush.save();
  brush.translate(pane.left, pane.top);
  brush.beginPath();
  brush.rect(0, 0, pane.width, pane.height);
  brush.clip();
  draw();
  brush.restore();
}

/** Draw strokes, each in its pane, with the colours of now. @param {CanvasRenderingContext2D} brush @param {[any, Stroke][]} drawn */
export function brushed(brush, drawn) {
  for (const [pane, { d, fill, stroke, width = 1, dash = [] }] of drawn) {
    if (!d) continue;
    within(brush, pane, () => {
      const path = new Path2D(d);
      [brush.fillStyle, brush.strokeStyle, brush.lineWidth] = [fill ? kept(fill) : "", stroke ? kept(stroke) : "", width];
      brush.setLineDash(dash);
      if (fill) brush.fill(path);
      if (stroke) brush.stroke(path);
    });
  }
}

/**
 * Volumes as two paths, of rising and of falling bars.
 * @param {number[][]} bars @param {number[] | undefined} before
 * @param {{middle: (bar: number[]) => number, half: number, top: (value: number) => number, bottom: number}} on px
 * @returns {Stroke[]}
 */
export function volumes(bars, before, { middle, half, top, bottom }) {
  const paths = { up: "", down: "" };
  const floor = px(bottom);
  for (const [at, bar] of bars.entries()) {
    const x = middle(bar);
    paths[rises(bar, bars[at - 1] ?? before) ? "up" : "down"] += `M${px(x - half)} ${floor}V${px(top(bar[VOLUME]))}H${px(x + half)}V${floor}Z`;
  }
  return [{ d: paths.up, fill: "--up-volume" }, { d: paths.down, fill: "--down-volume" }];
}

export class Dense {
  /** @param {HTMLElement} place the box that holds Plotly's graph @param {import("./plot.mjs").Plot} plot */
  constructor(place, plot) {
    this.plot = plot;
    this.sheet = new Sheet(place, "dense");
  }

  /** Draw what has changed. @param {any} panes as the overlay has them */
  draw(panes) {
    const { plot } = this;
    const { crowd } = plot;
    if (!crowd.on) return this.sheet.hide();
    const { price, volume, own, x, y, y2, bottom } = panes;
    const { each } = crowd.groups;
    const { shown } = plot.studies;
    this.sheet.cover(price.left, price.top, price.width, bottom - price.top);
    const inks = ["--up", "--down", "--accent", "--up-volume", ...shown.flatMap((one) => one.chosen.about.outputs.map((_name, output) => toned(one, output)))].map(kept);
    const boxes = [price, volume, ...own].flatMap(({ left, top, width, height }) => [left, top, width, height]);
    const ranges = [x, y, y2, ...own.map((/** @type {any} */ pane) => pane.axis)].flatMap((axis) => axis._rl);
    const key = [plot.drawnAt, crowd.version, each, plot.figure.type, plot.base, y.type, ...inks, ...boxes, ...ranges, ...shown.map(({ text }) => text)].join("|");
    return this.sheet.paint(key, (brush) => brushed(brush, this.strokes(panes, shown)));
  }

  /** @param {any} panes @param {import("../indicators/studies.mjs").Shown[]} shown @returns {[any, Stroke][]} */
  strokes({ price, volume, own, x, y, y2 }, shown) {
    const { plot } = this;
    const { crowd, kind, rows, series } = plot;
    const { each, bars, firsts } = crowd.groups;
    const size = each * series.ms;
    const middle = (/** @type {number[]} */ bar) => x.l2p(plot.x(bar[START]));
    const half = Math.max(x.l2p(plot.half) - x.l2p(0), 0.5);
    // One more on either side, which a line in view may lead to; the last still forms.
    const from = Math.max(indexAt(bars, plot.at(x.p2l(0) - size)) - 1, 0);
    const to = Math.min(indexAt(bars, plot.at(x.p2l(x._length) + size)) + 1, bars.length - 1);
    const seen = bars.slice(from, Math.max(to, from));
    const [first, end] = [firsts[from] ?? 0, firsts[to] ?? rows.length];
    const scene = { x: middle, y: (/** @type {number} */ value) => heightOf(y, value), half, floor: y._length, base: plot.base };
    const before = bars[from - 1];
    const inView = (/** @type {number[]} */ picks) => picks.filter((index) => index < 0 || (index >= first && index < end));
    const drawn = kind.spans
      ? kind.draw({ ...scene, bars: seen, before })
      : kind.draw({ ...scene, bars: inView(crowd.closes()).filter((index) => index >= 0).map((index) => rows[index]), before: undefined });
    /** @type {[any, Stroke][]} */
    const made = volumes(seen, before, { middle, half, top: (value) => y2.d2p(value), bottom: volume.height }).map((stroke) => [volume, stroke]);
    for (const stroke of drawn) made.push([price, stroke]);
    for (const one of shown) {
      const pane = one.chosen.about.pane === "price" ? { ...price, axis: y } : own.find((/** @type {any} */ each_) => each_.shown.text === one.text);
      if (!pane) continue;
      const begin = one.study.start === null ? Infinity : indexAt(series.rows, one.study.start);
      for (const output of one.chosen.about.outputs.keys()) {
        const { dash = "", draw = "line" } = one.chosen.about.lines[output] ?? {};
        const value = (/** @type {number} */ index) => one.study.values[output][index - begin] ?? NaN;
        const picks = inView(crowd.studied(one.study, output));
        const place = { x: (/** @type {number} */ index) => middle(series.rows[index]), y: (/** @type {number} */ each_) => heightOf(pane.axis, each_) };
        if (draw === "line") made.push([pane, { d: line(picks, value, place), stroke: toned(one, output), width: WIDTH, dash: DASHES[dash] }]);
        else for (const stroke of histogram(picks, value, { ...place, half })) made.push([pane, stroke]);
      }
    }
    return made;
  }
}

/** @param {number[]} picks @param {(index: number) => number} value @param {{x: (index: number) => number, y: (value: number) => number}} place */
function line(picks, value, { x, y }) {
  let d = "";
  let going = false;
  for (const index of picks) {
    if (index >= 0) d += `${going ? "L" : "M"}${px(x(index))} ${px(y(value(index)))}`;
    going = index >= 0;
  }
  return d;
}

/** Bars from 0 to the values that a line would go through. @param {number[]} picks @param {(index: number) => number} value @param {{x: (index: number) => number, y: (value: number) => number, half: number}} place @returns {Stroke[]} */
function histogram(picks, value, { x, y, half }) {
  const paths = { up: "", down: "" };
  const floor = px(y(0));
  for (const index of picks) {
    if (index < 0) continue;
    const [middle, height] = [x(index), value(index)];
    paths[height >= 0 ? "up" : "down"] += `M${px(middle - half / 2)} ${floor}V${px(y(height))}H${px(middle + half / 2)}V${floor}Z`;
  }
  return Object.entries(paths).map(([way, d]) => ({ d, fill: `--${way}-volume` }));
}
