// @ts-check
// Tables of the Market page: an instrument's link, and rows that lead to its chart wherever they are clicked.

import { make } from "../page/dom.mjs";
import * as words from "../page/words.mjs";
import { moved, staleness } from "./shade.mjs";

/** The head of a row: a link to the instrument's chart, and the age of its price where that is stale. @param {any} row */
export function nameCell(row) {
  const age = staleness(row);
  return make("th", { scope: "row" }, [
    make("a", { href: `/?symbol=${encodeURIComponent(row.symbol)}`, "data-symbol": row.symbol, title: row.name, text: row.symbol }),
    ...(age ? [" ", make("span", { class: "row-age", text: age })] : []),
  ]);
}

/** The cell of the price. @param {any} row */
export function priceCell(row) {
  return make("td", { class: "num", text: words.price(row.price, row.decimals) });
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

/** What scrolls by itself in a panel. */
const SCROLLED = ".market-scroll, .movers";

/**
 * Put `made` in the place of what `body` holds. What was scrolled stays so, and the focus stays on the instrument it was on,
 * or where that is not in its list any more, on the one in its place.
 * @param {HTMLElement} body @param {HTMLElement[]} made
 */
export function replace(body, ...made) {
  const places = [...body.querySelectorAll(SCROLLED)].map((one) => ({ left: one.scrollLeft, top: one.scrollTop, held: one === document.activeElement }));
  const held = focused(body);
  body.replaceChildren(...made);
  [...body.querySelectorAll(SCROLLED)].forEach((one, at) => {
    if (!places[at]) return;
    one.scrollLeft = places[at].left;
    one.scrollTop = places[at].top;
    if (places[at].held) /** @type {HTMLElement} */ (one).focus({ preventScroll: true });
  });
  if (!held) return;
  const links = linksOf(body, held.list);
  const same = links.find((one) => one.dataset.symbol === held.symbol) ?? links[Math.min(held.at, links.length - 1)];
  same?.focus({ preventScroll: true });
}

/** The link that has the focus: in which list, of what, and where in it. @param {HTMLElement} body */
function focused(body) {
  const held = /** @type {HTMLElement | null} */ (document.activeElement);
  if (!held?.dataset.symbol || !body.contains(held)) return null;
  const list = /** @type {HTMLElement | null} */ (held.closest("[data-list]"))?.dataset.list ?? "";
  return { list, symbol: held.dataset.symbol, at: linksOf(body, list).indexOf(held) };
}

/** @param {HTMLElement} body @param {string} list @returns {HTMLElement[]} */
function linksOf(body, list) {
  return [...body.querySelectorAll(`${list && `[data-list="${list}"]`} a[data-symbol]`)].map((one) => /** @type {HTMLElement} */ (one));
}
