// @ts-check
// How long the forming bar lasts still, by the market's clock. Pure.

import { FLAGS, START } from "./series.mjs";

/** So long past its end a bar may wait to be closed, and so far ahead of the clock may it begin, ms. */
const GRACE_MS = 2_000;
const AHEAD_MS = 5_000;
/** A bar so short is over before it is read. */
const LEAST_MS = 1_000;

/**
 * Ms that are left of a bar; null where there is nothing to count: no bar, a closed one, one of another time than the clock's.
 * @param {number[] | undefined} bar @param {number} ms its length @param {number | null} now the market's clock @param {number} closed the flag
 */
export function left(bar, ms, now, closed) {
  if (!bar || now === null || ms <= LEAST_MS || bar[FLAGS] & closed) return null;
  const remaining = bar[START] + ms - now;
  if (remaining > ms + AHEAD_MS || remaining < -GRACE_MS) return null;
  return Math.min(Math.max(remaining, 0), ms);
}

/** `0:42`, `4:05`, `23:59:07`; a second that has begun counts. @param {number} remaining ms */
export function words(remaining) {
  const s = Math.ceil(remaining / 1000);
  const two = (/** @type {number} */ part) => String(part).padStart(2, "0");
  const [hours, minutes] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
  return hours ? `${hours}:${two(minutes)}:${two(s % 60)}` : `${minutes}:${two(s % 60)}`;
}
