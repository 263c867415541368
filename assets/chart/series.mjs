// @ts-check
// The bars of the series on the chart: rows as the API gives them, the forming one last. Draws nothing.

/** @typedef {number[]} Bar [start, open, high, low, close, volume, trades, flags] */

export const [START, OPEN, HIGH, LOW, CLOSE, VOLUME, TRADES, FLAGS] = [0, 1, 2, 3, 4, 5, 6, 7];
/** Bars held of a series; the oldest go first, so many at once. */
const MOST = 120_000;
const CUT = 1_000;

/** @param {Bar[]} rows ascending @param {number} start @returns {number} the first at or after `start` */
export function at(rows, start) {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle][START] < start) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Whether a bar is drawn as rising; a flat one as Plotly's candlestick does it, by the close before.
 * @param {Bar} bar @param {Bar | undefined} before
 */
export function rises(bar, before) {
  if (bar[CLOSE] !== bar[OPEN]) return bar[CLOSE] > bar[OPEN];
  return before === undefined || bar[CLOSE] >= before[CLOSE];
}

/** Whether a bar closed no lower than the one before it; the first than its own open. @param {Bar} bar @param {Bar | undefined} before */
export function rose(bar, before) {
  return bar[CLOSE] >= (before ? before[CLOSE] : bar[OPEN]);
}

/** Those whose span touches [from, to). @param {Bar[]} rows ascending @param {number} ms a bar's length @param {number} from ms @param {number} to ms */
export function between(rows, ms, from, to) {
  return rows.slice(at(rows, from - ms + 1), at(rows, to));
}

export class Series {
  constructor() {
    /** @type {Bar[]} */
    this.rows = [];
    this.symbol = "";
    this.timeframe = "";
    this.ms = 60_000;
    /** @type {Set<{from: number}>} */
    this.followers = new Set();
  }

  /** What follows the rows: `from` is the first that changed since it was set to Infinity; a new one at the end is none. */
  follow() {
    const follower = { from: 0 };
    this.followers.add(follower);
    return follower;
  }

  /** @param {number} index */
  revised(index) {
    for (const follower of this.followers) follower.from = Math.min(follower.from, index);
  }

  /** @param {{symbol: string, timeframe: string, ms: number, bars: Bar[]}} figure */
  load(figure) {
    this.symbol = figure.symbol;
    this.timeframe = figure.timeframe;
    this.ms = figure.ms;
    this.rows = figure.bars.slice();
    this.revised(0);
  }

  /**
   * News of the stream: the start of the oldest bar that Plotly has to draw anew, null when only the newest moved.
   * @param {Bar[]} news ascending @returns {number | null}
   */
  merge(news) {
    let oldest = Infinity;
    for (const bar of news) {
      const newest = this.newest?.[START] ?? -Infinity;
      if (bar[START] > newest) {
        if (this.rows.length) oldest = Math.min(oldest, newest);
        this.rows.push(bar);
      } else {
        const index = at(this.rows, bar[START]);
        if (index === 0 && this.rows[0][START] !== bar[START]) continue; // older than what is held: it comes when somebody looks there
        this.revised(index);
        if (this.rows[index][START] !== bar[START]) {
          this.rows.splice(index, 0, bar);
          oldest = Math.min(oldest, bar[START]);
        } else {
          this.rows[index] = bar;
          if (index < this.rows.length - 1) oldest = Math.min(oldest, bar[START]);
        }
      }
    }
    if (this.rows.length > MOST) {
      this.rows.splice(0, this.rows.length - MOST + CUT);
      this.revised(0);
    }
    return oldest === Infinity ? null : oldest;
  }

  /** Older bars in front of those that are held. @param {Bar[]} older ascending */
  prepend(older) {
    const first = this.rows[0]?.[START] ?? Infinity;
    this.rows = [...older.filter((bar) => bar[START] < first), ...this.rows];
    this.revised(0);
  }

  /** @returns {Bar | undefined} */
  get newest() {
    return this.rows[this.rows.length - 1];
  }

  /** Bars whose span touches [from, to). @param {number} from ms @param {number} to ms @returns {Bar[]} */
  between(from, to) {
    return between(this.rows, this.ms, from, to);
  }

  /** The bar whose middle is nearest to a moment. @param {number} ms @returns {Bar | undefined} */
  nearest(ms) {
    const index = at(this.rows, ms);
    const after = this.rows[index];
    const before = this.rows[index - 1];
    if (!before || !after) return before ?? after;
    return ms - before[START] < after[START] - ms ? before : after;
  }
}
