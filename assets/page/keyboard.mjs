// @ts-check
// The keys of the page, and the list of them.

import { SCALES, TIMEFRAMES, TYPES } from "../live/view.mjs";
import { element, make } from "./dom.mjs";
import { toggleTheme } from "./theme.mjs";

const KEYS = [
  ["/ or Ctrl K", "Search a symbol"],
  ["1 to 8", "Timeframe, from 1s to 1d"],
  ["Y", "Chart type: the next one"],
  ["L", "Price scale: linear, logarithmic, percent"],
  ["I", "Indicators: add, set, hide, remove"],
  ["C", "Compare with other instruments"],
  ["A", "New alert at the present price"],
  ["E", "Export: what, and as what"],
  ["V", "Saved views"],
  ["D", "Drawing tools: show or hide"],
  ["M", "Measure between two points (also: Shift and drag)"],
  ["PgUp PgDn Del", "On the chart: select a drawing, delete it; arrows move it"],
  ["Ctrl Z, Ctrl Shift Z", "Undo and redo drawing"],
  ["T", "Light or dark theme"],
  [",", "Settings"],
  ["↑ ↓ Enter", "Move in the list, show the symbol"],
  ["P", "In the list or on a card: pin to the cards, unpin"],
  ["S", "In the list: sort now by the present values"],
  ["Alt ↑ ↓", "In a list of your own: move the row"],
  ["Delete", "In a list of your own: take the row out"],
  ["← →", "On the chart: from bar to bar, with its values"],
  ["Shift ← →, + −", "On the chart: move the view, narrow it, widen it"],
  ["B", "The bars in view as a table"],
  ["Home End", "On the chart: oldest bars, back to live"],
  ["Enter Delete", "On a chart of the Compare page: another instrument, remove it"],
  ["Alt ← → ↑ ↓", "On a chart of the Compare page: to the one beside it"],
  ["?", "This list"],
  ["Esc", "Close what is open"],
];

/**
 * @param {{view: any, search: {open: () => void}, alerts: {openHere: () => void}, indicators: {open: () => void}, compare: {open: () => void}, views: {close: () => boolean},
 *   saved: {open: () => void}, settings: {open: () => void}}} page
 */
export async function keyboard({ view, search, alerts, indicators, compare, views, saved, settings }) {
  const keys = dialog();
  (await element("#keys-button")).addEventListener("click", () => keys.showModal());
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      // Behind an open dialog or menu nothing could be typed.
      for (const open of document.querySelectorAll("dialog[open]")) /** @type {HTMLDialogElement} */ (open).close();
      for (const open of document.querySelectorAll(".chart-menu")) /** @type {HTMLElement} */ (open).hidden = true;
      if (!event.repeat) search.open();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || document.querySelector("dialog[open]")) return;
    if (event.key === "Escape") {
      views.close();
      return;
    }
    const run = action(event.key);
    if (!run) return;
    event.preventDefault();
    // A key that is held down does once what it does: an export each 30 ms is nobody's wish.
    if (!event.repeat) run();
  });

  /** @param {string} key @returns {(() => void) | null} */
  function action(key) {
    // On another page there is no chart that the others are about.
    const page = document.getElementById("app")?.dataset.page;
    if (page !== "chart" && !["/", "?", "t", "T", ",", ...(page === "compare" ? ["v", "V"] : [])].includes(key)) return null;
    const timeframe = TIMEFRAMES[Number(key) - 1];
    if (timeframe) return () => view.set({ timeframe });
    switch (key.toLowerCase()) {
      case "/":
        return search.open;
      case "a":
        return alerts.openHere;
      case "i":
        return indicators.open;
      case "c":
        return compare.open;
      case "e":
        return () => document.getElementById("export-button")?.click();
      case "b":
        return () => document.dispatchEvent(new CustomEvent("tickboard:bars"));
      case "d":
      case "m":
        return () => document.dispatchEvent(new CustomEvent("tickboard:draw", { detail: key.toLowerCase() === "d" ? "tools" : "measure" }));
      case "y":
        return () => view.set({ type: following(TYPES, view.type) });
      case "l":
        return () => view.set({ scale: following(SCALES, view.scale) });
      case "v":
        return saved.open;
      case "t":
        return toggleTheme;
      case ",":
        return settings.open;
      case "?":
        return () => {
          keys.showModal();
          keys.scrollTop = 0; // the button that has the focus is at the end
        };
      default:
        return null;
    }
  }
}

/** The one after, the first after the last. @param {string[]} all @param {string} one */
function following(all, one) {
  return all[(all.indexOf(one) + 1) % all.length];
}

/** Whether keys belong to what is focused. @param {EventTarget | null} target */
function typing(target) {
  const node = /** @type {HTMLElement | null} */ (target);
  if (!node?.closest) return false;
  return Boolean(node.closest("input:not([type=radio]):not([type=checkbox]), select, textarea, [contenteditable=true]"));
}

/** @returns {HTMLDialogElement} */
function dialog() {
  const close = make("button", { type: "button", class: "button", text: "Close" });
  const made = make("dialog", { class: "dialog keys-dialog", "aria-labelledby": "keys-title" }, [
    make("h2", { id: "keys-title", text: "Keys" }),
    make("dl", {}, KEYS.flatMap(([key, does]) => [make("dt", {}, [make("kbd", { text: key })]), make("dd", { text: does })])),
    close,
  ]);
  close.addEventListener("click", () => made.close());
  document.body.append(made);
  return made;
}
