// @ts-check
// What a tab asks the server for at a slow pace while it can be seen: the newest question counts, a failure is one
// sentence with a way to try again, and what was shown before stays.

import { PanelState } from "../page/panelstate.mjs";

const PATIENCE_MS = 15_000;

export class Asked {
  /**
   * @param {{what: string, everyMs: number, address: () => string, paint: (answer: any) => void, ask?: typeof fetch}} parts
   *   `what` begins the sentence about a failure: "The statistics"
   */
  constructor({ what, everyMs, address, paint, ask = (...given) => fetch(...given) }) {
    this.what = what;
    this.everyMs = everyMs;
    this.address = address;
    this.paint = paint;
    this.ask = ask;
    this.turn = 0;
    this.timer = 0;
    this.shown = false;
    this.state = new PanelState(() => void this.now());
    /** To be put into the tab. */
    this.place = this.state.node;
  }

  show() {
    this.shown = true;
    void this.now();
  }

  hide() {
    this.shown = false;
    this.turn += 1;
    clearTimeout(this.timer);
    this.state.rest();
  }

  /** Ask at once; an answer to an earlier question is void. */
  async now() {
    const turn = ++this.turn;
    clearTimeout(this.timer);
    this.state.wait();
    const { body, refused } = await this.read();
    if (turn !== this.turn) return;
    let failed = refused;
    if (!failed) {
      try {
        this.paint(body);
      } catch (error) {
        console.error(`${this.what} could not be drawn`, error);
        failed = "the answer could not be shown";
      }
    }
    this.state.fail(failed && `${this.what} could not be read: ${failed}.`);
    this.timer = window.setTimeout(() => (document.hidden ? this.later() : void this.now()), this.everyMs);
  }

  /** @returns {Promise<{body: any, refused: string}>} the answer, or why there is none */
  async read() {
    try {
      const answer = await this.ask(this.address(), { signal: AbortSignal.timeout(PATIENCE_MS) });
      const body = await answer.json().catch(() => null);
      if (answer.ok) return { body, refused: body ? "" : "the answer is none that can be read" };
      return { body, refused: body?.detail || `the server answered ${answer.status}` };
    } catch (_unreachable) {
      return { body: null, refused: "the server did not answer" };
    }
  }

  /** A hidden page asks nothing, and at once when it is shown. */
  later() {
    document.addEventListener("visibilitychange", () => this.shown && void this.now(), { once: true });
  }
}
