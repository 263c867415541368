// @ts-check
// How what is compared reads at a bar: each instrument's price and its change since the left edge, in the colour of its
// line. Pure.

import * as words from "../page/words.mjs";
import { CLOSE } from "../chart/series.mjs";

/** @typedef {import("./comparison.mjs").Comparison} Comparison */
/** @typedef {import("../chart/legend.mjs").Part} Part */

/** @param {number} close @param {number} base @returns {string} */
function since(close, base) {
  if (!Number.isFinite(close)) return "";
  return base > 0 ? ` ${words.percent((close / base - 1) * 100)}%` : " no index";
}

/** @param {number} value @param {number} decimals */
function price(value, decimals) {
  return words.price(Number.isFinite(value) ? value : null, decimals);
}

/** @param {Comparison} comparison @param {number} index of the bar @returns {Part[]} */
export function legend(comparison, index) {
  const { rows, symbol: own } = comparison.plot.series;
  const close = rows[index]?.[CLOSE] ?? NaN;
  return [
    { name: own, text: `${price(close, comparison.decimals(own))}${since(close, comparison.own)}`, token: "--text" },
    ...comparison.symbols.map((symbol, place) => {
      const at = comparison.closeAt(symbol, index);
      return { name: symbol, text: `${price(at.close, at.decimals)}${since(at.close, at.base)}`, token: comparison.token(place) };
    }),
  ];
}

/** @param {Comparison} comparison @param {number} index @param {boolean} brief @param {{label: string, digits: number}} how @returns {Part[]} */
export function pairLegend(comparison, index, brief, { label, digits }) {
  const { mode } = comparison.choice;
  const column = comparison.columns.get(mode)?.[0] ?? [];
  const value = column[index] ?? NaN;
  let edge = comparison.edge;
  while (edge < column.length && !Number.isFinite(column[edge])) edge += 1;
  const base = column[edge] ?? NaN;
  const moved = Number.isFinite(value) && Number.isFinite(base);
  const change = mode === "ratio" ? (base > 0 ? since(value, base).trim() : "") : moved ? words.difference(value - base, digits) : "";
  return [
    { name: label, text: price(value, digits), token: comparison.token(0) },
    { name: brief ? "" : "since the left edge", text: change, token: "--text" },
    ...(brief ? [] : legend(comparison, index)),
  ];
}

/** @param {Comparison} comparison @param {number} index @param {boolean} _brief @param {{label: string}} how @returns {Part[]} */
export function correlationLegend(comparison, index, _brief, { label }) {
  const columns = comparison.columns.get("correlation") ?? [];
  /** @param {string} symbol @param {number} place */
  const words = (symbol, place) => {
    const column = columns[place] ?? [];
    if (column.some(Number.isFinite)) return price(column[index] ?? NaN, 2);
    return comparison.pairs(symbol) < (comparison.choice.window ?? 0) ? "too few bars" : "none, for a price does not move";
  };
  return [
    { text: label, token: "--muted" },
    ...comparison.symbols.map((symbol, place) => ({ name: symbol, text: words(symbol, place), token: comparison.token(place) })),
  ];
}
