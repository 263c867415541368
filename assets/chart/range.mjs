// @ts-check
// The part of the series that somebody has chosen to see, in the address as `start` and `end`, and brought back from there.
// Nothing is there while the chart shows the newest bars as usual.

import { address } from "../live/address.mjs";
import * as words from "../page/words.mjs";
import { START } from "./series.mjs";

/** A view is never narrower, and never wider, than so many bars. */
export const NARROWEST = 8;
export const WIDEST = 100_000;
/** The last moment of the year 9999, UTC ms: there is none later in an address, as there is none before 1970. */
export const LATEST_MS = 253_402_300_799_999;
/** A range so long is told to the second. */
const LONG_MS = 600_000;
/** The address follows a view that moves at most so often: browsers take a hundred changes in half a minute. */
const WRITE_MS = 1_000;
const ISO = /^(\d{4})-?(\d\d)-?(\d\d)(?:[T ](\d\d):?(\d\d)(?::?(\d\d)(?:\.(\d{1,3})\d*)?)?)?(Z|[+-]\d\d:?\d\d)?$/;

/**
 * UTC ms of `20261123T101500Z`, of any other ISO 8601 time (UTC where no zone is given), or of ms as they are; null for
 * what is none. @param {string} text @returns {number | null}
 */
export function instant(text) {
  const ms = /^\d{9,15}$/.test(text) ? Number(text) : read(ISO.exec(text.trim()));
  return ms !== null && ms >= 0 && ms <= LATEST_MS ? ms : null;
}

/** @param {RegExpExecArray | null} found */
function read(found) {
  if (!found) return null;
  const [, year, month, day, hour = "00", minute = "00", second = "00", part = "0", zone = "Z"] = found;
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${part.padEnd(3, "0")}${zone.replace(/^(...)(\d\d)$/, "$1:$2")}`);
  // 30 February is no day, though some browsers take it for one in March.
  if (!Number.isFinite(ms) || Number(day) > new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate()) return null;
  return ms;
}

/** An instant as the address has it. @param {number} ms */
export function said(ms) {
  const text = new Date(ms).toISOString().replace(/[-:]/g, "");
  return text.endsWith(".000Z") ? text.replace(".000Z", "Z") : text;
}

/**
 * The view of a range: from and to, UTC ms, or a sentence on what is wrong. Of one that is open the usual width is taken.
 * @param {(string | null)[]} values start and end, as in the address @param {{newest: number, ms: number, width: number, most?: number}} series
 * @returns {[number, number] | string}
 */
export function asked([start, end], { newest, ms, width, most = WIDEST * ms }) {
  /** @type {Record<string, number | null>} */
  const at = {};
  for (const [name, text] of Object.entries({ start, end })) {
    at[name] = text === null ? null : instant(text);
    if (text !== null && at[name] === null) {
      return `${name} must be a time such as 20261123T101500Z, from 1970 to 9999, or milliseconds since 1970, not "${text.slice(0, 30)}"; the newest bars are shown.`;
    }
  }
  let from = at.start ?? /** @type {number} */ (at.end) - width;
  let to = at.end ?? Math.max(newest + ms, from + width);
  if (from >= to) return `start (${start}) must lie before end (${end}); the newest bars are shown.`;
  if (to - from > most) {
    to = Math.min(to, newest + ms);
    from = Math.max(from, to - most);
  }
  return [Math.min(from, to - NARROWEST * ms), to];
}

/**
 * Put the chart's range into the address, and bring it back. @param {any} chart @param {any} view
 * @returns {() => void} to be called when another series is shown
 */
export function range(chart, view) {
  const { plot } = chart;
  /** What the address asks for of a series that is still to come. @type {(string | null)[] | null} */
  let waiting = null;
  let written = 0;
  let timer = 0;

  const here = () => plot.figure && chart.holds(view.symbol, view.timeframe);
  /** @type {import("../live/address.mjs").Part} */
  const part = {
    names: ["start", "end"],
    read() {
      if (waiting) return waiting;
      if (!here() || !plot.moved) return [null, null];
      const round = (/** @type {number} */ ms) => (plot.to - plot.from >= LONG_MS ? Math.round(ms / 1000) * 1000 : Math.round(ms));
      return [said(round(plot.from)), said(round(plot.to))];
    },
    show(values, opening) {
      const none = values.every((value) => value === null);
      waiting = none ? null : values;
      if (!here()) return undefined;
      if (!none) return look();
      if (!opening && plot.moved) chart.home();
      return undefined;
    },
  };
  /** Show what is asked for of the series that is there; a sentence where that can't be. */
  const look = () => {
    const values = /** @type {(string | null)[]} */ (waiting);
    waiting = null;
    const { newest, ms } = chart.data;
    const found = newest && asked(values, { newest: newest[START], ms, width: plot.figure.in_view * ms, most: WIDEST * ms * plot.axis.stretch });
    if (!newest || typeof found === "string") {
      if (plot.moved) chart.home();
      later();
      return found || undefined;
    }
    const [from, to] = found;
    chart.look(from, to);
    if (!chart.data.between(from, to).length) void find(from, to);
    return undefined;
  };
  /** Whether anything is kept of a range of which nothing is held. @param {number} from @param {number} to */
  const find = async (from, to) => {
    const { symbol, timeframe } = chart.data;
    const query = new URLSearchParams({ timeframe, start: String(Math.round(from)), end: String(Math.round(to)), limit: "1" });
    try {
      const answer = await fetch(`/api/v1/tickers/${encodeURIComponent(symbol)}/bars?${query}`);
      if (!answer.ok || (await answer.json()).data.length) return;
    } catch (_unreachable) {
      return; // the connection's state says what is wrong
    }
    if (!chart.holds(symbol, timeframe) || plot.from !== from || plot.to !== to) return;
    address.tell(`No bar of ${symbol} is kept between ${words.moment(from)} and ${words.moment(to)} ${words.zone(to)}; the newest bars are shown.`);
    chart.home();
    address.instead(part.names, [said(from), said(to)], part.read());
    later();
  };
  const later = () => {
    if (timer) return;
    timer = window.setTimeout(() => {
      timer = 0;
      if (chart.dragging) return later();
      written = performance.now();
      address.write();
      return undefined;
    }, Math.max(0, WRITE_MS - (performance.now() - written)));
  };

  view.on((/** @type {any} */ now, /** @type {any} */ before) => {
    if (now.symbol !== before.symbol || now.timeframe !== before.timeframe) waiting = null;
  });
  setInterval(() => !document.hidden && !timer && address.write(), 5 * WRITE_MS);
  addEventListener("pagehide", () => address.write());
  chart.onMoved = later;
  address.add(part);
  return () => {
    if (!waiting || !here()) return later();
    const wrong = look();
    if (wrong) address.tell(wrong);
    return undefined;
  };
}
