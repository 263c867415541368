// @ts-check
// Comparing instruments on the chart, put together: the choice in the address and its menu, the others' bars, and what
// the chart draws of them.

import { START } from "../chart/series.mjs";
import { address } from "../live/address.mjs";
import { onFrame } from "../live/frame.mjs";
import { Beside } from "./beside.mjs";
import { NAMES, none, pairWords, plain, read, refused, written } from "./choice.mjs";
import { Comparison, partOf } from "./comparison.mjs";
import { Menu } from "./menu.mjs";
import { named } from "./named.mjs";

/** @typedef {import("./choice.mjs").Choice} Choice */

/** A closed bar that came late is drawn within this, ms, as the chart's own is. */
const REDRAW_MS = 5_000;
/** An open menu says anew what can't be shown so often: it depends on what is in view. */
const TELL_MS = 1_000;
/** So near to the edge of the price axis a new value asks for another range, as a part of it. */
const EDGE = 0.015;

/** @param {{view: any, market: any, stream: any, registry: import("./choice.mjs").Registry}} page */
export async function compare({ view, market, stream, registry }) {
  const made = new Compare({ view, market, stream, registry });
  made.menu = await Menu.make(made, { view, market, registry });
  made.start();
  return made;
}

class Compare {
  /** @param {{view: any, market: any, stream: any, registry: import("./choice.mjs").Registry}} page */
  constructor({ view, market, stream, registry }) {
    this.view = view;
    this.market = market;
    this.registry = registry;
    this.choice = none();
    this.beside = new Beside({ stream, market });
    /** @type {import("../chart/chart.mjs").Chart | null} */
    this.chart = null;
    /** @type {Comparison | null} */
    this.comparison = null;
    /** Instruments whose bars can't be had just now, and why. @type {Map<string, string>} */
    this.faults = new Map();
    /** @type {Menu} */
    this.menu = /** @type {any} */ (null);
    this.open = () => this.menu.open();
    this.text = () => this.choice.symbols.join(",");
    this.close = this.close.bind(this);
  }

  /** The address as it is; then it follows what is chosen. */
  start() {
    const { view } = this;
    this.beside.changed = (symbol, from) => this.news(symbol, from);
    this.beside.failed = (symbol, why) => this.fault(symbol, why);
    view.on((/** @type {any} */ now, /** @type {any} */ before) => now.symbol !== before.symbol && this.leave(before.symbol));
    address.add({
      names: NAMES,
      read: () => written(this.choice),
      show: (values) => {
        const { choice, faults } = read(values, this.page);
        this.take(choice);
        return faults.slice(0, 3).join(" ");
      },
    });
    this.menu.show();
  }

  get page() {
    return { own: this.view.symbol, known: this.view.known, registry: this.registry };
  }

  /** The chart shows another instrument: where that was compared, the two change places. @param {string} before */
  leave(before) {
    const { symbols } = this.choice;
    const at = symbols.indexOf(this.view.symbol);
    if (at >= 0) this.take({ ...this.choice, symbols: symbols.map((symbol, place) => (place === at ? before : symbol)) });
    else this.menu.show();
  }

  /** Why one more can't be compared, or nothing: then it is. @param {string} symbol */
  add(symbol) {
    const fault = refused(symbol, this.choice.symbols, this.page);
    if (!fault) this.set({ symbols: [...this.choice.symbols, symbol] });
    return fault;
  }

  /** Another choice, and into the address. @param {Partial<Choice>} patch */
  set(patch) {
    this.take({ ...this.choice, ...patch });
    address.write();
  }

  /** Close a pane of the chart. @param {string} text of what it shows @returns {boolean} whether it is one of these */
  close(text) {
    const part = partOf(text);
    if (part === null) return false;
    if (part === "correlation") this.set({ window: null });
    else this.set({ symbols: part === "indexed" ? [] : this.choice.symbols.slice(1) });
    return true;
  }

  /** @param {Choice} choice */
  take(choice) {
    this.choice = choice;
    for (const symbol of this.faults.keys()) if (!choice.symbols.includes(symbol)) this.faults.delete(symbol);
    if (this.chart && this.comparison) {
      this.comparison.choose(choice);
      this.chart.plot.indexed = choice.mode === "indexed" && choice.symbols.length > 0;
      for (const [symbol, { series }] of this.beside.held) if (choice.symbols.includes(symbol)) this.comparison.join(symbol, series);
      onFrame(this.chart.drawAll);
    }
    this.beside.follows(choice.symbols);
    this.menu.show();
  }

  /** @param {import("../chart/chart.mjs").Chart} chart */
  begin(chart) {
    const { market, registry } = this;
    const decimals = new Map(market.instruments.map((/** @type {any} */ one) => [one.symbol, one.decimals]));
    this.chart = chart;
    this.comparison = new Comparison(chart.plot, { decimals: (symbol) => Number(decimals.get(symbol) ?? 2), colours: registry.colours });
    const { comparison } = this;
    chart.plot.studies.beside = () => comparison.shown();
    chart.comparing = (figure) => {
      comparison.clear();
      this.beside.show(figure, figure.compared ?? []);
      for (const [symbol, { series }] of this.beside.held) comparison.join(symbol, series);
      // After the chart's own subscription, which may end one of these.
      setTimeout(() => this.beside.want(), 0);
    };
    market.on("bars", () => this.beside.reach(chart.data.rows[0]?.[START] ?? null));
    chart.prepended = () => this.beside.reach(chart.data.rows[0]?.[START] ?? null);
    named(chart.plot, comparison);
    setInterval(() => !document.hidden && this.menu.tell(), TELL_MS);
    this.take(this.choice);
  }

  /** Bars of an instrument have come, or changed. @param {string} symbol @param {number} from UTC ms */
  news(symbol, from) {
    const { chart, comparison } = this;
    const held = this.beside.held.get(symbol);
    if (!chart?.plot.figure || !comparison || !held || !this.choice.symbols.includes(symbol)) return;
    const fresh = comparison.joined.get(symbol)?.series !== held.series;
    comparison.join(symbol, held.series);
    if (fresh) this.menu.show();
    if (fresh || this.outgrown) chart.later(0);
    else if (from <= chart.plot.drawnTo) chart.later(REDRAW_MS);
    onFrame(chart.paintOverlay);
  }

  /** Whether a newest value is outside of the price axis, or nearly. */
  get outgrown() {
    const { plot } = /** @type {import("../chart/chart.mjs").Chart} */ (this.chart);
    if (!plot.following || this.choice.mode !== "indexed") return false;
    const edge = (plot.high - plot.low) * EDGE;
    const last = plot.series.rows.length - 1;
    return (this.comparison?.shown() ?? [])
      .filter(({ chosen }) => chosen.about.pane === "price")
      .some(({ study }) => study.at(plot.series.rows, last).some((value) => value < plot.low + edge || value > plot.high - edge));
  }

  /** @param {string} symbol @param {string} why */
  fault(symbol, why) {
    if ((this.faults.get(symbol) ?? "") === why) return;
    if (why) this.faults.set(symbol, why);
    else this.faults.delete(symbol);
    this.menu.show();
  }

  /** What can't be shown, in sentences. */
  notes() {
    return [...[...this.faults].map(([symbol, why]) => `The bars of ${symbol} could not be had: ${why}; it is tried again.`), ...(this.comparison?.notes() ?? [])];
  }

  /** The bars in view of what is compared; none where nothing is. */
  seen() {
    const { chart } = this;
    if (!chart || !this.choice.symbols.length) return [];
    return chart.data.rows.filter((bar) => bar[START] >= chart.plot.from && bar[START] < chart.plot.to);
  }

  /** What a file of it has, in words; there is a bar in view. */
  words() {
    const { symbols, mode, window } = this.choice;
    const { symbol, timeframe } = /** @type {import("../chart/chart.mjs").Chart} */ (this.chart).data;
    const made = mode === "indexed" ? "indices, 100 at the first of them" : pairWords(symbol, this.choice);
    const correlation = window === null ? "" : `; correlations of ${window} returns`;
    return `${this.seen().length} bars of ${symbol} beside ${symbols.join(", ")}, ${timeframe}: closes and ${made}${correlation}.`;
  }

  /** The address of a file of what is compared, in view; null where there is no bar. @param {string} form @param {string} zone of a local time; empty for none */
  file(form = "csv", zone = "") {
    const { chart } = this;
    const { symbols, mode, factor, window } = this.choice;
    const seen = this.seen();
    if (!chart || !seen.length) return null;
    const { symbol, timeframe, ms } = chart.data;
    const query = new URLSearchParams({ compare: symbols.join(","), timeframe, mode, start: String(seen[0][START]), end: String(seen[seen.length - 1][START] + ms) });
    if (mode === "spread") query.set("factor", plain(factor));
    if (window !== null) query.set("correlation", String(window));
    if (zone) query.set("zone", zone);
    return `/api/v1/tickers/${encodeURIComponent(symbol)}/comparison.${form}?${query}`;
  }
}
