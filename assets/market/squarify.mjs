// @ts-check
// A treemap whose boxes are as square as they can be: Bruls, Huizing and van Wijk, "Squarified treemaps" (2000).

/** @typedef {{x: number, y: number, w: number, h: number}} Box */

/**
 * Divide a box among weights, in their order, which should be from the largest down: each row takes weights for as long as
 * that makes its worst box squarer, and lies along the shorter side of what is left.
 * @param {number[]} weights positive @param {Box} box @returns {Box[]} one for each weight, which together fill the box
 */
export function squarify(weights, box) {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  /** @type {Box[]} */
  const boxes = [];
  if (!(total > 0) || box.w <= 0 || box.h <= 0) return weights.map(() => ({ ...box, w: 0, h: 0 }));
  const scale = (box.w * box.h) / total;
  let { x, y, w, h } = box;
  let at = 0;
  while (at < weights.length) {
    const side = Math.min(w, h);
    let end = at + 1;
    let sum = weights[at] * scale;
    let worst = ratio(sum, weights[at] * scale, weights[at] * scale, side);
    for (; end < weights.length; end++) {
      const next = weights[end] * scale;
      const worse = ratio(sum + next, next, weights[at] * scale, side);
      if (worse > worst) break;
      worst = worse;
      sum += next;
    }
    const last = end === weights.length;
    const thick = last ? (side === h ? w : h) : sum / side;
    let along = side === h ? y : x;
    for (; at < end; at++) {
      const long = (weights[at] * scale * side) / sum;
      boxes.push(side === h ? { x, y: along, w: thick, h: long } : { x: along, y, w: long, h: thick });
      along += long;
    }
    if (side === h) [x, w] = [x + thick, w - thick];
    else [y, h] = [y + thick, h - thick];
  }
  return boxes;
}

/**
 * The worst ratio of sides in a row: the paper's max(s² max / sum², sum² / (s² min)).
 * @param {number} sum @param {number} smallest @param {number} largest areas @param {number} side the row's length
 */
function ratio(sum, smallest, largest, side) {
  const square = side * side;
  return Math.max((square * largest) / (sum * sum), (sum * sum) / (square * smallest));
}
