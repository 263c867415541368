// @ts-check
// How numbers read on the page, as dashboard/ui/words.py says them: decimals, arrow and sign, shortened volumes, ages.

import * as zones from "./zone.mjs";

const NONE = "–";
/** @type {Map<number, Intl.NumberFormat>} */
const formats = new Map();

/** @param {number} decimals */
function format(decimals) {
  let made = formats.get(decimals);
  if (!made) {
    made = new Intl.NumberFormat("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
    formats.set(decimals, made);
  }
  return made;
}

/** @param {string} text */
const signed = (text) => text.replace("-", "−");

/** `67,455.20`, halves rounded away from 0; – for none. @param {number | null | undefined} value @param {number} decimals */
export function price(value, decimals) {
  return value == null ? NONE : signed(format(decimals).format(value));
}

/** `+0.58`, in percent without its sign; – for none. @param {number | null | undefined} value */
export function percent(value) {
  return value == null ? NONE : difference(value, 2);
}

/** `+392.90`, without a sign where that is 0; empty for none. @param {number | null | undefined} value @param {number} decimals */
export function difference(value, decimals) {
  if (value == null) return "";
  const text = format(decimals).format(Math.abs(value));
  if (!/[1-9]/.test(text)) return text;
  return (value < 0 ? "−" : "+") + text;
}

/** The class that colours a change. @param {number | null | undefined} value @returns {"up" | "down" | "flat"} */
export function direction(value) {
  if (!value) return "flat";
  return value > 0 ? "up" : "down";
}

/** @param {number | null | undefined} value */
export function arrow(value) {
  return { up: "▲", down: "▼", flat: "" }[direction(value)];
}

/** `5.12M`; – for none. @param {number | null | undefined} value */
export function short(value) {
  if (value == null) return NONE;
  const size = Math.abs(value);
  for (const [least, letter] of /** @type {[number, string][]} */ ([[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e4, "K"]])) {
    if (size >= least) {
      const unit = letter === "K" ? 1e3 : least;
      return signed((value / unit).toFixed(2)) + letter;
    }
  }
  return signed(size >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(4))));
}

/** `12 s`, `3 min`, `2 h`. @param {number} ms */
export function age(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 100) return `${s} s`;
  if (s < 6000) return `${Math.floor(s / 60)} min`;
  return `${Math.floor(s / 3600)} h`;
}

/** `10:42:07` in the zone that is shown; by hand, since toLocaleTimeString takes 0.1 ms. @param {number} ms */
export function time(ms) {
  const then = zones.shifted(ms);
  return [then.getUTCHours(), then.getUTCMinutes(), then.getUTCSeconds()].map((part) => String(part).padStart(2, "0")).join(":");
}

/** `UTC+1`, `UTC−3:30`: the zone that is shown, at a moment. @param {number} ms */
export function zone(ms) {
  const minutes = Math.round(zones.offset(ms) / 60_000);
  const size = Math.abs(minutes);
  const part = size % 60 ? `:${String(size % 60).padStart(2, "0")}` : "";
  return minutes === 0 ? "UTC" : `UTC${minutes < 0 ? "−" : "+"}${Math.floor(size / 60)}${part}`;
}

/** A time of today, or with its day. @param {number} ms */
export function moment(ms) {
  const then = zones.shifted(ms);
  if (day(ms) === day(zones.now())) return time(ms);
  return `${then.toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" })} ${time(ms)}`;
}

/** The day of a moment. @param {number} ms */
function day(ms) {
  return zones.shifted(ms).toISOString().slice(0, 10);
}
