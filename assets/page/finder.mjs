// @ts-check
// A field that finds an instrument as one types: a symbol or a name, by keyboard or pointer (WAI-ARIA's combobox).

import { make } from "./dom.mjs";
import { matches } from "./search.mjs";

/**
 * @param {{id: string, label: string, instruments: () => any[], choose: (symbol: string) => void}} page `id`: what the ids of its
 *   elements begin with; `instruments`: those to choose from; `choose` is told a symbol, or what was typed where nothing fits
 * @returns {{field: HTMLInputElement, box: HTMLElement, clear: () => void}}
 */
export function finder({ id, label, instruments, choose }) {
  const field = make("input", {
    ...{ id: `${id}-field`, class: "field", type: "text", role: "combobox", placeholder: label, "aria-label": label, "aria-autocomplete": "list" },
    ...{ "aria-controls": `${id}-results`, "aria-expanded": "false", autocomplete: "off", spellcheck: "false", maxlength: 60 },
  });
  const list = make("ul", { id: `${id}-results`, class: "results", role: "listbox", tabindex: -1, "aria-label": "Symbols", hidden: true });
  const box = make("div", { class: "finder" }, [field, list]);
  /** @type {any[]} */
  let found = [];
  let at = 0;

  const close = () => {
    list.hidden = true;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  };
  const mark = () => {
    for (const [place, item] of [...list.children].entries()) item.setAttribute("aria-selected", String(place === at));
    const item = list.children[at];
    if (!found.length || !item) return field.removeAttribute("aria-activedescendant");
    field.setAttribute("aria-activedescendant", item.id);
    return item.scrollIntoView({ block: "nearest" });
  };
  const paint = () => {
    found = matches(instruments(), field.value);
    at = 0;
    list.replaceChildren(
      ...found.map((one, place) =>
        make("li", { role: "option", id: `${id}-found-${place}`, "data-symbol": one.symbol }, [
          make("b", { text: one.symbol }),
          make("span", { class: "result-name", text: one.name }),
          make("span", { class: "faint", text: one.class }),
        ]),
      ),
    );
    if (!found.length) list.append(make("li", { class: "none", role: "option", "aria-disabled": "true", text: `No other symbol or name contains "${field.value.trim().slice(0, 24)}".` }));
    list.hidden = false;
    field.setAttribute("aria-expanded", "true");
    mark();
  };
  const clear = () => {
    field.value = "";
    close();
  };

  field.addEventListener("input", paint);
  field.addEventListener("blur", close);
  field.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    // Not for the menu around it, which walks by the same keys.
    if (["ArrowDown", "ArrowUp", "Home", "End", "Enter"].includes(event.key)) event.stopPropagation();
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      if (list.hidden) return paint();
      if (found.length) at = (at + step + found.length) % found.length;
      mark();
    } else if (event.key === "Enter") {
      event.preventDefault();
      const typed = field.value.trim();
      if (typed || !list.hidden) choose(list.hidden ? typed : found[at]?.symbol ?? typed);
    } else if (event.key === "Escape" && !list.hidden) {
      // The first closes the list, the next what it is in.
      event.stopPropagation();
      clear();
    }
    return undefined;
  });
  // The focus stays in the field, whose blur would take the list away before the click comes.
  list.addEventListener("mousedown", (/** @type {MouseEvent} */ event) => event.preventDefault());
  list.addEventListener("click", (/** @type {MouseEvent} */ event) => {
    const symbol = /** @type {HTMLElement} */ (event.target).closest("li")?.dataset.symbol;
    if (symbol) choose(symbol);
  });
  return { field, box, clear };
}
