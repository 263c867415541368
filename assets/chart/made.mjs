// @ts-check
// How bars were made, from their flags: the words, the runs of a strip under the axis, and how each kind is drawn there,
// by its form as well as its colour. Pure but for the brush.

import { at as indexAt, FLAGS, START } from "./series.mjs";

/** @typedef {{kind: string, from: number, to: number}} Run px in the pane, whole ones */

/** The kinds from the worst to the best: where bars share a pixel, it is the worst one's. */
export const KINDS = ["gap", "partial", "corrected", "filled", "whole"];
/** @type {Record<string, {name: string, words: string, token: string}>} */
export const ABOUT = {
  gap: { name: "Gap", words: "gap: the feed was disconnected", token: "--warn" },
  partial: { name: "Partial", words: "partial: it began before the data did", token: "--warn" },
  corrected: { name: "Corrected", words: "corrected after closing", token: "--accent" },
  filled: { name: "Filled in", words: "filled in from stored history", token: "--accent" },
  whole: { name: "Whole", words: "whole", token: "--line-strong" },
};
/** Px that the strip is high, and that its patterns repeat after. */
export const HEIGHT = 6;
const STEP = 4;

/** The worst kind that a bar's flags name. @param {number} flags @param {Record<string, number>} marks the figure's */
export function kindOf(flags, marks) {
  return KINDS.find((kind) => flags & (marks[kind] ?? 0)) ?? "whole";
}

/** What a bar's flags say of how it was made; empty for a whole one. @param {number} flags @param {Record<string, number>} marks */
export function flagWords(flags, marks) {
  return KINDS.filter((kind) => flags & (marks[kind] ?? 0))
    .map((kind) => ABOUT[kind].words)
    .join(" · ");
}

/**
 * The runs of a strip, ascending: each bar has its pixels, from the middle between it and the one before to the middle
 * behind it; neighbours of one kind are one run.
 * @param {number[][]} bars ascending
 * @param {{marks: Record<string, number>, width: number, x: (start: number) => number, half: number}} on px that the strip is
 *   wide, the middle of the bar of a start, and half of the distance between two bars
 * @returns {Run[]}
 */
export function runs(bars, { marks, width, x, half }) {
  const none = KINDS.length;
  const pixels = new Uint8Array(Math.max(0, Math.ceil(width))).fill(none);
  for (const bar of bars) {
    const kind = KINDS.indexOf(kindOf(bar[FLAGS], marks));
    const middle = x(bar[START]);
    const from = Math.max(0, Math.round(middle - half));
    // However narrow it is, a bar has a pixel.
    const to = Math.min(pixels.length, Math.max(Math.round(middle + half), Math.round(middle - half) + 1));
    for (let pixel = from; pixel < to; pixel++) if (kind < pixels[pixel]) pixels[pixel] = kind;
  }
  /** @type {Run[]} */
  const found = [];
  for (let from = 0, to = 0; from < pixels.length; from = to) {
    for (to = from + 1; to < pixels.length && pixels[to] === pixels[from]; to++);
    if (pixels[from] < none) found.push({ kind: KINDS[pixels[from]], from, to });
  }
  return found;
}

/** How many of each kind there are, in words: `3 gap, 107 whole`. @param {number[][]} bars @param {Record<string, number>} marks */
export function counts(bars, marks) {
  /** @type {Map<string, number>} */
  const found = new Map();
  for (const bar of bars) {
    const kind = kindOf(bar[FLAGS], marks);
    found.set(kind, (found.get(kind) ?? 0) + 1);
  }
  return KINDS.flatMap((kind) => (found.has(kind) ? [`${found.get(kind)} ${ABOUT[kind].name.toLowerCase()}`] : [])).join(", ");
}

/**
 * Draw one run: a gap as a block, a partial bar as slanted lines, a corrected one as upright ones, a filled one as dots, a
 * whole one as a thin line.
 * @param {CanvasRenderingContext2D} brush @param {Run} run @param {number} left px @param {number} top px @param {string} ink
 */
export function drawRun(brush, { kind, from, to }, left, top, ink) {
  const [x, width] = [left + from, to - from];
  brush.fillStyle = brush.strokeStyle = ink;
  if (kind === "whole") return brush.fillRect(x, top + HEIGHT / 2 - 1, width, 2);
  if (kind === "gap") return brush.fillRect(x, top, width, HEIGHT);
  brush.save();
  brush.beginPath();
  brush.rect(x, top, width, HEIGHT);
  brush.clip();
  // Patterns lie still on the pane, so that a run does not flicker as it grows.
  const first = left + Math.floor(from / STEP) * STEP;
  for (let at = first - HEIGHT; at < x + width; at += STEP) {
    if (kind === "corrected") brush.fillRect(at, top, 2, HEIGHT);
    else if (kind === "filled") brush.fillRect(at, top + HEIGHT / 2 - 1, 2, 2);
    else {
      brush.lineWidth = 1.5;
      brush.beginPath();
      brush.moveTo(at, top + HEIGHT);
      brush.lineTo(at + HEIGHT, top);
      brush.stroke();
    }
  }
  brush.restore();
  return undefined;
}

/** The bars that have a part in a view. @param {number[][]} rows ascending @param {number} from UTC ms @param {number} to @param {number} ms a bar's length */
export function inView(rows, from, to, ms) {
  return rows.slice(indexAt(rows, from - ms), indexAt(rows, to + ms));
}
