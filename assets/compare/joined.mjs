// @ts-check
// The closes of another instrument at the bars of the chart's: its own where it has a bar of just that time, NaN where it
// has none. They follow both by themselves: a tick costs one bar. Draws nothing, asks for nothing.

import { at, CLOSE, START } from "../chart/series.mjs";

/** @typedef {import("../chart/series.mjs").Bar} Bar */
/** @typedef {import("../chart/series.mjs").Series} Series */

export class Joined {
  /** @param {Series} series the other's */
  constructor(series) {
    this.series = series;
    this.follower = series.follow();
    this.seen = 0;
    /** One a row. @type {number[]} */
    this.values = [];
  }

  /** Its bars are followed no more. */
  end() {
    this.series.followers.delete(this.follower);
  }

  /**
   * Go on to the newest of `rows`. @param {Bar[]} rows of the chart's instrument
   * @param {number} from the first of them that changed @returns {number} the first whose value is another
   */
  update(rows, from) {
    const others = this.series.rows;
    const changed = Math.min(this.follower.from, this.seen);
    let first = Math.min(from, this.values.length, rows.length);
    if (changed === 0) first = 0;
    else if (changed < others.length) first = Math.min(first, at(rows, others[changed][START]));
    this.follower.from = Infinity;
    this.seen = others.length;
    this.values.length = rows.length;
    if (first >= rows.length) return first;
    let place = at(others, rows[first][START]);
    for (let index = first; index < rows.length; index++) {
      const start = rows[index][START];
      while (place < others.length && others[place][START] < start) place += 1;
      this.values[index] = place < others.length && others[place][START] === start ? others[place][CLOSE] : NaN;
    }
    return first;
  }
}
