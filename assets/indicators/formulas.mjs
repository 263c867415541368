// @ts-check
// The indicators, a bar at a time: dashboard/market/indicators/overlays.py and oscillators.py, which have the formulas,
// their sources and the order of the outputs. tests/browser/test_indicator_modules.py holds the two together.

import { CLOSE, HIGH, LOW, START, VOLUME } from "../chart/series.mjs";
import { deviation, held, highest, lag, lowest, mean, smoothed, weighted, windowed } from "./blocks.mjs";

/** @typedef {import("../chart/series.mjs").Bar} Bar */
/** @typedef {(state: any, bar: Bar, keep: boolean) => number[]} Formula the outputs; the state goes on where the bar is kept */

const DAY_MS = 86_400_000;

/** @type {Formula} */
const smoothedClose = ({ block }, bar, keep) => [smoothed(block, bar[CLOSE], keep)];

/** @param {import("./blocks.mjs").Reduce} reduce @returns {Formula} */
const windowOfClose = (reduce) => ({ block }, bar, keep) => [windowed(block, bar[CLOSE], keep, reduce)];

/** @type {Formula} */
function vwap(state, bar, keep) {
  const day = Math.floor(bar[START] / DAY_MS);
  const same = day === state.day;
  const money = (same ? state.money : 0) + (bar[HIGH] / 3 + bar[LOW] / 3 + bar[CLOSE] / 3) * bar[VOLUME];
  const volume = (same ? state.volume : 0) + bar[VOLUME];
  if (keep) Object.assign(state, { day, money, volume });
  return [money / volume];
}

/** @param {number} middle @param {number} away */
const band = (middle, away) => [middle + away, middle, middle - away];

/** @type {Formula} */
function bollinger(state, bar, keep) {
  const middle = windowed(state.middle, bar[CLOSE], keep, mean);
  return band(middle, state.deviations * windowed(state.spread, bar[CLOSE], keep, deviation));
}

/** @type {Formula} */
function keltner(state, bar, keep) {
  const middle = smoothed(state.middle, bar[CLOSE], keep);
  const [range] = atr(state.range, bar, keep);
  return band(Number.isFinite(range) ? middle : NaN, state.multiplier * range);
}

/** @type {Formula} */
function donchian(state, bar, keep) {
  const upper = windowed(state.upper, bar[HIGH], keep, highest);
  const lower = windowed(state.lower, bar[LOW], keep, lowest);
  return [upper, lower + (upper - lower) / 2, lower];
}

/** @type {Formula} */
function rsi(state, bar, keep) {
  const change = bar[CLOSE] - lag(state.previous, bar[CLOSE], keep);
  const up = smoothed(state.gain, Math.max(change, 0), keep);
  const both = up + smoothed(state.loss, Math.max(-change, 0), keep);
  return [both === 0 ? 0 : 100 * (up / both)];
}

/** @type {Formula} */
function macd(state, bar, keep) {
  const line = smoothed(state.fast, bar[CLOSE], keep) - smoothed(state.slow, bar[CLOSE], keep);
  const signal = smoothed(state.signal, line, keep);
  return [Number.isNaN(signal) ? NaN : line, signal, line - signal];
}

/** @type {Formula} */
function stochastic(state, bar, keep) {
  const top = windowed(state.highest, bar[HIGH], keep, highest);
  const bottom = windowed(state.lowest, bar[LOW], keep, lowest);
  const fast = top === bottom ? 0 : 100 * ((bar[CLOSE] - bottom) / (top - bottom));
  const slow = windowed(state.slow, fast, keep, mean);
  const signal = windowed(state.signal, slow, keep, mean);
  return [Number.isNaN(signal) ? NaN : slow, signal];
}

/** The true range, NaN at first. @param {any} state @param {Bar} bar @param {boolean} keep */
function trueRange(state, bar, keep) {
  const before = lag(state.previous, bar[CLOSE], keep);
  return Math.max(bar[HIGH] - bar[LOW], Math.abs(bar[HIGH] - before), Math.abs(bar[LOW] - before));
}

/** @type {Formula} */
function atr(state, bar, keep) {
  return [smoothed(state.mean, trueRange(state.range, bar, keep), keep)];
}

/** @type {Formula} */
function obv(state, bar, keep) {
  const before = lag(state.previous, bar[CLOSE], keep);
  const total = state.total + (Number.isNaN(before) ? 1 : Math.sign(bar[CLOSE] - before)) * bar[VOLUME];
  if (keep) state.total = total;
  return [total];
}

/** `value` there and 0 elsewhere; NaN where `of` is. @param {number} value @param {boolean} there @param {number} [of] */
function only(value, there, of = value) {
  if (Number.isNaN(of)) return NaN;
  return there ? value : 0;
}

/** @type {Formula} */
function adx(state, bar, keep) {
  const rise = bar[HIGH] - lag(state.high, bar[HIGH], keep);
  const fall = lag(state.low, bar[LOW], keep) - bar[LOW];
  const up = smoothed(state.plus, only(rise, rise > fall && rise > 0), keep);
  const down = smoothed(state.minus, only(fall, fall > rise && fall > 0), keep);
  const span = smoothed(state.true, trueRange(state.range, bar, keep), keep);
  let still = span === 0;
  const plus = only(100 * (up / span), !still, span);
  const minus = only(100 * (down / span), !still, span);
  still ||= plus + minus === 0;
  const index = only(100 * (Math.abs(plus - minus) / (plus + minus)), !still, span);
  // A bar without direction leaves the mean as it is, or counts as 0 until that begins.
  const taken = Number.isNaN(state.mean.value) || !still;
  const average = held(state.held, smoothed(state.mean, taken ? index : NaN, keep), keep);
  return [Number.isNaN(index) ? NaN : average, plus, minus];
}

/** @type {Record<string, Formula>} */
export const FORMULAS = {
  sma: windowOfClose(mean),
  ema: smoothedClose,
  wma: windowOfClose(weighted),
  vwap,
  bbands: bollinger,
  keltner,
  donchian,
  rsi,
  macd,
  stoch: stochastic,
  atr,
  obv,
  adx,
};
