// @ts-check
// Movers: four short lists, each row of which leads to the instrument's chart.

import { make } from "../page/dom.mjs";
import * as words from "../page/words.mjs";
import { changeCell, nameCell, priceCell, replace, table } from "./rows.mjs";
import { windowTitle } from "./titles.mjs";

/** name: title, the last column, what it says. @type {[string, string, string, (row: any) => string][]} */
const LISTS = [
  ["gainers", "Gainers", "Turnover", (row) => words.short(row.turnover)],
  ["losers", "Losers", "Turnover", (row) => words.short(row.turnover)],
  ["active", "Most active", "Turnover", (row) => words.short(row.turnover)],
  ["volatile", "Most volatile", "Volatility", (row) => (row.volatility == null ? words.percent(null) : `${row.volatility.toFixed(2)}%`)],
];
const NONE = { gainers: "Nothing has gained.", losers: "Nothing has lost.", active: "Nothing was traded.", volatile: "Nothing has moved." };

/** @param {HTMLElement} body @param {any} answer */
export function movers(body, answer) {
  const lists = LISTS.map(([name, title, last, say]) =>
    make("section", { class: "movers-list", "data-list": name, "aria-label": title }, [
      make("h3", { text: title }),
      answer[name].length
        ? table(
            title,
            [["Symbol", false], ["Last", true], ["Change", true], [last, true]],
            answer[name].map((/** @type {any} */ row) =>
              make("tr", { class: row.stale ? "stale" : null, "data-symbol": row.symbol }, [
                nameCell(row),
                priceCell(row),
                changeCell(row.change),
                make("td", { class: "num muted", text: say(row) }),
              ]),
            ),
          )
        : make("p", { class: "muted", text: NONE[name] }),
    ]),
  );
  replace(body, make("div", { class: "movers" }, lists));
  return windowTitle(answer.window);
}
