// @ts-check
// Which figure the chart shows: asked of a Dash callback when the view or the epoch changes, then kept true by the
// stream from the sequence number that it was made at.

import { sentence } from "../page/documents.mjs";
import { setProps } from "../page/dom.mjs";
import { onUnanswered } from "../page/panelstate.mjs";
import { unpacked } from "./packed.mjs";

/**
 * Without an answer for so long it is asked again, then after twice as long each time: Dash throws the answer to an
 * earlier question away, so that a line slower than this would never be heard.
 */
const ANSWER_MS = 20_000;
const LONGEST_ANSWER_MS = 160_000;
/** After a break of so long the sparklines lack minutes. */
const MINUTE_MS = 60_000;
/** Bars that a figure has unless it is asked for others, and the most that it may have, as dashboard/ui/figures.py says. */
const USUAL_BARS = 1_000;
const MOST_BARS = 5_000;
/** After a hole that could not be filled, the next try. */
const AGAIN_MS = 1_000;

export class Figures {
  /** @param {any} stream @param {any} view @param {any} market */
  constructor(stream, view, market) {
    this.stream = stream;
    this.view = view;
    this.market = market;
    /** @type {import("./chart.mjs").Chart | null} */
    this.chart = null;
    this.number = 0;
    this.pending = false;
    this.late = 0;
    this.patience = ANSWER_MS;
    /** When the line last brought quotes, until it does again; null while it does. @type {number | null} */
    this.darkSince = null;
    this.healing = 0;
    /** @type {string | null} the epoch that the sparklines are of */
    this.epoch = null;
    /** Called with other closes by symbol when the data started over. @type {(closes: Record<string, number[]>) => void} */
    this.sparks = () => {};
    /** What the chart's instrument is compared with, as the address has it. @type {() => string} */
    this.compared = () => "";
    /** Called after another figure is shown. @type {() => void} */
    this.shown = () => {};
    onUnanswered("figure", (why, number) => this.pending && number === this.number && this.failed(`${why}.`));
  }

  /** @param {import("./chart.mjs").Chart} chart @param {any} first the figure that the page opened with */
  begin(chart, first) {
    this.chart = chart;
    this.epoch = first?.epoch ?? this.market.epoch;
    // The scale of the price axis is no question of data.
    this.view.on((/** @type {any} */ now, /** @type {any} */ before) => ["symbol", "timeframe", "type"].some((part) => now[part] !== before[part]) && this.ask());
    this.market.on("epoch", () => this.ask());
    this.market.on("hole", () => {
      if (this.pending || this.healing) return;
      this.healing = window.setTimeout(() => {
        this.healing = 0;
        this.ask();
      }, AGAIN_MS);
    });
    this.market.on("bars", (/** @type {any} */ news) => chart.news(news));
    this.market.on("state", (/** @type {any} */ news) => this.line(news.state));
    const { symbol, timeframe, type } = this.view;
    const fits = first && first.symbol === symbol && first.timeframe === timeframe && first.type === type;
    if (fits) this.show(first);
    // The line may have told of another epoch before the chart was there to hear of it.
    if (!fits || first.epoch !== this.market.epoch) this.ask();
  }

  /** The line is gone, or back: what was asked over the old one may never be answered. @param {string} state */
  line(state) {
    const heard = state === "live" || state === "polling";
    if (!heard) {
      this.darkSince ??= performance.now();
      return;
    }
    if (this.darkSince === null) return;
    const dark = performance.now() - this.darkSince;
    this.darkSince = null;
    if (dark > MINUTE_MS) {
      this.epoch = null; // the closes of the sparklines come with an answer to a question of no epoch
      this.ask();
    } else if (this.pending) this.send();
  }

  /** Ask for the figure of the view, under a new number: earlier answers are void. */
  ask() {
    this.number += 1;
    this.patience = ANSWER_MS;
    this.send();
  }

  /** Ask, or ask once more: any answer to this number will do. */
  send() {
    this.pending = true;
    clearTimeout(this.late);
    this.late = window.setTimeout(() => {
      if (!this.pending) return;
      this.failed("the server has not answered; it is asked again.");
      this.send();
    }, this.patience);
    this.chart?.state.wait();
    this.patience = Math.min(this.patience * 2, LONGEST_ANSWER_MS);
    const bars = Math.min(this.chart?.zoom ?? 0, MOST_BARS);
    const wide = bars > USUAL_BARS && { bars };
    setProps("figure-request", { data: { ...this.view.shown(), ...wide, compare: this.compared(), number: this.number, epoch: this.epoch } });
  }

  /** Say why what was asked for is not shown; what was stays. It is asked again when that has been waited for long, too. @param {string} why */
  failed(why) {
    const { symbol, timeframe } = this.view.shown();
    this.chart?.state.fail(`${symbol}, ${timeframe} could not be read: ${why}`, { retry: () => this.ask() });
  }

  /** An answer of the callback; only that of the newest question counts. @param {any} figure */
  take(figure) {
    if (!this.chart || (figure.number != null && figure.number !== this.number)) return;
    this.pending = false;
    clearTimeout(this.late);
    if (figure.market && !this.fits(figure.market)) {
      location.reload();
      return;
    }
    if (figure.error) {
      this.chart.state.fail(sentence(figure.error), { retry: () => this.ask() });
      return;
    }
    this.chart.state.done();
    if (figure.sparks) this.sparks(figure.sparks);
    this.epoch = figure.epoch;
    this.show(figure);
  }

  /** Whether the page is still about this market. @param {{kind: string, symbols: string[]}} market */
  fits(market) {
    return market.kind === this.market.feed.kind && market.symbols.join() === this.market.symbols.join();
  }

  /** @param {any} given */
  show({ packed, ...figure }) {
    if (packed) figure.bars = unpacked(packed);
    this.chart?.show(figure);
    this.stream.watchBars(figure.symbol, figure.timeframe, figure.seq, figure.epoch);
    this.shown();
  }
}
