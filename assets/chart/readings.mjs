// @ts-check
// How values of indicators read: in the legends and beside the crosshair. Pure.

import { label } from "../indicators/choice.mjs";
import * as words from "../page/words.mjs";
import { toned } from "./panes.mjs";

/** @typedef {import("../indicators/studies.mjs").Shown} Shown */

/** A value in its words; – for none. @param {string} digits as dashboard/ui/studies.py says @param {number} value @param {number} decimals of the instrument's prices */
export function reading(digits, value, decimals) {
  const found = Number.isFinite(value) ? value : null;
  if (digits === "volume") return words.short(found);
  const places = { price: decimals, finer: Math.min(decimals + 1, 8) }[digits] ?? 2;
  return words.price(found, places);
}

/**
 * The parts of a legend for one indicator at a row: its name, then each output in the colour of its line.
 * @param {Shown} shown @param {number[][]} rows @param {number} index @param {number} decimals
 * @returns {import("./legend.mjs").Part[]}
 */
export function readings(shown, rows, index, decimals) {
  const { lines, digits } = shown.chosen.about;
  const values = shown.study.at(rows, index);
  return values.map((value, output) => {
    const name = output === 0 ? label(shown.chosen) : shown.chosen.about.pane === "own" ? (lines[output]?.label ?? "") : "";
    const colour = lines[output]?.draw === "histogram" ? "--text" : toned(shown, output);
    return { name, text: reading(digits, value, decimals), token: colour };
  });
}
