// @ts-check
// The cards at the top, one a pinned symbol: price, change, sparkline and age, painted when their symbol has news and once
// a second.

import { lineBox, linePoints, make, write } from "./dom.mjs";
import { flash } from "./flash.mjs";
import * as words from "./words.mjs";

const WIDTH = 84;
const HEIGHT = 40;

/**
 * @param {HTMLElement} strip `#cards`, with the cards that the server drew
 * @param {{market: any, view: any, sparks: import("./sparks.mjs").Sparks, pins: import("./pins.mjs").Pins, toggle: (symbol: string) => void}} page
 */
export function cards(strip, { market, view, sparks, pins, toggle }) {
  /** Every card there was: a symbol that is pinned again has its own. @type {Map<string, ReturnType<typeof card>>} */
  const made = new Map();
  for (const node of /** @type {NodeListOf<HTMLElement>} */ (strip.querySelectorAll(".card[data-symbol]"))) {
    const symbol = node.dataset.symbol ?? "";
    made.set(symbol, card(node, symbol, market, sparks));
  }
  /** Those on the page, in their order. @type {Map<string, ReturnType<typeof card>>} */
  const shown = new Map();
  const arrange = () => {
    shown.clear();
    for (const symbol of pins.shown) {
      let one = made.get(symbol);
      if (!one) made.set(symbol, (one = card(blank(market.instruments.find((/** @type {any} */ it) => it.symbol === symbol)), symbol, market, sparks)));
      else one.refresh();
      shown.set(symbol, one);
    }
    const nodes = [...shown.values()].map((one) => one.node);
    strip.hidden = !nodes.length;
    if (strip.children.length !== nodes.length || nodes.some((node, at) => node !== strip.children[at])) strip.replaceChildren(...nodes);
  };
  arrange();
  pins.on(() => {
    const at = [...strip.children].indexOf(/** @type {Element} */ (document.activeElement));
    arrange();
    mark();
    // The next card takes the focus of the one that was unpinned.
    if (at >= 0) /** @type {HTMLElement | undefined} */ (strip.children[Math.min(at, strip.children.length - 1)])?.focus();
    else strip.lastElementChild?.scrollIntoView({ block: "nearest", inline: "nearest" });
  });
  strip.addEventListener("keydown", (event) => {
    if (!["p", "P", "Delete"].includes(event.key) || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const symbol = /** @type {HTMLElement} */ (event.target).closest?.(".card")?.getAttribute("data-symbol");
    if (!symbol) return;
    event.preventDefault();
    toggle(symbol);
  });
  strip.addEventListener("click", (event) => {
    const hit = /** @type {HTMLElement} */ (event.target).closest(".card");
    const symbol = hit && /** @type {HTMLElement} */ (hit).dataset.symbol;
    if (symbol) view.set({ symbol });
  });
  const mark = () => {
    for (const [symbol, one] of shown) one.select(symbol === view.symbol);
  };
  view.on(mark);
  mark();
  return {
    /** @param {Set<string>} changed */
    paint(changed) {
      for (const [symbol, one] of shown) if (changed.has(symbol)) one.paint();
    },
    /** Once a second: the line, and the age, which grows without news. */
    tick() {
      for (const one of shown.values()) one.tick();
    },
  };
}

/** A card as dashboard/ui/cards.py draws it, empty. @param {any} instrument @returns {HTMLElement} */
function blank({ symbol, name }) {
  const span = (/** @type {string} */ given, /** @type {Node[]} */ children = []) => make("span", { class: given }, children);
  const spark = span("spark");
  spark.setAttribute("aria-hidden", "true");
  return make("button", { class: "card", type: "button", title: name, "data-symbol": symbol, "aria-pressed": "false" }, [
    make("span", { class: "sym", text: symbol }),
    span("price"),
    span("change", [span("arrow"), span("pct"), span("diff")]),
    span("age"),
    spark,
  ]);
}

/**
 * One card. @param {HTMLElement} node @param {string} symbol @param {any} market
 * @param {import("./sparks.mjs").Sparks} sparks
 */
function card(node, symbol, market, sparks) {
  const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (node.querySelector(name));
  const [price, change, arrow, pct, diff, age, spark] = [".price", ".change", ".arrow", ".pct", ".diff", ".age", ".spark"].map(part);
  const box = lineBox(WIDTH, HEIGHT);
  const line = /** @type {SVGPolylineElement} */ (box.firstElementChild);
  spark.replaceChildren(box);
  const decimals = market.instruments?.find((/** @type {any} */ one) => one.symbol === symbol)?.decimals ?? 2;
  /** @type {number | null} */
  let before = market.get(symbol)?.price ?? null;
  let way = "";
  let drawn = "";

  const freshness = (/** @type {any} */ quote) => {
    const stale = Boolean(quote?.stale);
    if (node.classList.contains("stale") !== stale) node.classList.toggle("stale", stale);
    if (stale) write(age, quote.age_ms == null ? "no tick yet" : `no tick for ${words.age(quote.age_ms)}`);
  };
  const paint = () => {
    const quote = market.get(symbol);
    if (!quote) return;
    write(price, words.price(quote.price, decimals));
    const now = words.direction(quote.change);
    if (now !== way) {
      way = now;
      change.className = `change ${way}`;
      node.classList.toggle("is-up", way === "up");
      node.classList.toggle("is-down", way === "down");
    }
    write(arrow, words.arrow(quote.change));
    write(pct, words.percent(quote.change_percent) + (quote.change_percent == null ? "" : "%"));
    write(diff, words.difference(quote.change, decimals));
    freshness(quote);
    if (before != null && quote.price != null && quote.price !== before) flash(price, quote.price > before, performance.now());
    before = quote.price;
  };
  const tick = () => {
    const quote = market.get(symbol);
    freshness(quote);
    if (!quote) return;
    const said = `${words.price(quote.price, decimals)} at ${quote.ts == null ? words.price(null, 0) : words.time(quote.ts)}`;
    if (price.title !== said) price.title = said;
    const points = linePoints(sparks.of(symbol), WIDTH, HEIGHT);
    if (points !== drawn) line.setAttribute("points", (drawn = points));
  };
  paint();
  tick();
  return {
    node,
    paint,
    tick,
    /** After a time off the page. */
    refresh() {
      paint();
      tick();
    },
    /** @param {boolean} on */
    select(on) {
      node.classList.toggle("on", on);
      node.setAttribute("aria-pressed", String(on));
    },
  };
}
