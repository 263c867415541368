// @ts-check
// The heat map as a table: for a screen reader, and for whoever would rather read numbers.

import { make } from "../page/dom.mjs";
import * as words from "../page/words.mjs";
import { changeCell, nameCell, priceCell, table } from "./rows.mjs";
import { SIZES } from "./titles.mjs";

/** @param {any} answer */
export function heatTable(answer) {
  const sized = answer.size in SIZES;
  const measure = (/** @type {any} */ one) => (sized ? [make("td", { class: "num", text: words.short(one.value) })] : []);
  const sorted = [...answer.tiles].sort((a, b) => b.weight - a.weight);
  const rows = sorted.map((one) =>
    make("tr", { class: one.stale ? "stale" : null, "data-symbol": one.symbol }, [
      nameCell(one),
      make("td", { class: "muted", text: one.name }),
      make("td", { class: "muted", text: one.class }),
      make("td", { class: "muted", text: one.sector }),
      priceCell(one),
      changeCell(one.change),
      ...measure(one),
    ]),
  );
  const others = answer.others.map((/** @type {any} */ one) =>
    make("tr", {}, [
      make("th", { scope: "row", text: `${one.count} smaller` }),
      make("td", {}),
      make("td", { class: "muted", text: one.class }),
      make("td", { class: "muted", text: one.sector }),
      make("td", { class: "num", text: words.price(null, 0) }),
      changeCell(one.change),
      ...measure(one),
    ]),
  );
  /** @type {[string, boolean][]} */
  const columns = [["Symbol", false], ["Name", false], ["Class", false], ["Sector", false], ["Last", true], ["Change", true]];
  if (sized) columns.push([SIZES[answer.size].replace(/^./, (letter) => letter.toUpperCase()), true]);
  return make("div", { class: "market-scroll", tabindex: "0", role: "region", "aria-label": "Heat map as a table" }, [
    table(`Instruments by ${sized ? SIZES[answer.size] : "name"}, largest first`, columns, [...rows, ...others]),
  ]);
}
