// @ts-check
// What is made of closes at the same bars, as dashboard/market/comparison.py makes it: index, spread, ratio and rolling
// correlation, NaN where there is no value. Pure.

/** Returns that differ by less than floating point's own noise do not differ. */
const NOISE = 1e-13;

const finite = (/** @type {number} */ value) => (Number.isFinite(value) ? value : NaN);

/** @param {number} close @param {number} base the close that is 100 */
export function indexed(close, base) {
  return base > 0 ? finite(100 * (close / base)) : NaN;
}

/** @param {number} close @param {number} other @param {number} factor */
export function spread(close, other, factor) {
  return finite(close - factor * other);
}

/** @param {number} close @param {number} other */
export function ratio(close, other) {
  return finite(close / other);
}

/**
 * Pairs of log returns of two instruments among the bars that both have, and their rolling correlation (Pearson 1895).
 * Bars are put on at the end, and taken back from one on: a forming bar costs one window.
 */
export class Correlation {
  /** @param {number} window returns */
  constructor(window) {
    this.window = window;
    /** The bars that both have, and the return up to each; of the first there is none. @type {number[]} */
    this.bars = [];
    /** @type {[number, number][]} */
    this.closes = [];
    /** @type {[number, number][]} */
    this.returns = [];
  }

  /** Forget the bars from one on. @param {number} bar */
  back(bar) {
    let keep = this.bars.length;
    while (keep > 0 && this.bars[keep - 1] >= bar) keep -= 1;
    this.bars.length = this.closes.length = this.returns.length = keep;
  }

  /** The correlation at a bar, which is one more. @param {number} bar @param {number} close @param {number} other @returns {number} */
  put(bar, close, other) {
    if (!(close > 0 && other > 0) || !Number.isFinite(close) || !Number.isFinite(other)) return NaN;
    const before = this.closes[this.closes.length - 1];
    this.bars.push(bar);
    this.closes.push([close, other]);
    this.returns.push(before ? [Math.log(close) - Math.log(before[0]), Math.log(other) - Math.log(before[1])] : [NaN, NaN]);
    return this.bars.length > this.window ? this.newest() : NaN;
  }

  /** Of the newest returns. */
  newest() {
    const { returns, window } = this;
    const first = returns.length - window;
    let [sumX, sumY] = [0, 0];
    for (let at = first; at < returns.length; at++) {
      sumX += returns[at][0];
      sumY += returns[at][1];
    }
    const [meanX, meanY] = [sumX / window, sumY / window];
    let [squareX, squareY, product] = [0, 0, 0];
    for (let at = first; at < returns.length; at++) {
      const [x, y] = [returns[at][0] - meanX, returns[at][1] - meanY];
      squareX += x * x;
      squareY += y * y;
      product += x * y;
    }
    // Of a price that does not move there is no correlation.
    if (!(Math.min(squareX, squareY) > window * NOISE ** 2)) return NaN;
    return Math.min(Math.max(product / Math.sqrt(squareX * squareY), -1), 1);
  }
}
