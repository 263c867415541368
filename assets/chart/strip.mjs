// @ts-check
// The strip under the time axis that shows how each bar in view was made, on a sheet of its own: drawn anew where a run
// has changed only.

import { kept } from "./ink.mjs";
import { ABOUT, counts, drawRun, HEIGHT, inView, runs } from "./made.mjs";
import { Sheet } from "./sheet.mjs";

/** Px under the panes, and what the labels of the axis are moved down by. */
const GAP = 2;
export const UNDER = HEIGHT + GAP;

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
  draw({ x, price, bottom }, moving) {
    if (!this.on) return;
    const { plot } = this;
    const { crowd, series, figure } = plot;
    const bars = crowd.on ? crowd.between(plot.from, plot.to) : inView(series.rows, plot.from, plot.to, series.ms);
    const half = Math.max((x.l2p(crowd.on ? crowd.each * series.ms : series.ms) - x.l2p(0)) / 2, 0);
    const found = runs(bars, { marks: figure.marks, width: price.width, x: (start) => x.l2p(plot.x(start)), half });
    const top = bottom + GAP;
    this.sheet.cover(price.left, top, price.width, HEIGHT);
    const inks = Object.fromEntries(Object.entries(ABOUT).map(([kind, { token }]) => [kind, kept(token)]));
    const key = [price.left, top, ...Object.values(inks), ...found.map(({ kind, from, to }) => `${kind} ${from} ${to}`)].join("|");
    // All of a view are counted once it rests.
    if (!moving && key !== this.counted) {
      this.counted = key;
      const said = `How the bars in view were made: ${counts(series.between(plot.from, plot.to), figure.marks) || "there are none"}`;
      if (said !== this.said) this.sheet.canvas.setAttribute("aria-label", (this.said = said));
    }
    this.sheet.paint(key, (brush) => {
      for (const run of found) drawRun(brush, run, price.left, top, inks[run.kind]);
    });
  }
}
