// @ts-check
// Which page is seen under the header: the dashboard, the market or charts to compare. Going from one to the other keeps the connection; what
// a page needs is brought when it is first shown, and a page that is not seen does nothing.

import { element } from "./dom.mjs";
import { PanelState } from "./panelstate.mjs";
import { addressOf, isCompare } from "./viewpages.mjs";

/** As in dashboard/ui/pages.py. @type {Record<string, string>} */
const PATHS = { chart: "/", market: "/market", compare: "/compare" };
const TITLES = { chart: "", market: "Market · ", compare: "Compare · " };

/** @param {string} path */
const named = (path) => Object.keys(PATHS).find((name) => PATHS[name] === path) ?? "chart";

/**
 * @typedef {{shown: string, seen: (page: string) => Promise<void>, on: (heard: (page: string) => void) => void,
 *   open: (symbol: string, more?: Record<string, string>) => void, take: (kind: string, data: any) => void,
 *   views: {query: () => URLSearchParams, open: (query: URLSearchParams) => void}}} Pages
 */

/** @param {{view: any, market: any}} page @returns {Promise<Pages>} */
export async function pages({ view, market }) {
  const app = await element("#app");
  const tabs = await element(".bottom-tabs");
  const title = document.title;
  /** What the address of a page held when it was left. */
  const queries = { chart: "", market: "", compare: "" };
  /** @type {Set<(page: string) => void>} */
  const listeners = new Set();
  /** @type {any} */
  let marketPage = null;
  /** @type {any} */
  let comparePage = null;

  const mark = () => {
    app.dataset.page = made.shown;
    document.title = TITLES[made.shown] + title;
    for (const link of document.querySelectorAll("a[data-page]")) {
      if (/** @type {HTMLElement} */ (link).dataset.page === made.shown) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    for (const tab of tabs.querySelectorAll("button")) {
      // The way to the other pages is under "More".
      const wanted = made.shown === "chart" ? app.dataset.view : "more";
      tab.setAttribute("aria-pressed", String(tab.dataset.tab === wanted));
    }
  };
  /** Show a page, whatever the address says. @param {string} page */
  const swap = (page) => {
    if (page === made.shown) return;
    made.shown = page;
    mark();
    // Plotly and the grid measure their boxes, which were not there while hidden.
    window.dispatchEvent(new Event("resize"));
    for (const heard of listeners) heard(page);
  };
  /** Go to a page, as a link does. @param {string} page */
  const go = (page) => {
    if (page === made.shown) return;
    queries[made.shown] = location.search;
    history.pushState(null, "", PATHS[page] + queries[page]);
    swap(page);
    if (page === "chart") view.address("replace");
  };
  /** The chart of what was just chosen elsewhere: whoever chose it writes the address, of this page still. */
  const toChart = () => {
    if (made.shown === "chart") return;
    const query = location.search;
    queries[made.shown] = query;
    swap("chart");
    queueMicrotask(() => {
      if (location.pathname === PATHS.chart) return;
      const how = location.search === query ? "pushState" : "replaceState";
      history[how](null, "", PATHS.chart);
      view.address("replace");
    });
  };

  /** @type {Pages} */
  const made = {
    shown: named(location.pathname),
    seen: (page) =>
      new Promise((resolve) => {
        if (made.shown === page) resolve();
        else listeners.add((now) => now === page && resolve());
      }),
    on: (heard) => listeners.add(heard),
    /** Show an instrument's chart. */
    open(symbol, more = {}) {
      queries[made.shown] = location.search;
      history.pushState(null, "", PATHS.chart);
      swap("chart");
      view.change({ symbol, ...more });
      view.address("replace");
      document.getElementById("chart")?.focus({ preventScroll: true });
    },
    take: (kind, data) => (kind === "compare" ? comparePage?.take(data) : marketPage?.take(kind, data)),
    /** What the saved views keep and bring back: the dashboard's view, or all of the Compare page. */
    views: {
      query: () => (made.shown === "compare" && comparePage ? comparePage.query() : view.query()),
      open(query) {
        queries[made.shown] = location.search;
        if (!isCompare(query)) return view.open(query);
        history.pushState(null, "", addressOf(query));
        if (made.shown === "compare") dispatchEvent(new PopStateEvent("popstate"));
        else swap("compare");
        return undefined;
      },
    },
  };

  document.addEventListener("click", (event) => {
    const link = /** @type {HTMLElement} */ (event.target).closest?.("a[data-page]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    const menu = link.closest(".menu");
    if (menu) /** @type {HTMLElement} */ (menu.previousElementSibling).click();
    go(/** @type {HTMLElement} */ (link).dataset.page ?? "chart");
  });
  tabs.addEventListener("click", (event) => {
    const tab = /** @type {HTMLElement} */ (event.target).closest("button")?.dataset.tab;
    if (tab && tab !== "more") go("chart");
  });
  addEventListener("popstate", () => swap(named(location.pathname)));
  view.on((/** @type {any} */ now, /** @type {any} */ before) => now.symbol !== before.symbol && location.pathname !== PATHS.chart && toChart());
  document.addEventListener("tickboard:chosen", toChart);
  mark();
  void made.seen("market").then(() =>
    bring(".market-body", async () => {
      const { marketPage: begin } = await import("../market/market.mjs");
      marketPage = await begin({ market, pages: made });
    }),
  );
  void made.seen("compare").then(() =>
    bring("#compare-grid", async () => {
      const { comparePage: begin } = await import("../linked/compare.mjs");
      comparePage = await begin({ market, view, pages: made });
    }),
  );
  return made;
}

/** Bring what a page needs; where that can't be had its panels say so. @param {string} panels @param {() => Promise<void>} begin */
async function bring(panels, begin) {
  const waiting = [...document.querySelectorAll(panels)].map((body) => {
    const state = new PanelState(() => location.reload());
    body.before(state.node);
    return state;
  });
  for (const state of waiting) state.wait();
  try {
    await begin();
    for (const state of waiting) {
      state.done();
      state.node.remove();
    }
  } catch (error) {
    console.error("a page could not be begun", error);
    for (const state of waiting) state.fail("This could not be loaded.");
  }
}
