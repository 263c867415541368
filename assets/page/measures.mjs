// @ts-check
// What the watchlist's columns show of a quote as numbers: the grid sorts by them, the cells write them. No page, no words.

/** Fewer returns than this say nothing of how much a price moves. */
const LEAST_RETURNS = 10;

/** Ask less bid; null without both. @param {any} quote @returns {number | null} */
export function spread({ bid, ask }) {
  return bid == null || ask == null ? null : ask - bid;
}

/**
 * Where the last price lies in the day's range: 0 at its low, 1 at its high, the middle where both are one price; null
 * without a day. @param {any} quote @returns {number | null}
 */
export function place({ price, high, low }) {
  if (price == null || high == null || low == null) return null;
  if (!(high > low)) return 0.5;
  return Math.min(1, Math.max(0, (price - low) / (high - low)));
}

/**
 * The 52-week range, as `yearly.mjs` wrote it into the record, with the day that goes on: `since` is the first day (UTC
 * ms) where fewer than 52 weeks are known. null without a day, and while the server has not been heard.
 * @param {any} quote @returns {{low: number, high: number, since: number | null} | null}
 */
export function yearRange({ year, high, low, ts }) {
  if (year === undefined) return null;
  if (!year) return high == null || low == null ? null : { low, high, since: ts };
  return { low: Math.min(year.low, low ?? year.low), high: Math.max(year.high, high ?? year.high), since: year.since };
}

/** Where the last price lies in the 52-week range, as `place` says it of the day's. @param {any} quote @returns {number | null} */
export function yearPlace(quote) {
  const range = yearRange(quote);
  return range && place({ price: quote.price, ...range });
}

/**
 * How much the price moves in a minute: the standard deviation (n − 1) of the logarithmic returns between the closes of
 * successive minutes, in percent; null for fewer than ten returns. @param {ArrayLike<number>} closes oldest first
 * @returns {number | null}
 */
export function volatility(closes) {
  const count = closes.length - 1;
  if (count < LEAST_RETURNS) return null;
  let mean = 0;
  let squares = 0;
  for (let at = 1; at <= count; at++) {
    const change = Math.log(closes[at] / closes[at - 1]);
    if (!Number.isFinite(change)) return null;
    const off = change - mean;
    mean += off / at;
    squares += off * (change - mean);
  }
  return Math.sqrt(squares / (count - 1)) * 100;
}

/** A column's number, by the column's id. @type {Record<string, (quote: any) => number | null>} */
export const MEASURES = {
  last: (quote) => quote.price,
  change: (quote) => quote.change,
  change_percent: (quote) => quote.change_percent,
  bid: (quote) => quote.bid,
  ask: (quote) => quote.ask,
  spread,
  volume: (quote) => quote.volume,
  open: (quote) => quote.open,
  high: (quote) => quote.high,
  low: (quote) => quote.low,
  previous_close: (quote) => quote.previous_close,
  range: place,
  year_range: yearPlace,
};
