// @ts-check
// The watchlist: live rows in AG Grid, its filter, and the row of the symbol that is shown. Columns, order, pins and the
// user's lists are in modules of their own.

import { onFrame } from "../live/frame.mjs";
import { draw, drawSlow } from "./cells.mjs";
import { columns } from "./columns.mjs";
import { make } from "./dom.mjs";
import { listing, offers } from "./listing.mjs";
import { Lists } from "./lists.mjs";
import { MEASURES } from "./measures.mjs";
import { Order } from "./order.mjs";
import { PanelState } from "./panelstate.mjs";
import { pinning } from "./pinning.mjs";
import { fill } from "./rows.mjs";
import { Yearly } from "./yearly.mjs";

const GRID = "watchlist-grid";
/** Columns that follow the closes of minutes, once a second. */
const SLOW = new Set(["trend", "volatility"]);
/** Columns drawn with every frame. The others, of which a list may have eleven, follow every `OTHERS_MS`. */
const AT_ONCE = new Set(["last", "change", "change_percent"]);
const OTHERS_MS = 200;
/** What the others wait for news that draws them, ms, before they ask for a frame of their own. */
const NEWS_MS = 120;
/** A grid that has not come by then is said not to, ms; it may come still. */
const ABSENT_MS = 10_000;
/** @type {Set<string>} */
const NONE = new Set();
/** So long a grid that is new may take until it listens, ms. */
const LISTENS_MS = 500;
const LIVE_COLUMNS = new Set([...Object.keys(MEASURES), "volatility"]);

/**
 * @param {{market: any, view: any, sparks: import("./sparks.mjs").Sparks, kept: import("./kept.mjs").Kept,
 *   pins: import("./pins.mjs").Pins, toggle: (symbol: string) => void}} page
 */
export function watchlist({ market, view, sparks, kept, pins, toggle }) {
  const box = /** @type {HTMLElement} */ (document.getElementById("watchlist"));
  /** @type {{cells: Map<string, Set<any>>, drawn: ((cell: any, symbol: string) => void) | null}} */
  const shared = window["tickboardGrid"];
  const drawAll = () => {
    const now = performance.now();
    for (const [symbol, cells] of shared.cells) {
      const quote = market.get(symbol);
      if (quote) for (const cell of cells) drawSlow(cell, quote, sparks.of(symbol), now);
    }
  };
  shared.drawn = (cell, symbol) => {
    const quote = market.get(symbol);
    if (quote) drawSlow(cell, quote, sparks.of(symbol), performance.now());
  };
  drawAll();
  /** The grid's own interface, once its chunk has come: what is drawn into its cells does not wait for it. @type {any} */
  let api = null;
  /** @type {Order | null} */
  let order = null;
  // The rows are the grid's own objects: written in place, for a transaction would draw and report every one of them. Only
  // a sort reads them.
  const fresh = () => {
    const moving = api?.getColumn("volatility")?.isVisible();
    api?.forEachNode((/** @type {any} */ { data }) => {
      const quote = data?.symbol && market.get(data.symbol);
      if (quote) fill(data, quote, moving ? sparks.of(data.symbol) : null);
    });
  };
  const yearly = new Yearly(market, () => {
    drawAll();
    fresh();
  });
  const look = () => {
    const column = api.getColumn("year_range");
    yearly.look(Boolean(column?.isVisible() || column?.getSort()));
  };
  let mark = () => {};
  const state = new PanelState(() => location.reload());
  box.before(state.node);
  state.wait();
  const absent = setTimeout(() => state.fail("The list could not be drawn: its part of the page has not come."), ABSENT_MS);
  void gridApi().then((came) => {
    clearTimeout(absent);
    state.done();
    state.node.remove();
    api = came;
    // Rows that Dash gives once more are those of the first paint.
    api.addEventListener("rowDataUpdated", fresh);
    api.addEventListener("columnVisible", fresh);
    for (const event of ["columnVisible", "sortChanged"]) api.addEventListener(event, look);
    box.before(yearly.state.node);
    for (const event of ["click", "keydown"]) box.addEventListener(event, (heard) => /** @type {Element} */ (heard.target).closest(".ag-header") && fresh(), true);
    fresh();
    document.addEventListener("tickboard:density", () => api.resetRowHeights());
    mark = select(api, view);
    filter(api, view);
    hideGroupsWhileSorted(api);
    columns(api, kept);
    const lists = new Lists(kept);
    pinning(api, box, view, pins, toggle, (symbol) => offers(lists, symbol));
    listing(api, GRID, box, { market, view, sparks, lists });
    order = new Order(api, box, LIVE_COLUMNS, fresh);
    look();
  });

  /** A list in a hidden tab draws nothing; when it is shown, all of it. */
  let seen = true;
  const show = (/** @type {boolean} */ now) => {
    if (now && !seen) drawAll();
    seen = now;
  };
  new IntersectionObserver((entries) => show(entries[entries.length - 1].isIntersecting)).observe(box);
  // A tab that is opened says so by this, a frame before the observer does.
  addEventListener("resize", () => show(box.checkVisibility()));
  /** Those on the page with news since all of their columns were drawn, and when that was. @type {Set<string>} */
  const late = new Set();
  let drawnAt = 0;
  let timer = 0;
  const paint = (/** @type {Set<string>} */ changed) => {
    if (!seen) return;
    const now = performance.now();
    const every = now - drawnAt >= OTHERS_MS;
    for (const [symbol, cells] of shared.cells) {
      const news = changed.has(symbol);
      if (news && !every) late.add(symbol);
      const quote = (news || (every && late.has(symbol))) && market.get(symbol);
      if (quote) for (const cell of cells) if (AT_ONCE.has(cell.column) || (every && !SLOW.has(cell.column))) draw(cell, quote, now);
    }
    if (every) {
      clearTimeout(timer);
      timer = 0;
      drawnAt = now;
      late.clear();
    } else if (late.size) {
      timer ||= window.setTimeout(() => onFrame(rest), drawnAt + OTHERS_MS + NEWS_MS - now);
    }
  };
  const rest = () => paint(NONE);
  return {
    paint,
    /** Once a second: lines, prices that have become stale without any news, and the order. */
    tick() {
      if (!seen) return;
      drawAll();
      if (!api) return;
      // The grid forgets the selection when Dash gives it its rows once more.
      if (api.getSelectedNodes()[0]?.data.symbol !== view.symbol) mark();
      look();
      order?.tick();
    },
  };
}

/** The grid's own interface, once it is there, however long its chunk takes. @returns {Promise<any>} */
export async function gridApi() {
  for (;;) {
    try {
      if (window["dash_ag_grid"]?.getApiAsync && document.getElementById(GRID)) return await window["dash_ag_grid"].getApiAsync(GRID);
    } catch (_late) {
      // It gives up after two minutes; the list does not.
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/**
 * When Dash's own listener of the selection may be called: before React has drawn once with the grid's interface it has
 * none, and fails in the console. Whoever comes later waits in vain, for a moment. @param {any} api
 */
async function listens(api) {
  const first = api.getGridOption("onSelectionChanged");
  const until = performance.now() + LISTENS_MS;
  while (api.getGridOption("onSelectionChanged") === first && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** A click or Enter on a row shows its symbol; the row of the shown symbol is marked. @param {any} api @param {any} view */
function select(api, view) {
  const show = (/** @type {any} */ event) => {
    const symbol = event.data?.symbol;
    if (symbol) view.set({ symbol });
  };
  api.addEventListener("rowClicked", show);
  api.addEventListener("cellKeyDown", (/** @type {any} */ event) => {
    if (event.event?.key === "Enter") show(event);
  });
  let shown = "";
  let listened = false;
  const mark = () => {
    if (!listened) return;
    const moved = shown !== view.symbol;
    shown = view.symbol;
    api.forEachNode((/** @type {any} */ node) => {
      const on = node.data?.symbol === view.symbol;
      if (Boolean(node.isSelected()) !== on && !node.data?.group) node.setSelected(on, false);
      if (on && moved) api.ensureNodeVisible(node);
    });
  };
  view.on(mark);
  void listens(api).then(() => {
    listened = true;
    mark();
  });
  api.addEventListener("rowDataUpdated", mark);
  api.addEventListener("firstDataRendered", mark);
  return mark;
}

/** The field over the list; Enter shows the first that is left. @param {any} api @param {any} view */
function filter(api, view) {
  const box = document.getElementById("watchlist-filter");
  if (!box || box.firstChild) return;
  const field = make("input", {
    class: "field",
    type: "search",
    placeholder: "Filter",
    "aria-label": "Filter the watchlist",
    autocomplete: "off",
    spellcheck: "false",
  });
  field.addEventListener("input", () => {
    window["tickboardGrid"].filtered = Boolean(field.value.trim());
    window["tickboardGrid"].refresh?.();
    api.setGridOption("quickFilterText", field.value.trim());
    count(api);
  });
  api.addEventListener("rowDataUpdated", () => count(api));
  field.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Escape" && field.value) {
      event.stopPropagation();
      field.value = "";
      field.dispatchEvent(new Event("input"));
    }
    if (event.key !== "Enter" && event.key !== "ArrowDown") return;
    event.preventDefault();
    let first = 0;
    while (api.getDisplayedRowAtIndex(first)?.data.group) first += 1;
    const row = api.getDisplayedRowAtIndex(first);
    if (!row) return;
    if (event.key === "Enter") return view.set({ symbol: row.data.symbol });
    api.ensureIndexVisible(first);
    api.setFocusedCell(first, "symbol");
  });
  box.append(field);
}

/** How many instruments are listed. @param {any} api */
function count(api) {
  let listed = 0;
  api.forEachNodeAfterFilter((/** @type {any} */ node) => {
    if (!node.data?.group) listed += 1;
  });
  const place = document.getElementById("watchlist-count");
  if (place) place.textContent = String(listed);
}

/** Group headers stand only while the list is in its own order and whole. @param {any} api */
function hideGroupsWhileSorted(api) {
  const shared = window["tickboardGrid"];
  shared.refresh = () => {
    const sorted = api.getColumnState().some((/** @type {any} */ column) => column.sort);
    const hidden = sorted || Boolean(shared.filtered);
    if (hidden === shared.groupsHidden) return;
    shared.groupsHidden = hidden;
    api.onFilterChanged();
  };
  api.addEventListener("sortChanged", shared.refresh);
  shared.refresh();
}
