// @ts-check
// What the Compare page shows, as its address has it: charts, layout, the timeframe and type of all, what is linked, and
// the parts of the series that somebody has chosen to see. Pure.

import { instant, said } from "../chart/range.mjs";
import { TIMEFRAMES, TYPES } from "../live/view.mjs";
import { layoutFor, LAYOUTS, MOST } from "./arrangement.mjs";

/** @typedef {{symbol: string, timeframe: string}} Series */
/** @typedef {[number, number] | null} Range UTC ms; null where the newest bars are shown */
/**
 * @typedef {object} State
 * @property {number} layout places @property {Series[]} charts with the timeframe of its own each
 * @property {string} one the timeframe of all charts, empty where each has its own
 * @property {string} type @property {boolean} cross @property {boolean} range whether crosshair and range are linked
 * @property {Range[]} ranges one for all where they are linked, else one a chart; fewer where the rest is at the newest bars
 */

export const LINKS = /** @type {const} */ (["cross", "range"]);
const NAMES = ["layout", "charts", "one", "type", "link", "range"];
const LONGEST = 40;

/** The timeframe that a chart is shown in. @param {State} state @param {Series} series */
export function timeframeOf(state, series) {
  return state.one || series.timeframe;
}

/**
 * A state as an address asks for it, and a sentence on each part that there is not; what there is is shown.
 * @param {URLSearchParams} query @param {{known: (symbol: string) => boolean, first: State}} market `first` is shown where
 *   nothing is asked for @returns {{state: State, faults: string[]}}
 */
export function read(query, { known, first }) {
  /** @type {string[]} */
  const faults = [];
  const choice = (/** @type {string} */ name, /** @type {string[]} */ accepted, /** @type {string} */ usual) => {
    const came = query.get(name) ?? "";
    if (!came || accepted.includes(came)) return came || usual;
    faults.push(`There is no ${name === "one" ? "timeframe" : name} ${short(came)}; there are ${accepted.filter(Boolean).join(", ")}.`);
    return usual;
  };
  const one = choice("one", ["", ...TIMEFRAMES], "");
  const charts = chartsOf(query.get("charts") ?? "", { known, usual: one || first.charts[0].timeframe, faults });
  const shown = charts.length ? charts : first.charts.map((series) => ({ ...series }));
  const least = layoutFor(shown.length);
  let layout = Number(choice("layout", LAYOUTS.map(String), String(charts.length ? least : first.layout)));
  if (layout < shown.length) {
    if (query.get("layout")) faults.push(`A layout of ${layout} has no room for ${shown.length} charts; one of ${least} is shown.`);
    layout = least;
  }
  const links = (query.get("link") ?? LINKS.join(",")).split(",").filter((name) => name && name !== "none");
  for (const name of links) if (!LINKS.includes(/** @type {any} */ (name))) faults.push(`There is no link ${short(name)}; there are ${LINKS.join(", ")}, and none.`);
  const ranges = rangesOf(query.get("range") ?? "", faults);
  const state = { layout, charts: shown, one, type: choice("type", TYPES, first.type), cross: links.includes("cross"), range: links.includes("range"), ranges };
  return { state, faults };
}

/** @param {string} text @param {{known: (symbol: string) => boolean, usual: string, faults: string[]}} how */
function chartsOf(text, { known, usual, faults }) {
  /** @type {Series[]} */
  const found = [];
  const parts = text.split(",").filter(Boolean);
  for (const part of parts.slice(0, MOST)) {
    const [name, timeframe = usual] = part.split(":");
    const symbol = known(name) ? name : name.toUpperCase();
    if (!known(symbol)) faults.push(`There is no instrument ${short(name)}; its chart is left out.`);
    else if (!TIMEFRAMES.includes(timeframe)) {
      faults.push(`There is no timeframe ${short(timeframe)}, of which ${TIMEFRAMES.join(", ")} are accepted; ${symbol} is shown in ${usual}.`);
      found.push({ symbol, timeframe: usual });
    } else found.push({ symbol, timeframe });
  }
  if (parts.length > MOST) faults.push(`The page holds ${MOST} charts at most; the last ${parts.length - MOST} of ${parts.length} are left out.`);
  return found;
}

/** @param {string} text @param {string[]} faults @returns {Range[]} */
function rangesOf(text, faults) {
  if (!text) return [];
  return text.split(",").slice(0, MOST).map((part) => {
    if (!part) return null;
    const [from, to, ...more] = part.split("/").map(instant);
    if (from != null && to != null && from < to && !more.length) return [from, to];
    faults.push(`A range is two times such as 20261123T101500Z/20261123T111500Z, the earlier one first, not ${short(part)}; the newest bars are shown.`);
    return null;
  });
}

/** The address of a state. @param {State} state @returns {URLSearchParams} */
export function written({ layout, charts, one, type, cross, range, ranges }) {
  const query = new URLSearchParams();
  query.set("layout", String(layout));
  query.set("charts", charts.map(({ symbol, timeframe }) => `${symbol}:${timeframe}`).join(","));
  if (one) query.set("one", one);
  if (type !== TYPES[0]) query.set("type", type);
  const links = LINKS.filter((name) => ({ cross, range })[name]);
  if (links.length < LINKS.length) query.set("link", links.join(",") || "none");
  if (ranges.some(Boolean)) query.set("range", ranges.map((each) => (each ? each.map(wholeSaid).join("/") : "")).join(",").replace(/,+$/, ""));
  return query;
}

/** Only what this page knows of a query. @param {URLSearchParams} query */
export function own(query) {
  return new URLSearchParams([...query].filter(([name]) => NAMES.includes(name)));
}

/** @param {number} ms */
function wholeSaid(ms) {
  return said(Math.round(ms / 1000) * 1000);
}

/** @param {string} text */
function short(text) {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
