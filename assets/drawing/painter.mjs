// @ts-check
// Draws the drawings on a sheet of their own over the chart, with Plotly's scales of the moment, and only when they or
// the scales have changed: live prices cost it the making of a short text.

import { kept } from "../chart/ink.mjs";
import { counted } from "../chart/scale.mjs";
import { START } from "../chart/series.mjs";
import { Sheet } from "../chart/sheet.mjs";
import { COLORS, USUAL } from "./kinds.mjs";
import { LINE_HEIGHT, partsOf, placesOf, VEIL } from "./parts.mjs";
import { picture } from "./picture.mjs";

/** @typedef {import("./kinds.mjs").Drawing} Drawing */
/** @typedef {import("./parts.mjs").Part} Part */

const DASHES = { solid: [], dash: [7, 5], dot: [2, 4] };
const THIN = [3, 4];
const HANDLE = 4.5;
const TAG_HEIGHT = 18;
const HALO = 3;

/** A style's colour: a token of the page, or one that was given by its numbers. @param {string | undefined} color */
export function colourOf(color) {
  if (color && /^#[0-9a-f]{6}$/i.test(color)) return color;
  return kept(`--${color && color in COLORS ? color : USUAL.color}`);
}

export class Painter {
  /** @param {import("../chart/chart.mjs").Chart} chart @param {import("./board.mjs").Board} board */
  constructor(chart, board) {
    this.chart = chart;
    this.board = board;
    this.sheet = new Sheet(/** @type {HTMLElement} */ (chart.place.parentElement), "drawings");
    // Under the last price and the pointer, over the bars.
    chart.overlay.last.canvas.before(this.sheet.canvas);
    this.paint = this.paint.bind(this);
  }

  get font() {
    return `${kept("--t1")} ${kept("--font")}`;
  }

  /** The price pane with the scales of now; null before there are any. @returns {(import("./parts.mjs").Ground & {pane: any, msAt: (x: number) => number, even: boolean, priceAt: (y: number) => number}) | null} */
  ground() {
    const { plot, overlay, data } = this.chart;
    const panes = plot.figure && overlay.panes();
    if (!panes) return null;
    const { x, y, price: pane } = panes;
    const figures = this.sheet.text(this.font);
    return {
      pane,
      x: (ms) => x.l2p(plot.x(ms)),
      y: (price) => {
        const at = y.d2p(price);
        return Number.isFinite(at) ? at : 2 * pane.height; // a logarithmic axis has no place for 0 and below
      },
      msAt: (at) => plot.at(x.p2l(at)),
      even: plot.axis.plain,
      priceAt: (at) => y.p2d(at),
      width: pane.width,
      height: pane.height,
      extent: (text) => figures.extent(text),
      words: (price) => plot.words(price),
      bars: { rows: data.rows, ms: data.ms, decimals: plot.figure.decimals },
    };
  }

  /** The drawings in view, for a picture of the chart: its ranges are fitted anew, those on the screen may be older. */
  picture() {
    const ground = this.ground();
    if (!ground) return { shapes: [], annotations: [] };
    const { left, right, low, high, scale, axis } = this.chart.plot;
    const [least, most] = [counted(scale, low), counted(scale, high)];
    ground.x = (ms) => ((axis.place(ms) - left) / (right - left)) * ground.width;
    ground.y = (price) => {
      const part = (counted(scale, price) - least) / (most - least);
      return Number.isFinite(part) ? (1 - part) * ground.height : 2 * ground.height;
    };
    return picture(this.board.drawings, ground, { colour: ({ style }) => colourOf(style.color), token: kept });
  }

  paint() {
    const { board, chart, sheet } = this;
    board.open(chart.data.symbol);
    const seen = board.seen();
    const ground = seen.length ? this.ground() : null;
    if (!ground) return sheet.hide();
    const { pane } = ground;
    sheet.cover(pane.left, pane.top, pane.width + pane.margin, pane.height);
    const { rows } = chart.data;
    const key = [
      board.revision,
      ...[ground.msAt(0), ground.msAt(pane.width), ground.priceAt(0), ground.priceAt(pane.height)],
      ...[pane.left, pane.top, pane.width, pane.height, pane.margin],
      ...[chart.plot.scale, chart.plot.base, rows.length, rows[0]?.[START], chart.data.timeframe],
      ...["--surface", "--text", "--accent", "--up"].map(kept),
      this.font,
    ].join("|");
    sheet.paint(key, (brush) => {
      const figures = sheet.text(this.font);
      brush.font = figures.font;
      for (const drawing of seen) this.draw(brush, drawing, ground);
    });
    return undefined;
  }

  /** @param {CanvasRenderingContext2D} brush @param {Drawing} drawing @param {NonNullable<ReturnType<Painter["ground"]>>} ground */
  draw(brush, drawing, ground) {
    const { pane } = ground;
    const { selected, over, part } = this.board;
    const parts = partsOf(drawing, ground);
    const colour = colourOf(drawing.style.color);
    brush.save();
    brush.translate(pane.left, pane.top);
    brush.save();
    brush.beginPath();
    brush.rect(0, 0, pane.width, pane.height);
    brush.clip();
    for (const each of parts) this.drawPart(brush, each, drawing, colour);
    if (drawing.id === selected || drawing.id === over) {
      for (const [at, [x, y]] of placesOf(drawing, ground).entries()) handle(brush, x, y, colour, drawing.id === selected && part === at);
    }
    brush.restore();
    for (const { tag } of parts) if (tag) label(brush, tag, pane, colour);
    brush.restore();
  }

  /** @param {CanvasRenderingContext2D} brush @param {Part} part @param {Drawing} drawing @param {string} colour */
  drawPart(brush, { line, thin, fine, box, veil, words }, drawing, colour) {
    const { width = USUAL.width, dash = USUAL.dash } = drawing.style;
    brush.lineWidth = thin ? 1 : Math.max(fine ? width - 1 : width, 1);
    brush.setLineDash(thin ? THIN : (DASHES[dash] ?? []));
    brush.strokeStyle = brush.fillStyle = veil ? kept(veil) : colour;
    if (line) {
      const [x1, y1, x2, y2] = line;
      // A level line of an odd width lies on whole pixels.
      const half = y1 === y2 && brush.lineWidth % 2 ? Math.round(y1) + 0.5 - y1 : 0;
      brush.beginPath();
      brush.moveTo(x1, y1 + half);
      brush.lineTo(x2, y2 + half);
      brush.stroke();
    }
    if (box) {
      brush.globalAlpha = VEIL;
      brush.fillRect(...box);
      brush.globalAlpha = 1;
      if (veil) brush.lineWidth = 1;
      brush.strokeRect(...box);
    }
    if (words) this.drawWords(brush, words, drawing, veil ? kept(veil) : colour);
  }

  /** @param {CanvasRenderingContext2D} brush @param {NonNullable<Part["words"]>} words @param {Drawing} drawing @param {string} colour */
  drawWords(brush, { left, top, width, height, lines, plate }, drawing, colour) {
    brush.setLineDash([]);
    if (plate) {
      brush.fillStyle = kept("--surface");
      brush.strokeStyle = kept("--faint");
      brush.lineWidth = 1;
      brush.beginPath();
      brush.roundRect(Math.round(left) + 0.5, Math.round(top) + 0.5, width, height, 3);
      brush.fill();
      brush.stroke();
    }
    const rising = drawing.points.length === 2 && drawing.points[1][1] >= drawing.points[0][1];
    for (const [at, line] of lines.entries()) {
      const [x, y] = [left + 6, top + 3 + at * LINE_HEIGHT + 11.5];
      if (!plate) {
        brush.strokeStyle = kept("--surface");
        brush.lineJoin = "round";
        brush.lineWidth = HALO;
        brush.strokeText(line, x, y);
      }
      brush.fillStyle = plate ? kept(at === 0 ? (rising ? "--up" : "--down") : "--text") : colour;
      brush.fillText(line, x, y);
    }
  }
}

/** @param {CanvasRenderingContext2D} brush @param {number} x @param {number} y @param {string} colour @param {boolean} held */
function handle(brush, x, y, colour, held) {
  if (!Number.isFinite(x) || !Number.isFinite(y)) return;
  brush.setLineDash([]);
  brush.lineWidth = 2;
  brush.strokeStyle = colour;
  brush.fillStyle = held ? colour : kept("--surface");
  brush.beginPath();
  brush.arc(x, y, HANDLE, 0, 2 * Math.PI);
  brush.fill();
  brush.stroke();
}

/** A price in the margin, at its height. @param {CanvasRenderingContext2D} brush @param {{y: number, words: string}} tag @param {any} pane @param {string} colour */
function label(brush, { y, words }, pane, colour) {
  if (y < 0 || y > pane.height) return;
  const top = Math.min(Math.max(y - TAG_HEIGHT / 2, 0), pane.height - TAG_HEIGHT);
  brush.fillStyle = kept("--surface");
  brush.strokeStyle = colour;
  brush.lineWidth = 1;
  brush.setLineDash([]);
  brush.beginPath();
  brush.roundRect(pane.width + 2.5, Math.round(top) + 0.5, pane.margin - 5, TAG_HEIGHT - 1, 3);
  brush.fill();
  brush.stroke();
  brush.fillStyle = colour;
  brush.fillText(words, pane.width + 8, top + 13, pane.margin - 14);
}

