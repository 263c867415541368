// @ts-check
// The tools of the chart's toolbar that are used more seldom: in their line on a large screen, on a small one a sheet that
// a button opens (assets/72-more-tools.css). What they open themselves lies in the sheet or over the page.

import { element } from "./dom.mjs";

export async function moreTools() {
  const button = await element("#more-button");
  const sheet = await element("#more-tools");
  const isOpen = () => "open" in sheet.dataset;
  /** @param {boolean} open */
  const show = (open) => {
    if (open) sheet.dataset.open = "";
    else delete sheet.dataset.open;
    button.setAttribute("aria-expanded", String(open));
  };
  /** Whether something stays what it is for, elsewhere too. @param {EventTarget | null} target */
  const belongs = (target) => {
    const node = /** @type {Element} */ (target);
    return sheet.contains(node) || button.contains(node) || Boolean(node.closest("dialog"));
  };

  button.addEventListener("click", () => {
    show(!isOpen());
    if (isOpen()) /** @type {HTMLElement | null} */ (sheet.querySelector("select, button"))?.focus();
  });
  // A key may press what is in it.
  sheet.addEventListener("click", () => !isOpen() && button.checkVisibility() && show(true), true);
  document.addEventListener("pointerdown", (event) => isOpen() && !belongs(event.target) && show(false));
  sheet.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !isOpen()) return;
    event.stopPropagation();
    show(false);
    button.focus();
  });
  // Who goes on with Tab leaves it; a dialog that was opened from it gives the focus back to it.
  sheet.addEventListener("focusout", ({ relatedTarget }) => isOpen() && relatedTarget && !belongs(relatedTarget) && show(false));
}
