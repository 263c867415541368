// @ts-check
// Narrow screens: the side panel as a drawer, and the bottom bar's tabs.

import { element } from "./dom.mjs";

const STACKED = matchMedia("(max-width: 700px)");
const DRAWER = matchMedia("(max-width: 1100px)");

/** @returns {Promise<{show: (view: string) => void, close: () => boolean}>} */
export async function views() {
  const app = await element("#app");
  const side = await element("#side");
  const button = await element("#side-button");
  const user = await element("#user-button");
  const bar = await element(".bottom-tabs");

  const drawer = (/** @type {boolean} */ open) => {
    app.dataset.drawer = open ? "open" : "closed";
    button.setAttribute("aria-expanded", String(open));
  };
  const tab = (/** @type {string} */ wanted) => {
    app.dataset.view = wanted;
    for (const one of bar.querySelectorAll("button")) one.setAttribute("aria-pressed", String(one.dataset.tab === wanted));
    // Plotly and the grid measure their boxes, which were not there while hidden.
    window.dispatchEvent(new Event("resize"));
  };
  button.addEventListener("click", () => {
    drawer(app.dataset.drawer !== "open");
    // Who goes by keys goes on in what has opened.
    if (app.dataset.drawer === "open") /** @type {HTMLElement | null} */ (side.querySelector("[role=tab][aria-selected=true]"))?.focus();
  });
  bar.addEventListener("click", (event) => {
    const wanted = /** @type {HTMLElement} */ (event.target).closest("button")?.dataset.tab;
    if (wanted === "more") user.click();
    else if (wanted) tab(wanted);
  });
  document.addEventListener("pointerdown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    if (app.dataset.drawer === "open" && !side.contains(target) && !target.closest("#side-button, #alert-button")) drawer(false);
  });
  return {
    /** Bring a view to the eye, however wide the screen is. */
    show(view) {
      if (STACKED.matches) tab(view);
      else if (view === "side" && DRAWER.matches) drawer(true);
    },
    /** Close what Esc closes; false when nothing was open. */
    close() {
      if (app.dataset.drawer !== "open") return false;
      drawer(false);
      button.focus();
      return true;
    },
  };
}
