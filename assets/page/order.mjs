// @ts-check
// The order of a list that is sorted by what moves: once a second, but never under the pointer or the focus. Then it holds
// still, its values live, and sorts itself anew when both have left, or when it is told to.

import { make, write } from "./dom.mjs";

/** From the leaving to the sort, ms: whoever only crosses the edge changes nothing. */
const CALM_MS = 400;
/** The list holds so long after it was scrolled, ms: a finger hovers over nothing. */
const SCROLLED_MS = 1500;

/**
 * Whether rows are in the order of their columns, as the grid compares: nulls are the least.
 * @param {any[]} rows @param {{field: string, sign: number}[]} by the first counts most; `sign` 1 ascending, −1 descending
 */
export function inOrder(rows, by) {
  for (let at = 1; at < rows.length; at++) {
    for (const { field, sign } of by) {
      const way = sign * compared(rows[at - 1][field], rows[at][field]);
      if (way < 0) break;
      if (way > 0) return false;
    }
  }
  return true;
}

/** @param {any} a @param {any} b */
function compared(a, b) {
  if (a == null || b == null) return (a == null ? 0 : 1) - (b == null ? 0 : 1);
  if (typeof a === "string") return a.localeCompare(b);
  return a - b;
}

export class Order {
  /**
   * @param {any} api the grid's @param {HTMLElement} box what holds the grid
   * @param {Set<string>} live ids of the columns that move @param {() => void} fresh brings the rows' values up to date
   */
  constructor(api, box, live, fresh) {
    this.api = api;
    this.box = box;
    this.live = live;
    this.fresh = fresh;
    this.rows = /** @type {HTMLElement} */ (box.querySelector(".ag-body"));
    /** Whether a mouse or a pen is over the rows. */
    this.over = false;
    this.scrolledAt = -Infinity;
    this.timer = 0;
    this.words = make("span", { class: "order-words" });
    this.button = make("button", { type: "button", class: "button", text: "Sort now", title: "Sort now (S in the list)" });
    this.bar = make("div", { class: "order-bar", hidden: true }, [this.words, this.button]);
    box.after(this.bar);
    this.listen();
    this.tick();
  }

  listen() {
    const left = () => {
      clearTimeout(this.timer);
      this.timer = window.setTimeout(() => this.tick(), CALM_MS);
    };
    this.rows.addEventListener("pointerenter", (event) => {
      this.over = event.pointerType !== "touch";
    });
    this.rows.addEventListener("pointerleave", () => {
      this.over = false;
      left();
    });
    this.rows.addEventListener("focusout", left);
    this.api.addEventListener("bodyScroll", (/** @type {any} */ event) => {
      if (event.direction === "vertical") this.scrolledAt = performance.now();
    });
    this.api.addEventListener("sortChanged", () => this.tick());
    this.button.addEventListener("click", () => this.sort());
    this.api.addEventListener("cellKeyDown", ({ event }) => {
      if (event.key?.toLowerCase() !== "s" || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      this.sort();
    });
  }

  /** The sorted columns, the first one first. @returns {any[]} */
  sorted() {
    return this.api
      .getColumnState()
      .filter((/** @type {any} */ one) => one.sort)
      .sort((/** @type {any} */ a, /** @type {any} */ b) => (a.sortIndex ?? 0) - (b.sortIndex ?? 0));
  }

  /** Whether somebody is in the list. */
  held() {
    return this.over || this.rows.contains(document.activeElement) || performance.now() - this.scrolledAt < SCROLLED_MS;
  }

  /** Whether the rows shown are in the order of their present values. @param {any[]} sorted */
  current(sorted) {
    const by = sorted.map((one) => ({ field: this.api.getColumnDef(one.colId).field, sign: one.sort === "asc" ? 1 : -1 }));
    const rows = [];
    for (let at = 0; at < this.api.getDisplayedRowCount(); at++) rows.push(this.api.getDisplayedRowAtIndex(at).data);
    return inOrder(rows, by);
  }

  /** Once a second, and when somebody has left: sort if that may be done and does anything, say what is done. */
  tick() {
    const sorted = this.sorted();
    const moving = sorted.some((one) => this.live.has(one.colId));
    if (this.bar.hidden === moving) this.bar.hidden = !moving;
    if (!moving) return;
    this.fresh();
    const held = this.held();
    const current = this.current(sorted);
    if (!current && !held) this.rearrange();
    const late = held && !current;
    const { headerName } = this.api.getColumnDef(sorted[0].colId);
    const what = `By ${headerName}, ${sorted[0].sort === "asc" ? "lowest" : "highest"} first`;
    write(this.words, held ? `${what} · holding still` : what);
    this.bar.classList.toggle("late", late);
    this.button.setAttribute("aria-disabled", String(!late));
  }

  /** Sort by the present values, whoever is in the list. */
  sort() {
    if (!this.sorted().length) return;
    this.fresh();
    this.rearrange();
    this.tick();
  }

  /** Rows move; scroll, selection and the row that has the focus stay. */
  rearrange() {
    const { api, rows } = this;
    const at = rows.contains(document.activeElement) ? api.getFocusedCell() : null;
    const node = at && api.getDisplayedRowAtIndex(at.rowIndex);
    const view = /** @type {HTMLElement} */ (rows.querySelector(".ag-body-viewport"));
    const top = view.scrollTop;
    api.refreshClientSideRowModel("sort");
    if (node?.rowIndex != null && node.rowIndex !== at.rowIndex) api.setFocusedCell(node.rowIndex, at.column);
    if (view.scrollTop !== top) view.scrollTop = top;
  }
}
