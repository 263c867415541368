// @ts-check
// A line in two parts, over and under a level: the closes of a baseline chart. Pure.

/** @typedef {[number, number]} Point along, up */

/**
 * Runs of the line that lie on one side, each from and to the level, or from and to where the line begins and ends. A line
 * that lies on the level is above.
 * @param {Point[]} points @param {number} level @returns {{above: Point[][], below: Point[][]}}
 */
export function sides(points, level) {
  /** @type {{above: Point[][], below: Point[][]}} */
  const found = { above: [], below: [] };
  /** @type {Point[]} */
  let run = [];
  let over = false;
  for (const [at, [x, y]] of points.entries()) {
    if (at === 0 || y >= level !== over) {
      const [x0, y0] = points[at - 1] ?? [x, y];
      /** @type {Point} */
      const crossing = [y === y0 ? x0 : x0 + ((x - x0) * (level - y0)) / (y - y0), level];
      if (at > 0) run.push(crossing);
      over = y >= level;
      run = at > 0 ? [crossing] : [];
      found[over ? "above" : "below"].push(run);
    }
    run.push([x, y]);
  }
  return found;
}

/** The ground between a run and the level. @param {Point[]} run @param {number} level @returns {Point[]} */
export function ground(run, level) {
  return [[run[0][0], level], ...run, [run[run.length - 1][0], level]];
}
