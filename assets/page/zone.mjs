// @ts-check
// The time zone that the page shows: the user's choice, else the browser's. What is now is told by the server's clock,
// for the browser's may be wrong by hours.

/** Offsets change on quarters of an hour only, in every zone since 1972. */
const QUARTER_MS = 900_000;
const DAY_MS = 86_400_000;
const MOST_KEPT = 5_000;
const LOCAL = "local";
let chosen = LOCAL;
/** @type {Intl.DateTimeFormat | null} */
let format = null;
/** Offsets of the chosen zone by quarter. @type {Map<number, number>} */
let offsets = new Map();
/** @type {() => number} */
let clock = () => Date.now();

/** The clock that says what is now, UTC ms. @param {() => number} given */
export function setClock(given) {
  clock = given;
}

/** Now by that clock, UTC ms. */
export function now() {
  return clock();
}

/**
 * Show another zone; false, and the browser's own, where the browser does not know it.
 * @param {string} name `local`, or of the IANA time zone database
 */
export function choose(name) {
  offsets = new Map();
  chosen = LOCAL;
  format = null;
  if (name === LOCAL) return true;
  try {
    format = formatOf(name);
  } catch (_unknown) {
    return false;
  }
  chosen = name;
  return true;
}

/** What tells the time of a zone. Raises where the browser does not know it. @param {string} name */
function formatOf(name) {
  const part = "2-digit";
  return new Intl.DateTimeFormat("en-US", {
    timeZone: name, hourCycle: "h23", era: "short", year: "numeric", month: part, day: part, hour: part, minute: part, second: part,
  });
}

/** By zone. @type {Map<string, (ms: number) => number>} */
const others = new Map();

/**
 * What another zone than the one that is shown is ahead of UTC at a moment, ms; UTC for a zone that the browser does not
 * know. @param {string} name of the IANA time zone database @returns {(ms: number) => number}
 */
export function offsetIn(name) {
  let found = others.get(name);
  if (!found) others.set(name, (found = readerOf(name)));
  return found;
}

/** @param {string} name */
function readerOf(name) {
  let zoned = formatOf("UTC");
  try {
    zoned = formatOf(name);
  } catch (_unknown) {
    // the hours are then a few off, and a gap or two stays open
  }
  /** @type {Map<number, number>} */
  const days = new Map();
  const at = (/** @type {number} */ day) => {
    let known = days.get(day);
    if (known === undefined) days.set(day, (known = read(zoned, day * DAY_MS)));
    return known;
  };
  // Most days have one offset from end to end.
  return (/** @type {number} */ ms) => {
    const day = Math.floor(ms / DAY_MS);
    return at(day) === at(day + 1) ? at(day) : read(zoned, Math.floor(ms / QUARTER_MS) * QUARTER_MS);
  };
}

/** The IANA name of the zone that is shown. */
export function name() {
  return chosen === LOCAL ? own() : chosen;
}

/** The browser's own zone. */
export function own() {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
}

/** What the zone is ahead of UTC at a moment, ms. @param {number} ms UTC */
export function offset(ms) {
  if (!Number.isFinite(ms) || Math.abs(ms) > 8.64e15) return 0;
  if (!format) return -new Date(ms).getTimezoneOffset() * 60_000;
  const quarter = Math.floor(ms / QUARTER_MS);
  let found = offsets.get(quarter);
  if (found === undefined) {
    if (offsets.size >= MOST_KEPT) offsets.clear();
    offsets.set(quarter, (found = read(format, quarter * QUARTER_MS)));
  }
  return found;
}

/** A date whose UTC parts are those of the zone. @param {number} ms UTC */
export function shifted(ms) {
  return new Date(ms + offset(ms));
}

/** @param {Intl.DateTimeFormat} zoned @param {number} ms */
function read(zoned, ms) {
  /** @type {Record<string, string>} */
  const parts = {};
  for (const { type, value } of zoned.formatToParts(ms)) parts[type] = value;
  const [month, day, hour, minute, second] = ["month", "day", "hour", "minute", "second"].map((part) => Number(parts[part]));
  // 1 BC is the year 0.
  const year = parts.era === "BC" ? 1 - Number(parts.year) : Number(parts.year);
  const there = new Date(0);
  there.setUTCFullYear(year, month - 1, day);
  there.setUTCHours(hour, minute, second);
  return there.getTime() - ms;
}
