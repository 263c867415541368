// @ts-check
// The head of one chart of the Compare page: its instrument and timeframe to choose, the last price, what else can be done.

import { TIMEFRAMES } from "../live/view.mjs";
import { icon, make, write } from "../page/dom.mjs";
import * as words from "../page/words.mjs";

/** The list of instruments that every head shares. */
export const LIST = "compare-instruments";

export class Head {
  /** @param {import("./cell.mjs").Cell} cell */
  constructor(cell) {
    const { page } = cell;
    this.cell = cell;
    this.symbol = make("input", { class: "cell-symbol", list: LIST, autocomplete: "off", spellcheck: "false", maxlength: 60, title: "Type another instrument (Enter on the chart)" });
    this.timeframe = make("select", { class: "select cell-timeframe" }, TIMEFRAMES.map((name) => make("option", { value: name, text: name })));
    this.price = make("b", { class: "cell-price" });
    this.change = make("span", { class: "cell-change" });
    this.open = make("button", { class: "icon-button", type: "button", text: "↗" });
    this.close = make("button", { class: "icon-button", type: "button" }, [icon("close")]);
    this.node = make("div", { class: "cell-head" }, [this.symbol, this.timeframe, this.price, this.change, make("span", { class: "grow" }), this.open, this.close]);

    const commit = () => {
      const text = this.symbol.value.trim();
      if (!text || text === cell.symbol) this.symbol.value = cell.symbol;
      else page.replace(cell, text);
    };
    this.symbol.addEventListener("focus", () => {
      page.offer();
      this.symbol.select();
    });
    this.symbol.addEventListener("change", commit);
    this.symbol.addEventListener("input", (/** @type {InputEvent} */ event) => {
      // Of the list, not typed.
      if (!event.inputType || event.inputType === "insertReplacementText") commit();
    });
    this.symbol.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      if (event.key !== "Escape" && event.key !== "Enter") return;
      event.preventDefault();
      event.stopPropagation();
      if (event.key === "Enter") commit();
      else this.symbol.value = cell.symbol;
      cell.place.focus({ preventScroll: true });
    });
    this.timeframe.addEventListener("change", () => page.retime(cell, this.timeframe.value));
    this.open.addEventListener("click", () => page.open(cell));
    this.close.addEventListener("click", () => page.remove(cell));
  }

  /** @param {string} symbol @param {string} timeframe */
  name(symbol, timeframe) {
    this.symbol.value = symbol;
    this.symbol.style.width = `${Math.min(Math.max(symbol.length + 2, 6), 14)}ch`;
    this.timeframe.value = timeframe;
    for (const [node, text] of /** @type {[HTMLElement, string][]} */ ([
      [this.symbol, `Instrument, ${symbol} now`],
      [this.timeframe, `Timeframe of ${symbol}`],
      [this.open, `${symbol} on the dashboard`],
      [this.close, `Remove ${symbol}`],
    ])) {
      node.setAttribute("aria-label", text);
      if (node instanceof HTMLButtonElement) node.title = text;
    }
    this.cell.node?.setAttribute("aria-label", `${symbol}, ${timeframe}`);
    write(this.price, "");
    write(this.change, "");
  }

  /** @param {boolean} only whether there is no other chart, and whether all have one timeframe @param {boolean} one */
  allow(only, one) {
    this.close.disabled = only;
    this.timeframe.disabled = one;
  }

  /** Choose another instrument. */
  edit() {
    this.symbol.focus();
  }

  /** @param {any} ticker */
  paint(ticker) {
    if (!ticker) return;
    write(this.price, words.price(ticker.price, ticker.decimals));
    const change = ticker.change_percent;
    write(this.change, change == null ? "" : `${words.arrow(change)} ${words.percent(change)}%`);
    const way = words.direction(change);
    if (this.change.dataset.tone !== way) this.change.dataset.tone = way;
    const stale = ticker.stale && ticker.age_ms != null;
    this.node.classList.toggle("stale", ticker.stale);
    const title = stale ? `The price is ${words.age(ticker.age_ms)} old` : "";
    if (this.price.title !== title) this.price.title = title;
  }
}
