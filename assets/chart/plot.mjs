// @ts-check
// Plotly's part of the chart: closed bars around the view, axes and their ranges. What changes with every tick is the
// overlay's, because a redraw of 500 candles takes 50 to 90 ms of the main thread.

import { indexTicks, indexWords } from "../compare/axis.mjs";
import { Studies } from "../indicators/studies.mjs";
import * as words from "../page/words.mjs";
import { now } from "../page/zone.mjs";
import { columns } from "./columns.mjs";
import { Crowd } from "./crowd.mjs";
import { HeikinAshi } from "./heikin.mjs";
import { dateText, inked, zoneShift } from "./ink.mjs";
import { KINDS } from "./kinds.mjs";
import { axisOf, divided, outside, own, paned, ranged, traced } from "./panes.mjs";
import { LATEST_MS, NARROWEST, WIDEST } from "./range.mjs";
import { counted, percentWords, roomy, ticks } from "./scale.mjs";
import { at, between, CLOSE, HIGH, LOW, START, VOLUME } from "./series.mjs";
import { TimeAxis } from "./timeaxis.mjs";
import { emptyTimes, timeTicks } from "./timeticks.mjs";

/** Room around the prices in view, and at the right of the newest bar, as parts of the view. */
const PAD_Y = 0.06;
const PAD_RIGHT = 0.06;
/** So near to the edge a new price asks for other ranges. */
const EDGE_Y = 0.015;
/** Bars that Plotly gets at least: the view and as much on either side. */
const DRAWN_LEAST = 240;
/** Half of a bar's width, as a part of its time: the layout leaves a quarter of it free. */
export const HALF = 0.375;
/** A label of the price axis has so many px at least. */
const TICK_HEIGHT = 34;
/** And one of the time axis. */
const TICK_WIDTH = 84;
/** So near to the left edge a date would be cut off, px. */
const TICK_EDGE = 38;
const CONFIG = { displayModeBar: false, scrollZoom: true, doubleClick: false, responsive: false };

export class Plot {
  /**
   * @param {any} Plotly @param {HTMLElement} place `#chart`
   * @param {import("./series.mjs").Series} series
   */
  constructor(Plotly, place, series) {
    this.Plotly = Plotly;
    this.place = /** @type {any} */ (place);
    this.series = series;
    this.averaged = new HeikinAshi(series);
    this.studies = new Studies(series);
    /** The panes of indicators as Plotly has them, and their ranges. @type {import("../indicators/studies.mjs").Shown[]} */
    this.panes = [];
    /** @type {[number, number][]} */
    this.ranges = [];
    /** Heights that were chosen for panes, px, by the indicator's name. @type {Map<string, number>} */
    this.heights = new Map();
    /** @type {any} */
    this.figure = null;
    /** The price axis: linear, log or percent. */
    this.scale = "linear";
    /** 0 % and the level of a baseline: the close of the first bar in view, as of the last drawing. @type {number | null} */
    this.base = null;
    this.percentDecimals = 2;
    /** Where what the base is of begins, UTC ms; whether the axis reads as an index, the base as 100. */
    this.baseFrom = 0;
    this.indexed = false;
    /** Where moments lie: bars side by side over closed hours. */
    this.axis = new TimeAxis(series, () => this.right);
    /** The view: places of the axis, which stay while older bars come; the moments that were asked for, UTC ms, until
     * it is moved by hand; and prices. */
    this.ends = [0, 1];
    /** @type {[number, number] | null} */
    this.asked = null;
    this.low = 0;
    this.high = 1;
    this.shift = 0;
    /** Px between the panes and the labels of the time axis. */
    this.under = 0;
    /** Whether somebody has chosen the part that is shown: it is in the address then. */
    this.moved = false;
    /** The start of the newest bar that Plotly has. */
    this.drawnTo = 0;
    /** Views of more bars than Plotly should draw. */
    this.crowd = new Crowd(this);
    /** Whether it would have been drawn, had there been a place. */
    this.owed = false;
    this.bound = false;
    /** What Plotly's axes were drawn with when the wheel last moved them; empty where more than ranges may differ. */
    this.drawnAs = "";
    /** @type {(what: "drawn" | "dragging" | "moved") => void} */
    this.heard = () => {};
    /** What is drawn on the price pane, for a picture. @type {() => {shapes: any[], annotations: any[]}} */
    this.drawn = () => ({ shapes: [], annotations: [] });
  }

  /** How the bars of the figure's type are shown. */
  get kind() {
    return KINDS[this.figure?.type] ?? KINDS.candles;
  }

  /** The bars as they are drawn, those of the series or averaged. */
  get rows() {
    return this.kind.averaged ? this.averaged.rows : this.series.rows;
  }

  /** The view, UTC ms. */
  get from() {
    return this.asked ? this.asked[0] : this.axis.time(this.left);
  }

  set from(ms) {
    this.asked = [ms, this.to];
  }

  get to() {
    return this.asked ? this.asked[1] : this.axis.time(this.right);
  }

  set to(ms) {
    this.asked = [this.from, ms];
  }

  /** The view, places of the axis. */
  get left() {
    return this.asked ? this.axis.place(this.asked[0]) : this.ends[0];
  }

  get right() {
    if (!this.asked) return this.ends[1];
    // Closed hours alone take no room.
    return this.axis.plain ? this.asked[1] : Math.max(this.axis.place(this.asked[1]), this.left + NARROWEST * this.series.ms);
  }

  /** Show a part of the axis, or as much of it as a view may show, ending where it ends. @param {number} left @param {number} right */
  look(left, right) {
    const { ms } = this.series;
    const end = Math.max(Math.min(right, LATEST_MS), NARROWEST * ms);
    this.ends = [Math.max(Math.min(left, end - NARROWEST * ms), end - WIDEST * ms, 0), end];
    this.asked = null;
  }

  /** Where Plotly has a moment. @param {number} ms UTC */
  x(ms) {
    return this.axis.place(ms) + this.shift;
  }

  /** The moment at a place of Plotly's. @param {number} x */
  at(x) {
    return this.axis.time(x - this.shift);
  }

  /** Leave closed hours out, or show them; what is in view stays. @param {boolean} closing */
  close(closing) {
    const { from, to, moved } = this;
    this.axis.close(closing);
    if (!this.figure) return;
    if (moved) this.asked = [from, to];
    else this.home();
  }

  /** Whether prices read as an index. */
  get indexing() {
    return this.indexed && this.scale !== "percent" && Number(this.base) > 0;
  }

  /** A price as the axis names it. @param {number} price */
  words(price) {
    if (this.indexing) return indexWords(price, this.base ?? NaN, this.percentDecimals);
    if (this.scale === "percent" && this.base) return percentWords(price, this.base, this.percentDecimals);
    return words.price(price, this.figure?.decimals ?? 2);
  }

  /** Another figure; the view is kept where `keep` says so, else it is of the newest bars. @param {any} figure @param {boolean} keep @param {number} [bars] how many */
  show(figure, keep, bars) {
    this.figure = figure;
    this.rezone();
    if (!keep || !this.series.newest) this.home(bars);
    this.draw();
  }

  /** The zone that is shown, anew. */
  rezone() {
    this.shift = zoneShift(this.series.newest?.[START] ?? now(), this.series.ms);
  }

  /** The newest bars at the right. @param {number} [bars] how many */
  home(bars = this.figure.in_view) {
    const { rows, ms } = this.series;
    const end = this.axis.place(this.series.newest?.[START] ?? now()) + ms;
    // Bars may have holes between them: as many bars, not as much time.
    const oldest = rows[Math.max(0, rows.length - bars)]?.[START];
    const first = oldest === undefined ? end - bars * ms : this.axis.place(oldest);
    const span = Math.max(end - first, NARROWEST * ms);
    this.look(end - span, end + span * PAD_RIGHT);
    this.moved = bars !== this.figure.in_view;
  }

  /** Whether the newest bar is in view. */
  get following() {
    const { newest } = this.series;
    return !newest || (newest[START] < this.to && newest[START] + this.series.ms > this.from);
  }

  /** Move the view so that the newest bar is in it again, with the room at its right; the width stays. */
  follow() {
    const { left, right } = this;
    const room = (right - left) * PAD_RIGHT;
    const end = this.axis.place(this.series.newest?.[START] ?? 0) + this.series.ms;
    // Room that is left at the right is used up before anything moves.
    const missing = end + room - right;
    if (missing > 0) this.look(left + missing, right + missing);
  }

  /** Prices in view and the room around them. @returns {[number, number]} */
  fitted() {
    let low = Infinity;
    let high = -Infinity;
    const { spans } = this.kind;
    const floor = this.scale === "log" ? 0 : -Infinity;
    for (const bar of between(this.rows, this.series.ms, this.from, this.to)) {
      const [least, most] = spans ? [bar[LOW], bar[HIGH]] : [bar[CLOSE], bar[CLOSE]];
      // A logarithmic axis has no place for 0 and below: what lies there is left out.
      if (most <= floor) continue;
      low = Math.min(low, least > floor ? least : most);
      high = Math.max(high, most);
    }
    if (low === Infinity) return this.low > floor ? [this.low, this.high] : [1, 10];
    for (const { chosen, study } of this.studies.shown) {
      const span = chosen.about.pane === "price" && this.studies.span(study, this.from, this.to, floor);
      if (span) [low, high] = [Math.min(low, span[0]), Math.max(high, span[1])];
    }
    return roomy(this.scale, low, high, PAD_Y, Math.abs(high) * 1e-5 || 10 ** -this.figure.decimals);
  }

  /** The close of the first bar that begins in view; what it was where none does. */
  firstClose() {
    const { rows } = this.series;
    const first = rows[Math.min(at(rows, this.from), rows.length - 1)];
    return first ? first[CLOSE] : this.base;
  }

  /** Whether the forming bar is too near to the edge, or outside. */
  get outgrown() {
    const { rows, scale } = this;
    const bar = rows[rows.length - 1];
    const [low, high] = [this.low, this.high].map((price) => counted(scale, price));
    const edge = (high - low) * EDGE_Y;
    const [least, most] = (this.kind.spans ? [bar[LOW], bar[HIGH]] : [bar[CLOSE], bar[CLOSE]]).map((price) => counted(scale, price));
    if (least < low + edge || most > high - edge) return true;
    const last = this.series.rows.length - 1;
    return this.panes.some(({ chosen, study }, at) => !chosen.about.span && study.at(this.series.rows, last).some((value) => outside(this.ranges[at], value)));
  }

  /** Px that the panes are wide. */
  get width() {
    const { l = 0, r = 0 } = this.figure?.layout?.margin ?? {};
    return this.place._fullLayout?.xaxis?._length ?? Math.max((this.place.clientWidth ?? 0) - l - r, 1);
  }

  /** The closed bars that Plotly gets: all in view, and as much on either side. */
  window() {
    const { rows } = this;
    const { ms } = this.series;
    const closed = Math.max(0, rows.length - 1);
    const place = (/** @type {number} */ moment) => Math.min(at(rows, moment), closed);
    const first = place(this.from - ms + 1);
    const last = place(this.to);
    const span = Math.max(this.right - this.left, (DRAWN_LEAST / 3) * ms);
    // Where bars lie closer beside the view there may be as many there as in it at most.
    const room = Math.max(last - first, DRAWN_LEAST / 3);
    const [from, to] = [this.axis.time(this.left - span) - ms + 1, this.axis.time(this.right + span)];
    return rows.slice(Math.max(place(from), first - room), Math.min(place(to), last + room));
  }

  /** Closed bars that came after those that are drawn; the overlay draws them meanwhile. */
  pending() {
    const { crowd, rows } = this;
    if (crowd.on) return rows.slice(crowd.closed, crowd.to);
    let first = rows.length - 1;
    while (first > 0 && rows[first - 1][START] > this.drawnTo) first -= 1;
    return rows.slice(Math.max(first, 0));
  }

  /** Half of the width of a bar that is drawn, ms. */
  get half() {
    return this.series.ms * HALF * (this.crowd.on ? this.crowd.each : 1);
  }

  /** Plotly's traces where it draws the axes alone: without any it would not have them. */
  axes() {
    const x = [dateText(this.left + this.shift)];
    const names = ["y", "y2", ...this.panes.map((_pane, at) => axisOf(at).replace("axis", ""))];
    return names.map((yaxis) => ({ type: "scatter", mode: "lines", x, y: [null], yaxis, hoverinfo: "skip", showlegend: false }));
  }

  /** @param {number[][]} bars */
  traces(bars) {
    const { rows, shift, base, scale, axis } = this;
    const before = bars.length ? rows[at(rows, bars[0][START]) - 1] : undefined;
    const column = columns(bars, { before, shift, place: (ms) => axis.place(ms), half: this.half, base, scale, view: [this.left, this.right] });
    const drawn = this.figure.traces.map((/** @type {any} */ described) => {
      const { columns: wanted, directions, where, ...rest } = described;
      const trace = inked(rest);
      for (const [path, name] of Object.entries(wanted)) {
        const values = column(name, where, inked(directions));
        const [outer, inner] = path.split(".");
        if (inner) trace[outer] = { ...trace[outer], [inner]: values };
        else trace[outer] = values;
      }
      return trace;
    });
    const { shown } = this.studies;
    if (!shown.length) return drawn;
    return [...drawn, ...traced(shown, this.figure.studies, column("time"), ({ study }, output) => this.studies.column(study, output, bars))];
  }

  layout() {
    const layout = inked(this.figure.layout);
    this.base = this.firstClose();
    this.baseFrom = this.from;
    [this.low, this.high] = this.fitted();
    let volume = 0;
    for (const bar of this.crowd.on ? this.crowd.between(this.from, this.to) : this.series.between(this.from, this.to)) volume = Math.max(volume, bar[VOLUME]);
    this.volume = volume * 1.08 || 1;
    this.panes = own(this.studies.shown);
    this.ranges = this.panes.map(({ chosen, study }) => ranged(chosen.about, this.studies.span(study, this.from, this.to)));
    layout.margin = { ...layout.margin, b: layout.margin.b + this.under };
    const { t, b } = layout.margin;
    const area = Math.max((this.place.clientHeight ?? 0) - t - b, 1);
    const { domains, heights } = divided(area, this.panes.map(({ chosen }) => this.heights.get(chosen.about.name)));
    const height = this.panes.length ? heights[0] : area;
    const [left, right] = [this.left + this.shift, this.right + this.shift];
    layout.xaxis = { ...layout.xaxis, range: [dateText(left), dateText(right)], autorange: false, ...this.moments(), ...(this.crowd.moving && { ticklabeloverflow: "allow" }) };
    layout.yaxis = { ...layout.yaxis, ...this.figure.scales[this.scale], ...this.graduation(layout.yaxis.nticks, height), autorange: false };
    layout.yaxis2 = { ...layout.yaxis2, range: [0, this.volume], autorange: false };
    return paned(layout, this.panes, this.ranges, { domains, axis: this.figure.studies?.axis });
  }

  /** The time axis' ticks, at bars, and their distance from the panes. */
  moments() {
    const standoff = this.under ? { ticklabelstandoff: this.under } : {};
    const { left, right, axis, shift } = this;
    const { rows, ms } = this.series;
    const [from, to] = [at(rows, axis.time(2 * left - right)), at(rows, axis.time(2 * right - left))];
    const { firsts } = this.crowd.on ? this.crowd.groups : { firsts: null };
    const bars = firsts ? firsts.map((index) => rows[index]) : rows.slice(from, to);
    const most = Math.max(2, Math.floor((this.place.clientWidth || 0) / TICK_WIDTH));
    const edge = ((right - left) * TICK_EDGE) / Math.max(this.place.clientWidth || 0, 1);
    const view = { ms, left, right, most, edge, place: (/** @type {number} */ moment) => axis.place(moment) };
    let made = timeTicks(bars, view);
    // Of a view that is empty, or nearly, the times are told all the same. They begin before it: the first is taken for a day's.
    if (made.filter((tick) => tick.at >= left && tick.at <= right).length < 2) {
      const starts = new Set([...bars, ...emptyTimes(axis.time(2 * left - right), axis.time(right), ms)].map((bar) => bar[START]));
      made = timeTicks([...starts].sort((a, b) => a - b).map((start) => [start]), view);
    }
    return { ...standoff, tickangle: 0, tickmode: "array", tickvals: made.map((tick) => dateText(tick.at + shift)), ticktext: made.map(({ text }) => text) };
  }

  /** The price axis' range and ticks. @param {number} most ticks @param {number} height px */
  graduation(most, height) {
    const { low, high, scale, base } = this;
    const { decimals } = this.figure;
    const range = [counted(scale, low), counted(scale, high)];
    const room = Math.max(2, Math.floor(height / TICK_HEIGHT));
    if (this.indexing) {
      const made = indexTicks(scale, [low, high], { base: base ?? NaN, most: Math.min(most, room) });
      this.percentDecimals = made.decimals;
      return { range, tickmode: "array", tickvals: made.values, ticktext: made.texts };
    }
    if (scale === "linear") {
      // Labels have the instrument's decimals: lines closer than its smallest step would carry the same number twice.
      const step = 10 ** -decimals;
      return { range, ...(room < most && { nticks: room }), ...((high - low) / step < 12 && { dtick: step, tick0: 0 }) };
    }
    const made = ticks(/** @type {"log" | "percent"} */ (scale), [low, high], { base, decimals, most: Math.min(most, room) });
    if (scale === "percent") this.percentDecimals = made.decimals;
    return { range, tickvals: made.values, ticktext: made.texts };
  }

  /** Give Plotly the bars around the view, and the ranges. */
  draw() {
    // What can't be seen is drawn when it can: the page may be another one, its theme and its time different by then.
    this.owed = !this.place.clientWidth;
    if (!this.figure || this.owed) return;
    this.crowd.turn();
    const bars = this.crowd.on ? [] : this.window();
    this.drawnTo = (this.crowd.on ? this.rows[this.crowd.closed - 1] : bars[bars.length - 1])?.[START] ?? 0;
    this.drawnAt = performance.now();
    const layout = { ...this.layout(), width: this.place.clientWidth, height: this.place.clientHeight };
    if (!this.ranged(layout)) this.Plotly.react(this.place, this.crowd.on ? this.axes() : this.traces(bars), layout, CONFIG);
    if (!this.bound) this.bind();
  }

  /**
   * Move Plotly's axes and do no more, which takes it half as long: while the wheel turns and nothing but ranges differs.
   * Ticks stay at their bars meanwhile, until they would be too many or too few. @param {any} layout @returns {boolean} whether that was enough
   */
  ranged(layout) {
    const { crowd, place, scale } = this;
    const zoom = Math.floor(2 * Math.log2(this.right - this.left));
    const as = [zoom, this.panes.map(({ chosen }) => chosen.about.name), scale, layout.width, layout.height, this.figure.type, this.shift, this.under].join();
    const same = crowd.moving && this.drawnAs === as;
    this.drawnAs = crowd.moving && scale === "linear" && !this.indexing && this.axis.plain ? as : "";
    if (!same) return false;
    const names = Object.keys(layout).filter((name) => /^[xy]axis/.test(name));
    this.Plotly.relayout(place, Object.fromEntries(names.map((name) => [`${name}.range`, layout[name].range])));
    return true;
  }

  bind() {
    this.bound = true;
    const moved = () => {
      const [left, right] = this.place._fullLayout.xaxis._rl.map((/** @type {number} */ x) => x - this.shift);
      this.look(left, Math.max(right, left + NARROWEST * this.series.ms));
      this.moved = true;
    };
    this.place.on("plotly_afterplot", () => this.heard("drawn"));
    this.place.on("plotly_relayouting", () => {
      moved();
      this.heard("dragging");
    });
    this.place.on("plotly_relayout", (/** @type {any} */ change) => {
      if (this.crowd.moving) return; // the wheel's, which was ours
      if (!Object.keys(change).some((key) => key.startsWith("xaxis"))) return;
      moved();
      this.heard("moved");
    });
    this.place.on("plotly_doubleclick", () => {
      this.home();
      this.heard("moved");
    });
  }

  /** Another size of the place. */
  resize() {
    const { clientWidth: width, clientHeight: height } = this.place;
    const has = this.place._fullLayout;
    if (!width || !height || (!this.owed && has && has.width === width && has.height === height)) return;
    this.draw();
  }
}
