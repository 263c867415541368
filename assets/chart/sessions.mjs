// @ts-check
// Which part of a hole between two bars is no gap of data but a market that was closed: nights and weekends by the hours
// that dashboard/market/hours.py gives, holidays and early closes by the bars around them. Pure.

import { offsetIn } from "../page/zone.mjs";

/** @typedef {{zone: string, closed: [number, number][]}} Hours minutes since Monday 00:00 of the zone, ascending */
/** @typedef {import("./timemap.mjs").Span} Span */

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;
/** The first Monday since 1970. */
const MONDAY = 4 * DAY_MS;
/** Days without a bar between two sessions that are holidays; more are a gap. */
const HOLIDAYS = 2;
/** An early close is on the half hour, an hour or more before the usual one, with a third of the session over. */
const EARLY = { on: 30 * MINUTE_MS, least: 60 * MINUTE_MS, most: 2 / 3 };

/** The spans in which the hours are closed, around [from, to): the first begins before `from` where there is any. @param {Hours} hours @param {number} from UTC ms @param {number} to @returns {Span[]} */
function around({ zone, closed }, from, to) {
  const offset = offsetIn(zone);
  const utc = (/** @type {number} */ local) => local - offset(local - offset(local));
  /** @type {Span[]} */
  const found = [];
  const first = Math.floor((from + offset(from) - MONDAY) / WEEK_MS) - 1;
  for (let week = first; MONDAY + week * WEEK_MS < to + DAY_MS; week++) {
    for (const span of closed) {
      const [begin, end] = span.map((minute) => utc(MONDAY + week * WEEK_MS + minute * MINUTE_MS));
      const before = found[found.length - 1];
      // The end of a week is the beginning of the next.
      if (before && begin <= before[1]) before[1] = end;
      else if (begin < to) found.push([begin, end]);
    }
  }
  return found;
}

/**
 * The parts of a hole that are closed hours: what the hours say; and, where nothing says that the feed was gone, a day or
 * two without a bar between a session's end and another's beginning (holidays), and the rest of a session that ended early.
 * What is left is a gap of data.
 * Closed hours of which the bars leave less than the half free are none: it trades then.
 * @param {Hours} hours @param {Span} hole from a bar's end to the next one's start @param {number} step a bar's length, ms; a
 *   day's bars say nothing of hours @param {boolean} gone whether the bars around it say that data is missing
 * @returns {Span[]} ascending, apart
 */
export function closedIn(hours, [from, to], step, gone) {
  const free = (/** @type {Span} */ [begin, end]) => Math.min(end, to) - Math.max(begin, from);
  const known = around(hours, from, to).filter((span) => step >= DAY_MS || free(span) <= 0 || free(span) >= (span[1] - span[0]) / 2);
  const within = /** @type {Span[]} */ (known.map(([begin, end]) => [Math.max(begin, from), Math.min(end, to)])).filter(([begin, end]) => begin < end);
  if (gone || !within.length) return within;
  /** Sessions without a bar, whole ones and the end of one. @type {Span[]} */
  const whole = [];
  /** @type {Span[]} */
  const cut = [];
  let at = from;
  for (const [begin, end] of within) {
    if (begin > at && at > from) whole.push([at, begin]);
    else if (begin > at) cut.push([at, begin]);
    at = end;
  }
  const days = new Set(whole.map(([begin]) => Math.floor((begin + offsetIn(hours.zone)(begin)) / DAY_MS)));
  const holidays = days.size <= HOLIDAYS && whole.every(([begin, end]) => end - begin <= DAY_MS) ? whole : [];
  const early = cut.filter(([begin, end]) => {
    const opened = Math.max(...known.filter(([, last]) => last <= begin).map(([, last]) => last));
    return begin % EARLY.on === 0 && end - begin >= EARLY.least && end - begin <= EARLY.most * (end - opened);
  });
  return joined([...within, ...holidays, ...early]);
}

/** @param {Span[]} spans @returns {Span[]} those that touch as one */
function joined(spans) {
  /** @type {Span[]} */
  const made = [];
  for (const [from, to] of spans.sort(([a], [b]) => a - b)) {
    const before = made[made.length - 1];
    if (before && before[1] >= from) before[1] = Math.max(before[1], to);
    else made.push([from, to]);
  }
  return made;
}
