// @ts-check
// Bars for charts: what all of them want goes into one question, and while one is on its way the next ones gather, for
// Dash throws the answer to an earlier question away.

import { MOST } from "./arrangement.mjs";

/** Without an answer for so long the charts that wait say so. */
const PATIENCE_MS = 10_000;

/**
 * @typedef {{symbol: string, timeframe: string, bars?: number, before?: number}} Piece
 * @typedef {{answer: (series: any, whole: any) => void, fail: (sentence: string) => void}} Waiter
 */

export class Asker {
  /**
   * @param {(question: {number: number, type: string, charts: Piece[]}) => void} send
   * @param {() => string} type of the charts
   */
  constructor(send, type) {
    this.send = send;
    this.type = type;
    this.number = 0;
    /** What is to be asked for, the newest wish under each key. @type {Map<unknown, {piece: Piece, waiter: Waiter}>} */
    this.wanted = new Map();
    /** What is on its way. @type {{piece: Piece, waiter: Waiter}[]} */
    this.asked = [];
    this.late = 0;
    this.soon = false;
  }

  /** Ask for bars; a wish under the same key takes the place of one that was not sent yet. @param {unknown} key @param {Piece} piece @param {Waiter} waiter */
  want(key, piece, waiter) {
    this.wanted.set(key, { piece, waiter });
    if (this.soon) return;
    this.soon = true;
    // Charts that want something in the same turn ask together.
    queueMicrotask(() => {
      this.soon = false;
      this.go();
    });
  }

  /** Of a chart that is gone, or shows something else. @param {unknown} key */
  forget(key) {
    this.wanted.delete(key);
  }

  go() {
    if (this.asked.length || !this.wanted.size) return;
    for (const [wish, asked] of [...this.wanted].slice(0, MOST)) {
      this.wanted.delete(wish);
      this.asked.push(asked);
    }
    this.number += 1;
    this.again();
  }

  /** Send what is on its way, once more where the line was lost in between. */
  again() {
    if (!this.asked.length) return;
    clearTimeout(this.late);
    this.late = window.setTimeout(() => this.end(`The server has not answered for ${PATIENCE_MS / 1000} s.`), PATIENCE_MS);
    this.send({ number: this.number, type: this.type(), charts: this.asked.map(({ piece }) => piece) });
  }

  /** An answer of the callback. @param {any} answer */
  take(answer) {
    if (answer.number !== this.number || !this.asked.length) return;
    if (answer.error) return this.end(answer.error);
    const { asked } = this;
    clearTimeout(this.late);
    this.asked = [];
    for (const [at, { waiter }] of asked.entries()) {
      const series = answer.charts[at];
      if (series.error) waiter.fail(series.error);
      else waiter.answer(series, answer);
    }
    this.go();
    return undefined;
  }

  /** Nothing comes of what is on its way. @param {string} sentence */
  end(sentence) {
    const { asked } = this;
    clearTimeout(this.late);
    this.asked = [];
    for (const { waiter } of asked) waiter.fail(sentence);
    this.go();
  }
}
