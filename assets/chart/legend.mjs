// @ts-check
// The legend at the chart's corner: the bar under the pointer, or the forming one. Drawn on a sheet because it changes
// with every tick; its words are the canvas's content too, which nothing lays out and screen readers read.

import { make, write } from "../page/dom.mjs";
import { kept } from "./ink.mjs";
import { Sheet } from "./sheet.mjs";

/** Px between parts, between a part's name and its value, from line to line, and to the first baseline. */
const GAP = 10;
const NAME_GAP = 3;
const LINE = 19;
const BASE = 12;

/** @typedef {{name?: string, text: string, token: string}} Part */

export class Legend {
  /** @param {HTMLElement} place `#chart-legend` */
  constructor(place) {
    place.replaceChildren();
    this.sheet = new Sheet(place, "legend-sheet", 64);
    this.words = make("span");
    this.wide = 0;
    this.sheet.canvas.removeAttribute("aria-hidden");
    this.sheet.canvas.append(this.words);
  }

  /** @param {Part[]} parts empty ones are left out @param {number} most width in px, longer ones go on below */
  say(parts, most) {
    const said = parts.filter((part) => part.text);
    write(this.words, said.map(({ name, text }) => (name ? `${name} ${text}` : text)).join(" "));
    const font = `${kept("--t1")} ${kept("--font")}`;
    const figures = this.sheet.text(font);
    /** @type {[string, string, number, number][]} text, colour, place */
    const laid = [];
    let [x, y, right, key] = [0, BASE, 0, font];
    const lay = (/** @type {string} */ text, /** @type {string} */ token, /** @type {number} */ at) => {
      laid.push([text, kept(token), at, y]);
      key += `|${text} ${kept(token)} ${at} ${y}`;
    };
    for (const { name, text, token } of said) {
      const before = name ? figures.extent(name) + NAME_GAP : 0;
      const width = before + figures.extent(text);
      if (x > 0 && x + width > most) [x, y] = [0, y + LINE];
      if (name) lay(name, "--faint", x);
      lay(text, token, x + before);
      right = Math.max(right, x + width);
      x += width + GAP;
    }
    // It only grows: a figure that is a digit longer now and then is no reason to lay out the page.
    this.wide = Math.min(Math.max(this.wide, right), Math.max(most, right));
    this.sheet.cover(0, 0, this.wide, y - BASE + LINE);
    this.sheet.paint(key, (brush) => {
      const drawn = this.sheet.text(font);
      for (const [text, colour, left, base] of laid) {
        brush.fillStyle = colour;
        drawn.draw(text, left, base);
      }
    });
  }
}
