// @ts-check
// The bars of a view that has more of them than Plotly should draw: from there on a sheet draws them (dense.mjs), as many
// neighbours as one as there is room for, and Plotly has the axes alone. Groups and lines are kept while the view moves and
// made anew around it where it leaves them, or where bars have changed. Draws nothing.

import { at, CLOSE } from "./series.mjs";
import { beginOf, eachOf, merged, picked } from "./thinned.mjs";

/** Bars in view that Plotly draws on a chart that is alone: with those around them 720, which take it 80 ms. */
export const MOST_DRAWN = 240;
/** Groups are made of the view and of so many times its width on either side. */
const AROUND = 1;

export class Crowd {
  /** @param {import("./plot.mjs").Plot} plot */
  constructor(plot) {
    this.plot = plot;
    this.follower = plot.series.follow();
    /** Bars in view that Plotly still draws. */
    this.most = MOST_DRAWN;
    /** Whether the view is drawn here, as of Plotly's last drawing. */
    this.on = false;
    /** Whether the wheel turns: however few bars are drawn here until it rests. */
    this.moving = false;
    /** Counts what is made anew of closed groups. */
    this.version = 0;
    /** The row that the first group begins with, and the one after the last group. */
    this.from = 0;
    this.to = 0;
    /** Whether that is the newest row: the last group still forms. */
    this.ended = false;
    /** What the groups are made with. @type {any[]} */
    this.with = [];
    /** @type {import("./thinned.mjs").Groups} */
    this.made = { each: 1, bars: [], firsts: [] };
    /** Picked rows by what they are picked of. @type {WeakMap<object, {version: number, lines: number[][]}>} */
    this.lines = new WeakMap();
  }

  /** Decide who draws the view. */
  turn() {
    const { rows, from, to, series } = this.plot;
    this.on = this.moving || at(rows, to) - at(rows, from - series.ms + 1) > this.most;
  }

  /** How many bars one that is drawn is of. */
  get each() {
    const { left, right, series, width } = this.plot;
    return eachOf((right - left) / series.ms, width);
  }

  /** What is to be said of how the view is drawn; empty where every bar is. */
  get words() {
    const each = this.on ? this.each : 1;
    if (each === 1) return "";
    if (!this.plot.kind.spans) return `line through the extremes of each ${each} bars`;
    return this.plot.figure.type === "ohlc" ? `each bar drawn ${each} bars` : `each candle ${each} bars`;
  }

  /** The groups around the view, of which the last may lack bars. */
  get groups() {
    const { follower, made, plot, each } = this;
    const { rows, left, right, series, axis, kind } = plot;
    const { ms } = series;
    const { map } = axis;
    const changed = follower.from;
    follower.from = Infinity;
    const row = (/** @type {number} */ x) => at(rows, map.time(x));
    const on = { each, ms, place: (/** @type {number} */ moment) => map.place(moment), time: (/** @type {number} */ x) => map.time(x) };
    const first = row(beginOf(left, each, ms));
    const last = Math.min(row(right + 2 * each * ms) + 1, rows.length);
    const parts = [ms, each, map, kind.averaged];
    const { bars, firsts } = made;
    const forming = firsts[firsts.length - 1] ?? 0;
    const same = firsts.length > 0 && changed >= forming && this.from <= first && parts.every((part, index) => part === this.with[index]);
    if (same && this.ended && (changed < Infinity || this.to < rows.length)) {
      this.to = rows.length;
      const count = bars.length;
      bars.pop();
      firsts.pop();
      merged(rows, forming, this.to, on, made);
      if (bars.length !== count) this.version += 1;
      return made;
    }
    if (same && last <= this.to) return made;
    const span = AROUND * (right - left);
    this.from = Math.min(row(beginOf(left - span, each, ms)), first);
    this.to = Math.max(row(right + span), last);
    this.ended = this.to >= rows.length;
    this.with = parts;
    this.version += 1;
    return (this.made = merged(rows, this.from, this.to, on));
  }

  /** The row that the last group begins with: up to there all is drawn on the sheet. */
  get closed() {
    const { firsts } = this.groups;
    return firsts[firsts.length - 1] ?? 0;
  }

  /** The last group as one bar, and the one before it. */
  get forming() {
    const { bars } = this.groups;
    return { bars: bars.slice(-1), before: bars[bars.length - 2] };
  }

  /** The groups that have a part between two moments. @param {number} from UTC ms @param {number} to */
  between(from, to) {
    const { bars } = this.groups;
    const half = (this.each * this.plot.series.ms) / 2;
    return bars.slice(Math.max(at(bars, from - half), 0), at(bars, to + half));
  }

  /** The rows that the closes go through, up to the last group. */
  closes() {
    const { rows } = this.plot;
    const { firsts } = this.groups;
    const from = firsts[0] ?? 0;
    return this.picks(this, 0, () => Float64Array.from({ length: this.closed - from }, (_, index) => rows[from + index][CLOSE]), from);
  }

  /** The rows that an output of a study goes through. @param {import("../indicators/study.mjs").Study} study @param {number} output */
  studied(study, output) {
    if (study.start === null) return [];
    return this.picks(study, output, () => study.values[output], at(this.plot.series.rows, study.start));
  }

  /** @param {object} of @param {number} output @param {() => ArrayLike<number>} values @param {number} shift the row of the first @returns {number[]} */
  picks(of, output, values, shift) {
    const { firsts } = this.groups;
    let held = this.lines.get(of);
    if (held?.version !== this.version) this.lines.set(of, (held = { version: this.version, lines: [] }));
    return (held.lines[output] ??= picked(values(), shift, firsts.slice(0, -1), this.closed));
  }
}
