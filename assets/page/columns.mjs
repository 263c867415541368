// @ts-check
// The watchlist's columns by choice: the menu at the list's head, their order, widths and sort, kept for the user.

import { make, menuOf } from "./dom.mjs";

const NAME = "list";
/** Where the list is too narrow for a fourth column, unless the user has chosen. */
const TIGHT = matchMedia("(min-width: 701px) and (max-width: 1100px)");
const [NARROWEST, WIDEST] = [30, 800];
/** Columns whose name on the server is another one, and those that have no value for a file. */
const KEPT = { last: "price", range: "day_range" };
const DRAWN = new Set(["trend", "volatility", "range", "year_range"]);

/** @param {any} api the grid's @returns {string[]} the columns that are shown, left to right */
const shown = (api) => api.getAllDisplayedColumns().map((/** @type {any} */ one) => one.getColId());
/** The shown columns as dashboard/workbench/watchlists.py names them. @param {any} api @returns {string[]} */
export const keptColumns = (api) => shown(api).map((id) => KEPT[id] ?? id);
/** Those of them that a file can have. @param {any} api @returns {string[]} */
export const exported = (api) => shown(api).filter((id) => !DRAWN.has(id)).map((id) => KEPT[id] ?? id);

/**
 * What is kept, as far as it makes sense for the columns there are.
 * @param {any} kept whatever the storage had @param {Set<string>} known ids of the columns
 * @returns {{columns: {id: string, shown: boolean, width: number | null}[] | null, sort: {id: string, way: "asc" | "desc"}[]}}
 */
export function readable(kept, known) {
  const once = new Set();
  const fits = (/** @type {any} */ one) => one && known.has(one.id) && !once.has(one.id) && Boolean(once.add(one.id));
  const columns = Array.isArray(kept?.columns)
    ? kept.columns.filter(fits).map((/** @type {any} */ one) => ({
        id: one.id,
        shown: one.shown === true,
        width: one.width >= NARROWEST && one.width <= WIDEST ? one.width : null,
      }))
    : null;
  once.clear();
  const sort = Array.isArray(kept?.sort)
    ? kept.sort.filter((/** @type {any} */ one) => ["asc", "desc"].includes(one?.way) && fits(one)).map((/** @type {any} */ { id, way }) => ({ id, way }))
    : [];
  return { columns: columns?.length ? columns : null, sort };
}

/** @param {any} api the grid's @param {import("./kept.mjs").Kept} kept */
export function columns(api, kept) {
  const button = document.getElementById("columns-button");
  const menu = document.getElementById("columns-menu");
  if (!button || !menu || menu.firstChild) return;
  /** As the layout has them, for the button that gives them back. */
  const first = api.getColumnState();
  const ids = new Set(first.map((/** @type {any} */ one) => one.colId));
  let { columns: chosen, sort } = readable(kept.read(NAME), ids);
  const keep = () => kept.write(NAME, chosen || sort.length ? { columns: chosen, sort } : null);

  /** Remember columns as they are now. */
  const keepColumns = () => {
    chosen = api.getColumnState().map((/** @type {any} */ one) => ({ id: one.colId, shown: !one.hide, width: one.flex == null ? one.width : null }));
    keep();
  };
  const fit = () => chosen ?? api.setColumnsVisible(["trend"], !TIGHT.matches);
  if (chosen) {
    const state = chosen.map(({ id, shown, width }) => ({ colId: id, hide: id !== "symbol" && !shown, ...(width && { width, flex: null }) }));
    api.applyColumnState({ state, applyOrder: true });
  }
  if (sort.length) api.applyColumnState({ state: sort.map(({ id, way }, at) => ({ colId: id, sort: way, sortIndex: at })) });
  TIGHT.addEventListener("change", fit);
  fit();

  const byUser = (/** @type {any} */ event) => event.finished && event.source !== "api" && event.source !== "flex";
  api.addEventListener("columnMoved", (/** @type {any} */ event) => byUser(event) && keepColumns());
  api.addEventListener("columnResized", (/** @type {any} */ event) => byUser(event) && keepColumns());
  api.addEventListener("sortChanged", () => {
    sort = api
      .getColumnState()
      .filter((/** @type {any} */ one) => one.sort)
      .sort((/** @type {any} */ a, /** @type {any} */ b) => (a.sortIndex ?? 0) - (b.sortIndex ?? 0))
      .map((/** @type {any} */ one) => ({ id: one.colId, way: one.sort }));
    keep();
  });

  api.addEventListener("bodyScroll", (/** @type {any} */ { direction, left }) => {
    if (direction === "horizontal") document.getElementById("watchlist")?.classList.toggle("slid", left > 0);
  });

  /** @type {Map<string, HTMLInputElement>} */
  const boxes = new Map();
  const show = () => {
    for (const [id, box] of boxes) box.checked = api.getColumn(id).isVisible();
  };
  const items = first.filter((/** @type {any} */ one) => one.colId !== "symbol").map(({ colId }) => {
    const box = make("input", { type: "checkbox", "data-column": colId });
    boxes.set(colId, box);
    box.addEventListener("change", () => {
      // Nobody sees why a list is in the order of a column that is not there.
      if (!box.checked && api.getColumn(colId).getSort()) api.applyColumnState({ state: [{ colId, sort: null }] });
      api.setColumnsVisible([colId], box.checked);
      if (box.checked) api.ensureColumnVisible(colId);
      keepColumns();
    });
    return make("label", { class: "menu-item" }, [box, api.getColumnDef(colId).headerName]);
  });
  const back = make("button", { type: "button", class: "menu-item", text: "Defaults", title: "The usual columns, widths and order" });
  back.addEventListener("click", () => {
    api.applyColumnState({ state: first, applyOrder: true });
    chosen = null;
    sort = [];
    keep();
    fit();
    show();
  });
  menu.append(
    make("div", { class: "menu-items", role: "group", "aria-label": "Columns of the watchlist" }, items),
    make("div", { class: "menu-foot" }, [back, make("p", { class: "faint", text: "Drag a heading to move it, its edge to widen it." })]),
  );
  menuOf(button, menu, show);
  walk(menu);
}

/** Arrows, Home and End move in a menu; Enter in a box does what Space does. @param {HTMLElement} menu */
export function walk(menu) {
  menu.addEventListener("keydown", (event) => {
    const all = /** @type {HTMLElement[]} */ ([...menu.querySelectorAll("input, button:not(:disabled), a")]);
    const at = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to != null) all[(to + all.length) % all.length].focus();
    else if (event.key === "Enter" && event.target instanceof HTMLInputElement) event.target.click();
    else return;
    event.preventDefault();
  });
}
