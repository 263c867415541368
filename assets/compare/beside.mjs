// @ts-check
// The bars of the instruments beside the chart's own: those that a figure brings, else asked for once, then kept true by
// the stream's channel `bars`; where that can't be had, by the last prices. Draws nothing.

import { CLOSE, Series, START } from "../chart/series.mjs";
import { subscribe, unsubscribe } from "../live/protocol.mjs";

/** @typedef {import("../chart/series.mjs").Bar} Bar */
/**
 * @typedef {object} Held
 * @property {Series} series @property {string} epoch @property {number} seq what is known of it
 * @property {number} from its bars are whole from here on, UTC ms
 * @property {number} id of its subscription, 0 for none @property {boolean} live whether that has been answered
 */

/** After a question that nobody answered, or a hole of the stream. */
const AGAIN_MS = 3_000;
/** A question whose answer begins later is not answered any more; nor is one that takes so long on a slow line. */
const PATIENCE_MS = 15_000;
const WHOLE_MS = 180_000;
const MOST_ROWS = 50_000;
/** Numbers of subscriptions: others count from 1. */
const FIRST_ID = 2_000_000;

export class Beside {
  /** @param {{stream: any, market: any, ask?: (address: string) => Promise<Response>}} parts */
  constructor({ stream, market, ask = patiently }) {
    this.stream = stream;
    this.market = market;
    this.ask = ask;
    /** @type {Map<string, Held>} */
    this.held = new Map();
    /** The chart's series: its first bar and what the others' have to fit to. */
    this.own = { symbol: "", timeframe: "", ms: 60_000, epoch: "", first: /** @type {number | null} */ (null) };
    /** @type {string[]} */
    this.symbols = [];
    /** @type {Set<string>} */
    this.asking = new Set();
    this.id = FIRST_ID;
    this.later = 0;
    /** Called with the instrument whose bars have come, or changed from a moment on. @type {(symbol: string, from: number) => void} */
    this.changed = () => {};
    /** Called with an instrument whose bars could not be had yet, and why; empty once they are. @type {(symbol: string, why: string) => void} */
    this.failed = () => {};
    stream.holders.add(this);
    stream.readers.add((/** @type {any} */ message) => this.take(message));
    market.on("ticker", (/** @type {Iterable<string>} */ symbols) => this.follow(symbols));
  }

  /** Whether a series' bars are read here. @param {string} symbol @param {string} timeframe */
  has(symbol, timeframe) {
    const held = this.held.get(symbol);
    return Boolean(held?.id) && held?.series.timeframe === timeframe;
  }

  /** A figure is shown: the chart is of this series now. @param {any} figure @param {{symbol: string, epoch: string, seq: number, bars: [number, number][]}[]} compared */
  show(figure, compared) {
    const { symbol, timeframe, ms, epoch } = figure;
    if (timeframe !== this.own.timeframe || epoch !== this.own.epoch) this.drop([...this.held.keys()]);
    const first = figure.bars[0]?.[START] ?? null;
    this.own = { symbol, timeframe, ms, epoch, first };
    for (const { symbol: other, epoch: of, seq, bars } of compared) {
      if (of !== epoch || first === null || !this.symbols.includes(other)) continue;
      const held = this.held.get(other);
      // What the stream has told of is newer, unless it knows of a hole.
      if (held?.live && held.from <= first) continue;
      this.hold(other, { epoch, seq, data: bars.map(([start, close]) => bar(start, close)) }, first);
    }
  }

  /** Follow these. @param {string[]} symbols */
  follows(symbols) {
    this.symbols = symbols;
    this.drop([...this.held.keys()].filter((symbol) => !symbols.includes(symbol)));
    this.want();
  }

  /** The chart holds older bars, or its first. @param {number | null} first */
  reach(first) {
    if (first === this.own.first) return;
    this.own.first = first;
    this.want();
  }

  /** Ask for what is missing, and listen to what is not listened to yet. */
  want() {
    const { first } = this.own;
    if (first === null || this.later) return;
    for (const symbol of this.symbols) {
      const held = this.held.get(symbol);
      if (!held || held.from > first) void this.fetch(symbol, first, held ?? null);
      else if (!held.id) this.listen(symbol, held);
    }
  }

  /** @param {string} symbol @param {number} first @param {Held | null} held those of later, where there are some */
  async fetch(symbol, first, held) {
    if (this.asking.has(symbol)) return;
    this.asking.add(symbol);
    const { timeframe, epoch } = this.own;
    const query = new URLSearchParams({ timeframe, start: String(first), limit: String(MOST_ROWS), ...(held && { end: String(held.from) }) });
    let why = "";
    try {
      const answer = await this.ask(`/api/v1/tickers/${encodeURIComponent(symbol)}/bars?${query}`);
      if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).detail ?? `the server answered ${answer.status}`);
      const found = await answer.json();
      const fits = this.symbols.includes(symbol) && timeframe === this.own.timeframe && found.epoch === this.own.epoch;
      if (fits && held && this.held.get(symbol) === held) {
        held.series.prepend(found.data);
        held.from = first;
        this.changed(symbol, first);
      } else if (fits && !held) this.hold(symbol, found, first);
      // A figure of the other epoch is on its way, and asks again.
      else if (epoch === this.own.epoch && found.epoch !== epoch) throw new Error("the market began anew");
    } catch (error) {
      const { name, message } = /** @type {Error} */ (error);
      why = name === "TimeoutError" || !message ? "the server did not answer" : message;
      this.again();
    }
    this.asking.delete(symbol);
    if (this.symbols.includes(symbol)) this.failed(symbol, why);
    if (!why) this.want();
  }

  again() {
    this.later ||= window.setTimeout(() => {
      this.later = 0;
      this.want();
    }, AGAIN_MS);
  }

  /** @param {string} symbol @param {{epoch: string, seq: number, data: Bar[]}} found @param {number} first */
  hold(symbol, { epoch, seq, data }, first) {
    const before = this.held.get(symbol);
    if (before) this.silence(symbol, before);
    const series = new Series();
    series.load({ symbol, timeframe: this.own.timeframe, ms: this.own.ms, bars: data });
    this.held.set(symbol, { series, epoch, seq, from: first, id: 0, live: false });
    this.changed(symbol, first);
  }

  /** @param {string[]} symbols */
  drop(symbols) {
    for (const symbol of symbols) {
      this.silence(symbol, /** @type {Held} */ (this.held.get(symbol)));
      this.held.delete(symbol);
    }
  }

  /** End a subscription, unless the chart's own is the same. @param {string} symbol @param {Held} held */
  silence(symbol, held) {
    const timeframe = held.series.timeframe;
    if (held.id && !this.stream.wanted(symbol, timeframe, this)) this.stream.say(unsubscribe("bars", [symbol], timeframe));
    held.id = 0;
    held.live = false;
  }

  /** @param {string} symbol @param {Held} held */
  listen(symbol, held) {
    // In another epoch the stream says so by a welcome, and a figure comes.
    if (!this.stream.open || this.stream.epoch !== held.epoch) return;
    held.id = this.id += 1;
    held.live = false;
    this.stream.say(subscribe("bars", [symbol], { id: held.id, timeframe: this.own.timeframe, epoch: held.epoch, after_seq: held.seq }));
  }

  /** A message of the stream. @param {any} message */
  take(message) {
    if (message.type === "welcome") {
      for (const held of this.held.values()) [held.id, held.live] = [0, false];
      this.want();
    } else if (message.type === "subscribed") {
      for (const [symbol, held] of this.held) if (held.id && held.id === message.id) this.answered(symbol, held, message.resumed !== false);
    } else if (message.type === "heartbeat") {
      for (const held of this.held.values()) if (held.live) held.seq = Math.max(held.seq, message.seq);
    } else if ((message.type === "bars" || (message.type === "snapshot" && message.channel === "bars")) && message.timeframe === this.own.timeframe) {
      for (const [symbol, rows] of Object.entries(message.data)) {
        const held = this.held.get(symbol);
        if (!held?.live) continue;
        if (!message.more) held.seq = Math.max(held.seq, message.seq);
        this.merge(symbol, held, rows);
      }
    }
  }

  /** @param {string} symbol @param {Held} held @param {boolean} whole */
  answered(symbol, held, whole) {
    held.live = whole;
    if (whole) return;
    // What lies between is not known: read it all again.
    this.drop([symbol]);
    this.again();
  }

  /** @param {string} symbol @param {Held} held @param {Bar[]} rows ascending */
  merge(symbol, held, rows) {
    if (!rows.length) return;
    held.series.merge(rows);
    this.changed(symbol, rows[0][START]);
  }

  /** Where the stream can't be had: the last price is the close of the bar that its time lies in. @param {Iterable<string>} symbols */
  follow(symbols) {
    if (this.market.state.state !== "polling" || !this.held.size) return;
    for (const symbol of symbols) {
      const held = this.held.get(symbol);
      const ticker = held && this.market.get(symbol);
      if (!held || ticker?.price == null || ticker.ts == null) continue;
      const start = Math.floor(ticker.ts / held.series.ms) * held.series.ms;
      const { newest } = held.series;
      if (newest && (start < newest[START] || (start === newest[START] && newest[CLOSE] === ticker.price))) continue;
      this.merge(symbol, held, [bar(start, ticker.price)]);
    }
  }
}

/** A bar of which the close alone is known. @param {number} start @param {number} close @returns {Bar} */
function bar(start, close) {
  return [start, NaN, NaN, NaN, close, NaN, NaN, NaN];
}

/** @param {string} address @returns {Promise<Response>} */
async function patiently(address) {
  const patience = new AbortController();
  const late = setTimeout(() => patience.abort(new DOMException("too late", "TimeoutError")), PATIENCE_MS);
  try {
    return await fetch(address, { signal: AbortSignal.any([patience.signal, AbortSignal.timeout(WHOLE_MS)]) });
  } finally {
    clearTimeout(late);
  }
}
