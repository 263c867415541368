// @ts-check
// Of what lines, boxes and words a drawing consists, in px of the price pane: the painter draws these parts, the hand
// feels for them. Pure.

import { LEVELS } from "./kinds.mjs";
import { measured } from "./measure.mjs";

/** @typedef {import("./kinds.mjs").Drawing} Drawing */
/**
 * @typedef {object} Ground the price pane as it is now
 * @property {(ms: number) => number} x px of a moment @property {(price: number) => number} y px of a price
 * @property {number} width px @property {number} height px
 * @property {(text: string) => number} extent px that a text takes @property {(price: number) => string} words as the axis names a price
 * @property {import("./measure.mjs").Bars} bars
 */
/** @typedef {[number, number, number, number]} Four */
/**
 * @typedef {object} Part one of these
 * @property {Four} [line] from x, y to x, y, within the pane @property {boolean} [thin] of one px, dotted @property {boolean} [fine] a px thinner than the style says
 * @property {Four} [box] left, top, width, height @property {string} [veil] the token of its colour, else it is the drawing's
 * @property {{left: number, top: number, width: number, height: number, lines: string[], plate: boolean}} [words]
 * @property {{y: number, words: string}} [tag] a label in the price axis
 */

export const LINE_HEIGHT = 15;
/** How much of the colour a box has inside. */
export const VEIL = 0.1;
/** Room around words, px. */
const PAD_X = 6;
const PAD_Y = 3;
/** So far outside the pane a line may end. */
const OUTSIDE = 32;

/**
 * The part of a line that lies in the pane (Liang and Barsky 1984), or so many px around it; null where none does.
 * @param {Four} line @param {{width: number, height: number}} pane @param {number} [outside] @returns {Four | null}
 */
export function clipped([x1, y1, x2, y2], { width, height }, outside = OUTSIDE) {
  if (![x1, y1, x2, y2].every(Number.isFinite)) return null;
  const [dx, dy] = [x2 - x1, y2 - y1];
  let [from, to] = [0, 1];
  const edges = [
    [-dx, x1 + outside],
    [dx, width + outside - x1],
    [-dy, y1 + outside],
    [dy, height + outside - y1],
  ];
  for (const [way, room] of edges) {
    if (way === 0 && room < 0) return null;
    if (way < 0) from = Math.max(from, room / way);
    if (way > 0) to = Math.min(to, room / way);
  }
  if (from > to) return null;
  return [x1 + from * dx, y1 + from * dy, x1 + to * dx, y1 + to * dy];
}

/** Where a line from a point through another leaves the pane, or that other point where they are one. @param {Four} line @param {Ground} ground @returns {Four} */
function onwards([x1, y1, x2, y2], { width, height }) {
  const length = Math.hypot(x2 - x1, y2 - y1);
  if (!length) return [x1, y1, x2, y2];
  const far = (Math.abs(x1) + Math.abs(y1) + width + height + 2 * OUTSIDE) / length;
  return [x1, y1, x1 + (x2 - x1) * Math.max(far, 1), y1 + (y2 - y1) * Math.max(far, 1)];
}

/** Words with their place. @param {string[]} lines @param {number} left @param {number} top @param {Ground} ground @param {boolean} [plate] @returns {Part} */
function words(lines, left, top, ground, plate = false) {
  const width = Math.max(...lines.map(ground.extent)) + 2 * PAD_X;
  return { words: { left, top, width, height: lines.length * LINE_HEIGHT + 2 * PAD_Y, lines, plate } };
}

/** The note of a drawing above a point. @param {Drawing} drawing @param {number} x @param {number} y @param {Ground} ground @returns {Part[]} */
function note(drawing, x, y, ground) {
  if (!drawing.text) return [];
  const lines = drawing.text.split("\n");
  return [words(lines, x, y - lines.length * LINE_HEIGHT - 2 * PAD_Y - 2, ground)];
}

/** @param {Four} line @param {Ground} ground @param {boolean} [thin] @returns {Part[]} */
function line(line, ground, thin = false) {
  const seen = clipped(line, ground);
  return seen ? [{ line: seen, thin }] : [];
}

/** @param {[number, number][]} px @returns {Four} */
function boxOf([[x1, y1], [x2, y2]]) {
  return [Math.min(x1, x2), Math.min(y1, y2), Math.abs(x2 - x1), Math.abs(y2 - y1)];
}

/** By kind. @type {Record<string, (drawing: Drawing, px: [number, number][], ground: Ground) => Part[]>} */
const MAKE = {
  line: (drawing, [a, b], ground) => [...line([...a, ...b], ground), ...note(drawing, ...(a[0] < b[0] ? a : b), ground)],
  ray: (drawing, [a, b], ground) => [...line(onwards([...a, ...b], ground), ground), ...note(drawing, ...a, ground)],
  horizontal: (drawing, [[, y]], ground) => [
    ...line([0, y, ground.width, y], ground),
    { tag: { y, words: ground.words(drawing.points[0][1]) } },
    ...note(drawing, 4, y, ground),
  ],
  rectangle: (drawing, px, ground) => [{ box: boxOf(px) }, ...note(drawing, boxOf(px)[0], boxOf(px)[1], ground)],
  fibonacci(drawing, [a, b], ground) {
    const [[, begin], [, end]] = drawing.points;
    const [left, right] = [Math.min(a[0], b[0]), Math.max(a[0], b[0])];
    const levels = LEVELS.flatMap((level) => {
      const price = end + (begin - end) * level;
      const y = ground.y(price);
      const said = `${level}  ${ground.words(price)}`;
      return [...line([left, y, right, y], ground).map((each) => ({ ...each, fine: level > 0 && level < 1 })), words([said], left, y - LINE_HEIGHT - PAD_Y, ground)];
    });
    return [...line([...a, ...b], ground, true), ...levels, ...note(drawing, left, Math.min(a[1], b[1]) - LINE_HEIGHT, ground)];
  },
  text: (drawing, [[x, y]], ground) => [words((drawing.text || "…").split("\n"), x, y, ground)],
  measure(drawing, px, ground) {
    const [[, before], [, after]] = drawing.points;
    const [left, top, width, height] = boxOf(px);
    const said = words([...measured(drawing.points, ground.bars), ...(drawing.text ? drawing.text.split("\n") : [])], 0, 0, ground, true);
    const plate = /** @type {NonNullable<Part["words"]>} */ (said.words);
    plate.left = Math.min(Math.max(left + width / 2 - plate.width / 2, 2), Math.max(ground.width - plate.width - 2, 2));
    // On the side that it goes to, within the pane while the box is.
    const wanted = after >= before ? top - plate.height - 6 : top + height + 6;
    const inside = Math.min(Math.max(wanted, 2), ground.height - plate.height - 2);
    plate.top = top + height < 0 || top > ground.height ? wanted : inside;
    const middle = left + width / 2;
    const veil = after >= before ? "--up" : "--down";
    return [
      { box: [left, top, width, height], veil },
      ...line([middle, px[0][1], middle, px[1][1]], ground, true).map((each) => ({ ...each, veil })),
      said,
    ];
  },
};

/** The points of a drawing, px in the pane. @param {Drawing} drawing @param {Ground} ground @returns {[number, number][]} */
export function placesOf(drawing, ground) {
  return drawing.points.map(([ms, price]) => [ground.x(ms), ground.y(price)]);
}

/** @param {Drawing} drawing @param {Ground} ground @returns {Part[]} none of a kind that is not known here */
export function partsOf(drawing, ground) {
  return MAKE[drawing.kind]?.(drawing, placesOf(drawing, ground), ground) ?? [];
}

/** @param {number} x @param {number} y @param {Four} line */
function toLine(x, y, [x1, y1, x2, y2]) {
  const [dx, dy] = [x2 - x1, y2 - y1];
  const square = dx * dx + dy * dy;
  const part = square ? Math.min(Math.max(((x - x1) * dx + (y - y1) * dy) / square, 0), 1) : 0;
  return Math.hypot(x - x1 - part * dx, y - y1 - part * dy);
}

/** How far a place is from a drawing, px; 0 on its words. @param {Part[]} parts @param {number} x @param {number} y */
export function distance(parts, x, y) {
  let least = Infinity;
  for (const { line: seen, box, words: said, thin } of parts) {
    if (seen && !thin) least = Math.min(least, toLine(x, y, seen));
    if (box) {
      const [left, top, width, height] = box;
      const corners = [left, top, left + width, top + height];
      const [l, t, r, b] = corners;
      for (const side of /** @type {Four[]} */ ([[l, t, r, t], [l, b, r, b], [l, t, l, b], [r, t, r, b]])) least = Math.min(least, toLine(x, y, side));
    }
    if (said && x >= said.left && x <= said.left + said.width && y >= said.top && y <= said.top + said.height) least = 0;
  }
  return least;
}
