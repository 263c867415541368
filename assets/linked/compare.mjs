// @ts-check
// The Compare page: its controls, its address, and when it is awake: while it is shown. What its charts do is `page.mjs`'s.

import { plotly } from "../chart/library.mjs";
import { put } from "../live/address.mjs";
import { stream } from "../live/socket.mjs";
import { element, icon, make, write } from "../page/dom.mjs";
import { PAGE } from "../page/viewpages.mjs";
import * as words from "../page/words.mjs";
import { layoutFor } from "./arrangement.mjs";
import { ComparePage } from "./page.mjs";
import { own, read, written } from "./state.mjs";

/** The address follows charts that are moved at most so often: browsers take a hundred changes in half a minute. */
const WRITE_MS = 1_000;
/** Charts where nothing is asked for. */
const FIRST = 4;

/** @param {{market: any, view: any, pages: import("../page/pages.mjs").Pages}} page */
export async function comparePage({ market, view, pages }) {
  const message = await element("#compare-message");
  const grid = await element("#compare-grid");
  const [layout, one, type] = /** @type {HTMLSelectElement[]} */ (await Promise.all(["layout", "one", "type"].map((name) => element(`#compare-${name}`))));
  const [crossed, ranged, live, add, zone] = await Promise.all(["cross", "range", "live", "add", "zone"].map((name) => element(`#compare-${name}`)));
  const known = new Set(market.symbols);
  const others = market.symbols.filter((/** @type {string} */ symbol) => symbol !== view.symbol);
  const charts = [view.symbol, ...others].slice(0, FIRST).map((symbol) => ({ symbol, timeframe: view.timeframe }));
  /** @type {import("./state.mjs").State} */
  const first = { layout: layoutFor(charts.length), charts, one: "", type: type.value, cross: true, range: true, ranges: [] };

  /** Say what is wrong above the charts, until somebody has read it. @param {string[]} sentences */
  const tell = (sentences) => {
    const close = make("button", { class: "icon-button", type: "button", "aria-label": "Dismiss" }, [icon("close")]);
    close.addEventListener("click", () => tell([]));
    message.replaceChildren(...(sentences.length ? [make("div", {}, sentences.map((text) => make("p", { text }))), close] : []));
  };
  /** What the address asks for; what there is not is told, a sentence each. */
  const asked = () => {
    const { state, faults } = read(own(new URLSearchParams(location.search)), { known: (symbol) => known.has(symbol), first });
    if (faults.length) tell(faults);
    return state;
  };
  const state = asked();

  let timer = 0;
  const here = () => pages.shown === "compare" && location.pathname === "/compare";
  /** @param {"push" | "replace"} how */
  const address = (how) => {
    clearTimeout(timer);
    timer = 0;
    if (!here()) return;
    const query = written(page.now());
    if (query.toString() !== new URLSearchParams(location.search).toString()) put(query, how);
  };
  const changed = (/** @type {"charts" | "range"} */ what) => {
    show();
    if (what === "charts") address("push");
    else if (!timer) timer = window.setTimeout(() => address("replace"), WRITE_MS);
  };
  const open = (/** @type {string} */ symbol, /** @type {string} */ timeframe) => pages.open(symbol, { timeframe });
  const page = new ComparePage({ market, stream, grid, state, changed, open });

  /** Show in the controls what is. */
  const show = () => {
    const { state: now } = page;
    layout.value = String(now.layout);
    one.value = now.one;
    type.value = now.type;
    crossed.setAttribute("aria-pressed", String(now.cross));
    ranged.setAttribute("aria-pressed", String(now.range));
    /** @type {HTMLButtonElement} */ (add).disabled = now.charts.length >= Number(layout.options[layout.options.length - 1].value);
    live.hidden = !page.cells.some((cell) => cell.range !== null);
    write(zone, words.zone(market.now()));
  };
  const apply = (/** @type {import("./state.mjs").State} */ asking) => {
    page.apply(asking);
    show();
    address("replace");
  };

  layout.addEventListener("change", () => page.lay(Number(layout.value)));
  one.addEventListener("change", () => page.edit({ one: one.value }));
  type.addEventListener("change", () => page.edit({ type: type.value }));
  crossed.addEventListener("click", () => page.linkCross(!page.state.cross));
  ranged.addEventListener("click", () => page.link(!page.state.range));
  live.addEventListener("click", () => page.home(null));
  add.addEventListener("click", () => page.add());
  document.addEventListener("tickboard:zone", show);
  setInterval(() => page.active && !document.hidden && page.tick(), 1000);
  addEventListener("pagehide", () => address("replace"));

  const look = () => {
    const shown = here();
    // Another address than the one that was left, or none: the page is as it was then.
    if (shown && String(own(new URLSearchParams(location.search)))) apply(asked());
    else if (shown) address("replace");
    page.wake(shown);
  };
  pages.on(look);
  addEventListener("popstate", () => here() && page.active && look());
  apply(state);
  page.wake(here());
  window["tickboardCompare"] = page;
  let told = false;
  void plotly((sentence) => {
    if (sentence || told) tell(sentence ? [sentence] : []);
    told = Boolean(sentence);
  }).then((Plotly) => page.begin(Plotly));
  return {
    /** An answer of the callback. @param {any} answer */
    take: (answer) => page.asker.take(answer),
    /** All that is shown, as a view has it. */
    query() {
      const query = written(page.now());
      query.set("page", PAGE);
      return query;
    },
  };
}
