// @ts-check
// The tools at the chart's side (on a narrow screen above it), and the menu of a drawing's style.

import { make, menuOf } from "../page/dom.mjs";
import { COLORS, DASHES, KINDS, WIDTHS } from "./kinds.mjs";

const NARROW = matchMedia("(max-width: 700px)");
const STORED = "tickboard.drawing-tools";
/** Icons of 16 px, as paths. */
const ICONS = {
  "": "M4.500 2.500l8 5.500l-3.700.700l2 4l-1.700.800l-2-4l-2.600 2.500z",
  line: "M4 12l8-8M3 13.500a1 1 0 1 0 0-.1M13 3.500a1 1 0 1 0 0-.1",
  ray: "M4 11.500L14.500 5M3 12.500a1 1 0 1 0 0-.1M9 8.500a1 1 0 1 0 0-.1",
  horizontal: "M1.500 8h5M9.500 8h5M8 9.500a1.500 1.500 0 1 0 0-3a1.500 1.500 0 0 0 0 3",
  rectangle: "M2.500 4h11v8h-11z",
  fibonacci: "M2 3h12M2 6.500h12M2 9.500h12M2 13h12",
  text: "M3.500 4.500V3h9v1.500M8 3v10M6.500 13h3",
  measure: "M2 10.500L10.500 2L14 5.500L5.500 14zM5 7.500l1.500 1.500M7.500 5l1.500 1.500",
  eraser: "M7 13.500h7M3 9.500l6-6l4 4l-5.500 5.500h-2zM6 6.500l4 4",
  undo: "M6 3.500l-3 3l3 3M3 6.500h6.500a3 3 0 0 1 0 6H7",
  redo: "M10 3.500l3 3l-3 3M13 6.500H6.500a3 3 0 0 0 0 6H9",
  delete: "M3 4.500h10M6.500 4.500V3h3v1.500M4.500 4.500l.500 8.500h6l.500-8.500",
  draw: "M3 13l.700-3L10.500 3.200l2.300 2.300L6 12.300z",
  hide: "M10 4L6 8l4 4",
};
const SPACE = "http://www.w3.org/2000/svg";

/** @param {keyof typeof ICONS} name */
function icon(name) {
  const box = document.createElementNS(SPACE, "svg");
  box.setAttribute("viewBox", "0 0 16 16");
  box.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SPACE, "path");
  path.setAttribute("d", ICONS[name]);
  box.append(path);
  return box;
}

/** @param {keyof typeof ICONS} name its icon @param {string} label @param {string} [key] @returns {HTMLButtonElement} */
function button(name, label, key) {
  return make("button", { type: "button", class: "icon-button", "aria-label": label, title: key ? `${label} (${key})` : label }, [icon(name)]);
}

export class Rail {
  /**
   * @param {HTMLElement} box the chart's place, `.plot` @param {import("./board.mjs").Board} board
   * @param {(tool: string, byKey: boolean) => void} take a tool
   */
  constructor(box, board, take) {
    this.box = box;
    this.board = board;
    /** @type {Map<string, HTMLButtonElement>} */
    this.tools = new Map();
    const tool = (/** @type {string} */ name, /** @type {string} */ label, /** @type {string} */ key = "") => {
      const made = button(/** @type {keyof typeof ICONS} */ (name), label, key);
      made.dataset.tool = name || "select";
      made.addEventListener("click", (event) => take(board.tool === name ? "" : name, event.detail === 0));
      this.tools.set(name, made);
      return made;
    };
    const does = (/** @type {HTMLButtonElement} */ made, /** @type {string} */ name, /** @type {() => void} */ run) => {
      made.dataset.tool = name;
      made.addEventListener("click", run);
      return made;
    };
    this.undo = does(button("undo", "Undo", "Ctrl Z"), "undo", () => board.step(-1));
    this.redo = does(button("redo", "Redo", "Ctrl Shift Z"), "redo", () => board.step(1));
    this.remove = does(button("delete", "Delete the selected drawing", "Delete"), "delete", () => board.remove(board.selected));
    this.swatch = make("i", { class: "swatch" });
    this.style = make("button", { type: "button", class: "icon-button", "data-tool": "style", "aria-label": "Colour and line", title: "Colour and line", "aria-haspopup": "true", "aria-expanded": "false" }, [this.swatch]);
    this.hide = does(button("hide", "Hide the drawing tools", "D"), "hide", () => this.open(false, true));
    const gap = () => make("span", { class: "gap", role: "separator" });
    this.bar = make("div", { class: "drawing-rail", role: "toolbar", "aria-label": "Drawing tools", "aria-orientation": "vertical" }, [
      tool("", "Select and move"),
      ...Object.entries(KINDS).map(([kind, { name }]) => tool(kind, name, kind === "measure" ? "M" : "")),
      tool("eraser", "Eraser"),
      gap(),
      ...[this.style, this.undo, this.redo, this.remove],
      gap(),
      this.hide,
    ]);
    this.opener = does(button("draw", "Drawing tools", "D"), "draw", () => this.open(true, true));
    this.opener.classList.add("drawing-opener");
    this.menu = this.styles();
    // Before the chart for Tab too.
    box.prepend(this.bar);
    box.append(this.opener, this.menu);
    this.popup = menuOf(this.style, this.menu, () => this.placeMenu());
    this.bar.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.key(event));
    this.begin();
    this.paint();
  }

  // -- open and closed --------------------------------------------------------------------------------------------

  /** As it was left the last time; where nobody has said, open where there is room. */
  begin() {
    let stored = null;
    try {
      stored = localStorage.getItem(STORED);
    } catch (_forbidden) {
      stored = null; // what the width says is good enough
    }
    if (stored === "open" || stored === "closed") this.box.dataset.tools = stored;
  }

  get isOpen() {
    const { tools } = this.box.dataset;
    return tools ? tools === "open" : !NARROW.matches;
  }

  /** @param {boolean} open @param {boolean} [focus] */
  open(open, focus = false) {
    this.box.dataset.tools = open ? "open" : "closed";
    try {
      localStorage.setItem(STORED, this.box.dataset.tools);
    } catch (_forbidden) {
      // it lasts as long as the page then
    }
    if (!open) {
      this.popup.close();
      this.board.take("");
    }
    if (focus) (open ? (this.stops().find((one) => one.tabIndex === 0) ?? this.tools.get("")) : this.opener)?.focus();
  }

  // -- keys: one stop for Tab, arrows within -----------------------------------------------------------------------

  /** @returns {HTMLButtonElement[]} */
  stops() {
    return [...this.bar.querySelectorAll("button")];
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const stops = this.stops().filter((one) => !one.disabled);
    const from = stops.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
    const way = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    const wanted = way ? (from + way + stops.length) % stops.length : event.key === "Home" ? 0 : event.key === "End" ? stops.length - 1 : -1;
    if (wanted < 0) return;
    event.preventDefault();
    event.stopPropagation();
    for (const one of this.stops()) one.tabIndex = one === stops[wanted] ? 0 : -1;
    stops[wanted].focus();
  }

  // -- style ------------------------------------------------------------------------------------------------------

  styles() {
    const { board } = this;
    const group = (/** @type {string} */ label, /** @type {[string | number, string][]} */ choices, /** @type {string} */ part) =>
      make(
        "div",
        { class: "choices", role: "group", "aria-label": label },
        choices.map(([value, name]) => {
          const sample = make("i", { class: `sample ${part}`, [`data-${part}`]: value });
          const made = make("button", { type: "button", "aria-label": `${label}: ${name}`, title: name, "aria-pressed": "false", "data-part": part, "data-value": value }, [sample]);
          made.addEventListener("click", () => board.restyle({ [part]: value }));
          return made;
        }),
      );
    const clear = make("button", { type: "button", class: "menu-item", "data-tool": "clear", text: "Delete all drawings" });
    clear.addEventListener("click", () => {
      board.clear();
      this.popup.close();
      this.style.focus();
    });
    this.clear = clear;
    return make("div", { class: "menu drawing-style", hidden: true, role: "group", "aria-label": "Colour and line" }, [
      group("Colour", Object.entries(COLORS), "color"),
      group("Width", WIDTHS.map((width) => [width, `${width} px`]), "width"),
      group("Line", Object.entries(DASHES), "dash"),
      clear,
    ]);
  }

  placeMenu() {
    const [home, at] = [this.box.getBoundingClientRect(), this.style.getBoundingClientRect()];
    const { style } = this.menu;
    const low = Math.max(home.height - this.menu.offsetHeight - 4, 4);
    style.left = NARROW.matches ? `${Math.min(Math.max(at.left - home.left, 4), home.width - this.menu.offsetWidth - 4)}px` : "6px";
    style.top = NARROW.matches ? "4px" : `${Math.min(Math.max(at.top - home.top, 4), low)}px`;
  }

  // -- what is seen -----------------------------------------------------------------------------------------------

  paint() {
    const { board } = this;
    const { kept } = board;
    for (const [name, made] of this.tools) made.setAttribute("aria-pressed", String(board.tool === name));
    this.undo.disabled = !kept?.past.length;
    this.redo.disabled = !kept?.future.length;
    this.remove.disabled = !board.find(board.selected);
    this.clear.disabled = !board.drawings.length;
    const shown = board.shownStyle;
    this.swatch.dataset.color = shown.color && shown.color in COLORS ? shown.color : "";
    for (const one of this.menu.querySelectorAll("[data-part]")) {
      one.setAttribute("aria-pressed", String(String(shown[one.dataset.part]) === one.dataset.value));
    }
    if (board.tool) this.box.dataset.tool = board.tool;
    else delete this.box.dataset.tool;
    const stops = this.stops();
    const stop = stops.find((one) => one.tabIndex === 0 && !one.disabled);
    for (const one of stops) one.tabIndex = one === (stop ?? stops[0]) ? 0 : -1;
  }
}
