// @ts-check
// Neighbouring bars as one, for a view of more bars than there are pixels to draw them in. Pure.

import { CLOSE, HIGH, LOW, START, VOLUME } from "./series.mjs";

/**
 * The bars of each `ms` as one: it opens with the first, closes with the last and stands where that does. Its volume is the
 * largest of them, so that the axis is that of the single bars.
 * @param {import("./series.mjs").Bar[]} bars ascending @param {number} ms @returns {import("./series.mjs").Bar[]}
 */
export function joined(bars, ms) {
  /** @type {import("./series.mjs").Bar[]} */
  const made = [];
  let group = NaN;
  for (const bar of bars) {
    const of = Math.floor(bar[START] / ms);
    if (of !== group) {
      group = of;
      made.push(bar.slice());
      continue;
    }
    const one = made[made.length - 1];
    one[START] = bar[START];
    one[HIGH] = Math.max(one[HIGH], bar[HIGH]);
    one[LOW] = Math.min(one[LOW], bar[LOW]);
    one[CLOSE] = bar[CLOSE];
    one[VOLUME] = Math.max(one[VOLUME], bar[VOLUME]);
  }
  return made;
}
