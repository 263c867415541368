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
const MOST = 2 * PIECES;

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
 * Distances are counted in rows.
 * @param {ArrayLike<number>} values NaN for none @param {number} shift the row of the first
 * @param {number[]} firsts the rows that groups begin with, ascending @param {number} end the row after the last
 * @returns {number[]}
 */
export function picked(values, shift, firsts, end) {
  const { count, rows, sizes, ends } = parts(values, shift, firsts, end);
  /** @type {number[]} */
  const found = [];
  let before = -1;
  for (let part = 0; part < count; part++) {
    const [size, next] = [sizes[part], part + 1 < count ? sizes[part + 1] : 0];
    if (size === 0) {
      if (before >= 0) found.push(-1);
      before = -1;
      continue;
    }
    const start = before < 0;
    const [first, last] = [ends[2 * part], ends[2 * part + 1]];
    if (start) found.push((before = first));
    if (next === 0) {
      if (last !== before) found.push((before = last));
    } else if (!start) {
      found.push((before = largest(values, shift, rows, part * MOST, size, before, next)));
    }
  }
  return found;
}

/** The row that makes the largest triangle with the one before and the middle of the next part's. @param {ArrayLike<number>} values @param {number} shift @param {Int32Array} rows @param {number} from @param {number} size @param {number} before @param {number} next how many rows the next part has */
function largest(values, shift, rows, from, size, before, next) {
  if (size === 1) return rows[from];
  let x = 0;
  let y = 0;
  for (let at = from + MOST; at < from + MOST + next; at++) {
    x += rows[at];
    y += values[rows[at] - shift];
  }
  x = x / next - before;
  const y0 = values[before - shift];
  y = y / next - y0;
  let most = -1;
  let best = rows[from];
  for (let at = from; at < from + size; at++) {
    const row = rows[at];
    const area = Math.abs(x * (values[row - shift] - y0) - (row - before) * y);
    if (area > most) {
      most = area;
      best = row;
    }
  }
  return best;
}

/**
 * Each group in as many parts as it gets points: of each the least and the most of its pieces (`MOST` places of `rows`, of
 * which `sizes` are taken, ascending), and its first and last row with a value (`ends`).
 * @param {ArrayLike<number>} values @param {number} shift @param {number[]} firsts @param {number} end
 */
function parts(values, shift, firsts, end) {
  const rows = new Int32Array(firsts.length * POINTS * MOST);
  const sizes = new Uint8Array(firsts.length * POINTS);
  const ends = new Int32Array(firsts.length * POINTS * 2);
  let count = 0;
  for (let group = 0; group < firsts.length; group++) {
    const first = firsts[group];
    const length = (group + 1 < firsts.length ? firsts[group + 1] : end) - first;
    const points = Math.min(POINTS, length);
    for (let point = 0; point < points; point++) {
      const from = first + Math.floor((length * point) / points);
      const to = first + Math.floor((length * (point + 1)) / points);
      let size = 0;
      let seen = -1;
      let last = -1;
      for (let piece = 0; piece < PIECES; piece++) {
        let low = -1;
        let high = -1;
        let least = Infinity;
        let most = -Infinity;
        const stop = from + Math.floor(((to - from) * (piece + 1)) / PIECES);
        for (let row = from + Math.floor(((to - from) * piece) / PIECES); row < stop; row++) {
          const value = values[row - shift];
          if (!Number.isFinite(value)) continue;
          if (seen < 0) seen = row;
          last = row;
          if (value < least) {
            least = value;
            low = row;
          }
          if (value > most) {
            most = value;
            high = row;
          }
        }
        if (low >= 0) rows[count * MOST + size++] = Math.min(low, high);
        if (low !== high) rows[count * MOST + size++] = Math.max(low, high);
      }
      ends[2 * count] = seen;
      ends[2 * count + 1] = last;
      sizes[count++] = size;
    }
  }
  return { count, rows, sizes, ends };
}
