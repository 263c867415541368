// @ts-check
// A small canvas over the chart, on a layer of its own, for what changes with every tick. A change of the document's
// text or SVG lets the browser lay out, paint and compose the page anew, which costs three times as much.

import { make } from "../page/dom.mjs";

export class Sheet {
  /**
   * @param {HTMLElement} place a positioned box @param {string} kind its class
   * @param {number} step its width is a multiple of so many px, where it changes often: another size is a layout
   */
  constructor(place, kind, step = 1) {
    this.step = step;
    /** @type {HTMLCanvasElement} */
    this.canvas = make("canvas", { class: `sheet ${kind}`, "aria-hidden": "true", hidden: true });
    this.brush = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    this.left = this.top = this.width = this.height = this.scale = 0;
    this.shown = false;
    this.drawn = "";
    /** @type {Figures | null} */
    this.figures = null;
    place.append(this.canvas);
  }

  /**
   * Cover an area, px in the place; the sheet begins at the whole pixel before it.
   * @param {number} left @param {number} top @param {number} width @param {number} height
   */
  cover(left, top, width, height) {
    const { canvas } = this;
    const [x, y] = [Math.floor(left), Math.floor(top)];
    if (x !== this.left || y !== this.top) {
      [this.left, this.top] = [x, y];
      canvas.style.transform = `translate(${x}px, ${y}px)`;
    }
    const wide = Math.ceil((left - x + width) / this.step) * this.step;
    const high = Math.ceil(top - y + height);
    const scale = devicePixelRatio;
    if (wide !== this.width || high !== this.height || scale !== this.scale) {
      [this.width, this.height, this.scale] = [wide, high, scale];
      canvas.width = Math.round(wide * scale);
      canvas.height = Math.round(high * scale);
      canvas.style.width = `${wide}px`;
      canvas.style.height = `${high}px`;
      // Another size has reset the brush.
      this.brush.fontKerning = "none";
      this.figures = null;
      this.drawn = "";
    }
    if (!this.shown) canvas.hidden = !(this.shown = true);
  }

  /** How texts of a font are drawn here. @param {string} font */
  text(font) {
    if (this.figures?.font !== font) this.figures = new Figures(this.brush, font);
    return this.figures;
  }

  hide() {
    if (this.shown) this.canvas.hidden = !(this.shown = false);
  }

  /**
   * Draw anew what `what` names, unless that is what is drawn. @param {string} what
   * @param {(brush: CanvasRenderingContext2D) => void} draw in px of the place
   */
  paint(what, draw) {
    if (what === this.drawn) return;
    this.drawn = what;
    const { brush, canvas, scale } = this;
    brush.resetTransform();
    brush.clearRect(0, 0, canvas.width, canvas.height);
    brush.setTransform(scale, 0, 0, scale, -this.left * scale, -this.top * scale);
    draw(brush);
  }
}

/** Text on a canvas with digits of one width, which a canvas has no setting for. */
export class Figures {
  /** @param {CanvasRenderingContext2D} brush @param {string} font */
  constructor(brush, font) {
    this.brush = brush;
    this.font = font;
    brush.font = font;
    /** @type {Map<string, number>} */
    this.widths = new Map();
    const digits = [..."0123456789"].map((digit) => brush.measureText(digit).width);
    /** Whether the font has them by itself: the text is drawn in one piece then. */
    this.even = digits.every((width) => width === digits[0]);
  }

  /** @param {string} character */
  width(character) {
    const wanted = character >= "0" && character <= "9" ? "0" : character;
    let found = this.widths.get(wanted);
    if (found === undefined) this.widths.set(wanted, (found = this.brush.measureText(wanted).width));
    return found;
  }

  /** Px that a text takes. @param {string} text */
  extent(text) {
    let sum = 0;
    for (const character of text) sum += this.width(character);
    return sum;
  }

  /** @param {string} text @param {number} x @param {number} y of the baseline */
  draw(text, x, y) {
    if (this.even) {
      this.brush.fillText(text, x, y);
      return;
    }
    let at = x;
    for (const character of text) {
      this.brush.fillText(character, at, y);
      at += this.width(character);
    }
  }
}
