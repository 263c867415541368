// @ts-check
// The correlation matrix: a table, so that a screen reader walks it, in the order of the clusters' leaves.

import { make } from "../page/dom.mjs";
import * as words from "../page/words.mjs";
import { nameCell, replace } from "./rows.mjs";
import { legend, shade } from "./shade.mjs";

const MINUS = "−";

/** @param {number | null} value */
function said(value) {
  return value == null ? words.percent(null) : value.toFixed(2).replace("-", MINUS).replace(/^−(0\.00)$/, "$1");
}

/** @param {HTMLElement} body @param {any} answer */
export function correlation(body, answer) {
  const { instruments, matrix, common, least } = answer;
  const rows = instruments.map((/** @type {any} */ one, /** @type {number} */ at) =>
    make("tr", { class: one.stale ? "stale" : null }, [
      nameCell(one),
      ...matrix[at].map((/** @type {number | null} */ value, /** @type {number} */ other) =>
        make("td", {
          class: at === other ? "shade-own" : shade(value, 1),
          title: `${one.symbol} and ${instruments[other].symbol}: ${said(value)}`,
          text: said(value),
        }),
      ),
    ]),
  );
  const heads = instruments.map((/** @type {any} */ one) => make("th", { scope: "col" }, [make("span", { text: one.symbol })]));
  const table = make("table", { class: "correlation-table" }, [
    make("caption", { class: "read-only-to-readers", text: "Correlation of returns; instruments that move together stand beside each other" }),
    make("thead", {}, [make("tr", {}, [make("td"), ...heads])]),
    make("tbody", {}, rows),
  ]);
  const made = make("div", { class: "market-scroll", tabindex: "0", role: "region", "aria-label": "Correlation matrix" }, [table]);
  const [fewest, most] = common;
  const few = fewest < least ? [make("p", { class: "muted market-note", text: `– where two instruments have fewer than ${least} returns in common.` })] : [];
  replace(body, made, ...few, legend(1, "", 1, false));
  return fewest === most ? `${most} returns of ${answer.returns}` : `${fewest} to ${most} returns of ${answer.returns}`;
}
