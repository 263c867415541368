// @ts-check
// The drawings on one instrument: as they are shown, as the server has them, the steps back and forth between. Each
// change is saved a moment later; what could not be saved stays, is tried again and said. Where another tab was quicker
// (412) its drawings are shown, and one's own change is offered again.

import { excess } from "./kinds.mjs";
import { applied, difference, isNone, joined, same } from "./merge.mjs";

/** @typedef {import("./kinds.mjs").Drawing} Drawing */

/** A change waits so long for the next one; a request may take so long. */
const SAVE_MS = 400;
const ANSWER_MS = 15_000;
/** Between two tries of what has failed: at first, and at most. */
const AGAIN_MS = 2_000;
const LONGEST_AGAIN_MS = 30_000;
const STEPS = 100;
/** Moves of one drawing by key within so long are one step. */
const JOIN_MS = 1_000;
/** Answers that may be others when they are asked for again. */
const PASSING = new Set([408, 425, 429]);

/** @param {string} text a problem's detail */
function sentence(text) {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}

export class Kept {
  /**
   * @param {string} symbol @param {import("./drafts.mjs").Drafts} drafts
   * @param {(what: "drawings" | "words" | "saved") => void} heard
   */
  constructor(symbol, drafts, heard) {
    this.symbol = symbol;
    this.drafts = drafts;
    this.heard = heard;
    const draft = drafts.get(symbol);
    /** The version that `base` is of; -1 before the server has answered. */
    this.version = draft?.version ?? -1;
    this.loaded = false;
    /** @type {Drawing[]} as the server has them, as far as is known */
    this.base = draft?.base ?? [];
    /** @type {Drawing[]} as they are shown */
    this.drawings = draft?.mine ?? [];
    /** @type {Drawing[][]} what was sent and not answered: any of it may have come */
    this.sent = [];
    /** @type {Drawing[][]} */
    this.past = [];
    /** @type {Drawing[][]} */
    this.future = [];
    this.joining = { key: "", at: -Infinity };
    /** @type {import("./merge.mjs").Change | null} one's own change that another tab was quicker than */
    this.offer = null;
    /** What is wrong, in a sentence, while it is. */
    this.words = "";
    /** Why nothing can be drawn here. */
    this.locked = "";
    this.busy = this.failing = this.refused = false;
    this.timer = 0;
    this.patience = AGAIN_MS;
  }

  /** Whether the server lacks something. */
  get unsaved() {
    return !same(this.base, this.drawings);
  }

  // -- changes ----------------------------------------------------------------------------------------------------

  /**
   * Other drawings in the place of those shown; false, with the reason in words, where there may not be so many.
   * @param {Drawing[]} drawings @param {string} [key] changes of one key, one soon after the other, are one step
   */
  change(drawings, key = "") {
    const now = performance.now();
    const why = this.locked || (drawings.length > this.drawings.length || difference(this.drawings, drawings).put.length ? excess(drawings, this.symbol) : "");
    if (why) {
      this.say(why);
      return false;
    }
    const joins = key !== "" && key === this.joining.key && now - this.joining.at < JOIN_MS;
    if (!joins) this.past = [...this.past.slice(1 - STEPS), this.drawings];
    this.future = [];
    this.joining = { key, at: now };
    this.set(drawings);
    return true;
  }

  /** @param {-1 | 1} way back, or forth again @returns {boolean} whether there was a step */
  step(way) {
    const [from, to] = way < 0 ? [this.past, this.future] : [this.future, this.past];
    const drawings = from.pop();
    if (!drawings || this.locked) return false;
    to.push(this.drawings);
    this.joining.key = "";
    this.set(drawings);
    return true;
  }

  /** @param {Drawing[]} drawings */
  set(drawings) {
    this.drawings = drawings;
    this.refused = false;
    this.calm();
    this.note();
    this.heard("drawings");
    if (!this.failing) this.later(() => this.save(), SAVE_MS);
  }

  /** Nothing is said any more that was of the moment. */
  calm() {
    if (!this.failing && !this.offer && !this.locked && !this.refused) this.say("");
  }

  /** Keep what the server does not have; nothing where it has all. */
  note() {
    if (this.unsaved) this.drafts.put(this.symbol, { version: this.version, base: this.base, mine: this.drawings });
    else if (!this.offer) this.drafts.put(this.symbol, null);
  }

  /** Make one's own change again, to the drawings of now. */
  restore() {
    const { offer } = this;
    if (!offer) return;
    this.offer = null;
    if (this.change(applied(this.drawings, offer))) this.say("");
    else this.offer = offer;
  }

  /** Let one's own change go. */
  dismiss() {
    this.offer = null;
    this.say("");
    this.note();
  }

  // -- the server -------------------------------------------------------------------------------------------------

  /** @param {string} method @param {RequestInit} [options] @returns {Promise<Response>} */
  ask(method, options = {}) {
    return fetch(`/api/v1/drawings/${encodeURIComponent(this.symbol)}`, { method, signal: AbortSignal.timeout(ANSWER_MS), ...options });
  }

  /** Ask for the drawings of now. */
  async load() {
    if (this.busy) return;
    this.busy = true;
    try {
      await this.fetched();
    } catch (_unreachable) {
      this.fail(`The drawings on ${this.symbol} could not be loaded; they are asked for again.`);
    } finally {
      this.busy = false;
    }
    this.goOn();
  }

  async fetched() {
    const answer = await this.ask("GET", { cache: "no-store" });
    if (answer.ok) {
      const found = await answer.json();
      if (!Array.isArray(found.drawings) || !Number.isInteger(found.version)) throw new Error("no drawings");
      this.receive(found);
      return;
    }
    if (answer.status >= 500 || PASSING.has(answer.status)) throw new Error(`status ${answer.status}`);
    this.locked = sentence((await answer.json()).detail ?? `The drawings on ${this.symbol} can't be had.`);
    this.say(this.locked);
  }

  /** What the server has. @param {{version: number, drawings: Drawing[]}} found */
  receive({ version, drawings }) {
    const mine = this.sent.find((each) => same(drawings, each)); // it had come, only its answer was lost
    const own = difference(mine ?? this.base, this.drawings);
    const fits = version === this.version || this.version < 0 || mine !== undefined;
    this.well();
    this.loaded = true;
    this.sent = [];
    [this.version, this.base] = [version, drawings];
    this.locked = "";
    if (isNone(own) || same(drawings, this.drawings)) this.adopt(drawings);
    else if (fits) this.adopt(applied(drawings, own), true);
    else {
      // The draft stays where it is until it is known what becomes of the change.
      this.offer = joined(this.offer, own);
      this.adopt(drawings);
      this.say(`The drawings on ${this.symbol} were changed elsewhere meanwhile; those are shown, without your last change.`);
      return;
    }
    this.note();
  }

  /** Show what came; steps back would undo what others did. @param {Drawing[]} drawings @param {boolean} [mine] whether they may be undone all the same */
  adopt(drawings, mine = false) {
    if (same(drawings, this.drawings)) return;
    if (!mine) [this.past, this.future] = [[], []];
    this.drawings = drawings;
    this.heard("drawings");
  }

  async save() {
    if (this.busy || this.locked || this.refused) return;
    if (!this.loaded) return void this.load();
    if (!this.unsaved) return;
    this.busy = true;
    try {
      await this.put();
    } catch (_unreachable) {
      this.fail(`Your drawings on ${this.symbol} could not be saved; they are kept here and tried again.`);
    } finally {
      this.busy = false;
    }
    this.goOn();
  }

  async put() {
    const sent = this.drawings;
    this.sent.push(sent);
    const answer = await this.ask("PUT", this.request(sent));
    if (answer.ok) {
      const found = await answer.json();
      const was = this.drawings;
      [this.version, this.base, this.sent] = [found.version, found.drawings, []];
      // Words may have come back a little other than they were sent.
      if (was === sent && !same(was, found.drawings)) this.drawings = found.drawings;
      this.well();
      this.note();
      this.heard("saved");
      if (was !== this.drawings) this.heard("drawings");
    } else if (answer.status === 412) await this.fetched();
    else if (answer.status >= 500 || PASSING.has(answer.status)) throw new Error(`status ${answer.status}`);
    else {
      const { detail } = await answer.json();
      this.sent = [];
      this.well();
      this.refused = true;
      this.say(`Not saved: ${detail ?? `status ${answer.status}`}. It is tried again with your next change.`.replace(/\.\./g, "."));
    }
  }

  /** @param {Drawing[]} drawings @returns {RequestInit} */
  request(drawings) {
    return { headers: { "Content-Type": "application/json", "If-Match": `"${this.version}"` }, body: JSON.stringify({ drawings }) };
  }

  /** The page goes: send what there is, and hear no answer. */
  flush() {
    if (!this.unsaved || !this.loaded || this.locked || this.busy) return;
    clearTimeout(this.timer);
    this.sent.push(this.drawings);
    void this.ask("PUT", { ...this.request(this.drawings), keepalive: true, signal: null }).catch(() => {});
    // If the page stays after all, the next look at the server says what came of it.
    this.later(() => this.load(), AGAIN_MS);
  }

  /** Try again now, where something has failed: the line is back. */
  again() {
    if (this.failing) this.later(() => this.retry(), 0);
  }

  retry() {
    void (this.loaded && this.unsaved ? this.save() : this.load());
  }

  // -- inside -----------------------------------------------------------------------------------------------------

  /** @param {string} words */
  fail(words) {
    this.failing = true;
    this.say(words);
    this.later(() => this.retry(), this.patience);
    this.patience = Math.min(this.patience * 2, LONGEST_AGAIN_MS);
  }

  well() {
    this.patience = AGAIN_MS;
    this.failing = false;
    if (!this.offer) this.say("");
  }

  goOn() {
    if (!this.failing && !this.refused && !this.locked && this.unsaved) this.later(() => this.save(), 0);
  }

  /** @param {() => void} what @param {number} ms */
  later(what, ms) {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(what, ms);
  }

  /** @param {string} words */
  say(words) {
    if (words === this.words) return;
    this.words = words;
    this.heard("words");
  }
}
