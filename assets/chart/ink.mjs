// @ts-check
// The figure's `var(--token)` colours as the theme has them now, and times as Plotly's axis wants them.

import { offset } from "../page/zone.mjs";

const style = getComputedStyle(document.documentElement);

/** @param {string} token `--up` */
export function ink(token) {
  return style.getPropertyValue(token).trim();
}

/** @type {Map<string, string>} */
const read = new Map();

/** A token as it was when the theme was last looked at: reading one afresh brings all styles up to date. @param {string} token */
export function kept(token) {
  let found = read.get(token);
  if (found === undefined) read.set(token, (found = ink(token)));
  return found;
}

/** Look at the theme again. */
export function forget() {
  read.clear();
}

/** The same structure with every `var(--token)` replaced. @param {any} value @returns {any} */
export function inked(value) {
  if (typeof value === "string") return value.replace(/var\((--[\w-]+)\)/g, (_whole, token) => ink(token));
  if (Array.isArray(value)) return value.map(inked);
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, inked(inner)]));
  }
  return value;
}

const DAY_MS = 86_400_000;

/**
 * What is added to UTC ms so that Plotly, which knows no zones, shows the time of the user's: one offset for a whole
 * axis, that of its newest bar; none for bars of a day, whose dates are UTC.
 * @param {number} newest UTC ms @param {number} barMs
 */
export function zoneShift(newest, barMs) {
  return barMs >= DAY_MS ? 0 : offset(newest);
}

/** A date string, which Plotly takes as it is (it would read a number in the browser's zone). @param {number} ms */
export function dateText(ms) {
  return new Date(ms).toISOString().slice(0, 23);
}
