// @ts-check
// Pinning from the watchlist: the pin in the row, the menu of the right button, the key P on the focused row. Says politely
// what was done. The menu has what else can be done with a row.

import { make, write } from "./dom.mjs";
import { MOST } from "./pins.mjs";
import { toast } from "./toasts.mjs";

/**
 * Something that pins and unpins and says so to screen readers; a refusal is shown.
 * @param {import("./pins.mjs").Pins} pins @returns {(symbol: string) => void}
 */
export function pinner(pins) {
  const said = make("span", { id: "pins-said", class: "read-only-to-readers", role: "status" });
  document.body.append(said);
  return (symbol) => {
    const done = pins.toggle(symbol);
    if (done === "full") void toast(`${symbol} is not pinned`, `${MOST} cards are the most there can be: unpin one first.`);
    else if (done !== "unknown") write(said, `${symbol} ${done}, ${pins.shown.length} of ${MOST} cards`);
  };
}

/**
 * @param {any} api the grid's @param {HTMLElement} box what holds the grid @param {any} view
 * @param {import("./pins.mjs").Pins} pins @param {(symbol: string) => void} toggle
 * @param {(symbol: string) => {text: string, run: () => void}[]} offers what else the row's menu offers
 */
export function pinning(api, box, view, pins, toggle, offers) {
  const shared = window["tickboardGrid"];
  const mark = () => {
    shared.pinned = new Set(pins.shown);
    for (const pin of box.querySelectorAll(".pin")) pin.setAttribute("aria-pressed", String(pins.has(/** @type {HTMLElement} */ (pin).dataset.symbol ?? "")));
  };
  pins.on(mark);
  mark();
  const pinOf = (/** @type {Event} */ event) => /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest(".pin"));
  // Before the grid hears of it: the row's symbol is not to be shown, its cell not to take the focus.
  box.addEventListener("mousedown", (event) => pinOf(event) && event.preventDefault(), true);
  box.addEventListener("click", (event) => {
    const pin = pinOf(event);
    if (!pin) return;
    event.stopPropagation();
    toggle(pin.dataset.symbol ?? "");
  }, true);
  api.addEventListener("cellKeyDown", (/** @type {any} */ { event, data }) => {
    if (event.key?.toLowerCase() !== "p" || event.ctrlKey || event.metaKey || event.altKey || !data?.symbol) return;
    event.preventDefault();
    if (!event.repeat) toggle(data.symbol);
  });
  menu(box, view, pins, toggle, offers);
}

/**
 * The right button's menu. @param {HTMLElement} box @param {any} view @param {import("./pins.mjs").Pins} pins
 * @param {(symbol: string) => void} toggle @param {(symbol: string) => {text: string, run: () => void}[]} offers
 */
function menu(box, view, pins, toggle, offers) {
  const item = (/** @type {string} */ text) => make("button", { type: "button", class: "menu-item", role: "menuitem", text });
  const [pin, show, alert] = [item(""), item("Show on the chart"), item("New alert")];
  let items = [pin, show, alert];
  const list = make("div", { class: "menu row-menu", role: "menu", hidden: true });
  document.body.append(list);
  let symbol = "";
  /** @type {HTMLElement | null} */
  let from = null;
  const close = (/** @type {boolean} */ back) => {
    list.hidden = true;
    if (back) from?.focus({ preventScroll: true });
  };
  box.addEventListener("contextmenu", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const id = /** @type {HTMLElement | null} */ (target.closest(".ag-row"))?.getAttribute("row-id") ?? "";
    if (!pins.known.has(id)) return;
    event.preventDefault();
    symbol = id;
    from = target.closest(".ag-cell");
    list.setAttribute("aria-label", symbol);
    write(pin, pins.has(symbol) ? `Unpin ${symbol} from the cards` : `Pin ${symbol} to the cards`);
    const more = offers(symbol).map(({ text, run }) => {
      const made = item(text);
      made.addEventListener("click", () => {
        close(true);
        run();
      });
      return made;
    });
    items = [pin, show, alert, ...more];
    list.replaceChildren(...items);
    list.hidden = false;
    // The menu key says no place of its own.
    const at = event.clientX || event.clientY ? { x: event.clientX, y: event.clientY } : target.getBoundingClientRect();
    list.style.left = `${Math.max(8, Math.min(at.x, innerWidth - list.offsetWidth - 8))}px`;
    list.style.top = `${Math.max(8, Math.min(at.y, innerHeight - list.offsetHeight - 8))}px`;
    pin.focus();
  });
  const does = [
    () => toggle(symbol),
    () => view.set({ symbol }),
    () => document.dispatchEvent(new CustomEvent("tickboard:alert-at", { detail: { symbol } })),
  ];
  [pin, show, alert].forEach((one, at) =>
    one.addEventListener("click", () => {
      close(at === 0);
      does[at]();
    }),
  );
  document.addEventListener("pointerdown", (event) => {
    if (!list.hidden && !list.contains(/** @type {Node} */ (event.target))) close(false);
  });
  list.addEventListener("focusout", (/** @type {FocusEvent} */ event) => {
    if (event.relatedTarget && !list.contains(/** @type {Node} */ (event.relatedTarget))) close(false);
  });
  list.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const at = items.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (event.key === "Escape") close(true);
    else if (event.key === "Tab") close(false);
    else if (to != null) items[(to + items.length) % items.length].focus();
    else return;
    event.stopPropagation();
    if (event.key !== "Tab") event.preventDefault();
  });
}
