// @ts-check
// A view as the page's address has it, and as the server keeps it (dashboard/workbench/views.py). Pure.

import { instant, said } from "../chart/range.mjs";
import { isCompare, joined, keptPage, PAGE, pageQuery, pageSummary, parted } from "./viewpages.mjs";

/**
 * @typedef {object} Kept
 * @property {string} symbol @property {string} timeframe @property {string} [type] @property {string} [scale]
 * @property {string[]} [indicators] @property {string[]} [compare] @property {number | null} [start]
 * @property {number | null} [end] @property {Record<string, string | number | boolean | null>} [settings]
 */

const PLAIN = /** @type {const} */ (["symbol", "timeframe", "type", "scale"]);
const LISTS = /** @type {const} */ (["indicators", "compare"]);
const TIMES = /** @type {const} */ (["start", "end"]);
const NAMED = new Set([...PLAIN, ...LISTS, ...TIMES]);
/** What a setting may be called. */
const SETTING = /^[a-z][a-z0-9_.-]{0,39}$/;

/** @param {URLSearchParams} query @returns {Kept} what else stands in the query becomes a setting */
export function keptOf(query) {
  if (isCompare(query)) return keptPage(query);
  /** @type {any} */
  const found = { settings: {} };
  for (const name of PLAIN) if (query.get(name)) found[name] = query.get(name);
  for (const name of LISTS) found[name] = (query.get(name) ?? "").split(",").filter(Boolean);
  for (const name of TIMES) found[name] = instant(query.get(name) ?? "");
  for (const [name, value] of query) {
    if (!NAMED.has(/** @type {any} */ (name)) && SETTING.test(name) && value) Object.assign(found.settings, parted(name, value));
  }
  return found;
}

/** @param {Kept} view @returns {URLSearchParams} without what is as usual */
export function queryOf(view) {
  if (view.settings?.page === PAGE) return pageQuery(view);
  const query = new URLSearchParams();
  for (const name of PLAIN) {
    const value = view[name];
    if (value && !(name === "scale" && value === "linear")) query.set(name, value);
  }
  for (const name of LISTS) if (view[name]?.length) query.set(name, /** @type {string[]} */ (view[name]).join(","));
  for (const name of TIMES) if (view[name] != null) query.set(name, said(/** @type {number} */ (view[name])));
  for (const [name, value] of Object.entries(joined(view.settings ?? {}))) if (value !== "") query.set(name, value);
  return query;
}

/** Whether two queries show the same. @param {URLSearchParams} a @param {URLSearchParams} b */
export function same(a, b) {
  const text = (/** @type {URLSearchParams} */ query) => [...queryOf(keptOf(query))].map((pair) => pair.join("=")).sort().join("&");
  return text(a) === text(b);
}

/** What a view shows, in a line. @param {Kept} view */
export function summary(view) {
  if (view.settings?.page === PAGE) return pageSummary(view);
  const parts = [`${view.symbol} ${view.timeframe}`, view.type, view.scale === "linear" ? "" : view.scale, ...(view.indicators ?? [])];
  if (view.compare?.length) parts.push(`with ${view.compare.join(", ")}`);
  if (view.start != null || view.end != null) parts.push("a range");
  return parts.filter(Boolean).join(" · ");
}
