// @ts-check
// What is shown: symbol, timeframe, chart type, scale of the price axis, indicators and how they look. It is in the URL's
// query, so that a link shows the same; of the last three only what is not the usual. Other parts of the view are
// `address`'s.

import { address, onChart, put } from "./address.mjs";

/** @typedef {{symbol: string, timeframe: string, type: string, scale: string, indicators: string, looks: string}} Shown */
/** @typedef {{name: "symbol" | "timeframe" | "type" | "scale", came: string, accepted: string[]}} Refused */

export const TIMEFRAMES = ["1s", "5s", "15s", "1m", "5m", "15m", "1h", "1d"];
/** As in dashboard/ui/figures.py. */
export const TYPES = ["candles", "hollow", "ohlc", "line", "area", "baseline", "heikin-ashi"];
export const SCALES = ["linear", "log", "percent"];
const PARTS = /** @type {const} */ (["symbol", "timeframe", "type", "scale", "indicators", "looks"]);
const CHOICES = { timeframe: TIMEFRAMES, type: TYPES, scale: SCALES };
const USUAL_SCALE = SCALES[0];

class View {
  constructor() {
    this.symbol = "";
    this.timeframe = "1m";
    this.type = "candles";
    this.scale = USUAL_SCALE;
    this.indicators = "";
    this.looks = "";
    /** @type {Set<(view: View, before: Shown) => void>} */
    this.listeners = new Set();
    /** @type {(symbol: string) => boolean} */
    this.known = () => true;
    /** Called with what an address asks for and there is not. @type {(refused: Refused[]) => void} */
    this.told = () => {};
    /** What there is of indicators and their looks. @type {(indicators: string, looks: string) => {indicators: string, looks: string}} */
    this.studies = (indicators, looks) => ({ indicators, looks });
  }

  /** @param {(view: View, before: Shown) => void} heard */
  on(heard) {
    this.listeners.add(heard);
    return () => this.listeners.delete(heard);
  }

  /** @returns {Shown} */
  shown() {
    const { symbol, timeframe, type, scale, indicators, looks } = this;
    return { symbol, timeframe, type, scale, indicators, looks };
  }

  /**
   * Begin with what the address asks for, else the first paint's view: the server knows the address by `Referer` only,
   * which not every browser sends. @param {Shown} first @param {string[]} symbols @param {View["studies"]} [studies]
   */
  begin(first, symbols, studies = this.studies) {
    this.studies = studies;
    const known = new Set(symbols);
    this.known = (symbol) => known.has(symbol);
    // Another page's address asks for nothing of this.
    const refused = onChart() ? this.refused() : [];
    Object.assign(this, first, onChart() ? this.asked() : {});
    if (onChart() && location.search.length > 1) put(this.into(new URLSearchParams(location.search)), "replace");
    this.told(refused);
    addEventListener("popstate", () => {
      if (!onChart()) return;
      const wrong = this.refused();
      this.change({ ...first, ...this.asked() });
      if (wrong.length) put(this.into(new URLSearchParams(location.search)), "replace");
      this.told(wrong);
      address.restore();
    });
  }

  /** Show what a query says, all of it, as a link would. @param {URLSearchParams} query */
  open(query) {
    address.write();
    // From another page the popstate leads to this one.
    const there = onChart();
    if (!there) history.pushState(null, "", "/");
    put(query, there ? "push" : "replace");
    dispatchEvent(new PopStateEvent("popstate"));
  }

  /** The query of all that is shown. */
  query() {
    return this.into(address.query());
  }

  /** The query with what this holds as it is. @param {URLSearchParams} query */
  into(query) {
    for (const [name, value] of Object.entries(this.shown())) query.set(name, value);
    if (this.scale === USUAL_SCALE) query.delete("scale");
    for (const name of /** @type {const} */ (["indicators", "looks"])) if (!this[name]) query.delete(name);
    return query;
  }

  /** What there is of what the address asks for. @returns {Partial<Shown>} */
  asked() {
    const query = new URLSearchParams(location.search);
    const [symbol, timeframe, type, scale, indicators, looks] = PARTS.map((name) => query.get(name) ?? "");
    return {
      ...(this.known(symbol) && { symbol }),
      ...(TIMEFRAMES.includes(timeframe) && { timeframe }),
      ...(TYPES.includes(type) && { type }),
      scale: SCALES.includes(scale) ? scale : USUAL_SCALE,
      ...this.studies(indicators, looks),
    };
  }

  /** What the address asks for and there is not. @returns {Refused[]} */
  refused() {
    const query = new URLSearchParams(location.search);
    const asked = query.get("symbol") ?? "";
    return [
      ...(asked && !this.known(asked) ? [{ name: /** @type {const} */ ("symbol"), came: asked, accepted: [] }] : []),
      .../** @type {("timeframe" | "type" | "scale")[]} */ (Object.keys(CHOICES))
        .map((name) => ({ name, came: query.get(name) ?? "", accepted: CHOICES[name] }))
        .filter(({ came, accepted }) => came !== "" && !accepted.includes(came)),
    ];
  }

  /** Show something else, and put it into the address. @param {Partial<Shown>} patch */
  set(patch) {
    // The place that is left keeps the range that it had.
    address.write();
    const { symbol, timeframe } = this;
    if (!this.change(patch)) return;
    if (symbol !== this.symbol || timeframe !== this.timeframe) this.address("push", ["start", "end"]);
    else this.address("push");
  }

  /** @param {Partial<Shown>} patch */
  change(patch) {
    const before = this.shown();
    const next = { ...before, ...patch };
    if (!this.known(next.symbol)) next.symbol = before.symbol;
    if (PARTS.every((name) => next[name] === before[name])) return false;
    Object.assign(this, next);
    for (const heard of this.listeners) heard(this, before);
    return true;
  }

  /** @param {"push" | "replace"} how @param {string[]} [without] what is over with this */
  address(how, without = []) {
    const query = this.query();
    for (const name of without) query.delete(name);
    put(query, how);
  }
}

export const view = new View();
