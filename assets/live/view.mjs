// @ts-check
// What is shown: symbol, timeframe, chart type, scale of the price axis. It is in the URL's query, so that a link shows
// the same; of the scale only what is not the usual one.

/** @typedef {{symbol: string, timeframe: string, type: string, scale: string}} Shown */

export const TIMEFRAMES = ["1s", "5s", "15s", "1m", "5m", "15m", "1h", "1d"];
/** As in dashboard/ui/figures.py. */
export const TYPES = ["candles", "hollow", "ohlc", "line", "area", "baseline", "heikin-ashi"];
export const SCALES = ["linear", "log", "percent"];
const PARTS = /** @type {const} */ (["symbol", "timeframe", "type", "scale"]);
const CHOICES = { timeframe: TIMEFRAMES, type: TYPES, scale: SCALES };
const USUAL_SCALE = SCALES[0];

class View {
  constructor() {
    this.symbol = "";
    this.timeframe = "1m";
    this.type = "candles";
    this.scale = USUAL_SCALE;
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
    return { symbol: this.symbol, timeframe: this.timeframe, type: this.type, scale: this.scale };
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
    const [symbol, timeframe, type, scale] = PARTS.map((name) => query.get(name) ?? "");
    return {
      ...(this.known(symbol) && { symbol }),
      ...(TIMEFRAMES.includes(timeframe) && { timeframe }),
      ...(TYPES.includes(type) && { type }),
      scale: SCALES.includes(scale) ? scale : USUAL_SCALE,
    };
  }

  /** What the address asks for and there is not, but for the symbol: its name, what came, what there is. */
  refused() {
    const query = new URLSearchParams(location.search);
    return Object.entries(CHOICES)
      .map(([name, accepted]) => ({ name, came: query.get(name) ?? "", accepted }))
      .filter(({ came, accepted }) => came !== "" && !accepted.includes(came));
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
    if (PARTS.every((name) => next[name] === before[name])) return false;
    Object.assign(this, next);
    for (const heard of this.listeners) heard(this, before);
    return true;
  }

  /** @param {"push" | "replace"} how */
  address(how) {
    const query = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(this.shown())) query.set(name, value);
    if (this.scale === USUAL_SCALE) query.delete("scale");
    const url = `${location.pathname}?${query}`;
    if (how === "push") history.pushState(null, "", url);
    else history.replaceState(null, "", url);
  }
}

export const view = new View();
