// @ts-check
// The ticks of one instrument, each once and in order: what the server keeps by HTTP, then the stream's channel `ticks`
// from the sequence number that this was read at. After a break, a gap or a new subscription the same once more.

import { subscribe, unsubscribe } from "./protocol.mjs";

/** Ticks that it begins with; of a break with more of them than `MISSED` only the newest are shown. */
const FIRST = 1_000;
const MISSED = 5_000;
/** While the stream can't be had, ticks are asked for so often; after a hole of the stream, the next try. */
const POLL_MS = 1_000;
const AGAIN_MS = 500;

/** @typedef {[seq: number, price: number, size: number | null, bid: number | null, ask: number | null, ts: number]} Tick */

/**
 * @typedef {object} Heard what a reader of the tape is told
 * @property {() => void} begin everything from before is void
 * @property {(rows: Tick[], hole: boolean) => void} rows newer ticks, oldest first; `hole`: some before them may be missing
 * @property {(sentence: string) => void} failed why they could not be read; empty once they are
 */

export class Tape {
  /** @param {{stream: any, market: any, heard: Heard, ask?: (address: string) => Promise<Response>}} parts */
  constructor({ stream, market, heard, ask = (address) => fetch(address) }) {
    this.stream = stream;
    this.market = market;
    this.heard = heard;
    this.ask = ask;
    /** @type {string | null} */
    this.symbol = null;
    this.open = false;
    /** What has been told of, in which epoch; null before the first answer. @type {string | null} */
    this.epoch = null;
    this.seq = 0;
    /** Grows with each look: an answer to an older one is void. */
    this.turn = 0;
    /** The newest subscription, and whether it has been answered: what comes before that belongs to another one. */
    this.id = 0;
    this.live = false;
    this.timer = 0;
    stream.tape = this;
    market.on("state", (/** @type {any} */ now) => this.line(now.state));
  }

  /** Follow `symbol`: another one begins anew, the same goes on where it was left. @param {string} symbol */
  watch(symbol) {
    if (this.open && symbol === this.symbol) return;
    this.leave();
    if (symbol !== this.symbol) {
      this.symbol = symbol;
      this.epoch = null;
      this.heard.begin();
    }
    this.open = true;
    void this.look();
    if (this.market.state.state === "polling") this.line("polling");
  }

  /** Follow nothing for now. */
  leave() {
    if (!this.open) return;
    this.open = this.live = false;
    this.turn += 1;
    clearTimeout(this.timer);
    this.stream.say(unsubscribe("ticks", [this.symbol ?? ""]));
  }

  /** Read what is missing, then listen. */
  async look() {
    const turn = ++this.turn;
    clearTimeout(this.timer);
    this.live = false;
    try {
      const found = (this.epoch && (await this.missed())) || (await this.newest());
      if (turn !== this.turn) return;
      if (found.fresh) this.heard.begin();
      const before = found.fresh ? 0 : this.seq;
      const hole = !found.fresh && found.oldest_seq > this.seq + 1;
      this.epoch = found.epoch;
      this.seq = Math.max(found.seq, before);
      this.heard.failed("");
      this.heard.rows(found.data.filter((/** @type {Tick} */ row) => row[0] > before), hole);
      this.listen();
    } catch (error) {
      if (turn === this.turn) this.heard.failed(error instanceof Error && error.name === "Refused" ? error.message : "the server did not answer.");
    }
  }

  /** What came since; null where that is another epoch, or too much. */
  async missed() {
    const found = await this.page(`epoch=${this.epoch}&after_seq=${this.seq}&limit=${MISSED}`);
    return found && found.next_after_seq === null ? { ...found, fresh: false } : null;
  }

  async newest() {
    return { ...(await this.page(`limit=${FIRST}`)), fresh: true };
  }

  /** Null for another epoch. @param {string} query */
  async page(query) {
    const answer = await this.ask(`/api/v1/tickers/${encodeURIComponent(this.symbol ?? "")}/ticks?${query}`);
    if (answer.status === 409) return null;
    if (answer.ok) return answer.json();
    const { detail } = await answer.json().catch(() => ({ detail: "" }));
    throw Object.assign(new Error(detail || `the server answered ${answer.status}`), { name: "Refused" });
  }

  listen() {
    // In another epoch the stream says so by a welcome, which begins anew.
    if (!this.open || !this.stream.open || this.stream.epoch !== this.epoch) return;
    this.id += 1;
    this.stream.say(subscribe("ticks", [this.symbol ?? ""], { id: this.id, epoch: this.epoch, after_seq: this.seq }));
  }

  /** The stream is there, again or of another epoch. */
  welcome() {
    if (this.open) void this.look();
  }

  /** @param {string} state */
  line(state) {
    clearTimeout(this.timer);
    if (state !== "live") this.live = false;
    if (state !== "polling" || !this.open) return;
    this.timer = window.setTimeout(async () => {
      await this.look();
      if (this.market.state.state === state) this.line(state);
    }, POLL_MS);
  }

  /** A message of the stream about ticks, or a heartbeat. @param {any} message */
  take(message) {
    if (!this.open) return;
    if (message.type === "subscribed") {
      if (message.id !== this.id) return;
      this.live = message.resumed !== false;
      // What it sends instead begins with the oldest there is: read the newest rather.
      if (!this.live) this.again();
    } else if (this.live && message.type === "heartbeat") {
      this.seq = Math.max(this.seq, message.seq);
    } else if (this.live && message.type === "gap" && message.symbol === this.symbol) {
      this.again();
    } else if (this.live && message.type === "ticks") {
      const rows = message.data[this.symbol ?? ""]?.filter((/** @type {Tick} */ row) => row[0] > this.seq);
      this.seq = Math.max(this.seq, message.seq);
      if (rows?.length) this.heard.rows(rows, false);
    }
  }

  again() {
    this.live = false;
    this.stream.say(unsubscribe("ticks", [this.symbol ?? ""]));
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.look(), AGAIN_MS);
  }
}
