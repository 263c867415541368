// @ts-check
// The watchlist's live cells: texts and lines written straight into the cells that the grid shows at the moment. The grid
// itself (sorting, filter, virtual rows) takes part once a second only: its transactions re-render and tell Dash each time.

import { lineBox, linePoints } from "./dom.mjs";
import { flash } from "./flash.mjs";
import { MEASURES, volatility, yearRange } from "./measures.mjs";
import * as words from "./words.mjs";

const WIDTH = 52;
const HEIGHT = 16;
/** A range is drawn in a box so many units wide; a price moves its mark by whole ones. */
const RANGE = 100;

/**
 * @typedef {{node: HTMLElement, column: string, text?: Text, line?: SVGPolylineElement, bar?: SVGPathElement,
 *   value?: number | null, shown: string, said?: string, tone: string, price?: number | null}} Cell
 */

/** `toLocaleString` makes one of these each time. */
const whole = new Intl.NumberFormat("en-US");
const asPrice = (/** @type {number | null} */ value, /** @type {any} */ quote) => words.price(value, quote.decimals);
/** How a column's number reads; a price where nothing is said. @type {Record<string, (value: number | null, quote: any) => string>} */
const TEXTS = {
  change_percent: (value) => words.percent(value),
  change: (value, quote) => words.difference(value, quote.decimals),
  volume: (value) => words.short(value),
};
/** Coloured by direction, never dimmed. */
const CHANGES = new Set(["change", "change_percent"]);
const PLAIN = new Set(["volume"]);
/** Columns that draw a range, and what each says in words. @type {Record<string, (quote: any) => string>} */
const RANGES = { range: rangeWords, year_range: yearWords };
const days = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });

/** Draw a cell of a ticker's column; touches the page only where something differs. @param {Cell} cell @param {any} quote @param {number} now */
export function draw(cell, quote, now) {
  const { node, column } = cell;
  if (RANGES[column]) return drawRange(cell, quote);
  const value = MEASURES[column](quote);
  if (value !== cell.value) {
    cell.value = value;
    say(cell, (TEXTS[column] ?? asPrice)(value, quote));
  }
  const tone = CHANGES.has(column) ? words.direction(quote.change) : PLAIN.has(column) || !quote.stale ? "" : "stale";
  if (tone !== cell.tone) {
    if (cell.tone) node.classList.remove(cell.tone);
    if (tone) node.classList.add(tone);
    cell.tone = tone;
  }
  if (column !== "last") return;
  if (cell.price != null && quote.price != null && quote.price !== cell.price) flash(node, quote.price > cell.price, now);
  cell.price = quote.price;
}

/**
 * What follows once a second: the lines of the last minutes, and the words for what is drawn or shortened.
 * @param {Cell} cell @param {any} quote @param {number[]} closes @param {number} now
 */
export function drawSlow(cell, quote, closes, now) {
  if (cell.column === "trend") drawTrend(cell, quote, closes);
  else if (cell.column === "volatility") say(cell, words.price(volatility(closes), 3));
  else draw(cell, quote, now);
  if (cell.column === "volume") tell(cell, "title", quote.volume == null ? "" : whole.format(quote.volume));
  if (RANGES[cell.column]) tell(cell, "aria-label", RANGES[cell.column](quote));
}

/** @param {Cell} cell @param {string} text */
function say(cell, text) {
  if (!cell.text) cell.node.replaceChildren((cell.text = document.createTextNode("")));
  if (text !== cell.shown) cell.text.data = cell.shown = text;
}

/** An attribute in words, set where it differs. @param {Cell} cell @param {string} attribute @param {string} said */
function tell(cell, attribute, said) {
  if (said === cell.said) return;
  cell.said = said;
  cell.node.setAttribute(attribute, said);
  if (attribute === "aria-label") cell.node.title = said;
}

/** A range from low to high, and where in it the last price is; nothing where it is not known. @param {Cell} cell @param {any} quote */
function drawRange(cell, quote) {
  if (!cell.bar) {
    const box = lineBox(RANGE, HEIGHT);
    box.setAttribute("aria-hidden", "true");
    const space = "http://www.w3.org/2000/svg";
    const [whole, mark] = ["whole", "mark"].map((name) => {
      const path = document.createElementNS(space, "path");
      path.setAttribute("class", name);
      return path;
    });
    box.replaceChildren(whole, mark);
    cell.bar = mark;
    cell.node.classList.add("range");
    cell.node.setAttribute("role", "img");
    cell.node.replaceChildren(box);
    tell(cell, "aria-label", RANGES[cell.column](quote));
  }
  const at = MEASURES[cell.column](quote);
  const x = at == null ? null : 1 + Math.round(at * (RANGE - 2));
  if (x === cell.value) return;
  cell.value = x;
  cell.bar.previousElementSibling?.setAttribute("d", x == null ? "" : `M1 8H${RANGE - 1}`);
  cell.bar.setAttribute("d", x == null ? "" : `M1 8H${x}M${x} 2V14`);
}

/** The day's range in words. @param {any} quote */
export function rangeWords(quote) {
  const { decimals, price, low, high } = quote;
  if (MEASURES.range(quote) == null) return "Day's range: no price yet";
  return `Day's range ${words.price(low, decimals)} to ${words.price(high, decimals)}, last ${words.price(price, decimals)}`;
}

/** The 52-week range in words, with its first day where that is not 52 weeks back. @param {any} quote */
export function yearWords(quote) {
  const range = yearRange(quote);
  if (!range || quote.price == null) return `52-week range: ${quote.year === undefined ? "not known yet" : "no bars of a day yet"}`;
  const [low, high, last] = [range.low, range.high, quote.price].map((value) => words.price(value, quote.decimals));
  const since = range.since == null ? "" : `, since ${days.format(range.since)}`;
  return `52-week range ${low} to ${high}, last ${last}${since}`;
}

/** @param {Cell} cell @param {any} quote @param {number[]} closes */
function drawTrend(cell, quote, closes) {
  if (!cell.line) {
    const box = lineBox(WIDTH, HEIGHT);
    box.setAttribute("aria-hidden", "true");
    cell.line = /** @type {SVGPolylineElement} */ (box.firstElementChild);
    cell.node.replaceChildren(box);
  }
  const points = linePoints(closes, WIDTH, HEIGHT);
  if (points !== cell.shown) cell.line.setAttribute("points", (cell.shown = points));
  const tone = words.direction(quote.change);
  if (tone !== cell.tone) cell.node.className = `live ${(cell.tone = tone)}`;
}
