// @ts-check
// A panel that waits, or that has failed: a line that moves once waiting takes long, and a sentence with a way to try
// again. What the panel showed before stays, and the other panels do not notice.

import { icon, make, write } from "./dom.mjs";

/** Waiting is shown after so long, ms: what comes sooner needs no sign. */
export const SLOW_MS = 400;

export class PanelState {
  /**
   * @param {() => void} retry what "Try again" does
   * @param {(slow: boolean) => void} [slow] told when waiting begins to take long, and when it is over
   */
  constructor(retry, slow = () => {}) {
    this.retry = retry;
    this.slow = slow;
    this.timer = 0;
    this.dismiss = () => {};
    // Politely, and there before it has anything to say: what is put in with its words is not announced.
    this.words = make("span", { role: "status" });
    this.again = make("button", { type: "button", class: "button", text: "Try again", hidden: true });
    this.close = make("button", { type: "button", class: "icon-button", "aria-label": "Dismiss", hidden: true }, [icon("close")]);
    /** To be put into the panel, as a child of what waits. @type {HTMLElement} */
    this.node = make("div", { class: "panel-failed" }, [this.words, this.again, this.close]);
    this.again.addEventListener("click", () => this.retry());
    this.close.addEventListener("click", () => this.dismiss());
  }

  /** Whether a sentence is shown. */
  get failed() {
    return this.words.textContent !== "";
  }

  /** An answer is waited for. */
  wait() {
    if (this.timer) return;
    this.timer = window.setTimeout(() => this.show(true), SLOW_MS);
  }

  /** Nothing is waited for any more; what was said stays. */
  rest() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.show(false);
  }

  /** The answer has come. */
  done() {
    this.fail("");
  }

  /**
   * @param {string} sentence what went wrong; empty: nothing
   * @param {{retry?: (() => void) | null, dismiss?: () => void}} [ways] another way to try again, none, a way to put it aside
   */
  fail(sentence, { retry, dismiss } = {}) {
    this.rest();
    if (retry) this.retry = retry;
    if (dismiss) this.dismiss = dismiss;
    write(this.words, sentence);
    this.node.classList.toggle("panel-message", sentence !== "");
    const held = this.node.contains(document.activeElement);
    this.again.hidden = sentence === "" || retry === null;
    this.close.hidden = sentence === "" || !dismiss;
    // The focus does not fall out of the panel with the button that it was on.
    if (held && !this.node.contains(document.activeElement)) focusNear(this.node);
  }

  /** @param {boolean} waiting */
  show(waiting) {
    const panel = this.node.parentElement;
    if (!panel || panel.hasAttribute("aria-busy") === waiting) return;
    if (waiting) panel.setAttribute("aria-busy", "true");
    else panel.removeAttribute("aria-busy");
    this.slow(waiting);
  }
}

/** The first that can have the focus in what holds a node. @param {HTMLElement} node */
function focusNear(node) {
  const near = node.parentElement?.querySelectorAll("button:not([hidden]), select, input, a[href], [tabindex='0']") ?? [];
  const seen = /** @type {HTMLElement[]} */ ([...near]).find((one) => !node.contains(one) && one.checkVisibility());
  seen?.focus({ preventScroll: true });
}

/**
 * Hear of a Dash callback that was not answered: Dash itself says nothing of it (`early.js` sees its requests).
 * @param {string} store the callback's output @param {(why: string, number: unknown) => void} heard why, as the end of a
 * sentence, and the number of the question
 */
export function onUnanswered(store, heard) {
  document.addEventListener("tickboard:unanswered", (event) => {
    const { output, why, numbers } = /** @type {CustomEvent} */ (event).detail;
    if (output === store) heard(why, numbers.find((/** @type {unknown} */ one) => one !== undefined));
  });
}
