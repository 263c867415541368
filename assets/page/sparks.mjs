// @ts-check
// Sparklines' values: the closes of the last minutes, whose newest point follows the price.

const MINUTE = 60_000;
const KEPT = 40;

/** One series a symbol; cards and list read the same. */
export class Sparks {
  /**
   * @param {Record<string, number[]>} first closes by symbol, oldest first
   * @param {(symbol: string) => number | null} timeOf event time of a symbol's newest price: a replay may be years back
   */
  constructor(first, timeOf) {
    /** `minute` null: that of the next price. @type {Map<string, {closes: number[], minute: number | null}>} */
    this.series = new Map();
    for (const [symbol, closes] of Object.entries(first)) {
      const ts = timeOf(symbol);
      this.series.set(symbol, { closes: closes.slice(-KEPT), minute: ts == null ? null : Math.floor(ts / MINUTE) });
    }
  }

  /** The closes of a symbol, newest last. @param {string} symbol @returns {number[]} */
  of(symbol) {
    return this.series.get(symbol)?.closes ?? [];
  }

  /** A new price. @param {string} symbol @param {number | null} price @param {number | null} ts event time, ms */
  follow(symbol, price, ts) {
    if (price == null || ts == null) return;
    const minute = Math.floor(ts / MINUTE);
    let found = this.series.get(symbol);
    if (!found) {
      found = { closes: [], minute };
      this.series.set(symbol, found);
    }
    found.minute ??= minute;
    if (minute > found.minute || !found.closes.length) {
      found.closes.push(price);
      if (found.closes.length > KEPT) found.closes.shift();
      found.minute = minute;
    } else {
      found.closes[found.closes.length - 1] = price;
    }
  }

  /** Other closes of a symbol: of another epoch, or after a break. @param {string} symbol @param {number[]} closes */
  replace(symbol, closes) {
    this.series.set(symbol, { closes: closes.slice(-KEPT), minute: null });
  }
}
