// @ts-check
// The chart's time axis: bars side by side over closed hours, at their own distance everywhere else. What is drawn with
// the bars asks this for the place of a moment. It follows the series by itself; bars that are held keep their places
// when older ones come in front of them. Draws nothing.

import { FLAGS, START } from "./series.mjs";
import { closedIn } from "./sessions.mjs";
import { TimeMap } from "./timemap.mjs";

/** @typedef {import("./sessions.mjs").Hours} Hours */

const WEEK_MINUTES = 10_080;

export class TimeAxis {
  /** @param {import("./series.mjs").Series} series @param {() => number} held a place whose moment stays there when the map changes */
  constructor(series, held) {
    this.series = series;
    this.held = held;
    this.follower = series.follow();
    /** When the instrument does not trade; null where it always does. @type {Hours | null} */
    this.hours = null;
    /** The flags that say that data is missing beside a bar. */
    this.missing = 0;
    /** Whether closed hours are left out, as somebody chose. */
    this.closing = true;
    /** @type {{row: number, span: import("./timemap.mjs").Span}[]} what is left out, and the row behind it */
    this.found = [];
    this.seen = 0;
    /** The first and the last start that the map was made of. @type {[number, number] | null} */
    this.known = null;
    this.made = new TimeMap();
  }

  /**
   * What the figure of the series says; the map begins anew where it is another series.
   * @param {{hours?: Hours | null, marks: Record<string, number>}} figure @param {boolean} same
   */
  load({ hours = null, marks }, same) {
    this.hours = hours;
    this.missing = marks.gap | marks.partial;
    this.follower.from = 0;
    if (!same) this.reset();
  }

  /** Leave closed hours out, or show them. @param {boolean} closing */
  close(closing) {
    this.closing = closing;
    this.reset();
  }

  /** The newest bar lies at its own time again. */
  reset() {
    [this.found, this.seen, this.known, this.made] = [[], 0, null, new TimeMap()];
    this.follower.from = 0;
  }

  /** The map as the rows are now. */
  get map() {
    const { follower, series } = this;
    const { rows } = series;
    const from = Math.min(follower.from, this.seen);
    if (from >= rows.length && this.seen === rows.length) return this.made;
    const before = this.found.filter(({ row }) => row >= from || row >= rows.length);
    const kept = this.found.filter(({ row }) => row < from && row < rows.length);
    const news = this.closing && this.hours ? this.holes(this.hours, Math.max(from, 1)) : [];
    [follower.from, this.seen, this.found] = [Infinity, rows.length, [...kept, ...news]];
    const text = (/** @type {typeof news} */ list) => list.map(({ span }) => span.join()).join(" ");
    if (text(before) !== text(news)) this.made = this.anchored();
    this.known = rows.length ? [rows[0][START], rows[rows.length - 1][START]] : null;
    return this.made;
  }

  /** The map of what is left out now: a bar that both this and the one before know keeps its place. */
  anchored() {
    const { rows } = this.series;
    if (!rows.length) return new TimeMap();
    const spans = this.found.map(({ span }) => span);
    const newest = rows[rows.length - 1][START];
    if (!this.known) return new TimeMap(spans, newest);
    const [first, last] = [Math.max(this.known[0], rows[0][START]), Math.min(this.known[1], newest)];
    const anchor = Math.max(Math.min(this.made.time(this.held()), last), first);
    return new TimeMap(spans, anchor, this.made.place(anchor));
  }

  /** @param {Hours} hours @param {number} from a row */
  holes(hours, from) {
    const { rows, ms } = this.series;
    /** @type {typeof this.found} */
    const made = [];
    for (let row = from; row < rows.length; row++) {
      const [before, after] = [rows[row - 1], rows[row]];
      if (after[START] - before[START] <= ms) continue;
      const gone = ((before[FLAGS] | after[FLAGS]) & this.missing) !== 0;
      for (const [first, last] of closedIn(hours, [before[START] + ms, after[START]], ms, gone)) {
        // A bar is drawn around its start: the cut is in the middle between two of them.
        made.push({ row, span: [first - ms / 2, last - ms / 2] });
      }
    }
    return made;
  }

  /** Whether the axis is time itself. */
  get plain() {
    return this.map.identity;
  }

  /** How much longer a time is than its place on the axis, over a week. */
  get stretch() {
    const closed = (this.closing && this.hours ? this.hours.closed : []).reduce((sum, [from, to]) => sum + to - from, 0);
    return WEEK_MINUTES / (WEEK_MINUTES - closed);
  }

  /** The place of a moment. @param {number} ms UTC */
  place(ms) {
    return this.map.place(ms);
  }

  /** The moment at a place, UTC ms. @param {number} x */
  time(x) {
    return this.map.time(x);
  }
}
