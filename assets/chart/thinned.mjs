// @ts-check
// A series for a view of more bars than there are pixels to draw them in. Neighbours become one candle, which is exact: it
// is the bar of a longer timeframe. Lines go through bars that MinMaxLTTB picks (Van Der Donckt et al. 2023): the least and
// the most of each piece, and of those the ones that make the largest triangles (Steinarsson 2013). Groups lie at multiples
// of the axis, so that they stay what they are while the view moves. Pure.

import { CLOSE, FLAGS, HIGH, LOW, START, TRADES, VOLUME } from "./series.mjs";

/** @typedef {import("./series.mjs").Bar} Bar */
/** @typedef {{each: number, bars: Bar[], firsts: number[]}} Groups `firsts` are the rows that the bars begin with */

/** Px from one candle to the next, at least. */
export const LEAST_PX = 2.5;
/** A line has so many points of each group, each picked from the least and the most of so many pieces. */
const POINTS = 2;
const PIECES = 2;

/** How many bars are drawn as one: 1, 2, 5, 10, 20 and so on. @param {number} bars in view @param {number} width px */
export function eachOf(bars, width) {
  const wanted = (bars * LEAST_PX) / Math.max(width, 1);
  let power = 1;
  while (5 * power < wanted) power *= 10;
  return [1, 2, 5].map((digit) => digit * power).find((each) => each >= wanted) ?? power;
}

/** Which group a place of the axis is in; a bar is drawn around its start. @param {number} x @param {number} each @param {number} ms */
function groupOf(x, each, ms) {
  return Math.floor((x + ms / 2) / (each * ms));
}

/** Where the group of a place begins. @param {number} x @param {number} each @param {number} ms */
export function beginOf(x, each, ms) {
  return groupOf(x, each, ms) * each * ms - ms / 2;
}

/**
 * Bars of up to `each` neighbours: the first one's open, the highest high, the lowest low, the last one's close, volumes and
 * trades together, every flag that one of them has. A bar's start is the moment whose place is the middle of its group.
 * @param {Bar[]} rows ascending @param {number} from the first row @param {number} to the one after the last
 * @param {{each: number, ms: number, place: (ms: number) => number, time: (x: number) => number}} on the axis
 * @param {Groups} [before] groups of the rows before
 * @returns {Groups}
 */
export function merged(rows, from, to, { each, ms, place, time }, before) {
  const size = each * ms;
  const bars = before?.bars ?? [];
  const firsts = before?.firsts ?? [];
  let group = NaN;
  /** @type {Bar} */
  let one = [];
  for (let index = from; index < to; index++) {
    const row = rows[index];
    const of = groupOf(place(row[START]), each, ms);
    if (of !== group) {
      group = of;
      one = row.slice();
      one[START] = time(of * size + (size - ms) / 2);
      bars.push(one);
      firsts.push(index);
      continue;
    }
    if (row[HIGH] > one[HIGH]) one[HIGH] = row[HIGH];
    if (row[LOW] < one[LOW]) one[LOW] = row[LOW];
    one[CLOSE] = row[CLOSE];
    one[VOLUME] += row[VOLUME];
    one[TRADES] += row[TRADES];
    one[FLAGS] |= row[FLAGS];
  }
  return { each, bars, firsts };
}

/**
 * The rows that a line goes through, ascending, with -1 where it has a gap: its ends, and up to two of each group between.
 * @param {(index: number) => number} value at a row, NaN for none @param {(index: number) => number} place of a row
 * @param {number[]} firsts the rows that groups begin with, ascending @param {number} end the row after the last
 * @returns {number[]}
 */
export function picked(value, place, firsts, end) {
  const parts = pieces(firsts, end).map(([from, to]) => part(value, from, to));
  /** @type {number[]} */
  const found = [];
  for (const [at, { candidates, first, last }] of parts.entries()) {
    const before = found[found.length - 1] ?? -1;
    if (!candidates.length) {
      if (before >= 0) found.push(-1);
      continue;
    }
    const next = parts[at + 1]?.candidates ?? [];
    if (before < 0) found.push(first);
    if (!next.length) {
      if (last !== first || before >= 0) found.push(last);
    } else if (before >= 0) found.push(largest({ value, place }, candidates, before, next));
  }
  return found;
}

/** The row that makes the largest triangle with the one before and the middle of those that come next. @param {{value: (index: number) => number, place: (index: number) => number}} of @param {number[]} candidates @param {number} before @param {number[]} next */
function largest({ value, place }, candidates, before, next) {
  if (candidates.length === 1) return candidates[0];
  let [x, y] = [0, 0];
  for (const index of next) [x, y] = [x + place(index) / next.length, y + value(index) / next.length];
  const [x0, y0] = [place(before), value(before)];
  let [most, best] = [-1, candidates[0]];
  for (const index of candidates) {
    const area = Math.abs((x0 - x) * (value(index) - y0) - (x0 - place(index)) * (y - y0));
    if (area > most) [most, best] = [area, index];
  }
  return best;
}

/** Each group in as many parts as it gets points. @param {number[]} firsts @param {number} end @returns {[number, number][]} from a row to the one after the last */
function pieces(firsts, end) {
  return firsts.flatMap((first, group) => {
    const count = (firsts[group + 1] ?? end) - first;
    const points = Math.min(POINTS, count);
    return Array.from({ length: points }, (_, point) => cut(first, count, point, points));
  });
}

/** @param {number} from @param {number} count @param {number} at @param {number} parts @returns {[number, number]} */
function cut(from, count, at, parts) {
  return [from + Math.floor((count * at) / parts), from + Math.floor((count * (at + 1)) / parts)];
}

/** The least and the most of each piece of a part, ascending, and its first and last row with a value. @param {(index: number) => number} value @param {number} from @param {number} to */
function part(value, from, to) {
  /** @type {number[]} */
  const candidates = [];
  let [first, last] = [-1, -1];
  for (let piece = 0; piece < PIECES; piece++) {
    let [low, high] = [-1, -1];
    let [least, most] = [Infinity, -Infinity];
    const [begin, end] = cut(from, to - from, piece, PIECES);
    for (let index = begin; index < end; index++) {
      const y = value(index);
      if (!Number.isFinite(y)) continue;
      if (first < 0) first = index;
      last = index;
      if (y < least) [least, low] = [y, index];
      if (y > most) [most, high] = [y, index];
    }
    if (low >= 0) candidates.push(Math.min(low, high));
    if (low !== high) candidates.push(Math.max(low, high));
  }
  return { candidates, first, last };
}
