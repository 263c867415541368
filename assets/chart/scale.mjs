// @ts-check
// The price axis: linear, logarithmic, or percent of a base. What it shows, where its ticks are and how they read. Pure.
// Percent is a matter of words: the axis stays one of prices, so that everything drawn with it is at its place.

import * as words from "../page/words.mjs";

/** From so many times the lowest price on, a logarithmic axis counts 1, 2, 5, 10 instead of even steps. */
const DECADES = 8;
const LEAST_DECIMALS = 2;

/** A price as the axis counts it; a logarithmic one has no place for 0 and below. @param {string} scale @param {number} price */
export function counted(scale, price) {
  return scale === "log" ? Math.log10(price) : price;
}

/**
 * The prices that an axis shows: those given and room around them, on a logarithmic one as much in its own measure.
 * @param {string} scale @param {number} low @param {number} high above 0 both on a logarithmic one
 * @param {number} part room, of what is between them @param {number} least room at least, in price
 * @returns {[number, number]}
 */
export function roomy(scale, low, high, part, least) {
  if (scale !== "log") {
    const room = Math.max((high - low) * part, least);
    return [low - room, high + room];
  }
  const room = Math.max(Math.log10(high / low) * part, Math.log10(1 + least / high));
  return [low / 10 ** room, high * 10 ** room];
}

/** The smallest of 1, 2, 5 times a power of ten that is no less. @param {number} size */
function round(size) {
  const power = 10 ** Math.floor(Math.log10(size));
  const digit = [1, 2, 5, 10].find((each) => each * power >= size * (1 - 1e-9)) ?? 10;
  return digit * power;
}

/** Multiples of a round step. @param {number} low @param {number} high @param {number} most @param {number} least the step at least */
export function even(low, high, most, least) {
  const step = Math.max(round((high - low) / most), least);
  const first = Math.ceil(low / step);
  const count = Math.max(0, Math.floor(high / step) - first + 1);
  return { step, values: Array.from({ length: count }, (_, at) => (first + at) * step) };
}

/** 1, 2 and 5 times the powers of ten, or the powers alone where those are too many. @param {number} low @param {number} high @param {number} most */
function decades(low, high, most) {
  const [from, to] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const digits = (to - from) * 3 > most * 1.5 ? [1] : [1, 2, 5];
  const skip = digits.length === 1 ? Math.ceil((to - from) / most) : 1;
  /** @type {number[]} */
  const values = [];
  for (let power = from; power <= to; power += skip) values.push(...digits.map((digit) => digit * 10 ** power));
  return values.filter((value) => value >= low && value <= high);
}

/** Digits after the point that a step of percent needs. @param {number} step */
export function decimalsOf(step) {
  return Math.min(8, Math.max(0, Math.ceil(-Math.log10(step) - 1e-9)));
}

/** A price as percent of the base, signed. @param {number} price @param {number} base @param {number} decimals */
export function percentWords(price, base, decimals) {
  return `${words.difference((price / base - 1) * 100, decimals)}%`;
}

/**
 * Ticks of a logarithmic or percent axis: prices, their words, and the decimals that a percentage between them needs.
 * @param {"log" | "percent"} scale @param {[number, number]} shown prices
 * @param {{base: number | null, decimals: number, most: number}} how the instrument's decimals, and how many at most
 * @returns {{values: number[], texts: string[], decimals: number}}
 */
export function ticks(scale, [low, high], { base, decimals, most }) {
  if (scale === "log") {
    const values = high / low >= DECADES ? decades(low, high, most) : even(low, high, most, 10 ** -decimals).values;
    return { values, texts: values.map((value) => words.price(value, decimals)), decimals };
  }
  if (!base) return { values: [], texts: [], decimals: LEAST_DECIMALS };
  const { step, values } = even((low / base - 1) * 100, (high / base - 1) * 100, most, 1e-8);
  const shown = decimalsOf(step);
  return {
    values: values.map((value) => base * (1 + value / 100)),
    texts: values.map((value) => `${words.difference(value, shown)}%`),
    decimals: Math.max(LEAST_DECIMALS, shown),
  };
}
