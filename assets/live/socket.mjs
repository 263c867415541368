// @ts-check
// The one WebSocket: opens, subscribes, resumes where it was, notices silence, comes back with growing, jittered delay.

import { afterClose, ping, read, subscribe, unsubscribe } from "./protocol.mjs";
import { market } from "./values.mjs";

const PATH = "/ws/market";
const FIRST_DELAY_MS = 400;
const LONGEST_DELAY_MS = 12_000;
const WAKE_PONG_MS = 2_000;
const STEADY_MS = 10_000;
const PING_EVERY_MS = 10_000;
/** The two clocks never part so far between two looks, unless one stood still or was set. */
const JUMP_MS = 500;

class Stream {
  constructor() {
    /** @type {WebSocket | null} */
    this.socket = null;
    this.open = false;
    this.lostAt = performance.now();
    /** @type {number | null} */
    this.retryAt = null;
    this.reason = "";
    this.stopped = false;
    this.tries = 0;
    this.heard = 0;
    this.silence = 8_000;
    this.tickerSeq = 0;
    this.barSeq = 0;
    this.alertId = 0;
    this.pings = new Map();
    this.pingId = 0;
    this.bestTrip = Infinity;
    this.epoch = /** @type {string | null} */ (null);
    this.bars = /** @type {{symbol: string, timeframe: string} | null} */ (null);
    /** The epoch that `barSeq` counts in. */
    this.barsEpoch = /** @type {string | null} */ (null);
    this.barsWhole = true;
    /** The newest subscription to bars, and whether it has been answered. */
    this.barsId = 0;
    this.barsAnswered = false;
    this.openedAt = 0;
    this.pinged = 0;
    /** Wall clock less the page's own: a jump of it is a machine that slept, or a clock that was set. */
    this.drift = Date.now() - performance.now();
    this.timer = 0;
    /** @type {() => void} */
    this.changed = () => {};
    /** Who reads bars of series beside the chart's, and knows which. @type {Set<{has: (symbol: string, timeframe: string) => boolean}>} */
    this.holders = new Set();
    /** Who else reads what comes. @type {Set<(message: any) => void>} */
    this.readers = new Set();
    /** Who reads the channel `ticks`. @type {import("./tape.mjs").Tape | null} */
    this.tape = null;
    /** Who reads the bars of other series than the chart's. @type {import("../linked/board.mjs").Board | null} */
    this.board = null;
  }

  /** Begin: the first paint's epoch and seq are where the stream goes on from. @param {any} paint */
  start(paint) {
    this.epoch = paint.epoch;
    this.tickerSeq = paint.seq;
    this.barSeq = paint.figure?.seq ?? paint.seq;
    this.alertId = Math.max(0, ...(paint.alerts?.events ?? []).map((/** @type {any} */ event) => event.id));
    this.connect();
    setInterval(() => this.watch(), 1000);
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.wake();
    });
    addEventListener("pageshow", () => this.wake());
    addEventListener("online", () => this.wake());
  }

  /**
   * Watch the bars of a series; `seq` of `epoch` is what the caller has of it.
   * @param {string} symbol @param {string} timeframe @param {number} seq @param {string} epoch
   */
  watchBars(symbol, timeframe, seq, epoch) {
    const before = this.bars;
    this.bars = { symbol, timeframe };
    if (this.open && before && !this.wanted(before.symbol, before.timeframe)) this.say(unsubscribe("bars", [before.symbol], before.timeframe));
    this.barsEpoch = epoch;
    this.barSeq = seq;
    if (this.open) this.askBars();
  }

  /** Whether anybody reads the bars of a series, still; `who` has given them up. @param {string} symbol @param {string} timeframe @param {object} [who] */
  wanted(symbol, timeframe, who) {
    if (this.bars?.symbol === symbol && this.bars.timeframe === timeframe) return true;
    return [...this.holders].some((one) => one !== who && one.has(symbol, timeframe));
  }

  askBars() {
    if (!this.bars) return;
    const { symbol, timeframe } = this.bars;
    this.barsWhole = this.barsAnswered = false;
    this.barsId += 1;
    this.say(subscribe("bars", [symbol], { id: this.barsId, timeframe, epoch: this.barsEpoch, after_seq: this.barSeq }));
  }

  connect() {
    clearTimeout(this.timer);
    this.retryAt = null;
    this.socket?.close();
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}${PATH}`);
    this.socket = socket;
    let opened = false;
    const late = setTimeout(() => socket.readyState === WebSocket.CONNECTING && this.lost(socket, 1006, false), 6_000);
    socket.onopen = () => {
      opened = true;
      clearTimeout(late);
      this.heard = performance.now();
    };
    socket.onmessage = (event) => {
      if (socket !== this.socket) return;
      this.heard = performance.now();
      const message = read(event.data);
      if (!message) return;
      this.take(message);
      for (const heard of this.readers) heard(message);
    };
    socket.onclose = (event) => {
      clearTimeout(late);
      this.lost(socket, event.code, opened);
    };
    this.changed();
  }

  /** @param {string} text */
  say(text) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(text);
  }

  /** @param {any} message */
  take(message) {
    this.board?.take(message);
    switch (message.type) {
      case "welcome":
        return this.welcome(message);
      case "ticker":
        this.tickerSeq = Math.max(this.tickerSeq, message.seq);
        return market.rows(message);
      case "bars":
        if (!this.watches(message)) return undefined;
        this.barSeq = Math.max(this.barSeq, message.seq);
        return this.news(message, true);
      case "snapshot":
        if (message.channel === "ticker") {
          if (!message.more) this.tickerSeq = Math.max(this.tickerSeq, message.seq);
          return market.snapshot(message);
        }
        if (!this.watches(message)) return undefined;
        if (!message.more && this.barsAnswered) this.barSeq = Math.max(this.barSeq, message.seq);
        return this.news(message, this.barsWhole);
      case "subscribed":
        if (message.channel === "bars" && message.id === this.barsId) {
          this.barsAnswered = true;
          this.barsWhole = message.resumed !== false;
          if (!this.barsWhole) market.tell("hole", this.bars);
        }
        return message.channel === "ticks" ? this.tape?.take(message) : undefined;
      case "ticks":
      case "gap":
        return this.tape?.take(message);
      case "heartbeat":
        this.tape?.take(message);
        this.tickerSeq = Math.max(this.tickerSeq, message.seq);
        if (this.barsWhole && this.barsAnswered) this.barSeq = Math.max(this.barSeq, message.seq);
        return undefined;
      case "alert":
        this.alertId = Math.max(this.alertId, message.event.id);
        return market.tell("alert", message.event);
      case "pong":
        return this.pong(message);
      default:
        return undefined;
    }
  }

  /** Whether a message is about the series that is watched now: one from before may still be under way. @param {any} message */
  watches(message) {
    return this.bars !== null && message.timeframe === this.bars.timeframe && this.bars.symbol in message.data;
  }

  /** @param {any} message @param {boolean} whole */
  news(message, whole) {
    for (const [symbol, rows] of Object.entries(message.data)) {
      market.tell("bars", { symbol, timeframe: message.timeframe, rows, whole });
    }
  }

  /** @param {any} message */
  welcome(message) {
    this.open = true;
    this.openedAt = performance.now();
    this.reason = "";
    this.silence = message.heartbeat_ms * 1.6;
    const fresh = this.epoch !== message.epoch;
    if (fresh) {
      this.epoch = market.epoch = message.epoch;
      this.tickerSeq = this.barSeq = 0;
    }
    this.say(subscribe("ticker", "*", fresh ? {} : { epoch: this.epoch, after_seq: this.tickerSeq }));
    this.say(subscribe("alerts", null, { after_id: this.alertId }));
    if (fresh) {
      this.barsWhole = false;
      market.tell("epoch", message.epoch);
    } else this.askBars();
    this.tape?.welcome();
    this.board?.welcome(fresh);
    this.bestTrip = Infinity;
    this.ping();
    setTimeout(() => this.ping(), 500);
    this.changed();
  }

  ping() {
    const id = ++this.pingId;
    this.pings.set(id, performance.now());
    if (this.pings.size > 10) this.pings.delete(this.pings.keys().next().value);
    this.say(ping(id));
    return id;
  }

  /** The offset of the shortest trip is the best. @param {any} message */
  pong(message) {
    const sent = this.pings.get(message.id);
    this.pings.delete(message.id);
    if (sent == null) return;
    const now = performance.now();
    const trip = now - sent;
    if (trip <= this.bestTrip) {
      this.bestTrip = trip;
      market.offset = message.sent - (sent + now) / 2;
    }
    this.bestTrip += 0.5; // clocks drift: a newer trip that is nearly as short counts
  }

  /** @param {WebSocket} socket @param {number} code @param {boolean} opened */
  async lost(socket, code, opened) {
    if (socket !== this.socket) return;
    this.socket = null;
    if (this.open) this.lostAt = performance.now();
    this.open = false;
    socket.onmessage = null;
    socket.close();
    let delay = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** this.tries++) * (0.5 + Math.random() / 2);
    let wish = afterClose(code);
    // A login that has ended may have another in its place: one's own new password, set in another tab.
    if (!opened || wish === "login") {
      const asked = await this.why();
      if (this.socket) return;
      this.reason = asked.reason;
      if (asked.status === 401) wish = "login";
      else if (asked.status === 403) wish = "never";
      else if (wish === "login") wish = "soon";
      else if (asked.after) delay = asked.after * 1000 * (1 + Math.random() / 2);
    }
    if (wish === "login") {
      location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
      return;
    }
    if (wish === "minute") delay = 60_000 + Math.random() * 5_000;
    if (wish === "never") {
      this.stopped = true;
      this.reason ||= "the server closed the line for good; reload the page to try again";
      this.changed();
      return;
    }
    this.retryAt = performance.now() + delay;
    this.timer = window.setTimeout(() => this.connect(), delay);
    this.changed();
  }

  /** A refused upgrade shows as 1006 without a status: ask by HTTP. */
  async why() {
    try {
      const stop = AbortSignal.timeout(4_000);
      const answer = await fetch(PATH, { signal: stop, headers: { Accept: "application/problem+json" } });
      const detail = (await answer.json().catch(() => ({}))).detail ?? "";
      const after = Number(answer.headers.get("Retry-After")) || 0;
      return { status: answer.status, reason: answer.status === 426 ? "" : String(detail), after: answer.status === 503 ? after : 0 };
    } catch (_unreachable) {
      return { status: 0, reason: "", after: 0 };
    }
  }

  /** Once a second: silence ends a line that looks open; a ping keeps the clock right. */
  watch() {
    const drift = Date.now() - performance.now();
    if (Math.abs(drift - this.drift) > JUMP_MS) {
      this.drift = drift;
      this.bestTrip = Infinity;
      this.wake();
      return;
    }
    this.drift = drift;
    if (!this.open || !this.socket) return;
    // A line that dies young is no reason to come back quicker.
    if (performance.now() - this.openedAt > STEADY_MS) this.tries = 0;
    const silent = performance.now() - this.heard;
    if (silent > this.silence && !document.hidden) {
      this.lost(this.socket, 4408, true);
    } else if (performance.now() - this.pinged > PING_EVERY_MS) {
      this.pinged = performance.now();
      this.ping();
    }
  }

  /** The tab is shown again, or the machine is back: ask at once whether the line is alive. */
  wake() {
    if (this.stopped) return;
    if (!this.open || !this.socket) {
      if (this.retryAt) this.connect();
      return;
    }
    const { socket } = this;
    const id = this.ping();
    setTimeout(() => {
      // What was under way before may still come in; only the answer, or news of later, is a sign of life.
      const silent = performance.now() - this.heard > WAKE_PONG_MS * 0.75;
      if (this.socket === socket && this.open && this.pings.has(id) && silent) this.lost(socket, 4408, true);
    }, WAKE_PONG_MS);
  }
}

export const stream = new Stream();
