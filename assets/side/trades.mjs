// @ts-check
// Time and sales of the shown instrument: newest on top, with direction and a filter by size. It stands still while its
// reader has scrolled back, and counts what came meanwhile.

import { onFrame } from "../live/frame.mjs";
import { Tape } from "../live/tape.mjs";
import { element, make, write } from "../page/dom.mjs";
import { PanelState } from "../page/panelstate.mjs";
import * as words from "../page/words.mjs";
import { TickRule } from "./direction.mjs";
import { Rows } from "./rows.mjs";

const HEIGHT = 22;
/** Trades kept at most; the oldest go some at a time, since that writes the rows in view anew. */
const MOST = 5_000;
const AT_ONCE = 500;

/** @typedef {{seq: number, price: number, size: number | null, ts: number, side: number, hole: boolean}} Trade */

/**
 * The trades, and those of them that are shown: of a size, up to where the reader stopped. Rows keep their numbers while
 * the oldest go.
 */
export class Shown {
  constructor() {
    this.least = 0;
    this.begin();
  }

  begin() {
    this.rule = new TickRule();
    /** @type {Trade[]} */
    this.trades = [];
    /** @type {Trade[]} those of the size */
    this.fitting = [];
    this.first = 0;
    /** Where the reader stopped; null while the list goes on. @type {number | null} */
    this.stopped = null;
  }

  /** @param {import("../live/tape.mjs").Tick[]} rows @param {boolean} hole */
  add(rows, hole) {
    if (hole) this.rule.forget();
    rows.forEach(([seq, price, size, , , ts], at) => {
      const trade = { seq, price, size, ts, side: this.rule.of(price), hole: hole && at === 0 };
      this.trades.push(trade);
      if (this.fits(trade)) this.fitting.push(trade);
    });
    // Who reads old ones keeps them, but not without end.
    const most = this.stopped === null ? MOST : 2 * MOST;
    if (this.trades.length > most + AT_ONCE) {
      const gone = new Set(this.trades.splice(0, this.trades.length - most));
      const left = this.fitting.findIndex((trade) => !gone.has(trade));
      const less = left < 0 ? this.fitting.length : left;
      this.fitting.splice(0, less);
      this.first += less;
    }
  }

  /** @param {Trade} trade */
  fits(trade) {
    return trade.hole || this.least === 0 || (trade.size ?? 0) >= this.least;
  }

  /** @param {number} least */
  filter(least) {
    this.least = least;
    this.fitting = this.trades.filter((trade) => this.fits(trade));
    this.first = 0;
    this.stopped = null;
  }

  get newest() {
    return this.first + this.fitting.length;
  }

  get end() {
    return this.stopped === null ? this.newest : Math.max(this.stopped, this.first);
  }

  /** How many came since the reader stopped. */
  get missed() {
    return this.newest - this.end;
  }

  /** @param {number} number */
  at(number) {
    return this.fitting[number - this.first];
  }
}

/** What was typed as the least size: a number from 0 on, empty for 0; null for anything else. @param {string} text */
export function sizeOf(text) {
  const plain = text.trim().replace(/,/g, "");
  if (plain === "") return 0;
  const value = /^\d*\.?\d+(e\d{1,3})?$|^\d+\.$/i.test(plain) ? Number(plain) : NaN;
  return Number.isFinite(value) ? value : null;
}

/**
 * @param {{market: any, view: any, stream: any}} page
 * @returns {Promise<import("./tabs.mjs").Tab & {all: () => number[][]}>} `all`: [seq, price] of every trade kept here, for scripts
 */
export async function trades({ market, view, stream }) {
  const place = await element("#trades-panel");
  const least = /** @type {HTMLInputElement} */ (make("input", { class: "field", id: "trades-least", inputmode: "decimal", autocomplete: "off", placeholder: "any", "aria-describedby": "trades-wrong" }));
  const counted = make("span", { class: "faint num", id: "trades-count" });
  const wrong = make("p", { class: "panel-message", id: "trades-wrong", role: "alert" });
  const state = new PanelState(() => void tape.look());
  const list = make("div", { class: "trades-list", role: "table", "aria-label": "Trades, newest first" });
  const scroller = make("div", { class: "trades-scroller", tabindex: "0", role: "group", "aria-label": "Trades, newest first: arrows scroll, Home follows the newest" }, [list]);
  const empty = make("p", { class: "tab-note" });
  const fresh = make("button", { type: "button", class: "button primary trades-new", hidden: true });
  place.replaceChildren(
    make("div", { class: "tab-bar" }, [make("label", { for: "trades-least", text: "Size from" }), least, make("span", { class: "grow" }), counted]),
    wrong,
    state.node,
    make("div", { class: "trade trades-head", "aria-hidden": "true" }, [
      make("span", { text: "Time" }),
      make("span", { class: "num", text: "Price" }),
      make("span", { class: "num", text: "Size" }),
    ]),
    make("div", { class: "trades-box" }, [scroller, fresh]),
    empty,
    make("p", { class: "tab-note", text: "▲ begun by a buyer, ▼ by a seller: the tick test of Lee and Ready (1991), from prices alone." }),
  );

  const shown = new Shown();
  let decimals = 2;
  let loaded = false;
  let failed = "";
  let anew = true;
  let seen = false;
  const rows = new Rows(scroller, list, HEIGHT, {
    make: () => make("div", { class: "trade", role: "row" }, ["time", "price num", "size num"].map((name) => make("span", { class: name, role: "cell" }))),
    fill(node, /** @type {Trade} */ trade) {
      const [time, price, size] = node.children;
      const direction = words.direction(trade.side);
      node.className = `trade ${direction}${trade.hole ? " hole" : ""}`;
      node.title = trade.hole ? "Trades may be missing before this one: they came while the line was away and are not kept any more" : "";
      write(time, `${words.time(trade.ts)}.${String(Math.floor(trade.ts % 1000)).padStart(3, "0")}`);
      write(price, `${words.arrow(trade.side)} ${words.price(trade.price, decimals)}`);
      write(size, words.short(trade.size));
      size.title = trade.size == null ? "A quote: nothing was traded" : trade.size.toLocaleString("en-US", { maximumFractionDigits: 12 });
    },
  });

  const paint = () => {
    if (!seen) return;
    rows.draw(shown, anew);
    anew = false;
    fresh.hidden = shown.missed === 0;
    if (shown.missed) write(fresh, `${shown.missed.toLocaleString("en-US")} new`);
    write(counted, shown.fitting.length ? shown.fitting.length.toLocaleString("en-US") : "");
    write(empty, nothing());
    empty.hidden = empty.textContent === "";
  };
  const nothing = () => {
    if (shown.fitting.length || failed) return "";
    if (!loaded) return `Reading the trades of ${view.symbol} …`;
    if (shown.trades.length) return `None of the ${shown.trades.length.toLocaleString("en-US")} trades kept here has this size.`;
    return `Not enough data: no trade of ${view.symbol} has come yet.`;
  };
  const tape = new Tape({
    stream,
    market,
    heard: {
      begin() {
        shown.begin();
        loaded = false;
        state.wait();
        anew = true;
        scroller.scrollTop = 0;
        decimals = market.get(view.symbol)?.decimals ?? 2;
        onFrame(paint);
      },
      rows(news, hole) {
        loaded = true;
        shown.add(news, hole);
        onFrame(paint);
      },
      failed(sentence) {
        failed = sentence;
        state.fail(sentence && `The trades of ${view.symbol} could not be read: ${sentence}`);
        onFrame(paint);
      },
    },
  });
  const follow = () => {
    shown.stopped = null;
    scroller.scrollTop = 0;
    onFrame(paint);
  };
  scroller.addEventListener("scroll", () => {
    const back = scroller.scrollTop >= HEIGHT / 2;
    if (back && shown.stopped === null) shown.stopped = shown.newest;
    if (!back) shown.stopped = null;
    onFrame(paint);
  });
  fresh.addEventListener("click", () => {
    follow();
    scroller.focus();
  });
  least.addEventListener("input", () => {
    const size = sizeOf(least.value);
    write(wrong, size === null ? `Size must be a number from 0 on, got ${least.value.trim().slice(0, 30)}.` : "");
    if (size === null || size === shown.least) return;
    shown.filter(size);
    anew = true;
    follow();
  });
  new ResizeObserver(() => onFrame(paint)).observe(scroller);
  return {
    show() {
      seen = true;
      // Out of sight a list forgets how far it was scrolled.
      if (scroller.scrollTop < HEIGHT / 2) shown.stopped = null;
      tape.watch(view.symbol);
      onFrame(paint);
    },
    hide() {
      seen = false;
      state.rest();
      tape.leave();
    },
    changed: () => tape.watch(view.symbol),
    tick() {},
    all: () => shown.trades.map(({ seq, price }) => [seq, price]),
  };
}
