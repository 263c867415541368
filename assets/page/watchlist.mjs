// @ts-check
// The watchlist: live rows in AG Grid, its filter, its columns, and the row of the symbol that is shown.

import { draw, drawTrend } from "./cells.mjs";
import { make, menuOf } from "./dom.mjs";

const GRID = "watchlist-grid";
const KEPT_COLUMNS = "tickboard.columns";
/** Where the list is too narrow for a fourth column, unless the user has chosen. */
const TIGHT = matchMedia("(min-width: 701px) and (max-width: 1100px)");
/** What the grid sorts by; a row's others never change. */
const SORTED = ["price", "change", "change_percent", "bid", "ask", "high", "low", "volume"];
const LIVE_COLUMNS = new Set(["last", "change", "change_percent", "bid", "ask", "high", "low", "volume"]);

/**
 * @param {{market: any, view: any, sparks: import("./sparks.mjs").Sparks}} page
 */
export function watchlist({ market, view, sparks }) {
  /** @type {{cells: Map<string, Set<any>>, drawn: ((cell: any, symbol: string) => void) | null}} */
  const shared = window["tickboardGrid"];
  const drawAll = (/** @type {any} */ cell, /** @type {any} */ quote, /** @type {number} */ now) => {
    if (cell.column === "trend") drawTrend(cell, quote, sparks.of(quote.symbol));
    else draw(cell, quote, now);
  };
  shared.drawn = (cell, symbol) => {
    const quote = market.get(symbol);
    if (quote) drawAll(cell, quote, performance.now());
  };
  for (const [symbol, cells] of shared.cells) for (const cell of cells) shared.drawn(cell, symbol);
  /** The grid's own interface, once its chunk has come: what is drawn into its cells does not wait for it. @type {any} */
  let api = null;
  /** What has news since the grid's own rows were last brought up to date. @type {Set<string>} */
  const behind = new Set();
  // The rows are the grid's own objects: written in place, for a transaction would draw and report every one of them.
  const follow = (/** @type {Iterable<string>} */ symbols) => {
    for (const symbol of symbols) {
      const row = api?.getRowNode(symbol)?.data;
      const quote = row && market.get(symbol);
      if (quote) for (const name of SORTED) row[name] = quote[name];
    }
  };
  let mark = () => {};
  void gridApi().then((came) => {
    api = came;
    // Rows that Dash gives once more are those of the first paint.
    api.addEventListener("rowDataUpdated", () => follow(market.symbols));
    follow(market.symbols);
    document.addEventListener("tickboard:density", () => api.resetRowHeights());
    mark = select(api, view);
    filter(api, view);
    chooseColumns(api);
    hideGroupsWhileSorted(api);
  });
  return {
    /** @param {Set<string>} changed */
    paint(changed) {
      const now = performance.now();
      for (const [symbol, cells] of shared.cells) {
        if (!changed.has(symbol)) continue;
        const quote = market.get(symbol);
        if (quote) for (const cell of cells) if (cell.column !== "trend") draw(cell, quote, now);
      }
      for (const symbol of changed) behind.add(symbol);
    },
    /** Once a second: lines, prices that have become stale without any news, and the order. */
    tick() {
      const now = performance.now();
      for (const [symbol, cells] of shared.cells) {
        const quote = market.get(symbol);
        if (quote) for (const cell of cells) drawAll(cell, quote, now);
      }
      if (!api) return;
      // The grid forgets the selection when Dash gives it its rows once more.
      if (api.getSelectedNodes()[0]?.data.symbol !== view.symbol) mark();
      if (!behind.size) return;
      follow(behind);
      behind.clear();
      const live = api.getColumnState().some((/** @type {any} */ column) => column.sort && LIVE_COLUMNS.has(column.colId));
      if (live) api.refreshClientSideRowModel("sort");
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
  const mark = () => {
    const moved = shown !== view.symbol;
    shown = view.symbol;
    api.forEachNode((/** @type {any} */ node) => {
      const on = node.data?.symbol === view.symbol;
      if (Boolean(node.isSelected()) !== on && !node.data?.group) node.setSelected(on, false);
      if (on && moved) api.ensureNodeVisible(node);
    });
  };
  view.on(mark);
  mark();
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
  field.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Escape" && field.value) {
      event.stopPropagation();
      field.value = "";
      field.dispatchEvent(new Event("input"));
    }
    if (event.key === "Enter") {
      for (let at = 0; at < api.getDisplayedRowCount(); at++) {
        const { symbol } = api.getDisplayedRowAtIndex(at).data;
        if (!symbol) continue;
        view.set({ symbol });
        break;
      }
    }
    if (event.key === "ArrowDown") {
      event.preventDefault();
      api.setFocusedCell(0, "symbol");
    }
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

/** The menu of columns; the choice is kept. @param {any} api */
function chooseColumns(api) {
  const button = document.getElementById("columns-button");
  const menu = document.getElementById("columns-menu");
  if (!button || !menu || menu.firstChild) return;
  const columns = api.getColumns().filter((/** @type {any} */ column) => column.getColId() !== "symbol");
  const kept = read();
  if (kept) {
    for (const column of columns) api.setColumnsVisible([column.getColId()], kept.includes(column.getColId()));
  } else {
    const fit = () => read() ?? api.setColumnsVisible(["trend"], !TIGHT.matches);
    TIGHT.addEventListener("change", fit);
    fit();
  }
  for (const column of columns) {
    const box = make("input", { type: "checkbox", checked: column.isVisible() });
    box.addEventListener("change", () => {
      api.setColumnsVisible([column.getColId()], box.checked);
      keep(columns.filter((/** @type {any} */ one) => one.isVisible()).map((/** @type {any} */ one) => one.getColId()));
    });
    menu.append(make("label", { class: "menu-item" }, [box, column.getColDef().headerName]));
  }
  menuOf(button, menu);
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
}

/** @returns {string[] | null} */
function read() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT_COLUMNS) ?? "null");
    return Array.isArray(kept) ? kept.filter((one) => typeof one === "string") : null;
  } catch {
    return null;
  }
}

/** @param {string[]} columns */
function keep(columns) {
  try {
    localStorage.setItem(KEPT_COLUMNS, JSON.stringify(columns));
  } catch {
    // storage can be forbidden; the choice then lasts as long as the page
  }
}
