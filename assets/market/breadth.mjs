// @ts-check
// Breadth: how many go up and down, of the whole market and of each class; how many stand over their means; new highs and lows.

import { make } from "../page/dom.mjs";
import { replace } from "./rows.mjs";
import { CLASSES, windowTitle } from "./titles.mjs";

/** @param {HTMLElement} body @param {any} answer */
export function breadth(body, answer) {
  const { all, classes, periods } = answer;
  const names = Object.keys(classes);
  /** @type {[string, any][]} */
  const lines = [["All", all], ...(names.length > 1 ? names.map((name) => /** @type {[string, any]} */ ([CLASSES[name] ?? name, classes[name]])) : [])];
  replace(
    body,
    make("table", { class: "breadth-table" }, [
      make("caption", { class: "read-only-to-readers", text: "Advancing, unchanged and declining instruments" }),
      make("thead", {}, [
        make("tr", {}, [
          make("th", { scope: "col" }, [make("span", { class: "read-only-to-readers", text: "Class" })]),
          make("th", { scope: "col", class: "num", text: "▲ Up" }),
          make("td", { "aria-hidden": "true" }),
          make("th", { scope: "col", class: "num", text: "▼ Down" }),
          make("th", { scope: "col", class: "num", text: "Same" }),
          ...(all.unknown ? [make("th", { scope: "col", class: "num", text: "Unknown" })] : []),
        ]),
      ]),
      make("tbody", {}, lines.map(([name, one]) => line(name, one, all.unknown > 0))),
    ]),
    make("div", { class: "breadth-facts" }, [
      ...periods.map((/** @type {number} */ days, /** @type {number} */ at) => share(`Over their ${days}-day mean`, ...pair(all.above[at]))),
      share("New highs of the window", all.new_highs, all.covered),
      share("New lows of the window", all.new_lows, all.covered),
    ]),
  );
  return windowTitle(answer.window);
}

/** @param {string} name @param {any} one @param {boolean} unknown whether there is a column for those */
function line(name, one, unknown) {
  const known = one.advancing + one.declining + one.unchanged;
  const part = (/** @type {string} */ kind, /** @type {number} */ count) => {
    const piece = make("i", { class: kind });
    piece.style.flexGrow = String(count);
    return piece;
  };
  const count = (/** @type {number} */ value) => make("td", { class: "num", text: String(value) });
  return make("tr", {}, [
    make("th", { scope: "row", text: name }),
    count(one.advancing),
    make("td", { class: "breadth-cell", "aria-hidden": "true" }, [
      make("div", { class: "breadth-bar" }, known ? [part("advancing", one.advancing), part("unchanged", one.unchanged), part("declining", one.declining)] : []),
    ]),
    count(one.declining),
    count(one.unchanged),
    ...(unknown ? [count(one.unknown)] : []),
  ]);
}

/** A share with its bar and what it is of. @param {string} title @param {number} part @param {number} of */
function share(title, part, of) {
  const percent = of ? Math.round((part / of) * 100) : 0;
  const bar = make("i");
  bar.style.width = `${percent}%`;
  return make("div", { class: "share" }, [
    make("span", { text: title }),
    make("b", { class: "num", text: of ? `${percent}%` : "–" }),
    make("span", { class: "share-bar", "aria-hidden": "true" }, [bar]),
    make("span", { class: "num muted", text: of ? `${part} of ${of}` : "not enough history" }),
  ]);
}

/** @param {number[]} given @returns {[number, number]} */
function pair(given) {
  return [given[0], given[1]];
}
