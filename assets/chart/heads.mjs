// @ts-check
// What stands over the panes of indicators: each one's name with its values, a button that closes it, and the edge that
// sets its height, by the pointer or the arrow keys. The heights are kept in this browser.

import { label } from "../indicators/choice.mjs";
import { icon, make } from "../page/dom.mjs";
import { Legend } from "./legend.mjs";
import { LEAST } from "./panes.mjs";
import { readings } from "./readings.mjs";

const KEPT = "tickboard.panes";
/** An arrow key moves an edge by so many px; a pane is never higher. */
const STEP = 12;
const MOST = 600;
/** The legend leaves so much of the pane's width, px; in one narrower than this it has no names of outputs. */
const MARGIN = 40;
const NARROW = 400;

export class Heads {
  /**
   * @param {HTMLElement} place the box that holds Plotly's graph @param {import("./plot.mjs").Plot} plot
   * @param {{resized: () => void, closed: (text: string) => void}} told
   */
  constructor(place, plot, told) {
    this.place = place;
    this.plot = plot;
    this.told = told;
    /** By the indicator's text. @type {Map<string, any>} */
    this.heads = new Map();
    for (const [name, height] of kept()) plot.heights.set(name, height);
  }

  /** Put the heads where the panes are, and say the values of a row there. @param {any} panes @param {number} index */
  draw({ own }, index) {
    const { series, figure } = this.plot;
    const texts = new Set(own.map((/** @type {any} */ pane) => pane.shown.text));
    for (const [text, head] of this.heads) {
      if (texts.has(text)) continue;
      head.box.remove();
      this.heads.delete(text);
    }
    for (const pane of own) {
      const { shown } = pane;
      let head = this.heads.get(shown.text);
      if (!head) this.heads.set(shown.text, (head = this.head(shown)));
      const key = `${pane.left} ${pane.top} ${pane.width} ${pane.height}`;
      if (head.key !== key) {
        head.key = key;
        head.height = pane.height;
        Object.assign(head.box.style, { left: `${pane.left}px`, top: `${pane.top}px`, width: `${pane.width}px`, height: `${pane.height}px` });
        head.edge.setAttribute("aria-valuenow", String(Math.round(pane.height)));
      }
      head.legend.say(readings(shown, series.rows, index, figure.decimals, pane.width < NARROW), pane.width - MARGIN);
    }
  }

  /** @param {import("../indicators/studies.mjs").Shown} shown */
  head({ chosen, text }) {
    const name = label(chosen);
    const edge = make("div", {
      class: "pane-edge", role: "separator", tabindex: 0, title: "Drag, or use the arrow keys, to set the height",
      "aria-orientation": "horizontal", "aria-label": `Height of ${name}`, "aria-valuemin": LEAST, "aria-valuemax": MOST,
    });
    const words = make("div", { class: "pane-legend" });
    const close = make("button", { class: "icon-button pane-close", type: "button", title: `Remove ${name}`, "aria-label": `Remove ${name}` }, [icon("close")]);
    const box = make("div", { class: "pane-head", role: "group", "aria-label": name, "data-indicator": text }, [edge, words, close]);
    this.place.append(box);
    const head = { box, edge, legend: new Legend(words), key: "", height: 0, wanted: 0, wantedAt: 0 };
    close.addEventListener("click", () => this.told.closed(text));
    const set = (/** @type {number} */ height) => {
      head.wanted = Math.min(Math.max(Math.round(height), LEAST), MOST);
      head.wantedAt = performance.now();
      this.plot.heights.set(chosen.about.name, head.wanted);
      this.told.resized();
    };
    edge.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      const way = { ArrowUp: 1, ArrowDown: -1 }[event.key];
      if (!way) return;
      event.preventDefault();
      event.stopPropagation();
      // Keys can come faster than the picture: a step counts from what was asked last, where that is not drawn yet.
      set((head.wantedAt > this.plot.drawnAt ? head.wanted : head.height) + way * STEP);
      keep(this.plot.heights);
    });
    edge.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => {
      if (event.button !== 0) return;
      event.preventDefault();
      edge.setPointerCapture(event.pointerId);
      const [from, height] = [event.clientY, head.height];
      const move = (/** @type {PointerEvent} */ now) => set(height + from - now.clientY);
      const end = () => {
        edge.removeEventListener("pointermove", move);
        keep(this.plot.heights);
      };
      edge.addEventListener("pointermove", move);
      edge.addEventListener("lostpointercapture", end, { once: true });
    });
    return head;
  }
}

/** @returns {[string, number][]} */
function kept() {
  try {
    const found = Object.entries(JSON.parse(localStorage.getItem(KEPT) ?? "{}"));
    return /** @type {[string, number][]} */ (found.filter(([, height]) => typeof height === "number" && height >= LEAST && height <= MOST));
  } catch {
    return []; // storage can be forbidden, or hold what somebody else wrote
  }
}

/** @param {Map<string, number>} heights */
function keep(heights) {
  try {
    localStorage.setItem(KEPT, JSON.stringify(Object.fromEntries(heights)));
  } catch {
    // storage can be forbidden; the heights then last as long as the page
  }
}
