// @ts-check
// What charts of different timeframes share: a range of time, and the moment under the pointer. Pure.

import { at, START } from "../chart/series.mjs";

/** A chart shows at least, and at most, so many of its bars. */
export const NARROWEST = 8;
export const WIDEST = 2_000;

/**
 * The range that a chart shows when another one leads: the same, or as much of it as its bars allow, ending where that ends.
 * @param {[number, number]} led UTC ms @param {number} ms a bar's length @returns {[number, number]}
 */
export function shared([from, to], ms) {
  const width = Math.min(Math.max(to - from, NARROWEST * ms), WIDEST * ms);
  return [to - width, to];
}

/**
 * The bar that a moment lies in; undefined where there is none, as in closed hours.
 * @param {number[][]} rows ascending @param {number} ms a bar's length @param {number} moment UTC ms
 */
export function under(rows, ms, moment) {
  const bar = rows[at(rows, moment + 1) - 1];
  return bar && moment < bar[START] + ms ? bar : undefined;
}

/**
 * Rows as a chart holds them, of columns as the callback gives them: `start` is the first one's and from there on the ms
 * from each to the next. @param {Record<string, number[]>} columns @param {string[]} names in the order of a row
 * @returns {number[][]}
 */
export function rowsOf(columns, names) {
  const lists = names.map((name) => columns[name]);
  let start = 0;
  return lists[0].map((step, index) => {
    start += step;
    return lists.map((list, column) => (column === START ? start : list[index]));
  });
}
