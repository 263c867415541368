// @ts-check
// Mouse, pen and finger on the drawings. A press that meets a drawing, or that a tool is in hand for, is taken before
// Plotly hears of it; any other is Plotly's.

import { CLOSE, HIGH, LOW, OPEN, START } from "../chart/series.mjs";
import { pointOf } from "./kinds.mjs";
import { distance, partsOf, placesOf } from "./parts.mjs";

/** @typedef {import("./kinds.mjs").Drawing} Drawing */
/** @typedef {NonNullable<ReturnType<import("./painter.mjs").Painter["ground"]>>} Ground */

/** So near to a drawing it is meant, px; a finger is wider. */
const NEAR = 7;
const NEAR_FINGER = 18;
/** A press that moves so far is a drag. */
const DRAG = 4;

/** A moment as a bar has it: of one that is there, else of the grid that later ones will lie on. @param {number} ms @param {import("../chart/series.mjs").Series} series */
export function onBar(ms, series) {
  const { rows, newest, ms: step } = series;
  if (!newest || ms > newest[START] + step / 2) {
    const from = newest?.[START] ?? 0;
    return from + Math.round((ms - from) / step) * step;
  }
  if (ms < rows[0][START]) return rows[0][START] - Math.round((rows[0][START] - ms) / step) * step;
  return /** @type {number[]} */ (series.nearest(ms))[START];
}

/**
 * The drawing, moved by so many px, whole or one of its points: so far in the picture, whatever the scale.
 * @param {Drawing} drawing @param {number} part -1 all @param {number} dx @param {number} dy @param {Ground} ground
 * @param {import("../chart/series.mjs").Series} series @returns {Drawing}
 */
export function moved(drawing, part, dx, dy, ground, series) {
  const { decimals } = ground.bars;
  const lead = drawing.points[Math.max(part, 0)][0];
  const led = onBar(ground.msAt(ground.x(lead) + dx), series);
  // Where closed hours are left out, as far along the axis; otherwise as long a time.
  const along = ground.x(led) - ground.x(lead);
  const later = (/** @type {number} */ ms) => (ground.even ? ms + led - lead : onBar(ground.msAt(ground.x(ms) + along), series));
  const points = drawing.points.map(([ms, price], at) => {
    if (part >= 0 && at !== part) return /** @type {import("./kinds.mjs").Point} */ ([ms, price]);
    const raised = dy && ground.y(price) < 2 * ground.height ? ground.priceAt(ground.y(price) + dy) : price;
    return pointOf(dx ? later(ms) : ms, Number.isFinite(raised) ? raised : price, decimals);
  });
  return { ...drawing, points };
}

export class Hand {
  /**
   * @param {import("../chart/chart.mjs").Chart} chart @param {import("./board.mjs").Board} board
   * @param {import("./painter.mjs").Painter} painter @param {(drawing: Drawing, fresh: boolean) => void} write opens the note of a drawing
   */
  constructor(chart, board, painter, write) {
    this.chart = chart;
    this.board = board;
    this.painter = painter;
    this.write = write;
    /** @type {{pointer: number, what: "place" | "move" | "ruler" | "erase", x: number, y: number, drawing?: Drawing, part: number, far: boolean, began: boolean} | null} */
    this.press = null;
    const box = /** @type {HTMLElement} */ (chart.place.parentElement);
    this.box = box;
    const taken = (/** @type {Event} */ event) => {
      if (!this.press) return;
      event.stopPropagation();
      if (event.cancelable) event.preventDefault();
    };
    box.addEventListener("pointerdown", (event) => this.down(event), true);
    box.addEventListener("pointermove", (event) => this.move(event), true);
    box.addEventListener("pointerup", (event) => this.up(event), true);
    box.addEventListener("pointercancel", () => this.press && this.abandon(), true);
    box.addEventListener("mousedown", taken, true);
    box.addEventListener("touchstart", taken, { capture: true, passive: false });
    box.addEventListener("dblclick", (event) => this.twice(event), true);
    chart.place.addEventListener("pointerleave", () => this.hover(""));
  }

  /** Where an event is in the price pane; null beside the panes. @param {MouseEvent} event */
  at(event) {
    const ground = this.painter.ground();
    if (!ground || !this.chart.place.contains(/** @type {Node} */ (event.target))) return null;
    const home = this.chart.place.getBoundingClientRect();
    const x = event.clientX - home.left - ground.pane.left;
    const y = event.clientY - home.top - ground.pane.top;
    return { x, y, ground, inside: x >= 0 && x <= ground.width && y >= 0 && y <= ground.height };
  }

  /** The point of the market at a place; with Ctrl at the nearest price of the bar there. @param {number} x @param {number} y @param {Ground} ground @param {boolean} [magnet] */
  point(x, y, ground, magnet = false) {
    const { data } = this.chart;
    const ms = onBar(ground.msAt(x), data);
    let price = ground.priceAt(Math.min(Math.max(y, 0), ground.height));
    const bar = magnet ? data.nearest(ms) : undefined;
    if (bar) {
      const off = (/** @type {number} */ level) => Math.abs(ground.y(level) - y);
      price = [OPEN, HIGH, LOW, CLOSE].map((field) => bar[field]).reduce((best, level) => (off(level) < off(best) ? level : best));
    }
    return pointOf(ms, price, ground.bars.decimals);
  }

  /** What lies at a place: a point of the selected drawing, or a drawing, the uppermost first. @param {number} x @param {number} y @param {Ground} ground @param {number} near px */
  find(x, y, ground, near) {
    const chosen = this.board.find(this.board.selected);
    const part = chosen ? placesOf(chosen, ground).findIndex(([px, py]) => Math.hypot(px - x, py - y) <= near + 2) : -1;
    if (chosen && part >= 0) return { drawing: chosen, part: chosen.points.length > 1 ? part : -1 };
    const reach = this.board.drawings.map((drawing) => ({ drawing, away: distance(partsOf(drawing, ground), x, y) }));
    let found = null;
    for (const each of reach) if (each.away <= near && (!found || each.away <= found.away)) found = each;
    return found ? { drawing: found.drawing, part: -1 } : null;
  }

  /** @param {PointerEvent} event */
  down(event) {
    const { board } = this;
    if (event.button !== 0 || !event.isPrimary) return;
    const at = this.at(event);
    if (!at || at.x < 0 || at.x > at.ground.width) return;
    const { x, y, ground, inside } = at;
    const near = event.pointerType === "mouse" ? NEAR : NEAR_FINGER;
    if (board.ruler) {
      board.ruler = null;
      board.tell();
    }
    const begin = (/** @type {"place" | "move" | "ruler" | "erase"} */ what, /** @type {any} */ more = {}) => {
      this.press = { pointer: event.pointerId, what, x, y, part: -1, far: false, began: false, ...more };
      event.preventDefault(); // no mouse event of it is made, and the focus stays
      this.chart.place.focus({ preventScroll: true });
      this.chart.place.setPointerCapture(event.pointerId);
    };
    if (board.tool === "eraser") {
      begin("erase");
      this.erase(x, y, ground, near);
    } else if (board.tool) {
      begin("place", { began: board.placed.length === 0 });
      const point = this.point(x, y, ground, event.ctrlKey);
      // The first of two is placed at once, so that a drag draws the whole.
      if (board.placed.length === 0 && board.tool !== "text" && board.tool !== "horizontal") board.place(point);
      board.next = point;
      board.tell();
    } else if (event.shiftKey && inside) {
      begin("ruler");
    } else {
      const found = inside ? this.find(x, y, ground, near) : null;
      if (found) begin("move", found);
      board.select(found?.drawing.id ?? "");
    }
  }

  /** @param {PointerEvent} event */
  move(event) {
    const { board, press } = this;
    const at = this.at(event);
    if (!at) return;
    const { x, y, ground } = at;
    if (!press) {
      if (board.tool && board.tool !== "eraser") {
        if (event.pointerType === "mouse") this.preview(this.point(x, y, ground, event.ctrlKey));
      } else if (event.pointerType === "mouse" && event.buttons === 0) this.hover((at.inside && this.find(x, y, ground, NEAR)?.drawing.id) || "");
      return;
    }
    if (event.pointerId !== press.pointer) return;
    press.far ||= Math.hypot(x - press.x, y - press.y) > DRAG;
    if (press.what === "place") this.preview(this.point(x, y, ground, event.ctrlKey));
    else if (press.what === "erase") this.erase(x, y, ground, NEAR);
    else if (!press.far) return;
    else if (press.what === "ruler") board.ruler = [this.point(press.x, press.y, ground), this.point(x, y, ground, event.ctrlKey)];
    else if (press.drawing) {
      const { drawing, part } = press;
      const [px, py] = drawing.points.length > 1 && part >= 0 ? placesOf(drawing, ground)[part] : [press.x, press.y];
      board.moving = moved(drawing, part, x - px, y - py, ground, this.chart.data);
      if (part >= 0 && event.ctrlKey) board.moving.points[part] = this.point(x, y, ground, true);
    }
    board.tell();
  }

  /** @param {PointerEvent} event */
  up(event) {
    const { board, press } = this;
    if (!press || event.pointerId !== press.pointer) return;
    const at = this.at(event);
    this.press = null;
    if (press.what === "place" && at) {
      // A tap places one point and waits for the next, a drag places both.
      if (!press.began || press.far || board.tool === "text" || board.tool === "horizontal") this.place(this.point(at.x, at.y, at.ground, event.ctrlKey));
    } else if (press.what === "move" && board.moving) {
      const { moving } = board;
      board.moving = null;
      board.replace(moving);
      board.tell();
    } else if (press.what === "ruler" && board.ruler) board.tell("measured");
  }

  abandon() {
    this.press = null;
    this.board.moving = this.board.ruler = this.board.next = null;
    this.board.placed = [];
    this.board.tell();
  }

  /** Place a point; a text is written as soon as it has its place. @param {import("./kinds.mjs").Point} point */
  place(point) {
    const [first] = this.board.placed;
    if (first && first[0] === point[0] && first[1] === point[1]) return; // the second point is elsewhere
    const made = this.board.place(point);
    if (made?.kind === "text") this.write(made, true);
  }

  /** @param {import("./kinds.mjs").Point} point */
  preview(point) {
    const { next } = this.board;
    if (next && next[0] === point[0] && next[1] === point[1]) return;
    this.board.next = point;
    this.board.tell();
  }

  /** @param {number} x @param {number} y @param {Ground} ground @param {number} near */
  erase(x, y, ground, near) {
    const found = this.find(x, y, ground, near);
    if (found) this.board.remove(found.drawing.id);
  }

  /** @param {string} id of the drawing under the pointer, or none */
  hover(id) {
    if (id === this.board.over) return;
    this.board.over = id;
    if (id) this.box.dataset.over = "drawing";
    else delete this.box.dataset.over;
    this.board.tell();
  }

  /** A double click on a drawing writes its note. @param {MouseEvent} event */
  twice(event) {
    const at = this.at(event);
    const found = at?.inside && !this.board.tool ? this.find(at.x, at.y, at.ground, NEAR) : null;
    if (!found) return;
    event.stopPropagation();
    this.write(found.drawing, false);
  }
}
