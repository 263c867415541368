// @ts-check
// The bars of several series on the page's one stream: subscribed where their history ends, resumed after a break, and
// told of a hole where the stream could not go on from there.

import { subscribe, unsubscribe } from "../live/protocol.mjs";

/** Numbers of subscriptions; those of the chart's own count from 1. */
const FIRST_ID = 1_000_000;

/** @typedef {{symbol: string, timeframe: string}} Series */
/** @typedef {{symbol: string, timeframe: string, seq: number, epoch: string, id: number, whole: boolean, lost: boolean}} Watched `lost`: the stream could not go on */

/** @param {string} symbol @param {string} timeframe */
const keyOf = (symbol, timeframe) => `${symbol} ${timeframe}`;

export class Board {
  /** @param {any} stream @param {{news: (symbol: string, timeframe: string, rows: number[][]) => void, hole: (lost: Series[]) => void}} page */
  constructor(stream, { news, hole }) {
    this.stream = stream;
    this.news = news;
    this.hole = hole;
    this.id = FIRST_ID;
    /** @type {Map<string, Watched>} */
    this.watched = new Map();
  }

  /** @param {string} symbol @param {string} timeframe */
  has(symbol, timeframe) {
    return this.watched.has(keyOf(symbol, timeframe));
  }

  /** Watch series of which the caller has all that `seq` of `epoch` takes account of. @param {Series[]} series @param {number} seq @param {string} epoch */
  watch(series, seq, epoch) {
    const added = series.map(({ symbol, timeframe }) => {
      const before = this.watched.get(keyOf(symbol, timeframe));
      // Another chart of the series has it only up to there, unless all of it is asked for anew.
      const from = before?.epoch === epoch && !before.lost ? Math.min(before.seq, seq) : seq;
      /** @type {Watched} */
      const one = { symbol, timeframe, seq: from, epoch, id: 0, whole: false, lost: false };
      this.watched.set(keyOf(symbol, timeframe), one);
      return one;
    });
    if (this.stream.open) this.ask(added);
  }

  /** Watch nothing else than these any more. @param {Series[]} series */
  keep(series) {
    const kept = new Set(series.map(({ symbol, timeframe }) => keyOf(symbol, timeframe)));
    /** @type {Map<string, string[]>} */
    const gone = new Map();
    for (const [key, { symbol, timeframe }] of this.watched) {
      if (kept.has(key)) continue;
      this.watched.delete(key);
      // The dashboard's chart, and what is compared on it, watch series of their own on the same stream.
      if (this.stream.wanted(symbol, timeframe, this)) continue;
      gone.set(timeframe, [...(gone.get(timeframe) ?? []), symbol]);
    }
    if (!this.stream.open) return;
    for (const [timeframe, symbols] of gone) this.stream.say(unsubscribe("bars", symbols, timeframe));
  }

  /** One subscription for all that go on from the same place. @param {Watched[]} series */
  ask(series) {
    /** @type {Map<string, Watched[]>} */
    const groups = new Map();
    for (const one of series) {
      const key = `${one.timeframe} ${one.epoch} ${one.seq}`;
      groups.set(key, [...(groups.get(key) ?? []), one]);
    }
    for (const group of groups.values()) {
      const [{ timeframe, epoch, seq }] = group;
      this.id += 1;
      for (const one of group) {
        one.id = this.id;
        one.whole = false;
      }
      this.stream.say(subscribe("bars", group.map(({ symbol }) => symbol), { id: this.id, timeframe, epoch, after_seq: seq }));
    }
  }

  /** The line is there again, in the same epoch or in another one, of which everything is asked for anew. @param {boolean} fresh */
  welcome(fresh) {
    if (fresh) this.watched.clear();
    else this.ask([...this.watched.values()]);
  }

  /** A message of the stream, of whatever kind. @param {any} message */
  take(message) {
    if (!this.watched.size) return;
    if (message.type === "subscribed" && message.channel === "bars") this.subscribed(message);
    else if (message.type === "bars") this.rows(message, true);
    else if (message.type === "snapshot" && message.channel === "bars") this.rows(message, false);
    else if (message.type === "heartbeat") for (const one of this.watched.values()) this.reached(one, message.seq);
  }

  /** @param {any} message */
  subscribed({ id, resumed }) {
    const answered = [...this.watched.values()].filter((one) => one.id === id);
    for (const one of answered) [one.whole, one.lost] = [resumed !== false, resumed === false];
    if (answered.length && resumed === false) this.hole(answered);
  }

  /** @param {any} message @param {boolean} live */
  rows({ timeframe, data, seq }, live) {
    for (const [symbol, rows] of Object.entries(data)) {
      const one = this.watched.get(keyOf(symbol, timeframe));
      // After a hole the next answer brings all.
      if (one?.whole) this.news(symbol, timeframe, rows);
    }
    if (live) for (const one of this.watched.values()) if (one.timeframe === timeframe) this.reached(one, seq);
  }

  /** @param {Watched} one @param {number} seq */
  reached(one, seq) {
    if (one.whole) one.seq = Math.max(one.seq, seq);
  }
}
