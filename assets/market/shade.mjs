// @ts-check
// The seven steps of the one scale of colours: orange for down, blue for up, which every kind of colour blindness keeps
// apart; and its legend. Wherever it colours, the number stands too, with its sign.

import { make } from "../page/dom.mjs";
import * as words from "../page/words.mjs";

/** Steps on either side of 0. */
const STEPS = 3;

/** The class of a value on a scale that ends at ±`full`. @param {number | null} value @param {number} full */
export function shade(value, full) {
  if (value == null) return "shade-none";
  const step = Math.max(-STEPS, Math.min(STEPS, Math.round((value / full) * STEPS)));
  return step === 0 ? "shade-0" : step > 0 ? `shade-up-${step}` : `shade-down-${-step}`;
}

/**
 * What the colours mean. @param {number} full @param {string} unit `%`, or nothing @param {number} digits
 * @param {boolean} open whether values go on beyond the ends
 */
export function legend(full, unit, digits, open) {
  const steps = Array.from({ length: 2 * STEPS + 1 }, (_, at) => ((at - STEPS) * full) / STEPS);
  const text = (/** @type {number} */ value, /** @type {number} */ at) => {
    const bound = open && at === 0 ? "≤ " : open && at === 2 * STEPS ? "≥ " : "";
    return bound + (value === 0 ? "0" : words.difference(value, digits)) + unit;
  };
  return make("ul", { class: "shades", "aria-label": "What the colours mean" }, [
    ...steps.map((value, at) => make("li", { class: shade(value, full), text: text(value, at) })),
    make("li", { class: "shade-none", text: "not known" }),
  ]);
}

/** `▲ +0.52%`, without an arrow where that rounds to 0; – for none. @param {number | null} value */
export function moved(value) {
  if (value == null) return words.percent(null);
  const text = words.percent(value);
  return `${/^\d/.test(text) ? "" : words.arrow(value)} ${text}%`.trim();
}

/** The age of what is stale, nothing otherwise. @param {any} row */
export function staleness(row) {
  if (!row.stale) return "";
  return row.age_ms == null ? "no price yet" : `${words.age(row.age_ms)} old`;
}
