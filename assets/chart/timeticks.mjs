// @ts-check
// Ticks of a time axis: at bars that begin something, a year, a month, a week, a day or an hour, the greater first, as many
// as there is room for. Plotly's would name times at places that are others where closed hours are left out, turn labels
// that lie close, and leave the date to a first one that it hides at the edge. Pure but for the zone that is shown.

import { offset } from "../page/zone.mjs";
import { START } from "./series.mjs";

/** @typedef {{at: number, text: string}} Tick its place on the axis, and its words in one or two lines */

const [SECOND, MINUTE, HOUR, DAY] = [1_000, 60_000, 3_600_000, 86_400_000];
/** Times that a bar may be the first of, the shortest first; a day, a week, a month and a year come behind them. */
const TIMES = [SECOND, 5 * SECOND, 15 * SECOND, MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR, 12 * HOUR];
const ON_DAY = TIMES.length + 1;
const [ON_WEEK, ON_MONTH, ON_YEAR] = [ON_DAY + 1, ON_DAY + 2, ON_DAY + 3];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/** A time that comes round so much more often than there is room for gets no tick: it would stand for no rule. */
const FINER = 5;
/** Rows of a view without a bar. */
const MOST_EMPTY = 500;
/** 1970 began on a Thursday, weeks begin on Monday. */
const MONDAY = 3;

/** What a bar is the first of: the greatest thing that begins between the one before it and it. @param {number} local its start in the zone @param {number} before that of the one before */
function begins(local, before) {
  const [day, last] = [Math.floor(local / DAY), Math.floor(before / DAY)];
  if (day === last) {
    let found = TIMES.length - 1;
    while (found >= 0 && Math.floor(local / TIMES[found]) === Math.floor(before / TIMES[found])) found -= 1;
    return found + 1;
  }
  const [on, then] = [new Date(local), new Date(before)];
  if (on.getUTCFullYear() !== then.getUTCFullYear()) return ON_YEAR;
  if (on.getUTCMonth() !== then.getUTCMonth()) return ON_MONTH;
  return Math.floor((day + MONDAY) / 7) === Math.floor((last + MONDAY) / 7) ? ON_DAY : ON_WEEK;
}

/**
 * The places that get a tick, ascending, no two nearer than `least`.
 * @param {{at: number, rank: number}[]} marks ascending @param {number} least
 */
function spread(marks, least) {
  /** @type {typeof marks} */
  let taken = [];
  for (let rank = ON_YEAR; rank > 0; rank--) {
    if (TIMES[rank - 1] < least / FINER) break;
    /** @type {typeof marks} */
    const next = [];
    let index = 0;
    for (const mark of marks) {
      if (mark.rank < rank) continue;
      while (index < taken.length && taken[index].at < mark.at) next.push(taken[index++]);
      if (mark.rank > rank) continue;
      const [before, after] = [next[next.length - 1], taken[index]];
      if ((!before || mark.at - before.at >= least) && (!after || after.at - mark.at >= least)) next.push(mark);
    }
    taken = [...next, ...taken.slice(index)];
  }
  return taken;
}

/**
 * The ticks at bars. The first whose label lies in view has what the others leave out: of a time its day, of a day its year.
 * @param {number[][]} bars ascending, of the view and around it
 * @param {{ms: number, left: number, right: number, most: number, edge?: number, place: (ms: number) => number}} on the bars'
 *   length, the view as places, how many ticks there may be in it, how far from its edge a label is whole
 * @returns {Tick[]}
 */
export function timeTicks(bars, { ms, left, right, most, edge = 0, place }) {
  const daily = ms >= DAY;
  /** @type {{at: number, rank: number, local: number}[]} */
  const marks = [];
  let before = NaN;
  for (const bar of bars) {
    const local = bar[START] + (daily ? 0 : offset(bar[START]));
    // Nobody knows what the first begins: it does for a day.
    const rank = Number.isNaN(before) ? ON_DAY : begins(local, before);
    before = local;
    marks.push({ at: place(bar[START]), rank, local });
  }
  const chosen = /** @type {typeof marks} */ (spread(marks, (right - left) / most));
  const first = chosen.find(({ at }) => at >= left + edge);
  return chosen.map((mark) => ({ at: mark.at, text: textOf(mark, ms, mark === first) }));
}

/**
 * Round times of a view without a bar, as rows for `timeTicks`. @param {number} from UTC ms @param {number} to
 * @param {number} ms of a bar, than which none is closer to the next @returns {number[][]} so many that ticks can be chosen
 */
export function emptyTimes(from, to, ms) {
  const step = [...TIMES, DAY].find((each) => each >= ms && (to - from) / each <= MOST_EMPTY) ?? DAY * Math.ceil((to - from) / DAY / MOST_EMPTY);
  const away = step < DAY && ms < DAY ? offset(from) : 0;
  const found = [];
  for (let at = Math.floor((from + away) / step) * step - away; at <= to; at += step) found.push([at]);
  return found;
}

/** @param {{rank: number, local: number}} mark @param {number} ms @param {boolean} first */
function textOf({ rank, local }, ms, first) {
  const date = new Date(local);
  const [year, month, day] = [date.getUTCFullYear(), MONTHS[date.getUTCMonth()], `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`];
  if (rank === ON_YEAR) return `<b>${year}</b>`;
  if (rank === ON_MONTH && ms >= DAY) return `<b>${month}</b>${first ? `<br>${year}` : ""}`;
  if (rank >= ON_DAY) return `${ms >= DAY ? day : `<b>${day}</b>`}${first ? `<br>${year}` : ""}`;
  const time = date.toISOString().slice(11, ms < MINUTE ? 19 : 16);
  return first ? `${time}<br>${day} ${year}` : time;
}
