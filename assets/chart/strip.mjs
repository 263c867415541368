// @ts-check
// The strip under the time axis that shows how each bar in view was made, on a sheet of its own: drawn anew where a run
// has changed only.

import { kept } from "./ink.mjs";
import { ABOUT, counts, drawRun, HEIGHT, inView, runs } from "./made.mjs";
import { Sheet } from "./sheet.mjs";

/** Px under the panes, and what the labels of the axis are moved down by. */
const GAP = 2;
export const UNDER = HEIGHT + GAP;
/** How much larger it is drawn for a picture. */
const SHARP = 4;

export class Strip {
  /** @param {HTMLElement} place the box that holds Plotly's graph @param {import("./plot.mjs").Plot} plot */
  constructor(place, plot) {
    this.plot = plot;
    this.sheet = new Sheet(place, "made-strip");
    this.sheet.canvas.removeAttribute("aria-hidden");
    this.sheet.canvas.setAttribute("role", "img");
    this.said = "";
    this.counted = "";
    this.turn(true);
  }

  /** Whether it is shown. */
  get on() {
    return this.plot.under > 0;
  }

  /** @param {boolean} on */
  turn(on) {
    this.plot.under = on ? UNDER : 0;
    if (!on) this.sheet.hide();
  }

  /** Draw what has changed. @param {any} panes as the overlay has them @param {boolean} moving whether the view is on its way */
  draw(panes, moving) {
    if (!this.on) return;
    const { price, bottom } = panes;
    const { series, figure, from, to } = this.plot;
    const found = this.runs(panes);
    const top = bottom + GAP;
    this.sheet.cover(price.left, top, price.width, HEIGHT);
    const inks = tones();
    const key = [price.left, top, ...Object.values(inks), ...found.map(({ kind, from, to }) => `${kind} ${from} ${to}`)].join("|");
    // All of a view are counted once it rests.
    if (!moving && key !== this.counted) {
      this.counted = key;
      const said = `How the bars in view were made: ${counts(series.between(from, to), figure.marks) || "there are none"}`;
      if (said !== this.said) this.sheet.canvas.setAttribute("aria-label", (this.said = said));
    }
    this.sheet.paint(key, (brush) => {
      for (const run of found) drawRun(brush, run, price.left, top, inks[run.kind]);
    });
  }

  /**
   * The strip as a picture of its own, sharp when it is drawn larger. @param {any} panes as the overlay has them
   * @returns {{source: string, gap: number, height: number} | null} a data URL, px under the panes and px high; null where it is not shown
   */
  picture(panes) {
    if (!this.on) return null;
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(panes.price.width * SHARP));
    canvas.height = HEIGHT * SHARP;
    const brush = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    brush.scale(SHARP, SHARP);
    const inks = tones();
    for (const run of this.runs(panes)) drawRun(brush, run, 0, 0, inks[run.kind]);
    return { source: canvas.toDataURL(), gap: GAP, height: HEIGHT };
  }

  /** @param {any} panes */
  runs({ x, price }) {
    const { crowd, series, figure, from, to } = this.plot;
    const bars = crowd.on ? crowd.between(from, to) : inView(series.rows, from, to, series.ms);
    const half = Math.max((x.l2p(crowd.on ? crowd.each * series.ms : series.ms) - x.l2p(0)) / 2, 0);
    return runs(bars, { marks: figure.marks, width: price.width, x: (start) => x.l2p(this.plot.x(start)), half });
  }
}

/** The colour of each kind. @returns {Record<string, string>} */
function tones() {
  return Object.fromEntries(Object.entries(ABOUT).map(([kind, { token }]) => [kind, kept(token)]));
}
