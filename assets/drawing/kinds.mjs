// @ts-check
// What can be drawn, as dashboard/workbench/drawings.py takes it: kinds, their points, styles, limits. Pure.

/** @typedef {[number, number]} Point UTC ms, price */
/** @typedef {{color?: string, width?: number, dash?: string}} Style */
/** @typedef {{id: string, kind: string, points: Point[], style: Style, text: string}} Drawing never changed in place */

/** By kind: its name, how many points it has, and what its hint says of them. @type {Record<string, {name: string, points: number, hints: string[]}>} */
export const KINDS = {
  line: { name: "Line", points: 2, hints: ["its first end", "its other end"] },
  ray: { name: "Ray", points: 2, hints: ["where it begins", "a point that it goes through"] },
  horizontal: { name: "Horizontal line", points: 1, hints: ["its price"] },
  rectangle: { name: "Rectangle", points: 2, hints: ["a corner", "the opposite corner"] },
  fibonacci: { name: "Fibonacci retracement", points: 2, hints: ["where the move begins (100 %)", "where it ends (0 %)"] },
  text: { name: "Text", points: 1, hints: ["its place"] },
  measure: { name: "Measure", points: 2, hints: ["where to measure from", "where to measure to"] },
};
/** Colours by token, which both themes have. */
export const COLORS = { accent: "Blue", up: "Green", down: "Red", warn: "Amber", text: "Strong", faint: "Grey" };
export const WIDTHS = [1, 2, 3];
export const DASHES = { solid: "Solid", dash: "Dashed", dot: "Dotted" };
export const USUAL = { color: "accent", width: 2, dash: "solid" };

/** What the server accepts of an instrument's drawings at most. */
export const MOST = 200;
export const MOST_TEXT = 500;
export const MOST_BYTES = 524_288;
const LATEST_MS = 253_402_300_799_999;
const LARGEST = 9.99e14;

/** Retracements of a move, as parts of it: ratios of Fibonacci's numbers, a half, and both ends. */
export const LEVELS = [0, 0.236, 0.382, 0.5, 0.618, 0.786, 1];

/** An id that no other tab makes. */
export function newId() {
  // randomUUID is there on secure pages only.
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(36).padStart(2, "0")).join("");
}

/** A point as the server takes it. @param {number} ms @param {number} price @param {number} decimals of the instrument @returns {Point} */
export function pointOf(ms, price, decimals) {
  const rounded = Number(price.toFixed(Math.min(decimals, 12)));
  return [Math.round(Math.min(Math.max(ms, 0), LATEST_MS)), Math.min(Math.max(rounded, -LARGEST), LARGEST)];
}

/** A text as the server takes it: composed, without control characters, no longer than may be. @param {string} typed */
export function textOf(typed) {
  const shown = typed
    .normalize("NFC")
    .replace(/\r\n?|[\u2028\u2029]/gu, "\n")
    .replace(/\t/gu, " ")
    .replace(/(?!\n)[\p{Cc}\p{Cs}\p{Co}\p{Cn}]/gu, "");
  return [...shown.trim()].slice(0, MOST_TEXT).join("").trim();
}

/**
 * Why the server would refuse so many drawings; empty where it takes them.
 * @param {Drawing[]} drawings @param {string} symbol
 */
export function excess(drawings, symbol) {
  if (drawings.length > MOST) return `${MOST} drawings on ${symbol} are the most there can be; delete one first.`;
  const bytes = new TextEncoder().encode(JSON.stringify({ drawings })).length;
  if (bytes > MOST_BYTES) return `The drawings on ${symbol} would take ${bytes} bytes, and ${MOST_BYTES} are the most; shorten or delete a note first.`;
  return "";
}

/** A drawing in words. @param {Drawing} drawing @param {(price: number) => string} words of a price */
export function describe(drawing, words) {
  const { name } = KINDS[drawing.kind] ?? { name: "Drawing" };
  const note = drawing.text ? `: ${drawing.text.split("\n")[0].slice(0, 40)}` : "";
  return `${name} at ${drawing.points.map(([, price]) => words(price)).join(" to ")}${note}`;
}
