// @ts-check
// The distribution of returns as bars about 0, those below it in the colour of falls.

import { make } from "../page/dom.mjs";
import * as words from "../page/words.mjs";

const WIDTH = 210;
const HEIGHT = 64;
const SPACE = "http://www.w3.org/2000/svg";

/** @param {HTMLElement} place @param {{edges: number[], counts: number[], returns: number} | null} given @param {string} timeframe */
export function paintBars(place, given, timeframe) {
  if (!given) {
    place.replaceChildren();
    return;
  }
  const { edges, counts } = given;
  const most = Math.max(...counts, 1);
  const step = WIDTH / counts.length;
  const reach = edges[edges.length - 1] * 100;
  const box = document.createElementNS(SPACE, "svg");
  box.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  box.setAttribute("preserveAspectRatio", "none");
  box.setAttribute("role", "img");
  const below = counts.slice(0, counts.length >> 1).reduce((sum, count) => sum + count, 0);
  const above = counts.slice((counts.length >> 1) + 1).reduce((sum, count) => sum + count, 0);
  box.setAttribute("aria-label", `Distribution of ${given.returns} returns of ${timeframe}: ${below} falls, ${above} rises, ${given.returns - below - above} near 0`);
  counts.forEach((count, at) => {
    const tall = count ? Math.max(1, (count / most) * HEIGHT) : 0;
    const bar = document.createElementNS(SPACE, "rect");
    const middle = edges[at] + edges[at + 1];
    bar.setAttribute("class", at === counts.length >> 1 ? "flat" : middle < 0 ? "down" : "up");
    for (const [name, value] of [["x", at * step + 0.5], ["y", HEIGHT - tall], ["width", step - 1], ["height", tall]]) bar.setAttribute(String(name), String(value));
    const title = document.createElementNS(SPACE, "title");
    title.textContent = `${count} of ${words.price(edges[at] * 100, 3)} to ${words.price(edges[at + 1] * 100, 3)} %`;
    bar.append(title);
    box.append(bar);
  });
  const edge = (/** @type {number} */ value) => `${words.difference(value, Math.abs(value) < 0.1 ? 3 : 2)} %`;
  place.replaceChildren(
    box,
    make("div", { class: "histogram-axis", "aria-hidden": "true" }, [
      make("span", { text: edge(-reach) }),
      make("span", { text: `returns of ${timeframe}` }),
      make("span", { text: edge(reach) }),
    ]),
  );
}
