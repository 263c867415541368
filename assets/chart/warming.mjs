// @ts-check
// Asks for the states of indicators that a chart lacks, behind its first bar: of one that was added, and of all where
// older bars have come in front. Until they are there, what is held stays as it is.

import { onFrame } from "../live/frame.mjs";
import { START } from "../chart/series.mjs";

/** After a question that nobody answered. */
const AGAIN_MS = 3_000;
/** A question that takes longer is not answered any more. */
const PATIENCE_MS = 15_000;

export class Warming {
  /** @param {import("./chart.mjs").Chart} chart */
  constructor(chart) {
    this.chart = chart;
    this.asking = false;
    this.later = 0;
  }

  /** Ask for what is missing, unless a question is under way, whose answer looks again. */
  want() {
    if (this.asking || this.later) return;
    const { missing } = this.chart.plot.studies;
    if (missing.length) void this.ask(missing);
  }

  /** @param {string[]} texts */
  async ask(texts) {
    const { data, plot } = this.chart;
    const { symbol, timeframe } = data;
    const before = data.rows[0][START];
    const query = new URLSearchParams({ timeframe, before: String(before), indicators: texts.join(",") });
    this.asking = true;
    try {
      const signal = AbortSignal.timeout(PATIENCE_MS);
      const answer = await fetch(`/api/v1/tickers/${encodeURIComponent(symbol)}/warm-up?${query}`, { signal });
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      const warm = await answer.json();
      const fits = this.chart.holds(symbol, timeframe) && warm.epoch === plot.figure.epoch && data.rows[0]?.[START] === before;
      if (fits) plot.studies.load(warm);
      else if (this.chart.holds(symbol, timeframe) && warm.epoch !== plot.figure.epoch) throw new Error("another epoch");
      this.asking = false;
      onFrame(this.chart.drawAll);
      this.want();
    } catch {
      // The connection's state says what is wrong; a new epoch's figure brings states of its own.
      this.asking = false;
      this.later = window.setTimeout(() => {
        this.later = 0;
        this.want();
      }, AGAIN_MS);
    }
  }
}
