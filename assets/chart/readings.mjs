// @ts-check
// How values of indicators read: in the legends and beside the crosshair. Pure.

import { label } from "../indicators/choice.mjs";
import * as words from "../page/words.mjs";
import { toned } from "./panes.mjs";

/** @typedef {import("../indicators/studies.mjs").Shown} Shown */

/** A value in its words; – for none. @param {string | number} digits as dashboard/ui/studies.py says, or so many @param {number} value @param {number} decimals of the instrument's prices */
export function reading(digits, value, decimals) {
  const found = Number.isFinite(value) ? value : null;
  if (digits === "volume") return words.short(found);
  const places = typeof digits === "number" ? digits : { price: decimals, finer: Math.min(decimals + 1, 8) }[digits] ?? 2;
  return words.price(found, places);
}

/**
 * The parts of a legend for one indicator at a row: its name, then each output in the colour of its line; those of a band
 * as one.
 * @param {Shown} shown @param {number[][]} rows @param {number} index @param {number} decimals
 * @param {boolean} [brief] without the names of outputs
 * @returns {import("./legend.mjs").Part[]}
 */
export function readings(shown, rows, index, decimals, brief = false) {
  if (shown.read) return shown.read(index, brief);
  const { lines, digits, pane } = shown.chosen.about;
  const texts = shown.study.at(rows, index).map((value) => reading(digits, value, decimals));
  if (pane === "price") return [{ name: label(shown.chosen), text: texts.join(" "), token: toned(shown, 0) }];
  return texts.map((text, output) => {
    const { draw, label: said = "" } = lines[output] ?? {};
    const name = output === 0 ? label(shown.chosen) : said;
    return { name: brief && output > 0 ? "" : name, text, token: draw === "histogram" ? "--text" : toned(shown, output) };
  });
}
