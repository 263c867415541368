// @ts-check
// Heikin-Ashi: each bar averaged with the one before it, beside the true bars and as long as they are. Draws nothing.
// The formula is Valcu's (D. Valcu, "Using the Heikin-Ashi Technique", Stocks & Commodities 22:2, February 2004).

import { CLOSE, HIGH, LOW, OPEN, START } from "./series.mjs";

/**
 * Close (O + H + L + C) / 4; open the middle of the body before, the first one's that of its own; high and low with both.
 * Start, volume, trades and flags stay the bar's own.
 * @param {import("./series.mjs").Bar} bar @param {import("./series.mjs").Bar | undefined} before averaged already
 * @returns {import("./series.mjs").Bar}
 */
export function averaged(bar, before) {
  const close = (bar[OPEN] + bar[HIGH] + bar[LOW] + bar[CLOSE]) / 4;
  const open = before ? (before[OPEN] + before[CLOSE]) / 2 : (bar[OPEN] + bar[CLOSE]) / 2;
  return [bar[START], open, Math.max(bar[HIGH], open, close), Math.min(bar[LOW], open, close), close, ...bar.slice(CLOSE + 1)];
}

export class HeikinAshi {
  /** @param {import("./series.mjs").Series} series whose only follower this is */
  constructor(series) {
    this.series = series;
    /** @type {import("./series.mjs").Bar[]} */
    this.made = [];
  }

  /** A row for each of the series, from the first that changed on: a tick costs the forming one. */
  get rows() {
    const { made, series } = this;
    made.length = Math.min(made.length, series.revised);
    series.revised = Infinity;
    for (let at = made.length; at < series.rows.length; at++) made.push(averaged(series.rows[at], made[at - 1]));
    return made;
  }
}
