// @ts-check
// From bar to bar with the arrow keys: the crosshair stands on a bar, its sentence is said to who does not see it, and the
// view follows where it ends.

import { onFrame } from "../live/frame.mjs";
import { make, write } from "../page/dom.mjs";
import { at as indexAt, CLOSE, START } from "./series.mjs";
import { barWords } from "./spoken.mjs";

/** Where the view ends it moves by this part of it. */
const FOLLOW = 0.2;

export class Walk {
  /** @param {import("./chart.mjs").Chart} chart */
  constructor(chart) {
    this.chart = chart;
    this.spoken = make("p", { class: "read-only-to-readers", id: "bar-said", role: "status" });
    chart.place.after(this.spoken);
    // Who leaves the chart leaves the bar.
    chart.place.addEventListener("blur", () => this.leave());
  }

  /** Whether the crosshair stands on a bar that keys have chosen. */
  get on() {
    return this.chart.overlay.at?.bar !== undefined;
  }

  /** To the next bar, or to the first that is chosen: under the pointer, else the newest in view. @param {1 | -1} by */
  step(by) {
    const { overlay, plot, series } = this.chart;
    const { rows } = series;
    if (!plot.figure || !rows.length) return;
    const last = rows.length - 1;
    let index = Math.min(Math.max(indexAt(rows, plot.to) - 1, 0), last);
    let end = "";
    if (overlay.at) {
      const wanted = this.indexOf(overlay.at) + by;
      index = Math.min(Math.max(wanted, 0), last);
      if (wanted !== index) end = by < 0 ? " This is the oldest bar here." : " This is the newest bar.";
    }
    this.stand(index, end);
  }

  /** @param {{bar?: number, ms?: number}} at */
  indexOf({ bar, ms }) {
    const { rows } = this.chart.series;
    const start = bar ?? this.chart.series.nearest(ms ?? this.chart.plot.to)?.[START] ?? 0;
    return Math.min(indexAt(rows, start), rows.length - 1);
  }

  /** @param {number} index @param {string} more said behind the sentence */
  stand(index, more) {
    const { chart } = this;
    const { overlay, plot, series } = chart;
    const bar = series.rows[index];
    overlay.at = { x: 0, raw: 0, y: 0, words: "", when: "", bar: bar[START] };
    const { left, right } = plot;
    const span = right - left;
    const x = plot.axis.place(bar[START]);
    if (x < left) chart.turn(x - span * FOLLOW, x + span * (1 - FOLLOW));
    else if (x + series.ms > right) chart.turn(x - span * (1 - FOLLOW), x + span * FOLLOW);
    onFrame(chart.paintOverlay);
    write(this.spoken, barWords(plot, index) + more);
  }

  /** @returns {boolean} whether there was a bar to leave */
  leave() {
    if (!this.on) return false;
    this.chart.overlay.at = null;
    write(this.spoken, "");
    onFrame(this.chart.paintOverlay);
    return true;
  }

  /** Put the crosshair where its bar lies by the scales of now; nothing where it follows the pointer. @param {any} at @param {any} panes */
  place(at, panes) {
    const { plot, series } = this.chart;
    const bar = this.on ? series.rows[this.indexOf(at)] : undefined;
    if (!bar) return;
    at.raw = panes.x.l2p(plot.x(bar[START]));
    const y = panes.y.d2p(bar[CLOSE]);
    at.y = panes.price.top + (Number.isFinite(y) ? y : 0);
  }
}
