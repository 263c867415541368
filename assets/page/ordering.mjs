// @ts-check
// The order of an own list by hand: a row is dragged by its symbol or its grip, or moved with Alt and an arrow. A row stays
// in its group. A list that is sorted or filtered has no place for it: that is said.

import { make } from "./dom.mjs";
import { moved, neighbours } from "./rows.mjs";
import { toast } from "./toasts.mjs";

/** What a hand may shake before it drags, px. */
const SHAKE = 4;
/** So near to its edge the list scrolls, and so far in a frame, px. */
const [EDGE, STEP] = [24, 7];

/**
 * @param {any} api the grid's @param {HTMLElement} box what holds the grid
 * @param {{lists: import("./lists.mjs").Lists, members: () => any[], say: (text: string) => void}} page `members`: the
 *   instruments of the list that are in this market; `say` tells a screen reader
 */
export function ordering(api, box, { lists, members, say }) {
  const shared = window["tickboardGrid"];
  /** The headings are hidden while the list is sorted or filtered. */
  const free = () => !shared.groupsHidden;
  const mark = () => box.classList.toggle("orderable", Boolean(lists.now) && free());
  for (const event of ["sortChanged", "filterChanged", "rowDataUpdated"]) api.addEventListener(event, mark);
  lists.on(mark);
  mark();

  const blockOf = (/** @type {string} */ symbol) => neighbours(members(), symbol, lists.group);
  /** Whether anything moved. @param {string} symbol @param {number} to its place in its group */
  const put = (symbol, to) => {
    const block = blockOf(symbol);
    if (!lists.now || to === block.indexOf(symbol) || !(to >= 0 && to < block.length)) return false;
    lists.change(lists.now, { symbols: moved(lists.now.symbols, block, symbol, to) });
    say(`${symbol} is ${to + 1} of ${block.length}`);
    return true;
  };

  keys(api, box, (symbol, step, repeated) => {
    const why = !lists.now ? "The market's own order stays: choose or make a list to put it in yours." : free() ? "" : "Clear its sort and its filter first.";
    if (why && !repeated) void toast(`${symbol} is not moved`, why);
    return !why && put(symbol, blockOf(symbol).indexOf(symbol) + step);
  });
  box.addEventListener("pointerdown", (event) => {
    const target = /** @type {Element} */ (event.target);
    const held = target.closest(event.pointerType === "mouse" ? ".symbol-cell" : ".grip");
    if (!held || target.closest(".pin") || event.button || !event.isPrimary || !box.classList.contains("orderable")) return;
    const symbol = held.closest(".ag-row")?.getAttribute("row-id") ?? "";
    const block = blockOf(symbol);
    if (block.length > 1) drag(api, box, event, symbol, block, (to) => void put(symbol, to));
  });
}

/**
 * Alt with an arrow moves the row that has the focus, which goes with it.
 * @param {any} api @param {HTMLElement} box
 * @param {(symbol: string, step: number, repeated: boolean) => boolean} move whether anything moved
 */
function keys(api, box, move) {
  /** A row that is on its way: the grid draws it a moment later. @type {{symbol: string, column: string} | null} */
  let going = null;
  // Before the grid hears of it: it would move the focus.
  box.addEventListener("keydown", (event) => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const cell = /** @type {Element} */ (event.target).closest(".ag-cell");
    if (!step || !event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || !cell) return;
    event.preventDefault();
    event.stopPropagation();
    const symbol = going?.symbol ?? cell.closest(".ag-row")?.getAttribute("row-id") ?? "";
    if (move(symbol, step, event.repeat)) going = { symbol, column: cell.getAttribute("col-id") ?? "symbol" };
  }, true);
  api.addEventListener("rowDataUpdated", () => {
    const at = going && api.getRowNode(going.symbol)?.rowIndex;
    if (at != null && (box.contains(document.activeElement) || document.activeElement === document.body)) {
      api.ensureIndexVisible(at);
      api.setFocusedCell(at, going?.column);
    }
    going = null;
  });
}

/**
 * Drag a row from the press of a pointer to its release; Esc gives it up.
 * @param {any} api @param {HTMLElement} box @param {PointerEvent} pressed @param {string} symbol
 * @param {string[]} block the symbols among which it is moved @param {(to: number) => void} drop
 */
function drag(api, box, pressed, symbol, block, drop) {
  const view = /** @type {HTMLElement} */ (box.querySelector(".ag-body-viewport"));
  const line = make("div", { class: "drop-line" });
  const from = block.indexOf(symbol);
  let y = pressed.clientY;
  let to = from;
  let dragging = false;
  let frame = 0;

  const place = () => {
    const rows = block.map((one) => api.getRowNode(one)).filter((row) => row?.rowTop != null);
    if (rows.length !== block.length) return;
    const { top } = view.getBoundingClientRect();
    const within = y - top + view.scrollTop;
    const gap = rows.filter((row) => row.rowTop + row.rowHeight / 2 < within).length;
    to = gap > from ? gap - 1 : gap;
    const edge = gap < rows.length ? rows[gap].rowTop : rows[gap - 1].rowTop + rows[gap - 1].rowHeight;
    const at = top - box.getBoundingClientRect().top + edge - view.scrollTop;
    line.style.transform = `translateY(${Math.round(at)}px)`;
    line.hidden = at < top - box.getBoundingClientRect().top - 1 || at > box.offsetHeight;
  };
  const scroll = () => {
    const { top, bottom } = view.getBoundingClientRect();
    const by = y < top + EDGE ? -STEP : y > bottom - EDGE ? STEP : 0;
    if (by) {
      view.scrollTop += by;
      place();
    }
    frame = requestAnimationFrame(scroll);
  };
  const move = (/** @type {PointerEvent} */ event) => {
    if (event.pointerId !== pressed.pointerId) return;
    y = event.clientY;
    if (!dragging) {
      if (Math.abs(y - pressed.clientY) < SHAKE) return;
      dragging = true;
      box.classList.add("dragging");
      for (const row of box.querySelectorAll(`.ag-row[row-id="${symbol}"]`)) row.classList.add("dragged");
      box.append(line);
      frame = requestAnimationFrame(scroll);
    }
    place();
  };
  const end = (/** @type {boolean} */ wanted) => {
    for (const [name, heard] of Object.entries(heards)) document.removeEventListener(name, /** @type {any} */ (heard), true);
    if (!dragging) return;
    cancelAnimationFrame(frame);
    line.remove();
    box.classList.remove("dragging");
    for (const row of box.querySelectorAll(".dragged")) row.classList.remove("dragged");
    if (wanted) drop(to);
  };
  const heards = {
    pointermove: move,
    pointerup: (/** @type {PointerEvent} */ event) => {
      if (event.pointerId !== pressed.pointerId) return;
      // The click that follows would show the symbol.
      if (dragging) swallowClick(box, true);
      end(true);
    },
    pointercancel: () => end(false),
    keydown: (/** @type {KeyboardEvent} */ event) => {
      if (event.key !== "Escape" || !dragging) return;
      event.stopPropagation();
      swallowClick(box, false);
      end(false);
    },
  };
  for (const [name, heard] of Object.entries(heards)) document.addEventListener(name, /** @type {any} */ (heard), true);
}

/** Pass over the click at the end of a drag. @param {HTMLElement} box @param {boolean} released whether the button is up already */
function swallowClick(box, released) {
  const stop = (/** @type {Event} */ event) => event.stopPropagation();
  box.addEventListener("click", stop, { capture: true, once: true });
  // Released beside the list there is none.
  const forget = () => setTimeout(() => box.removeEventListener("click", stop, true), 50);
  if (released) forget();
  else addEventListener("pointerup", forget, { once: true });
}
