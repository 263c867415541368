// @ts-check
// The field in which the text of a drawing is written, at its place on the chart.

import { make, write as put } from "../page/dom.mjs";
import { MOST_TEXT, textOf } from "./kinds.mjs";
import { placesOf } from "./parts.mjs";

/** @typedef {import("./kinds.mjs").Drawing} Drawing */

/**
 * Opens the note of a drawing; a fresh text without words is not added.
 * @param {import("../chart/chart.mjs").Chart} chart @param {import("./board.mjs").Board} board @param {() => import("./parts.mjs").Ground | null} ground
 * @returns {(drawing: Drawing, fresh: boolean) => void}
 */
export function notes(chart, board, ground) {
  const box = /** @type {HTMLElement} */ (chart.place.parentElement);
  const field = make("textarea", { class: "field", rows: 3, maxlength: MOST_TEXT, "aria-label": "Text of the drawing" });
  const counted = make("span", { class: "faint" });
  const save = make("button", { type: "submit", class: "button primary", text: "Save" });
  const cancel = make("button", { type: "button", class: "button", text: "Cancel" });
  const form = make("form", { class: "drawing-write", hidden: true }, [field, make("div", { class: "actions" }, [counted, cancel, save])]);
  box.append(form);
  /** @type {{drawing: Drawing, fresh: boolean, symbol: string} | null} */
  let open = null;

  const count = () => put(counted, `${field.value.length} of ${MOST_TEXT}`);
  const close = () => {
    open = null;
    form.hidden = true;
    chart.place.focus({ preventScroll: true });
  };
  const done = () => {
    if (!open) return;
    const { drawing, fresh, symbol } = open;
    const text = textOf(field.value);
    close();
    if (symbol !== board.symbol) return;
    if (fresh && text) board.add({ ...drawing, text });
    else if (!fresh && drawing.kind === "text" && !text) board.remove(drawing.id);
    else if (!fresh && text !== drawing.text) board.replace({ ...(board.find(drawing.id) ?? drawing), text });
    board.tell();
  };
  form.addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    done();
  });
  cancel.addEventListener("click", close);
  field.addEventListener("input", count);
  form.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    event.stopPropagation();
    if (event.key === "Escape") close();
    else if (event.key === "Enter" && !event.shiftKey && event.target === field && !event.isComposing) {
      event.preventDefault();
      done();
    }
  });

  return (drawing, fresh) => {
    const now = ground();
    if (!now) return;
    open = { drawing, fresh, symbol: board.symbol };
    field.value = drawing.text;
    count();
    form.hidden = false;
    const [[x, y]] = placesOf(drawing, now);
    form.style.left = `${Math.min(Math.max(x, 4), Math.max(box.clientWidth - form.offsetWidth - 8, 4))}px`;
    form.style.top = `${Math.min(Math.max(y, 4), Math.max(box.clientHeight - form.offsetHeight - 8, 4))}px`;
    field.focus();
  };
}
