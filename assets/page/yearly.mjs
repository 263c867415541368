// @ts-check
// The 52-week ranges: asked for while somebody looks at their column or sorts by it, again with another day or market.
// They are written into the records of the instruments, where `measures.mjs` extends them by the day.

import { ask } from "./documents.mjs";
import { PanelState } from "./panelstate.mjs";

const DAY = 86_400_000;
/** At least so long between two questions: in a fast replay the days fly. Also what a failed one waits for. */
const LEAST_MS = 10_000;
/** Asked again after so long in any case, for instruments whose first tick of a day comes long after midnight. */
const EVERY_MS = 600_000;

export class Yearly {
  /**
   * @param {any} market @param {() => void} came told when there are other ranges
   * @param {(method: "GET", path: string) => Promise<any>} [read] throws Refused
   */
  constructor(market, came, read = ask) {
    this.market = market;
    this.came = came;
    this.read = read;
    this.state = new PanelState(() => void this.now());
    this.state.node.classList.add("ranges-trouble");
    this.asking = false;
    this.wanted = false;
    this.askedAt = -Infinity;
    /** The market's day at the last question, and whether that was answered. */
    this.day = 0;
    this.answered = false;
    market.on("epoch", () => {
      for (const ticker of market.tickers.values()) ticker.year = undefined;
      this.answered = false;
      // Where an answer of the market before is still awaited, the next look asks.
      this.askedAt = -Infinity;
      if (this.wanted) void this.now();
    });
  }

  /** Once a second, and when columns change: ask where that is due. @param {boolean} wanted whether somebody looks */
  look(wanted) {
    this.wanted = wanted;
    if (!wanted) {
      if (this.state.failed) this.state.done();
      return;
    }
    const since = performance.now() - this.askedAt;
    const due = !this.answered || since >= EVERY_MS || today(this.market) !== this.day;
    if (due && since >= LEAST_MS) void this.now();
  }

  /** Ask at once. */
  async now() {
    if (this.asking) return;
    this.asking = true;
    this.askedAt = performance.now();
    this.day = today(this.market);
    this.state.wait();
    let failed = "";
    try {
      this.take(await this.read("GET", "/ranges"));
    } catch (refused) {
      failed = refused instanceof Error ? refused.message : String(refused);
    }
    this.asking = false;
    // What nobody looks at any more is asked for again when somebody does.
    this.state.fail(failed && this.wanted ? `The 52-week ranges could not be read. ${failed}` : "");
    if (failed) this.answered = false;
    else this.came();
  }

  /** @param {any} answer as dashboard/api/ranges.py gives it */
  take({ epoch, data }) {
    // Of another market than the page's: the news of that is on its way.
    if (epoch !== this.market.epoch) {
      this.answered = false;
      return;
    }
    const found = new Map(data.map((/** @type {any[]} */ [symbol, low, high, since, whole]) => [symbol, { low, high, since: whole ? null : since }]));
    for (const [symbol, ticker] of this.market.tickers) ticker.year = found.get(symbol) ?? null;
    this.answered = true;
  }
}

/** The newest day of the market, in days since 1970. @param {any} market */
function today(market) {
  let newest = 0;
  for (const symbol of market.symbols) newest = Math.max(newest, market.newest(symbol).ts ?? 0);
  return Math.floor(newest / DAY);
}
