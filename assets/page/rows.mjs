// @ts-check
// The rows of the watchlist's grid: which there are, under which headings, in which order, and the numbers that the grid
// sorts them by. Draws nothing.

import { MEASURES, volatility } from "./measures.mjs";

/** By what a column that moves is sorted is written into the grid's row, under its field; a row's others never change. */
const FIELDS = Object.entries(MEASURES).map(([column, of]) => /** @type {const} */ ([column === "last" ? "price" : column, of]));
/** What a group is called that has no name of its own. */
const OTHER = "Other";

/** @typedef {"none" | "class" | "sector"} Grouping as dashboard/workbench/watchlists.py names them */
/** @type {Grouping[]} */
export const GROUPINGS = ["none", "class", "sector"];

/** Write a quote's numbers into its row. @param {any} row @param {any} quote @param {number[] | null} closes null: not sorted by */
export function fill(row, quote, closes) {
  for (const [field, of] of FIELDS) row[field] = of(quote);
  if (closes) row.volatility = volatility(closes);
}

/** What an instrument is grouped by. @param {any} instrument @param {Grouping} grouping @returns {string} */
export function groupOf(instrument, grouping) {
  return grouping === "none" ? "" : instrument[grouping] || OTHER;
}

/**
 * Rows as the grid takes them: groups in the order of their first instrument, each under its heading where there are
 * several. The row of an id is the same object each time, so that the grid draws anew only what it did not have.
 * @param {any[]} instruments in their order @param {Grouping} grouping
 * @param {Record<string, string>} titles of classes @param {Map<string, any>} made rows by id, those made here added
 * @returns {any[]}
 */
export function rowsOf(instruments, grouping, titles, made) {
  /** @type {Map<string, any[]>} */
  const groups = new Map();
  for (const one of instruments) {
    const group = groupOf(one, grouping);
    const members = groups.get(group);
    if (members) members.push(one);
    else groups.set(group, [one]);
  }
  const row = (/** @type {string} */ id, /** @type {any} */ first) => {
    let found = made.get(id);
    if (!found) made.set(id, (found = { id, ...first }));
    return found;
  };
  const rows = [];
  for (const [group, members] of groups) {
    // A space can't be in a symbol, so a heading's id never meets an instrument's. Those of classes come with the page.
    if (groups.size > 1 && grouping === "class") rows.push(row(`group ${group}`, { group: titles[group] ?? group }));
    else if (groups.size > 1) rows.push(row(`group ${grouping} ${group}`, { group }));
    for (const { symbol, name, class: kind } of members) rows.push(row(symbol, { symbol, name, class: kind }));
  }
  return rows;
}

/**
 * Those among which a symbol is moved: its group, in the list's order. @param {any[]} instruments of the list, in its order
 * @param {string} symbol @param {Grouping} grouping @returns {string[]} empty where the symbol is not in it
 */
export function neighbours(instruments, symbol, grouping) {
  const own = instruments.find((one) => one.symbol === symbol);
  if (!own) return [];
  const group = groupOf(own, grouping);
  return instruments.filter((one) => groupOf(one, grouping) === group).map((one) => one.symbol);
}

/**
 * Symbols with one of a block moved to another place in the block; all others, those of other markets too, stay where
 * they are. @param {string[]} symbols @param {string[]} block some of them, in their order
 * @param {string} symbol of the block @param {number} to its place in the block, from 0
 */
export function moved(symbols, block, symbol, to) {
  const order = block.filter((one) => one !== symbol);
  order.splice(to, 0, symbol);
  const members = new Set(block);
  let at = 0;
  return symbols.map((one) => (members.has(one) ? order[at++] : one));
}
