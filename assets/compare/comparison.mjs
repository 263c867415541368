// @ts-check
// What is compared on a chart, as lines that are drawn like indicators: the others' closes on the price axis, scaled so
// that all are 100 at the left edge of what is drawn; a spread or ratio and correlations in panes of their own. Values
// follow the bars of every instrument. Draws nothing, asks for nothing.

import { at, CLOSE, START } from "../chart/series.mjs";
import { pairWords } from "./choice.mjs";
import { Joined } from "./joined.mjs";
import { legend, pairLegend, correlationLegend } from "./legends.mjs";
import { Correlation, indexed, ratio, spread } from "./sums.mjs";

/** @typedef {import("./choice.mjs").Choice} Choice */
/** @typedef {import("../chart/series.mjs").Series} Series */
/** @typedef {import("../indicators/studies.mjs").Shown} Shown */

/** Texts of what is shown begin with this; an indicator's has no space. */
const OWN = "compare ";
/** The ends of a correlation's axis: a line at 1 is not to be cut. @type {[number, number]} */
const SPAN = [-1.08, 1.08];
const ABOUT = { parameters: [], rising: [], inputs: [], guides: [], span: null };

export class Comparison {
  /**
   * @param {any} plot the chart's part that knows its bars, and the left edge of what is drawn (`baseFrom`)
   * @param {{decimals: (symbol: string) => number, colours: number[]}} page
   */
  constructor(plot, { decimals, colours }) {
    this.plot = plot;
    this.decimals = decimals;
    this.colours = colours;
    this.follower = plot.series.follow();
    /** @type {Choice} */
    this.choice = { symbols: [], mode: "indexed", factor: 1, window: null };
    /** By symbol; those that have come. @type {Map<string, Joined>} */
    this.joined = new Map();
    /** Values by the text of what is shown, a column an output. @type {Map<string, number[][]>} */
    this.columns = new Map();
    /** @type {Map<string, Correlation>} */
    this.correlations = new Map();
    /** What the columns were made with. @type {Map<string, string>} */
    this.keys = new Map();
    this.seen = 0;
    /** By symbol, the close that is 100. @type {Map<string, number>} */
    this.bases = new Map();
  }

  /** @param {Choice} choice */
  choose(choice) {
    this.choice = choice;
    for (const [symbol, joined] of this.joined) {
      if (choice.symbols.includes(symbol)) continue;
      joined.end();
      this.joined.delete(symbol);
    }
    this.void();
  }

  /** The bars of an instrument have come. @param {string} symbol @param {Series} series */
  join(symbol, series) {
    if (this.joined.get(symbol)?.series === series) return;
    this.joined.get(symbol)?.end();
    this.joined.set(symbol, new Joined(series));
    this.void();
  }

  /** The bars of all are void. */
  clear() {
    for (const joined of this.joined.values()) joined.end();
    this.joined.clear();
    this.void();
  }

  /** All is to be made anew. */
  void() {
    this.keys.clear();
    this.correlations.clear();
  }

  /** Those that take part: a spread and a ratio are of the first. */
  get symbols() {
    const { symbols, mode } = this.choice;
    return mode === "indexed" ? symbols : symbols.slice(0, 1);
  }

  /** Whether the price axis is to be read as an index. */
  get indexing() {
    return this.choice.mode === "indexed" && this.choice.symbols.length > 0 && this.own > 0;
  }

  /** The close of the chart's own instrument that is 100. */
  get own() {
    return this.plot.base ?? NaN;
  }

  /** The first bar of what is drawn. */
  get edge() {
    const { rows } = this.plot.series;
    return Math.min(at(rows, this.plot.baseFrom), Math.max(rows.length - 1, 0));
  }

  /** What is to be drawn, with values up to the newest bar. @returns {Shown[]} */
  shown() {
    const { symbols } = this;
    const { rows } = this.plot.series;
    if (!symbols.length || !rows.length) return [];
    this.update();
    const { mode, window } = this.choice;
    const own = this.plot.series.symbol;
    const lines = symbols.map((_symbol, place) => ({ colour: this.token(place) }));
    const made = [];
    if (mode === "indexed") {
      made.push(this.one("indexed", `with ${symbols.join(", ")} indexed to 100`, { pane: "price", outputs: symbols, lines, digits: "price" }, legend));
    } else {
      const digits = mode === "ratio" ? ratioDigits(this.columns.get(mode)?.[0] ?? []) : Math.max(this.decimals(own), this.decimals(symbols[0]));
      made.push(this.one(mode, pairWords(own, this.choice), { pane: "own", outputs: [""], lines, digits }, pairLegend));
    }
    if (window !== null) {
      const about = { pane: "own", outputs: symbols, lines, digits: 2, span: SPAN, guides: [-1, 0, 1] };
      made.push(this.one("correlation", `Correlation ${window}`, about, correlationLegend));
    }
    return made;
  }

  /** @param {number} place */
  token(place) {
    return `--study-${this.colours[place % this.colours.length]}`;
  }

  /**
   * @param {string} name @param {string} short @param {any} about
   * @param {(comparison: Comparison, index: number, brief: boolean, how: {label: string, digits: any}) => any[]} read @returns {any}
   */
  one(name, short, about, read) {
    const values = this.columns.get(name) ?? [];
    const { rows } = this.plot.series;
    return {
      chosen: { about: { ...ABOUT, name, title: short, short, ...about }, values: [], colour: 1, hidden: false },
      text: `${OWN}${name} ${short}`,
      study: { values, start: rows[0][START], at: (/** @type {any} */ _rows, /** @type {number} */ index) => values.map((column) => column[index] ?? NaN) },
      read: (/** @type {number} */ index, /** @type {boolean} */ brief) => read(this, index, brief, { label: short, digits: about.digits }),
    };
  }

  /** Bring everything up to the newest bar. */
  update() {
    const { rows } = this.plot.series;
    const { mode, factor, window } = this.choice;
    const { symbols } = this;
    let first = Math.min(this.follower.from, this.seen, rows.length);
    this.follower.from = Infinity;
    for (const joined of this.joined.values()) first = Math.min(first, joined.update(rows, first));
    this.seen = rows.length;
    this.rebase();
    if (mode === "indexed") {
      const bases = symbols.map((symbol) => this.bases.get(symbol) ?? NaN);
      const { own } = this;
      this.write("indexed", `${own} ${bases}`, first, bases.map((base) => (_row, close) => (own > 0 ? (indexed(close, base) / 100) * own : NaN)));
    } else {
      this.write(mode, "", first, [(row, close) => (mode === "ratio" ? ratio(row[CLOSE], close) : spread(row[CLOSE], close, factor))]);
    }
    if (window === null) return;
    const sums = symbols.map((symbol) => this.correlations.get(symbol) ?? new Correlation(window));
    for (const [place, sum] of sums.entries()) this.correlations.set(symbols[place], sum);
    this.write("correlation", "", first, sums.map((sum) => (row, close, index) => sum.put(index, row[CLOSE], close)), (from) => {
      for (const sum of sums) sum.back(from);
    });
  }

  /**
   * Columns from a bar on. @param {string} name @param {string} key what they are made with: with another all is made anew
   * @param {number} first @param {((row: number[], close: number, index: number) => number)[]} make a value of each symbol's
   * @param {(from: number) => void} [back] told where it begins
   */
  write(name, key, first, make, back = () => {}) {
    const { rows } = this.plot.series;
    const same = this.keys.get(name) === key;
    const columns = (same && this.columns.get(name)) || make.map(() => /** @type {number[]} */ ([]));
    const from = same ? Math.min(first, rows.length) : 0;
    this.keys.set(name, key);
    this.columns.set(name, columns);
    back(from);
    for (const [place, value] of make.entries()) {
      const closes = this.joined.get(this.symbols[place])?.values ?? [];
      const column = columns[place];
      column.length = rows.length;
      for (let index = from; index < rows.length; index++) column[index] = value(rows[index], closes[index] ?? NaN, index);
    }
  }

  /** The close of each at its first bar from the left edge on: 100. */
  rebase() {
    const { edge } = this;
    for (const symbol of this.choice.symbols) {
      const closes = this.joined.get(symbol)?.values ?? [];
      let index = edge;
      while (index < closes.length && !Number.isFinite(closes[index])) index += 1;
      this.bases.set(symbol, closes[index] ?? NaN);
    }
  }

  /** An instrument's close at a bar of the chart, and where it is 100. @param {string} symbol @param {number} index */
  closeAt(symbol, index) {
    const close = this.joined.get(symbol)?.values[index] ?? NaN;
    return { close, base: this.bases.get(symbol) ?? NaN, decimals: this.decimals(symbol) };
  }

  /** Returns that an instrument has beside the chart's own; -1 without a bar that both have. @param {string} symbol */
  pairs(symbol) {
    return (this.correlations.get(symbol)?.bars.length ?? 0) - 1;
  }

  /** What can't be shown, in sentences. @returns {string[]} */
  notes() {
    const { rows, symbol: own } = this.plot.series;
    const { mode, window } = this.choice;
    if (!rows.length || !this.symbols.length) return [];
    this.update();
    const said = [];
    if (mode === "indexed" && this.own <= 0) said.push(`${own} was at ${this.own} at the left edge; an index needs a price above 0 there.`);
    for (const [place, symbol] of this.symbols.entries()) {
      const joined = this.joined.get(symbol);
      if (!joined) continue;
      const base = this.bases.get(symbol) ?? NaN;
      if (!joined.series.rows.length) said.push(`There is no trade of ${symbol} yet.`);
      else if (!joined.values.some(Number.isFinite)) said.push(`${symbol} and ${own} have no bar of the same time here.`);
      else if (mode === "indexed" && base <= 0) said.push(`${symbol} was at ${base} at the left edge; an index needs a price above 0 there.`);
      if (window === null || !joined.values.some(Number.isFinite)) continue;
      const pairs = this.pairs(symbol);
      const values = this.columns.get("correlation")?.[place] ?? [];
      if (pairs < window) said.push(`A correlation of ${window} returns with ${symbol} needs ${window + 1} bars that both have; there are ${pairs + 1}.`);
      else if (!values.some(Number.isFinite)) said.push(`There is no correlation with ${symbol}: a price that does not move has none.`);
    }
    return said;
  }
}

/** Whether a text of what is shown is of a comparison, and of which. @param {string} text @returns {string | null} */
export function partOf(text) {
  return text.startsWith(OWN) ? text.slice(OWN.length).split(" ")[0] : null;
}

/** Digits that a ratio needs to have five that count. @param {number[]} values */
function ratioDigits(values) {
  const last = Math.abs(values.findLast(Number.isFinite) ?? 1) || 1;
  return Math.min(Math.max(4 - Math.floor(Math.log10(last)), 2), 8);
}
