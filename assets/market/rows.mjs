// @ts-check
// Tables of the Market page: an instrument's link, and rows that lead to its chart wherever they are clicked.

import { make } from "../page/dom.mjs";
import * as words from "../page/words.mjs";
import { moved, staleness } from "./shade.mjs";

/** A link to an instrument's chart. @param {any} row */
export function link(row) {
  return make("a", { href: `/?symbol=${encodeURIComponent(row.symbol)}`, "data-symbol": row.symbol, title: row.name, text: row.symbol });
}

/** The cell of the price, with its age where it is stale. @param {any} row */
export function priceCell(row) {
  const age = staleness(row);
  return make("td", { class: "num", title: age || null }, [
    words.price(row.price, row.decimals),
    ...(age ? [make("span", { class: "read-only-to-readers", text: `, ${age}` })] : []),
  ]);
}

/** The cell of the change. @param {number | null} change */
export function changeCell(change) {
  return make("td", { class: `num ${words.direction(change)}`, text: moved(change) });
}

/**
 * A table. @param {string} caption for readers @param {[string, boolean][]} columns title, whether numbers
 * @param {HTMLElement[]} rows
 */
export function table(caption, columns, rows) {
  return make("table", { class: "market-table" }, [
    make("caption", { class: "read-only-to-readers", text: caption }),
    make("thead", {}, [make("tr", {}, columns.map(([title, number]) => make("th", { scope: "col", class: number ? "num" : null, text: title })))]),
    make("tbody", {}, rows),
  ]);
}

/** Put `made` in the place of what `body` holds; the focus stays on the instrument it was on. @param {HTMLElement} body @param {HTMLElement[]} made */
export function replace(body, ...made) {
  const held = /** @type {HTMLElement | null} */ (document.activeElement);
  const list = body.contains(held) ? held?.closest("[data-list]") : null;
  const name = /** @type {HTMLElement | null} */ (list)?.dataset.list;
  const symbol = body.contains(held) ? held?.dataset.symbol : undefined;
  body.replaceChildren(...made);
  if (!symbol) return;
  const scope = name ? body.querySelector(`[data-list="${name}"]`) : body;
  /** @type {HTMLElement | null} */ (scope?.querySelector(`a[data-symbol="${CSS.escape(symbol)}"]`))?.focus({ preventScroll: true });
}
