// @ts-check
// The price axis while instruments are compared: it stays one of the chart's own prices, so that everything drawn with it
// is at its place; its words are an index, the base as 100. Pure.

import { decimalsOf, even, ticks } from "../chart/scale.mjs";
import * as words from "../page/words.mjs";

const LEAST_DECIMALS = 2;

/** @param {number} price @param {number} base @param {number} decimals */
export function indexWords(price, base, decimals) {
  return words.price((price / base) * 100, decimals);
}

/**
 * Ticks at round numbers of the index: prices, their words, and the decimals that an index between them needs.
 * @param {string} scale linear or log @param {[number, number]} shown prices @param {{base: number, most: number}} how
 * @returns {{values: number[], texts: string[], decimals: number}}
 */
export function indexTicks(scale, shown, { base, most }) {
  const [low, high] = shown.map((price) => (price / base) * 100);
  const made =
    scale === "log" ? ticks("log", [low, high], { base, decimals: LEAST_DECIMALS, most }) : even(low, high, most, 1e-8);
  const step = Math.abs((made.values[1] ?? made.values[0] ?? 1) - (made.values[0] ?? 0)) || 1;
  const digits = decimalsOf(step);
  return {
    values: made.values.map((value) => (value / 100) * base),
    texts: made.values.map((value) => words.price(value, digits)),
    decimals: Math.max(LEAST_DECIMALS, digits),
  };
}
