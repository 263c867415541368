// @ts-check
// What changes with every tick or every move of the pointer, drawn over Plotly's picture with Plotly's own scales: the
// forming bar and the last price (on sheets), levels of alerts, the crosshair, marks under bars that have a gap (as SVG).

import { write } from "../page/dom.mjs";
import { brushed, Dense, heightOf, volumes } from "./dense.mjs";
import { kept } from "./ink.mjs";
import { axisOf } from "./panes.mjs";
import { HALF } from "./plot.mjs";
import { at as indexAt, CLOSE, FLAGS, OPEN, START } from "./series.mjs";
import { Sheet } from "./sheet.mjs";
import { strokes as studyStrokes } from "./strokes.mjs";

const SPACE = "http://www.w3.org/2000/svg";
const LABEL_HEIGHT = 18;
/** What the countdown adds to the label of the last price, px. */
const LEFT_HEIGHT = 14;
/** A mark under a bar with a gap, px. */
const MARK_HEIGHT = 3;
/** The last price moves so many px before its sheet does. */
const BAND = 32;

/** @param {string} tag @param {Record<string, string | number>} given @param {Element} [parent] @returns {any} */
function svg(tag, given, parent) {
  const made = document.createElementNS(SPACE, tag);
  for (const [name, value] of Object.entries(given)) made.setAttribute(name, String(value));
  parent?.append(made);
  return made;
}

/** @param {Element} node @param {Record<string, string | number>} given */
function set(node, given) {
  for (const [name, value] of Object.entries(given)) {
    const text = typeof value === "number" ? value.toFixed(2) : value;
    if (node.getAttribute(name) !== text) node.setAttribute(name, text);
  }
}

/** Where the label of a level begins, px in the place. @param {number} y in the pane @param {any} pane @param {number} [more] px below its line of text */
function labelTop(y, pane, more = 0) {
  return Math.min(Math.max(pane.top + y - LABEL_HEIGHT / 2, 0), pane.top + pane.height - LABEL_HEIGHT / 2 - more);
}

/** A line across the panes with a label in the right margin. */
class Level {
  /** @param {Element} lines @param {Element} labels @param {string} kind */
  constructor(lines, labels, kind) {
    this.line = svg("line", { class: `level ${kind}` }, lines);
    this.group = svg("g", { class: `level-label ${kind}` }, labels);
    this.box = svg("rect", { rx: 3, height: LABEL_HEIGHT }, this.group);
    this.text = svg("text", {}, this.group);
    this.shown = true;
  }

  /** @param {number} y in the pane @param {any} pane @param {string} words @param {string} tone */
  show(y, pane, words, tone) {
    const inside = y >= 0 && y <= pane.height;
    this.turn(inside);
    if (!inside) return;
    const top = labelTop(y, pane);
    const at = Math.round(y) + 0.5;
    set(this.line, { x1: 0, x2: pane.width, y1: at, y2: at, "data-tone": tone });
    set(this.group, { "data-tone": tone });
    set(this.box, { x: pane.left + pane.width + 2, y: top, width: pane.margin - 4 });
    set(this.text, { x: pane.left + pane.width + 8, y: top + 13 });
    write(this.text, words);
  }

  hide() {
    this.turn(false);
  }

  /** @param {boolean} on */
  turn(on) {
    if (on === this.shown) return;
    this.shown = on;
    this.line.style.display = this.group.style.display = on ? "" : "none";
  }

  remove() {
    this.line.remove();
    this.group.remove();
  }
}

export class Overlay {
  /**
   * @param {HTMLElement} place the box that holds Plotly's graph
   * @param {import("./plot.mjs").Plot} plot
   */
  constructor(place, plot) {
    this.plot = plot;
    /** What stands below the last price: the countdown to the bar's close, or nothing. */
    this.left = "";
    this.dense = new Dense(place, plot);
    const layer = () => svg("svg", { class: "overlay", "aria-hidden": "true" }, place);
    this.root = layer();
    this.price = svg("svg", {}, this.root);
    this.alertLabels = svg("g", {}, this.root);
    this.marks = svg("path", { class: "gap-mark" }, this.price);
    // Labels of alerts lie under that of the last price, and this under the pointer's.
    this.bars = new Sheet(place, "forming", 64);
    this.last = new Sheet(place, "last-price");
    this.band = 0;
    this.over = layer();
    this.overPrice = svg("svg", {}, this.over);
    this.pointer = new Level(this.overPrice, this.over, "pointer");
    this.cross = svg("line", { class: "level pointer" }, this.over);
    this.when = svg("g", { class: "level-label pointer" }, this.over);
    this.whenBox = svg("rect", { rx: 3, height: LABEL_HEIGHT, width: 10 }, this.when);
    this.whenText = svg("text", { "text-anchor": "middle" }, this.when);
    /** @type {Map<number, Level>} */
    this.levels = new Map();
    /** @type {{id: number, level: number}[]} */
    this.alerts = [];
    /** @type {any} the pointer: px in the place, moment and price there, and their words */
    this.at = null;
    /** Called before the crosshair is drawn: the same pixel may be another price by now. @type {(panes: any) => void} */
    this.look = () => {};
    this.shown = true;
    this.pointed = true;
  }

  /** The panes as Plotly has them now; null before its first drawing. */
  panes() {
    const layout = this.plot.place._fullLayout;
    const [x, y, y2] = [layout?.xaxis, layout?.yaxis, layout?.yaxis2];
    if (!x || !y || !y2) return null;
    const pane = (/** @type {any} */ axis) => ({
      left: x._offset,
      top: axis._offset,
      width: x._length,
      height: axis._length,
      margin: layout.width - x._offset - x._length,
    });
    const volume = pane(y2);
    // Panes that Plotly has not drawn yet are none.
    const own = this.plot.panes.flatMap((shown, at) => {
      const axis = layout[axisOf(at)];
      return axis?._length ? [{ shown, axis, ...pane(axis) }] : [];
    });
    const lowest = own[own.length - 1] ?? volume;
    return { x, y, y2, price: pane(y), volume, own, bottom: lowest.top + lowest.height, layout };
  }

  /** Draw everything anew with the scales of now. */
  draw() {
    const panes = this.panes();
    if (Boolean(panes) !== this.shown) this.root.style.display = (this.shown = Boolean(panes)) ? "" : "none";
    if (!panes) return;
    const { layout, price } = panes;
    for (const root of [this.root, this.over]) set(root, { width: layout.width, height: layout.height });
    set(this.price, { x: price.left, y: price.top, width: price.width, height: price.height });
    this.dense.draw(panes);
    this.drawBars(panes);
    this.drawMarks(panes);
    this.drawAlerts(panes);
    this.drawLast(panes);
    this.drawPointer(panes);
  }

  /** The forming bar, and closed ones that Plotly does not have yet. @param {any} panes */
  drawBars({ x, y, y2, price, volume, own, bottom: lowest }) {
    const { plot } = this;
    const { series, rows, crowd } = plot;
    const middle = (/** @type {number[]} */ bar) => x.l2p(plot.x(bar[START]));
    const half = Math.max(x.l2p(plot.half) - x.l2p(0), 0.5);
    const pending = plot.pending();
    const seen = (/** @type {number} */ at, /** @type {number} */ more) => indexAt(pending, plot.at(x.p2l(at) + more));
    // One more at the right, which a line in view may lead to.
    const size = plot.half / HALF;
    const bars = pending.slice(seen(0, -size), seen(x._length, size) + 1);
    if (!bars.length) return this.bars.hide();
    const before = rows[indexAt(rows, bars[0][START]) - 1];
    // Where several bars are one, so are those that are still to come into it.
    const whole = crowd.on ? crowd.forming : { bars, before };
    const { shown } = plot.studies;
    const ends = [(plot.kind.spans && !shown.length) || !before ? middle(bars[0]) - half : Math.min(middle(before), middle(bars[0]) - half), middle(bars[bars.length - 1]) + half];
    if (crowd.on) [ends[0], ends[1]] = [Math.min(ends[0], middle(whole.bars[0]) - half), Math.max(ends[1], middle(whole.bars[0]) + half)];
    const [from, to] = [Math.max(ends[0] - 1, 0), Math.min(ends[1] + 1, x._length)]; // half of a line's width, at least
    if (from >= to) return this.bars.hide();
    const scene = { x: middle, y: (/** @type {number} */ value) => heightOf(y, value), half, floor: y._length, base: plot.base };
    const strokes = plot.kind.draw({ ...scene, ...(plot.kind.spans ? whole : { bars, before }) });
    /** @type {[any, import("./kinds.mjs").Stroke][]} */
    const drawn = [
      ...volumes(whole.bars, whole.before, { middle, half, top: (value) => y2.d2p(value), bottom: volume.height }).map((stroke) => /** @type {[any, import("./kinds.mjs").Stroke]} */ ([volume, stroke])),
      ...strokes.map((stroke) => /** @type {[any, import("./kinds.mjs").Stroke]} */ ([price, stroke])),
    ];
    for (const one of shown) {
      const pane = one.chosen.about.pane === "price" ? { ...price, axis: y } : own.find((/** @type {any} */ each) => each.shown.text === one.text);
      if (!pane) continue;
      const along = before ? [before, ...bars] : bars;
      const values = (/** @type {number} */ output) => plot.studies.column(one.study, output, along);
      const place = { bars: along, joined: Boolean(before), values, x: middle, y: (/** @type {number} */ value) => heightOf(pane.axis, value), half: crowd.on ? half / crowd.each : half };
      for (const stroke of studyStrokes(one, place)) drawn.push([pane, stroke]);
    }
    const inks = drawn.map(([, { fill, stroke }]) => [fill ? kept(fill) : "", stroke ? kept(stroke) : ""]);
    this.bars.cover(price.left + from, price.top, to - from, lowest - price.top);
    const key = [...drawn.map(([, { d }]) => d), ...inks, price.left, price.top, price.width, price.height, volume.top, volume.height, ...own.map((/** @type {any} */ pane) => pane.top)].join("|");
    this.bars.paint(key, (brush) => brushed(brush, drawn));
    return undefined;
  }

  /** Marks under bars that the feed was not there for, so that an outage is not taken for a calm market; while the strip of how bars were made is hidden. @param {any} panes */
  drawMarks({ x, price }) {
    if (this.plot.under) return set(this.marks, { d: "" }); // the strip says it
    const { crowd, series, figure, from, to } = this.plot;
    const wanted = figure.marks.gap | figure.marks.partial;
    const half = Math.max(x.l2p(this.plot.half) - x.l2p(0), 1);
    let path = "";
    for (const bar of crowd.on ? crowd.between(from, to) : series.between(from, to)) {
      if ((bar[FLAGS] & wanted) === 0) continue;
      const middle = x.l2p(this.plot.x(bar[START]));
      path += `M${(middle - half).toFixed(1)} ${price.height}v${-MARK_HEIGHT}h${(2 * half).toFixed(1)}v${MARK_HEIGHT}z`;
    }
    return set(this.marks, { d: path });
  }

  /** @param {any} panes */
  drawLast({ y, price }) {
    const bar = this.plot.series.newest;
    const at = bar ? heightOf(y, bar[CLOSE]) : -1;
    if (!bar || !(at >= 0 && at <= price.height)) return this.last.hide();
    const tone = kept(bar[CLOSE] >= bar[OPEN] ? "--up" : "--down");
    const words = this.plot.words(bar[CLOSE]);
    const more = this.left ? LEFT_HEIGHT : 0;
    const font = `500 ${kept("--t0")} ${kept("--font")}`;
    const line = price.top + Math.round(at);
    const top = labelTop(at, price, more);
    const right = price.left + price.width;
    // A band that the line moves in, and the label, which lies beside it at the pane's edges: a sheet that moves lets
    // the browser compose the page anew.
    const reach = LABEL_HEIGHT + LEFT_HEIGHT;
    const high = 2 * reach + BAND;
    if (line - reach < this.band || line + reach > this.band + high) this.band = line - high / 2;
    this.last.cover(price.left, this.band, price.width + price.margin, high);
    const key = [words, this.left, tone, kept("--surface"), font, top.toFixed(2), price.left, price.width, price.margin].join("|");
    this.last.paint(key, (brush) => {
      brush.strokeStyle = brush.fillStyle = tone;
      brush.setLineDash([2, 3]);
      brush.beginPath();
      brush.moveTo(price.left, line + 0.5);
      brush.lineTo(right, line + 0.5);
      brush.stroke();
      brush.beginPath();
      brush.roundRect(right + 2, top, price.margin - 4, LABEL_HEIGHT + more, 3);
      brush.fill();
      brush.fillStyle = kept("--surface");
      this.last.text(font).draw(words, right + 8, top + 13);
      if (this.left) this.last.text(font).draw(this.left, right + 8, top + 13 + LEFT_HEIGHT);
    });
    return undefined;
  }

  /** @param {any} panes */
  drawAlerts({ y, price }) {
    const wanted = new Set(this.alerts.map((alert) => alert.id));
    for (const [id, level] of this.levels) {
      if (wanted.has(id)) continue;
      level.remove();
      this.levels.delete(id);
    }
    for (const { id, level } of this.alerts) {
      let shown = this.levels.get(id);
      if (!shown) this.levels.set(id, (shown = new Level(this.price, this.alertLabels, "alert-level")));
      shown.show(heightOf(y, level), price, this.plot.words(level), "");
    }
  }

  /** @param {any} panes */
  drawPointer(panes) {
    const { price, bottom } = panes;
    if (this.at) this.look(panes);
    const { at } = this;
    if (Boolean(at) !== this.pointed) {
      this.pointed = Boolean(at);
      this.over.style.display = at ? "" : "none";
    }
    if (!at) return this.pointer.hide();
    const x = Math.round(price.left + at.x) + 0.5;
    set(this.cross, { x1: x, x2: x, y1: price.top, y2: bottom });
    // The line across is that of the pane that the pointer is in.
    const pane = at.pane ?? price;
    set(this.overPrice, { x: pane.left, y: pane.top, width: pane.width, height: pane.height });
    this.pointer.show(at.y - pane.top, pane, at.words, "");
    const width = at.when.length * 6.4 + 12;
    const middle = Math.min(Math.max(x, price.left + width / 2), price.left + price.width - width / 2);
    const under = bottom + this.plot.under;
    set(this.whenBox, { x: middle - width / 2, y: under + 3, width });
    set(this.whenText, { x: middle, y: under + 16 });
    write(this.whenText, at.when);
    return undefined;
  }
}
