// @ts-check
// The watchlist: live rows in AG Grid, its filter, its columns, and the row of the symbol that is shown.

import { make, menuOf } from "./dom.mjs";
import * as words from "./words.mjs";

const GRID = "watchlist-grid";
const KEPT_COLUMNS = "tickboard.columns";
const FLASHED_MS = 2000;
/** Where the list is too narrow for a fourth column, unless the user has chosen. */
const TIGHT = matchMedia("(min-width: 701px) and (max-width: 1100px)");
/** A trend in the list moves so often; the price at once. */
const TREND_MS = 1000;

/**
 * @param {{market: any, view: any, sparks: import("./sparks.mjs").Sparks}} page
 */
export async function watchlist({ market, view, sparks }) {
  window["tickboardGrid"].words = words;
  const api = await gridApi();
  if (!api) return null;
  /** Whole rows: an update replaces the row's data. @type {Map<string, any>} */
  const rows = new Map();
  /** Symbols whose trend is out of date. @type {Set<string>} */
  const trends = new Set();
  const collect = () => {
    api.forEachNode((/** @type {any} */ node) => {
      if (!node.data.group && !rows.has(node.data.symbol)) rows.set(node.data.symbol, node.data);
    });
  };
  collect();
  // The grid can be there before its rows are.
  api.addEventListener("rowDataUpdated", collect);

  const row = (/** @type {string} */ symbol) => {
    const before = rows.get(symbol);
    const quote = market.get(symbol);
    if (!before || !quote) return null;
    const moved = quote.price == null || before.price == null ? 0 : quote.price - before.price;
    const now = performance.now();
    const made = { ...before, ...quote, id: before.id, symbol, trend: before.trend };
    made.flash = moved ? Math.sign(moved) : now - (before.flashed ?? 0) < FLASHED_MS ? before.flash : 0;
    made.flashed = moved ? now : before.flashed;
    rows.set(symbol, made);
    return made;
  };
  const update = (/** @type {Iterable<string>} */ symbols) => {
    const changed = [];
    for (const symbol of symbols) {
      const made = row(symbol);
      if (made) changed.push(made);
    }
    if (changed.length) api.applyTransactionAsync({ update: changed });
  };

  const mark = select(api, view);
  filter(api, view);
  chooseColumns(api);
  hideGroupsWhileSorted(api);
  let turned = 0;
  return {
    /** @param {Iterable<string>} changed */
    paint(changed) {
      const now = performance.now();
      for (const symbol of changed) trends.add(symbol);
      if (now - turned > TREND_MS) {
        turned = now;
        for (const symbol of trends) {
          const old = rows.get(symbol);
          if (old) rows.set(symbol, { ...old, trend: sparks.of(symbol).slice() });
        }
        update(new Set([...trends, ...changed]));
        trends.clear();
        return;
      }
      update(changed);
    },
    /** Prices that have become stale without any news. */
    tick() {
      // The grid forgets the selection when Dash gives it its rows once more.
      if (api.getSelectedNodes()[0]?.data.symbol !== view.symbol) mark();
      update([...rows].filter(([symbol, one]) => Boolean(market.get(symbol)?.stale) !== Boolean(one.stale)).map(([symbol]) => symbol));
    },
  };
}

/** The grid's own interface, once it is there; null where the page has no grid. */
async function gridApi() {
  for (let tries = 0; tries < 200; tries++) {
    if (window["dash_ag_grid"]?.getApiAsync && document.getElementById(GRID)) {
      return window["dash_ag_grid"].getApiAsync(GRID);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return null;
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
