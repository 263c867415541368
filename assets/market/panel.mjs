// @ts-check
// One panel of the Market page: asks its callback, says when that is slow or fails, and marks what has become old. It
// asks by its interval and at every change of its question, and not at all while nobody looks.

import { setProps, write } from "../page/dom.mjs";
import { onUnanswered, PanelState } from "../page/panelstate.mjs";
import * as words from "../page/words.mjs";

/** Without an answer for so long the panel says so. */
const PATIENCE_MS = 15_000;
/** An answer is old after so many of the panel's paces. */
const OLD = 3;

export class Panel {
  /**
   * @param {string} name heat, movers, breadth or correlation
   * @param {{pace: number, now: () => number, question: () => Record<string, unknown>,
   *   draw: (body: HTMLElement, answer: any) => string}} given `draw` gives what the panel's head says about the answer
   */
  constructor(name, { pace, now, question, draw }) {
    this.name = name;
    this.pace = pace;
    this.now = now;
    this.question = question;
    this.draw = draw;
    const node = /** @type {HTMLElement} */ (document.getElementById(`market-${name}-panel`));
    this.node = node;
    this.body = /** @type {HTMLElement} */ (node.querySelector(".market-body"));
    this.about = /** @type {HTMLElement} */ (node.querySelector(".market-about"));
    this.state = new PanelState(
      () => this.ask(),
      () => this.tick(),
    );
    this.body.before(this.state.node);
    this.number = 0;
    this.awake = false;
    /** When the question that has no answer yet was asked; null where there is none. @type {number | null} */
    this.asked = null;
    /** When it was last answered, by `performance.now()`. */
    this.answered = -Infinity;
    /** @type {any} */
    this.answer = null;
    this.told = "";
    onUnanswered(`market-${name}`, (why, question) => {
      if (question !== this.number || !this.awake) return;
      this.rest();
      this.answered = performance.now();
      this.fail(`This could not be computed: ${why}.`);
    });
  }

  /** Somebody looks. */
  wake() {
    if (this.awake) return;
    this.awake = true;
    setProps(`market-${this.name}-interval`, { disabled: false });
    this.ask();
  }

  /** Nobody looks any more. */
  sleep() {
    if (!this.awake) return;
    this.awake = false;
    this.rest();
    setProps(`market-${this.name}-interval`, { disabled: true });
  }

  /** Ask now: the question is another one, or the last try failed. */
  ask() {
    if (!this.awake) return;
    this.number += 1;
    this.asked = performance.now();
    this.state.wait();
    setProps(`market-${this.name}-ask`, { data: { ...this.question(), number: this.number } });
  }

  /** An answer of the callback, to the newest question or to the interval that repeats it. @param {any} answer */
  take(answer) {
    if (answer.number !== this.number) return;
    this.rest();
    this.answered = performance.now();
    if (answer.error) {
      this.fail(answer.error);
      return;
    }
    this.fail("");
    this.answer = answer;
    this.paint();
  }

  /** Draw the last answer, once more where the place has changed. */
  paint() {
    if (!this.answer || !this.awake) return;
    try {
      this.told = this.draw(this.body, this.answer);
    } catch (error) {
      console.error(`the panel ${this.name} could not be drawn`, error);
      this.fail("This could not be drawn; the browser's console has the reason.");
    }
    this.tick();
  }

  /** Once a second while awake. */
  tick() {
    if (!this.awake) return;
    const waiting = this.asked === null ? 0 : performance.now() - this.asked;
    // An interval that brings nothing: the line is cut, or the server fails without a word.
    const silent = performance.now() - this.answered - this.pace;
    if (waiting > PATIENCE_MS || (this.answer && silent > PATIENCE_MS)) {
      this.rest();
      this.answered = performance.now();
      this.fail("The server has not answered; what is shown may be out of date.");
    }
    const age = this.answer ? Math.max(0, this.now() - this.answer.sent) : 0;
    const old = age > OLD * this.pace;
    this.node.classList.toggle("old", old || this.state.failed);
    const parts = [this.told];
    if (this.node.getAttribute("aria-busy") === "true") parts.push("computing…");
    else if (old) parts.push(`${words.age(age)} old`);
    else if (this.answer) parts.push(words.time(this.answer.sent));
    write(this.about, parts.filter(Boolean).join(" · "));
  }

  /** @param {string} sentence empty: nothing is wrong */
  fail(sentence) {
    this.state.fail(sentence);
    this.node.classList.toggle("failed", sentence !== "");
    if (sentence) this.tick();
  }

  /** Nothing is waited for. */
  rest() {
    this.asked = null;
    this.state.rest();
  }
}
