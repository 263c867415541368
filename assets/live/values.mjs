// @ts-check
// The last values of every instrument, and who wants to hear of them. Knows no socket and draws nothing.

import { TICKER } from "./protocol.mjs";

const [PRICE, TS] = [TICKER.indexOf("price"), TICKER.indexOf("ts")];

/**
 * @typedef {object} Ticker
 * @property {string} symbol @property {string} name @property {string} class @property {number} decimals
 * @property {number | null} price @property {number | null} bid @property {number | null} ask
 * @property {number | null} size @property {number | null} volume @property {number | null} open
 * @property {number | null} high @property {number | null} low @property {number | null} previous_close
 * @property {number | null} change @property {number | null} change_percent
 * @property {number | null} ts @property {number} received @property {number | null} age_ms @property {boolean} stale
 */

/** @typedef {{symbol: string, timeframe: string, rows: number[][], whole: boolean}} BarNews */

class Market {
  constructor() {
    /** @type {Map<string, Set<(news: any) => void>>} */
    this.listeners = new Map();
    /** @type {Map<string, any>} */
    this.tickers = new Map();
    /** @type {any[]} */
    this.instruments = [];
    /** @type {string[]} */
    this.symbols = [];
    /** @type {string | null} */
    this.epoch = null;
    /** Server's clock less `performance.now()`, ms: the browser's own clock may be set at any time. */
    this.offset = 0;
    /** @type {{kind: string, healthy: boolean, health: string, silence_is_stale: boolean, stale_after_ms: number, pace: number | null, market_now?: number}} */
    this.feed = { kind: "", healthy: true, health: "", silence_is_stale: true, stale_after_ms: 3000, pace: 1 };
    /** Where the market's clock stood, and when by `performance.now()`; the newest tick of which epoch said so. */
    this.stood = { ts: 0, at: 0, epoch: /** @type {string | null} */ (null) };
    /** When the feed was last known to be reading, server's clock: what staleness counts from in a replay. */
    this.aliveAt = 0;
    this.state = { state: "reconnecting", retryAt: /** @type {number | null} */ (null), reason: "" };
  }

  /** Hear of `kind`: ticker, received, bars, hole, state, feed, alert, epoch. @param {string} kind @param {(news: any) => void} heard */
  on(kind, heard) {
    let all = this.listeners.get(kind);
    if (!all) this.listeners.set(kind, (all = new Set()));
    all.add(heard);
    return () => all.delete(heard);
  }

  /** @param {string} kind @param {any} [news] */
  tell(kind, news) {
    for (const heard of this.listeners.get(kind) ?? []) {
      try {
        heard(news);
      } catch (error) {
        console.error(`a listener of ${kind} failed`, error);
      }
    }
  }

  /** The server's clock, ms. */
  now() {
    return performance.now() + this.offset;
  }

  /** The market's clock, ms: the server's, or where a replay stands; null where that only steps from row to row. */
  clock() {
    if (this.feed.pace === null) return null;
    if (this.feed.silence_is_stale) return this.now();
    return this.stood.ts ? this.stood.ts + (performance.now() - this.stood.at) * this.feed.pace : null;
  }

  /** A replay stood at `ts` just now: it goes by its own clock, which ticks tell of as they come due. @param {number} ts */
  stand(ts) {
    if (ts > this.stood.ts || this.epoch !== this.stood.epoch) this.stood = { ts, at: performance.now(), epoch: this.epoch };
  }

  /** The newest of a symbol, with its age. @param {string} symbol @returns {Ticker | undefined} */
  get(symbol) {
    const ticker = this.tickers.get(symbol);
    if (!ticker) return undefined;
    this.settle(ticker);
    this.age(ticker);
    return ticker;
  }

  /** Write a row of the stream into its record: when somebody looks, for most of 2,000 rows a tick are not on the screen. @param {any} ticker */
  settle(ticker) {
    const { row } = ticker;
    if (!row) return;
    ticker.row = null;
    for (let at = 0; at < TICKER.length; at++) ticker[TICKER[at]] = row[at];
    this.derive(ticker);
  }

  /** The newest price and its time, whether its record has been written or not. @param {string} symbol */
  newest(symbol) {
    const ticker = this.tickers.get(symbol);
    const row = ticker?.row;
    return row ? { price: row[PRICE], ts: row[TS] } : { price: ticker?.price ?? null, ts: ticker?.ts ?? null };
  }

  /** @param {any} ticker */
  age(ticker) {
    if (!ticker.received) {
      ticker.age_ms = null;
      ticker.stale = true;
      return;
    }
    const since = this.feed.silence_is_stale ? ticker.received : Math.max(ticker.received, this.aliveAt);
    ticker.age_ms = Math.max(0, this.now() - since);
    ticker.stale = ticker.age_ms > this.feed.stale_after_ms;
  }

  /** The data of the first paint. @param {any} paint */
  load(paint) {
    this.offset = paint.now - performance.now();
    this.epoch = paint.epoch;
    this.instruments = paint.instruments;
    this.symbols = paint.instruments.map((/** @type {any} */ one) => one.symbol);
    this.setFeed(paint.feed);
    this.take(paint.epoch, paint.tickers);
  }

  /** Whole records, as the API gives them. @param {string} epoch @param {any[]} records */
  take(epoch, records) {
    this.epoch = epoch;
    const changed = new Set();
    for (const record of records) {
      const ticker = this.tickers.get(record.symbol) ?? {};
      ticker.row = null;
      Object.assign(ticker, record);
      ticker.received = record.age_ms == null ? 0 : this.now() - record.age_ms;
      this.stand(record.ts ?? 0);
      this.tickers.set(record.symbol, ticker);
      changed.add(record.symbol);
    }
    this.tell("ticker", changed);
  }

  /** A snapshot of the stream. @param {any} message */
  snapshot(message) {
    const changed = new Set();
    for (const [symbol, values] of Object.entries(message.data)) {
      const ticker = this.tickers.get(symbol);
      if (!ticker) continue;
      this.settle(ticker);
      // When it was received isn't said; a newer price came after the one before it, and about when it was made.
      if (values.ts > (ticker.ts ?? 0)) ticker.received = Math.min(Math.max(ticker.received, values.ts), message.sent);
      Object.assign(ticker, values);
      this.derive(ticker);
      changed.add(symbol);
    }
    this.tell("ticker", changed);
  }

  /** Rows of the stream. @param {any} message */
  rows(message) {
    const changed = Object.keys(message.data);
    const received = message.received ?? this.now();
    for (const symbol of changed) {
      const ticker = this.tickers.get(symbol);
      if (!ticker) continue;
      ticker.row = message.data[symbol];
      this.stand(ticker.row[TS]);
      ticker.received = received;
    }
    if (message.received) this.aliveAt = Math.max(this.aliveAt, message.received);
    this.tell("ticker", changed);
    if (message.received) this.tell("received", message.received);
  }

  /** Change against the previous close, as dashboard/market/statistics.py defines it. @param {any} ticker */
  derive(ticker) {
    const { price, previous_close: before } = ticker;
    ticker.change = price == null || before == null ? null : price - before;
    ticker.change_percent = ticker.change == null ? null : (ticker.change / before) * 100;
  }

  /** @param {any} feed */
  setFeed(feed) {
    Object.assign(this.feed, feed);
    if (feed.market_now !== undefined) this.stood = { ts: feed.market_now, at: performance.now(), epoch: this.epoch };
    const silent = /(\d+(?:\.\d+)?) s$/.exec(this.feed.health || "");
    if (silent) this.aliveAt = Math.max(this.aliveAt, this.now() - Number(silent[1]) * 1000);
    this.tell("feed", this.feed);
  }

  /** @param {string} state @param {number | null} retryAt @param {string} reason */
  setState(state, retryAt, reason) {
    const before = this.state;
    if (before.state === state && before.retryAt === retryAt && before.reason === reason) return;
    this.state = { state, retryAt, reason };
    this.tell("state", this.state);
  }
}

export const market = new Market();
