// @ts-check
// The search in the header: a symbol or a name, by keyboard or pointer (Ctrl+K or /).

import { element, make } from "./dom.mjs";

const MOST = 12;

/**
 * Instruments that fit a text, best first: the symbol begins with it, then the name, then either contains it.
 * @param {any[]} instruments @param {string} text
 */
export function matches(instruments, text) {
  const wanted = plain(text.trim());
  const rank = (/** @type {any} */ one) => {
    const symbol = plain(one.symbol);
    const name = plain(one.name);
    if (symbol.startsWith(wanted)) return symbol === wanted ? 0 : 1;
    if (name.startsWith(wanted) || name.includes(` ${wanted}`)) return 2;
    return symbol.includes(wanted) || name.includes(wanted) ? 3 : 9;
  };
  return instruments
    .map((one) => ({ one, rank: rank(one) }))
    .filter((found) => found.rank < 9)
    .sort((a, b) => a.rank - b.rank)
    .slice(0, MOST)
    .map((found) => found.one);
}

/** Without case and accents. @param {string} text */
function plain(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

/** @param {{market: any, view: any}} page @returns {Promise<{open: () => void}>} */
export async function search({ market, view }) {
  const box = await element("#search");
  const field = make("input", {
    id: "search-field",
    class: "field",
    type: "search",
    placeholder: "Search symbol",
    role: "combobox",
    "aria-label": "Search symbol",
    "aria-autocomplete": "list",
    "aria-controls": "search-results",
    "aria-expanded": "false",
    autocomplete: "off",
    spellcheck: "false",
  });
  const list = make("ul", { id: "search-results", class: "results", role: "listbox", tabindex: -1, "aria-label": "Symbols", hidden: true });
  box.replaceChildren(field, make("kbd", { text: "Ctrl K", "aria-hidden": "true" }), list);
  /** @type {any[]} */
  let found = [];
  let at = 0;

  const close = () => {
    list.hidden = true;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
    delete box.dataset.open;
  };
  const mark = () => {
    if (!found.length) field.removeAttribute("aria-activedescendant");
    [...list.children].forEach((item, index) => item.setAttribute("aria-selected", String(index === at)));
    const item = list.children[at];
    if (!found.length || !item) return;
    field.setAttribute("aria-activedescendant", item.id);
    item.scrollIntoView({ block: "nearest" });
  };
  const paint = () => {
    found = matches(market.instruments ?? [], field.value);
    at = 0;
    list.replaceChildren(
      ...found.map((one, index) =>
        make("li", { role: "option", id: `found-${index}`, "data-symbol": one.symbol }, [
          make("b", { text: one.symbol }),
          make("span", { class: "result-name", text: one.name }),
          make("span", { class: "faint", text: one.class }),
        ]),
      ),
    );
    if (!found.length) list.append(make("li", { class: "none", role: "option", "aria-disabled": "true", text: `No symbol or name contains "${field.value.trim().slice(0, 24)}".` }));
    list.hidden = false;
    field.setAttribute("aria-expanded", "true");
    mark();
  };
  /** To the chart, where the eye goes next. */
  const leave = () => (document.getElementById("chart") ?? field).focus({ preventScroll: true });
  const choose = (/** @type {string | undefined} */ symbol) => {
    if (!symbol) return;
    view.set({ symbol });
    document.dispatchEvent(new CustomEvent("tickboard:chosen"));
    field.value = "";
    close();
    leave();
  };

  field.addEventListener("focus", paint);
  field.addEventListener("input", paint);
  // Who is back in the field by then (Ctrl+K right after a choice) keeps it.
  field.addEventListener("blur", () => setTimeout(() => document.activeElement === field || close(), 120));
  field.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && found.length) {
      event.preventDefault();
      at = (at + step + found.length) % found.length;
      mark();
    } else if (event.key === "Enter") {
      event.preventDefault();
      choose(found[at]?.symbol);
    } else if (event.key === "Escape") {
      event.stopPropagation();
      field.value = "";
      close();
      leave();
    }
  });
  // The focus stays in the field, whose blur would take the list away before the click comes.
  list.addEventListener("mousedown", (/** @type {MouseEvent} */ event) => event.preventDefault());
  list.addEventListener("click", (/** @type {MouseEvent} */ event) => {
    choose(/** @type {HTMLElement} */ (event.target).closest("li")?.dataset.symbol);
  });
  const open = () => {
    // A narrow screen has the field only while it is used.
    box.dataset.open = "true";
    field.focus();
    field.select();
  };
  (await element("#search-button")).addEventListener("click", open);
  return { open };
}
