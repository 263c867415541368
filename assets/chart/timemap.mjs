// @ts-check
// Where a moment lies on the chart's time axis, and which moment lies at a place of it: a map that leaves spans out and
// runs on as time does everywhere else. Without spans it is the identity. Pure.

/** @typedef {[number, number]} Span [from, to), UTC ms */

/** How many of the ascending values are less, or no more. @param {number[]} values @param {number} limit @param {boolean} equal */
function count(values, limit, equal) {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < limit || (equal && values[middle] === limit)) low = middle + 1;
    else high = middle;
  }
  return low;
}

export class TimeMap {
  /**
   * @param {Span[]} [spans] what is left out, ascending and apart from each other
   * @param {number} [anchor] a moment, UTC ms @param {number} [at] its place on the axis, ms
   */
  constructor(spans = [], anchor = 0, at = anchor) {
    this.spans = spans;
    this.begins = spans.map(([from]) => from);
    /** What is left out before each span, and by all of them. */
    this.lost = [0];
    for (const [index, [from, to]] of spans.entries()) this.lost.push(this.lost[index] + to - from);
    /** Where each lies, before the base is added. */
    this.joins = spans.map(([from], index) => from - this.lost[index]);
    this.base = 0;
    this.base = at - this.place(anchor);
  }

  /** Whether every moment lies at itself. */
  get identity() {
    return !this.spans.length && this.base === 0;
  }

  /** The place of a moment, ms; that of a moment within a span is where its ends meet. @param {number} ms UTC */
  place(ms) {
    const before = count(this.begins, ms, false);
    const [, end] = this.spans[before - 1] ?? [0, -Infinity];
    return ms < end ? this.joins[before - 1] + this.base : ms - this.lost[before] + this.base;
  }

  /** The moment at a place, UTC ms; where the ends of a span meet, the later one. @param {number} x */
  time(x) {
    const raw = x - this.base;
    return raw + this.lost[count(this.joins, raw, true)];
  }
}
