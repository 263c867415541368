// @ts-check
// What lies between two points: change, percent, bars, time. Pure.

import * as words from "../page/words.mjs";
import { at, START } from "../chart/series.mjs";

/** @typedef {import("./kinds.mjs").Point} Point */
/** @typedef {{rows: number[][], ms: number, decimals: number}} Bars bars of the series, their length, decimals of a price */

const UNITS = /** @type {[string, number][]} */ ([["d", 86_400_000], ["h", 3_600_000], ["min", 60_000], ["s", 1000]]);

/** `2 d 4 h`, `24 min`: the two largest units of a time. @param {number} ms */
export function span(ms) {
  let left = Math.round(Math.abs(ms) / 1000) * 1000;
  /** @type {string[]} */
  const said = [];
  for (const [unit, size] of UNITS) {
    const count = Math.floor(left / size);
    if (said.length === 1 && !count) break;
    if (!count) continue;
    said.push(`${count} ${unit}`);
    left -= count * size;
    if (said.length === 2) break;
  }
  return said.join(" ") || "0 s";
}

/**
 * How many bars a moment lies behind the first that is held, counting on where none are yet; null before the first,
 * where nobody knows how many there are. @param {number} moment UTC ms @param {Bars} bars
 */
function place(moment, { rows, ms }) {
  const last = rows.length - 1;
  if (last < 0 || moment < rows[0][START]) return null;
  if (moment >= rows[last][START]) return last + Math.floor((moment - rows[last][START]) / ms);
  return at(rows, moment + 1) - 1;
}

/** Bars from one moment to another, negative backwards; null where they are not held. @param {number} from @param {number} to @param {Bars} bars */
export function barsBetween(from, to, bars) {
  const [first, second] = [place(from, bars), place(to, bars)];
  return first === null || second === null ? null : second - first;
}

/** The two lines of a measure: change and percent, bars and time. @param {Point[]} points @param {Bars} bars @returns {string[]} */
export function measured([[from, before], [to, after]], bars) {
  const change = after - before;
  const percent = before > 0 ? ` (${words.percent((change / before) * 100)}%)` : "";
  const count = barsBetween(from, to, bars);
  const minus = to < from ? "−" : "";
  const counted = count === null ? "" : `${minus}${words.price(Math.abs(count), 0)} ${Math.abs(count) === 1 ? "bar" : "bars"} · `;
  return [`${words.difference(change, bars.decimals)}${percent}`, `${counted}${minus}${span(to - from)}`];
}
