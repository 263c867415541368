// @ts-check
// Drawing without a mouse, while the chart has the focus: arrows move the cursor of a tool or what is selected, Enter
// places a point or writes a note, PageUp and PageDown go through the drawings, Delete deletes.

import { barTime } from "../chart/pointer.mjs";
import { at, START } from "../chart/series.mjs";
import { onChart } from "../live/address.mjs";
import { onFrame } from "../live/frame.mjs";
import { describe, KINDS } from "./kinds.mjs";
import { moved, onBar } from "./hand.mjs";

/** A key moves by a bar and so many px; with Shift by so many times as much. */
const STEP_PX = 2;
const LARGE = 10;

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
/** What the keys move of a drawing with two points. */
const PARTS = ["the whole drawing", "its first point", "its second point"];

export class Keys {
  /**
   * @param {import("../chart/chart.mjs").Chart} chart @param {import("./board.mjs").Board} board
   * @param {import("./painter.mjs").Painter} painter @param {import("./hand.mjs").Hand} hand
   * @param {(words: string) => void} say to who does not see it
   */
  constructor(chart, board, painter, hand, say) {
    this.chart = chart;
    this.board = board;
    this.painter = painter;
    this.hand = hand;
    this.say = say;
    /** @type {{x: number, y: number} | null} where a tool stands, px in the pane, while the keys lead it */
    this.cursor = null;
    hand.box.addEventListener("keydown", (event) => this.key(event), true);
    hand.box.addEventListener("pointerdown", () => (this.cursor = null), true);
    document.addEventListener("keydown", (event) => this.anywhere(event));
  }

  /** The tool is led by keys from here on. */
  begin() {
    const ground = this.painter.ground();
    if (!ground) return;
    this.chart.place.focus({ preventScroll: true });
    this.cursor ??= { x: ground.width / 2, y: ground.height / 2 };
    this.stand(0, 0);
  }

  /** Steps back and forth and the end of a tool, wherever the focus is but where something is typed. @param {KeyboardEvent} event */
  anywhere(event) {
    if (event.altKey || event.defaultPrevented || !onChart()) return;
    if (/** @type {HTMLElement} */ (event.target).closest?.("input:not([type=radio]), select, textarea, [contenteditable=true], dialog")) return;
    if (event.key === "Escape" && this.board.tool) this.leave();
    if (!event.ctrlKey && !event.metaKey) return;
    const key = event.key.toLowerCase();
    const way = key === "y" || (key === "z" && event.shiftKey) ? 1 : key === "z" ? -1 : 0;
    if (!way) return;
    event.preventDefault();
    this.board.step(/** @type {1 | -1} */ (way));
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.target !== this.chart.place || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!this.take(event)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {KeyboardEvent} event @returns {boolean} whether the key was one of ours */
  take(event) {
    const { board } = this;
    const { key } = event;
    const chosen = board.find(board.selected);
    if (key === "Escape") return this.leave();
    if (key === "PageDown" || key === "PageUp") {
      const next = board.selectNext(key === "PageDown" ? 1 : -1);
      this.say(next ? this.inWords(next) : "There are no drawings here.");
      return true;
    }
    if (board.tool && board.tool !== "eraser") {
      if (key in ARROWS) this.stand(...this.steps(event));
      else if (key === "Enter" || key === " ") this.place();
      else return false;
      return true;
    }
    if (!chosen) return false;
    if (key in ARROWS) this.shift(chosen, ...this.steps(event));
    else if (key === "Delete" || key === "Backspace") {
      board.remove(chosen.id);
      this.say("Deleted; Ctrl Z brings it back.");
    } else if (key === "Enter") this.hand.write(chosen, false);
    else if (key === " ") {
      const part = chosen.points.length < 2 ? -1 : board.part === 1 ? -1 : board.part + 1;
      board.select(chosen.id, part);
      this.say(`The arrows move ${PARTS[part + 1]}.`);
    } else return false;
    return true;
  }

  /** Let go of the tool, or else of what is selected. */
  leave() {
    const { board } = this;
    if (!board.tool && !board.selected && !board.ruler && !board.moving) return false;
    this.hand.abandon();
    board.drop();
    board.tell();
    this.point(null);
    return true;
  }

  /** @param {KeyboardEvent} event @returns {[number, number]} bars and px */
  steps(event) {
    const [across, down] = ARROWS[event.key];
    const many = event.shiftKey ? LARGE : 1;
    return [across * many, down * STEP_PX * many];
  }

  /** Move the tool's cursor. @param {number} bars @param {number} px */
  stand(bars, px) {
    const ground = this.painter.ground();
    if (!ground || !this.board.tool || this.board.tool === "eraser") return;
    const { data } = this.chart;
    this.cursor ??= { x: ground.width / 2, y: ground.height / 2 };
    const ms = this.stepped(onBar(ground.msAt(this.cursor.x), data), bars);
    this.cursor.x = Math.min(Math.max(ground.x(ms), 0), ground.width);
    this.cursor.y = Math.min(Math.max(this.cursor.y + px, 0), ground.height);
    const point = this.hand.point(this.cursor.x, this.cursor.y, ground);
    this.board.next = point;
    this.point(this.cursor);
    this.board.tell();
    this.say(`${barTime(point[0], data.ms)}, ${this.chart.plot.words(point[1])}`);
  }

  /** So many bars further on, over hours without bars to those that there are. @param {number} from start of a bar @param {number} bars */
  stepped(from, bars) {
    const { rows, ms } = this.chart.data;
    const index = at(rows, from);
    const there = rows[index]?.[START] === from ? rows[index + bars] : undefined;
    return there?.[START] ?? from + bars * ms;
  }

  /** Place a point under the cursor. */
  place() {
    const ground = this.painter.ground();
    if (!ground) return;
    this.cursor ??= { x: ground.width / 2, y: ground.height / 2 };
    const { tool } = this.board;
    this.hand.place(this.hand.point(this.cursor.x, this.cursor.y, ground));
    if (this.board.tool) this.say(`Placed; now ${KINDS[tool].hints[1]}.`);
    else {
      this.point(null);
      const made = this.board.find(this.board.selected);
      if (made) this.say(`${this.inWords(made)} is there.`);
    }
  }

  /** Move a drawing or its point. @param {import("./kinds.mjs").Drawing} drawing @param {number} bars @param {number} px */
  shift(drawing, bars, px) {
    const ground = this.painter.ground();
    if (!ground) return;
    const part = drawing.points.length < 2 ? -1 : this.board.part;
    const from = onBar(drawing.points[Math.max(part, 0)][0], this.chart.data);
    const dx = bars ? ground.x(this.stepped(from, bars)) - ground.x(drawing.points[Math.max(part, 0)][0]) : 0;
    const other = moved(drawing, part, dx, px, ground, this.chart.data);
    const lead = Math.max(part, 0);
    // Two px may be less than the smallest step of the price.
    if (px && other.points[lead][1] === drawing.points[lead][1]) {
      const step = -Math.sign(px) * 10 ** -ground.bars.decimals;
      const points = drawing.points.map(([ms, price], n) => /** @type {[number, number]} */ (part < 0 || n === part ? [ms, Number((price + step).toFixed(ground.bars.decimals))] : [ms, price]));
      this.board.replace({ ...drawing, points }, drawing.id);
    } else this.board.replace(other, drawing.id);
    const [ms, price] = /** @type {any} */ (this.board.find(drawing.id)).points[lead];
    this.board.tell();
    this.say(`${barTime(ms, this.chart.data.ms)}, ${this.chart.plot.words(price)}`);
  }

  /** The crosshair where the keys are. @param {{x: number, y: number} | null} cursor */
  point(cursor) {
    const ground = this.painter.ground();
    const { overlay } = this.chart;
    overlay.at = cursor && ground ? { x: cursor.x, raw: cursor.x, y: cursor.y + ground.pane.top, words: "", when: "" } : null;
    onFrame(this.chart.paintOverlay);
  }

  /** @param {import("./kinds.mjs").Drawing} drawing */
  inWords(drawing) {
    const place = this.board.drawings.findIndex((each) => each.id === drawing.id);
    return `${describe(drawing, (price) => this.chart.plot.words(price))}, ${place + 1} of ${this.board.drawings.length}`;
  }
}
