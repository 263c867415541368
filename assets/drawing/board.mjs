// @ts-check
// What is being done with the drawings of the shown instrument: the tool in hand, what is selected, what is in the
// making or on the move, the style of the next one. Knows no pixels and no elements.

import { Kept } from "./kept.mjs";
import { KINDS, MOST, newId, USUAL } from "./kinds.mjs";

/** @typedef {import("./kinds.mjs").Drawing} Drawing */
/** @typedef {import("./kinds.mjs").Point} Point */
/** @typedef {import("./kinds.mjs").Style} Style */

/** The id of what is not kept: a drawing in the making, the ruler. */
export const MAKING = "making";

export class Board {
  /** @param {import("./drafts.mjs").Drafts} drafts */
  constructor(drafts) {
    this.drafts = drafts;
    /** @type {Map<string, Kept>} those that are shown, or that the server lacks something of */
    this.all = new Map();
    this.symbol = "";
    /** A kind, `eraser`, or none: then drawings are selected and moved. */
    this.tool = "";
    this.selected = "";
    /** Which point of the selected drawing the keys move; -1 all of them. */
    this.part = -1;
    this.over = "";
    /** @type {Point[]} the points that are placed, and where the next one would be */
    this.placed = [];
    /** @type {Point | null} */
    this.next = null;
    /** @type {Drawing | null} a selected drawing on the move, in the place of the kept one */
    this.moving = null;
    /** @type {[Point, Point] | null} a measure that is not kept */
    this.ruler = null;
    /** @type {Style} */
    this.style = { ...USUAL };
    /** Grows with everything that is seen. */
    this.revision = 0;
    /** @type {Set<(what: string) => void>} */
    this.listeners = new Set();
  }

  /** @param {(what: string) => void} heard `seen` for anything that is drawn, `words`, `saved`, `measured` */
  on(heard) {
    this.listeners.add(heard);
  }

  /** @param {string} [what] */
  tell(what = "seen") {
    this.revision += 1;
    for (const heard of this.listeners) heard(what);
  }

  /** The drawings of another instrument. @param {string} symbol */
  open(symbol) {
    if (symbol === this.symbol) return;
    const before = this.kept;
    if (before && !before.unsaved && !before.offer) this.all.delete(before.symbol);
    this.symbol = symbol;
    this.drop();
    if (!this.all.has(symbol)) {
      const kept = new Kept(symbol, this.drafts, (what) => {
        if (symbol !== this.symbol) return;
        if (what === "drawings" && this.selected && !this.find(this.selected)) this.selected = "";
        this.tell(what === "drawings" ? "seen" : what);
      });
      this.all.set(symbol, kept);
    }
    void this.kept?.load();
    this.tell();
    this.tell("words");
  }

  /** @returns {Kept | undefined} */
  get kept() {
    return this.all.get(this.symbol);
  }

  /** @returns {Drawing[]} */
  get drawings() {
    return this.kept?.drawings ?? [];
  }

  /** @param {string} id */
  find(id) {
    return this.drawings.find((each) => each.id === id);
  }

  /** What is seen, the uppermost last. @returns {Drawing[]} */
  seen() {
    const { moving } = this;
    const drawn = moving ? this.drawings.map((each) => (each.id === moving.id ? moving : each)) : this.drawings;
    const made = this.making();
    const ruler = this.ruler && this.drawing("measure", this.ruler);
    return [...drawn, ...(made ? [made] : []), ...(ruler ? [ruler] : [])];
  }

  /** @param {string} kind @param {Point[]} points @param {string} [id] @param {string} [text] @returns {Drawing} */
  drawing(kind, points, id = MAKING, text = "") {
    return { id, kind, points, style: { ...this.style }, text };
  }

  /** The drawing in the making, as far as it can be seen. */
  making() {
    const kind = KINDS[this.tool];
    if (!kind || !this.next || this.tool === "text") return null;
    const points = [...this.placed, this.next];
    if (points.length < kind.points) return null;
    return this.drawing(this.tool, points);
  }

  // -- tools ------------------------------------------------------------------------------------------------------

  /** Take a tool, or lay it down. @param {string} tool */
  take(tool) {
    const full = KINDS[tool] && this.drawings.length >= MOST;
    this.drop();
    this.kept?.calm();
    if (full) this.kept?.say(`${MOST} drawings on ${this.symbol} are the most there can be; delete one first.`);
    else this.tool = tool;
    this.tell();
  }

  /** Let go of everything. */
  drop() {
    this.tool = this.selected = this.over = "";
    this.part = -1;
    this.placed = [];
    this.next = this.moving = this.ruler = null;
  }

  /** Place a point of the drawing in the making. @param {Point} point @returns {Drawing | null} the drawing, when it is whole; a text still has none */
  place(point) {
    this.placed = [...this.placed, point];
    this.next = null;
    if (this.placed.length < KINDS[this.tool].points) {
      this.tell();
      return null;
    }
    const made = this.drawing(this.tool, this.placed, newId());
    this.drop();
    if (made.kind !== "text") this.add(made);
    else this.tell();
    return made;
  }

  // -- drawings ---------------------------------------------------------------------------------------------------

  /** @param {Drawing} drawing */
  add(drawing) {
    if (this.kept?.change([...this.drawings, drawing])) this.select(drawing.id);
    else this.tell();
  }

  /** @param {Drawing} drawing in the place of the one with its id @param {string} [key] as of Kept.change */
  replace(drawing, key = "") {
    this.kept?.change(
      this.drawings.map((each) => (each.id === drawing.id ? drawing : each)),
      key,
    );
  }

  /** @param {string} id */
  remove(id) {
    if (!this.find(id)) return;
    this.selected = this.selected === id ? "" : this.selected;
    this.over = "";
    this.kept?.change(this.drawings.filter((each) => each.id !== id));
  }

  clear() {
    if (!this.drawings.length) return;
    this.drop();
    this.kept?.change([]);
  }

  /** @param {string} id of a drawing, or none @param {number} [part] */
  select(id, part = -1) {
    if (id === this.selected && part === this.part) return;
    [this.selected, this.part] = [id, part];
    this.tell();
  }

  /** The drawing after the selected one, or before it; around at the end. @param {1 | -1} way @returns {Drawing | undefined} */
  selectNext(way) {
    const { drawings } = this;
    if (!drawings.length) return undefined;
    const at = drawings.findIndex((each) => each.id === this.selected);
    const next = drawings[at < 0 && way < 0 ? drawings.length - 1 : (at + way + drawings.length) % drawings.length];
    this.select(next.id);
    return next;
  }

  /** Style of the selected drawing, and of those to come. @param {Style} style */
  restyle(style) {
    this.style = { ...this.style, ...style };
    const chosen = this.find(this.selected);
    if (chosen) this.replace({ ...chosen, style: { ...chosen.style, ...style } });
    this.tell();
  }

  /** The style that the tools show. @returns {Style} */
  get shownStyle() {
    const chosen = this.find(this.selected);
    return chosen ? { ...USUAL, ...chosen.style } : this.style;
  }

  /** @param {-1 | 1} way */
  step(way) {
    [this.moving, this.ruler, this.placed, this.next] = [null, null, [], null];
    if (this.kept?.step(way)) this.tell();
  }
}
