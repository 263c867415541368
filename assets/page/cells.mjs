// @ts-check
// The watchlist's live cells: text and line written straight into the cells that the grid shows at the moment. The grid
// itself (sorting, filter, virtual rows) takes part once a second only: its transactions re-render and tell Dash each time.

import { lineBox, linePoints } from "./dom.mjs";
import { flash } from "./flash.mjs";
import * as words from "./words.mjs";

const WIDTH = 52;
const HEIGHT = 16;

/** @typedef {{node: HTMLElement, column: string, text?: Text, line?: SVGPolylineElement, shown: string, tone: string, price?: number | null}} Cell */

/** What a column says of a quote. @type {Record<string, (quote: any) => string>} */
const TEXTS = {
  change_percent: (quote) => words.percent(quote.change_percent),
  change: (quote) => words.difference(quote.change, quote.decimals),
  volume: (quote) => words.short(quote.volume),
  last: (quote) => words.price(quote.price, quote.decimals),
  bid: (quote) => words.price(quote.bid, quote.decimals),
  ask: (quote) => words.price(quote.ask, quote.decimals),
  high: (quote) => words.price(quote.high, quote.decimals),
  low: (quote) => words.price(quote.low, quote.decimals),
};
const PRICES = new Set(["last", "bid", "ask", "high", "low"]);

/** Draw a cell; touches the page only where something differs. @param {Cell} cell @param {any} quote @param {number} now */
export function draw(cell, quote, now) {
  const { node, column } = cell;
  if (!cell.text) node.replaceChildren((cell.text = document.createTextNode("")));
  const text = TEXTS[column](quote);
  if (text !== cell.shown) cell.text.data = cell.shown = text;
  const tone = PRICES.has(column) ? (quote.stale ? "stale" : "") : column === "volume" ? "" : words.direction(quote.change);
  if (tone !== cell.tone) {
    if (cell.tone) node.classList.remove(cell.tone);
    if (tone) node.classList.add(tone);
    cell.tone = tone;
  }
  if (column !== "last") return;
  if (cell.price != null && quote.price != null && quote.price !== cell.price) flash(node, quote.price > cell.price, now);
  cell.price = quote.price;
}

/** Draw a cell's line. @param {Cell} cell @param {any} quote @param {number[]} closes */
export function drawTrend(cell, quote, closes) {
  if (!cell.line) {
    const box = lineBox(WIDTH, HEIGHT);
    box.setAttribute("aria-hidden", "true");
    cell.line = /** @type {SVGPolylineElement} */ (box.firstElementChild);
    cell.node.replaceChildren(box);
  }
  cell.line.setAttribute("points", linePoints(closes, WIDTH, HEIGHT));
  const tone = words.direction(quote.change);
  if (tone !== cell.tone) cell.node.className = `live ${(cell.tone = tone)}`;
}
