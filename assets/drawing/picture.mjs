// @ts-check
// The drawings as Plotly's own shapes and annotations, for a picture of the chart: by parts of the price pane, so that
// they lie alike at any size. Pure.

import { clipped, partsOf, VEIL } from "./parts.mjs";

/** @typedef {import("./kinds.mjs").Drawing} Drawing */

const AT = { xref: "x domain", yref: "y domain" };

/** A text that Plotly, which reads some tags in it, shows as it is. @param {string} text */
function plain(text) {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

/**
 * @param {Drawing[]} drawings @param {import("./parts.mjs").Ground} ground
 * @param {{colour: (drawing: Drawing) => string, token: (name: string) => string}} inks
 * @returns {{shapes: any[], annotations: any[]}}
 */
export function picture(drawings, ground, inks) {
  const { width, height } = ground;
  const within = (/** @type {number} */ value) => Math.min(Math.max(value, 0), 1);
  const [across, up] = [(/** @type {number} */ x) => x / width, (/** @type {number} */ y) => 1 - y / height];
  /** @type {any[]} */
  const shapes = [];
  /** @type {any[]} */
  const annotations = [];
  for (const drawing of drawings) {
    const own = inks.colour(drawing);
    for (const { line, box, words, tag, veil, thin, fine } of partsOf(drawing, ground)) {
      const color = veil ? inks.token(veil) : own;
      const { width: wide = 2, dash = "solid" } = drawing.style;
      const stroke = { color, width: thin || veil ? 1 : Math.max(fine ? wide - 1 : wide, 1), dash: thin ? "dot" : dash };
      // Nothing outside the pane: Plotly does not cut what is placed by parts of it.
      const seen = line && clipped(line, ground, 0);
      if (seen) shapes.push({ ...AT, type: "line", x0: across(seen[0]), y0: up(seen[1]), x1: across(seen[2]), y1: up(seen[3]), line: stroke });
      if (box && box[0] < width && box[0] + box[2] > 0 && box[1] < height && box[1] + box[3] > 0) {
        const [x0, x1, y0, y1] = [across(box[0]), across(box[0] + box[2]), up(box[1] + box[3]), up(box[1])].map(within);
        const rect = { ...AT, type: "rect", x0, x1, y0, y1 };
        shapes.push({ ...rect, fillcolor: color, opacity: VEIL, line: { width: 0 } }, { ...rect, line: stroke });
      }
      if (words && words.left < width && words.left + words.width > 0 && words.top < height && words.top + words.height > 0) {
        annotations.push({
          ...AT,
          ...{ x: across(words.left), y: up(words.top), xanchor: "left", yanchor: "top", showarrow: false, align: "left" },
          text: words.lines.map(plain).join("<br>"),
          font: { size: 12, color: words.plate ? inks.token("--text") : own },
          ...(words.plate && { bgcolor: inks.token("--surface"), bordercolor: inks.token("--faint"), borderpad: 3 }),
        });
      }
      if (tag && tag.y >= 0 && tag.y <= height) {
        annotations.push({ ...AT, x: 1, y: up(tag.y), xanchor: "left", yanchor: "middle", xshift: 4, showarrow: false, text: plain(tag.words), font: { size: 11, color }, bgcolor: inks.token("--surface"), bordercolor: color });
      }
    }
  }
  return { shapes, annotations };
}
