// @ts-check
// What is shown: symbol, timeframe, chart type. It is in the URL's query, so that a link shows the same.

/** @typedef {{symbol: string, timeframe: string, type: string}} Shown */

export const TIMEFRAMES = ["1s", "5s", "15s", "1m", "5m", "15m", "1h", "1d"];
const TYPES = ["candles", "line", "area"];

class View {
  constructor() {
    this.symbol = "";
    this.timeframe = "1m";
    this.type = "candles";
    /** @type {Set<(view: View, before: Shown) => void>} */
    this.listeners = new Set();
    /** @type {(symbol: string) => boolean} */
    this.known = () => true;
  }

  /** @param {(view: View, before: Shown) => void} heard */
  on(heard) {
    this.listeners.add(heard);
    return () => this.listeners.delete(heard);
  }

  /** @returns {Shown} */
  shown() {
    return { symbol: this.symbol, timeframe: this.timeframe, type: this.type };
  }

  /**
   * Begin with what the address asks for, else the first paint's view: the server knows the address by `Referer` only,
   * which not every browser sends. @param {Shown} first @param {string[]} symbols
   */
  begin(first, symbols) {
    const known = new Set(symbols);
    this.known = (symbol) => known.has(symbol);
    Object.assign(this, first, this.asked());
    if (location.search.length > 1) this.address("replace");
    addEventListener("popstate", () => this.change({ ...first, ...this.asked() }));
  }

  /** What there is of what the address asks for. @returns {Partial<Shown>} */
  asked() {
    const query = new URLSearchParams(location.search);
    const [symbol, timeframe, type] = ["symbol", "timeframe", "type"].map((name) => query.get(name) ?? "");
    return {
      ...(this.known(symbol) && { symbol }),
      ...(TIMEFRAMES.includes(timeframe) && { timeframe }),
      ...(TYPES.includes(type) && { type }),
    };
  }

  /** Show something else, and put it into the address. @param {Partial<Shown>} patch */
  set(patch) {
    if (this.change(patch)) this.address("push");
  }

  /** @param {Partial<Shown>} patch */
  change(patch) {
    const before = this.shown();
    const next = { ...before, ...patch };
    if (!this.known(next.symbol)) next.symbol = before.symbol;
    if (next.symbol === before.symbol && next.timeframe === before.timeframe && next.type === before.type) return false;
    Object.assign(this, next);
    for (const heard of this.listeners) heard(this, before);
    return true;
  }

  /** @param {"push" | "replace"} how */
  address(how) {
    const query = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(this.shown())) query.set(name, value);
    const url = `${location.pathname}?${query}`;
    if (how === "push") history.pushState(null, "", url);
    else history.replaceState(null, "", url);
  }
}

export const view = new View();
