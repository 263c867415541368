// @ts-check
// The menu of what is compared: instruments to add and take out, the way to compare, the correlation, a file. What it says
// goes into the choice, and the choice is what it shows; a mistake is told beside its field and changes nothing.

import { element, icon, make, menuOf, write } from "../page/dom.mjs";
import { finder } from "../page/finder.mjs";
import { factorOf, plain, windowOf } from "./choice.mjs";

/** @typedef {import("./choice.mjs").Registry} Registry */

const HINTS = {
  indexed: "Each is 100 at the left edge of what is in view.",
  spread: "The chart's price less the other's, times a factor.",
  ratio: "The chart's price over the other's.",
};

export class Menu {
  /** @param {any} compare @param {{view: any, market: any, registry: Registry}} page */
  static async make(compare, page) {
    return new Menu(await element("#compare-button"), compare, page);
  }

  /** @param {HTMLElement} button @param {any} compare @param {{view: any, market: any, registry: Registry}} page */
  constructor(button, compare, { view, market, registry }) {
    this.button = button;
    this.compare = compare;
    this.view = view;
    this.market = market;
    this.registry = registry;
    this.listed = "";
    this.find = finder({
      id: "compare",
      label: "Add an instrument",
      instruments: () => market.instruments.filter((/** @type {any} */ { symbol }) => symbol !== view.symbol && !compare.choice.symbols.includes(symbol)),
      choose: (symbol) => this.add(symbol),
    });
    this.chips = make("ul", { class: "compare-chips", "aria-label": "Compared instruments" });
    this.message = make("p", { class: "compare-fault", role: "status" });
    this.modes = Object.entries(registry.modes).map(([value, title]) =>
      make("label", { class: "menu-item" }, [make("input", { type: "radio", name: "compare-mode", value }), title]),
    );
    this.hint = make("p", { class: "muted compare-hint" });
    this.against = make("select", { class: "select", "aria-label": "The other instrument" });
    this.factor = make("input", { class: "field", inputmode: "decimal", autocomplete: "off", maxlength: 20, "aria-label": "Factor of the other" });
    this.factorPart = make("label", { class: "compare-part" }, [make("span", { text: "times" }), this.factor]);
    this.pair = make("div", { class: "compare-line" }, [make("label", { class: "compare-part" }, [make("span", { text: "With" }), this.against]), this.factorPart]);
    this.correlated = make("input", { type: "checkbox" });
    this.window = make("input", { class: "field", inputmode: "numeric", autocomplete: "off", maxlength: 8, "aria-label": "Returns in the correlation" });
    this.correlation = make("div", { class: "compare-line" }, [
      make("label", { class: "menu-item" }, [this.correlated, "Rolling correlation"]),
      make("label", { class: "compare-part" }, [make("span", { text: "of" }), this.window, make("span", { text: "returns" })]),
    ]);
    this.notes = make("ul", { class: "compare-notes", role: "status", "aria-label": "What can't be shown" });
    this.file = make("button", { class: "button", type: "button", text: "CSV of what is in view" });
    this.clear = make("button", { class: "button", type: "button", text: "Compare nothing" });
    const close = make("button", { class: "icon-button", type: "button", "aria-label": "Close" }, [icon("close")]);
    this.panel = make("div", { id: "compare-panel", class: "menu compare-panel", role: "dialog", "aria-label": "Compare", hidden: true }, [
      make("div", { class: "indicator-head" }, [make("h2", { text: "Compare" }), close]),
      this.find.box,
      this.message,
      this.chips,
      make("fieldset", { class: "compare-modes" }, [make("legend", { text: "As" }), ...this.modes]),
      this.hint,
      this.pair,
      this.correlation,
      this.notes,
      make("div", { class: "compare-line compare-end" }, [this.file, this.clear]),
    ]);
    button.after(this.panel);
    const menu = menuOf(button, this.panel, () => {
      this.put();
      this.say("");
      this.show();
    });
    this.open = () => {
      menu.open();
      this.focus();
    };
    button.addEventListener("click", () => this.panel.hidden || this.focus());
    close.addEventListener("click", () => {
      menu.close();
      button.focus();
    });
    addEventListener("resize", () => this.panel.hidden || this.put());
    this.listen();
  }

  listen() {
    const { compare, registry } = this;
    for (const label of this.modes) label.querySelector("input").addEventListener("change", (/** @type {any} */ event) => compare.set({ mode: event.target.value }));
    this.against.addEventListener("change", () => {
      const { symbols } = compare.choice;
      const first = this.against.value;
      compare.set({ symbols: [first, ...symbols.filter((/** @type {string} */ symbol) => symbol !== first)] });
    });
    /** @param {HTMLInputElement} field @param {(text: string, registry: Registry) => {value?: number, fault?: string}} check @param {(value: number) => void} run */
    const taken = (field, check, run) => {
      const take = () => {
        const { value, fault } = check(field.value.trim(), registry);
        this.say(fault ?? "");
        field.toggleAttribute("aria-invalid", Boolean(fault));
        if (fault) field.setAttribute("aria-invalid", "true");
        if (value !== undefined) run(value);
      };
      field.addEventListener("change", take);
      field.addEventListener("keydown", (event) => event.key === "Enter" && take());
    };
    taken(this.factor, factorOf, (factor) => compare.set({ factor }));
    taken(this.window, windowOf, (window) => {
      this.wanted = window;
      if (this.correlated.checked) compare.set({ window });
    });
    this.wanted = registry.window.default;
    this.correlated.addEventListener("change", () => compare.set({ window: this.correlated.checked ? this.wanted : null }));
    this.file.addEventListener("click", () => {
      const href = compare.file();
      if (!href) return this.say("There is no bar in view.");
      const link = make("a", { href, download: "" });
      document.body.append(link);
      link.click();
      return link.remove();
    });
    this.clear.addEventListener("click", () => {
      compare.set({ symbols: [] });
      this.focus();
    });
  }

  focus() {
    (this.find.field.disabled ? /** @type {any} */ (this.panel.querySelector(".compare-chips button")) : this.find.field)?.focus();
  }

  /** @param {string} symbol as it was typed or chosen */
  add(symbol) {
    const known = this.view.known(symbol) ? symbol : symbol.toUpperCase();
    const fault = this.compare.add(known);
    if (!fault) this.find.clear();
    this.say(fault);
    if (this.find.field.disabled) this.focus();
  }

  /** @param {string} symbol */
  remove(symbol) {
    const { symbols } = this.compare.choice;
    const place = symbols.indexOf(symbol);
    this.compare.set({ symbols: symbols.filter((/** @type {string} */ each) => each !== symbol) });
    this.say(`${symbol} is not compared any more.`);
    const buttons = this.chips.querySelectorAll("button");
    (buttons[Math.min(place, buttons.length - 1)] ?? this.find.field).focus();
  }

  /** Under the button, as far as there is room. */
  put() {
    const at = this.button.getBoundingClientRect();
    const left = Math.max(8, Math.min(at.left, innerWidth - this.panel.offsetWidth - 8));
    this.panel.style.setProperty("--left", `${left}px`);
    this.panel.style.setProperty("--top", `${at.bottom + 6}px`);
  }

  /** @param {string} sentence */
  say(sentence) {
    write(this.message, sentence);
  }

  /** What is chosen. */
  show() {
    const { registry, view } = this;
    const { symbols, mode, factor, window } = this.compare.choice;
    const any = symbols.length > 0;
    write(this.button, any ? `Compare ${symbols.length}` : "Compare");
    this.list(view.symbol, symbols);
    const full = symbols.length >= registry.most;
    this.find.field.disabled = full;
    this.find.field.placeholder = full ? `${registry.most + 1} instruments, that is all there may be` : "Add an instrument";
    for (const label of this.modes) {
      const radio = label.querySelector("input");
      radio.checked = radio.value === mode;
    }
    write(this.hint, any ? HINTS[mode] : "Nothing is compared yet.");
    this.pair.hidden = mode === "indexed" || !any;
    this.factorPart.hidden = mode !== "spread";
    const options = symbols.map((/** @type {string} */ symbol) => make("option", { value: symbol, text: symbol }));
    if (this.against.textContent !== symbols.join("")) this.against.replaceChildren(...options);
    this.against.value = symbols[0] ?? "";
    if (document.activeElement !== this.factor) this.factor.value = plain(factor);
    this.correlated.checked = window !== null;
    this.wanted = window ?? this.wanted;
    if (document.activeElement !== this.window) this.window.value = String(this.wanted);
    this.file.disabled = this.clear.disabled = this.correlated.disabled = !any;
    this.tell();
  }

  /** What can't be shown just now. */
  tell() {
    if (this.panel.hidden) return;
    const notes = this.compare.notes();
    const said = [...this.notes.children].map((item) => item.textContent);
    if (notes.join("\n") !== said.join("\n")) this.notes.replaceChildren(...notes.map((/** @type {string} */ text) => make("li", { text })));
  }

  /** @param {string} own @param {string[]} symbols */
  list(own, symbols) {
    const listed = [own, ...symbols].join(",");
    if (listed === this.listed) return;
    this.listed = listed;
    const name = (/** @type {string} */ symbol) => this.market.get(symbol)?.name ?? "";
    const shown = (/** @type {string} */ symbol, /** @type {Node} */ swatch, /** @type {Node} */ end) =>
      make("li", { class: "compare-chip", "data-symbol": symbol }, [swatch, make("b", { text: symbol }), make("span", { class: "muted compare-name", text: name(symbol) }), end]);
    this.chips.replaceChildren(
      ...(symbols.length ? [shown(own, make("span", { class: "compare-own", "aria-hidden": "true" }), make("span", { class: "faint", text: "the chart's" }))] : []),
      ...symbols.map((symbol, place) => {
        const remove = make("button", { class: "icon-button", type: "button", "aria-label": `Remove ${symbol}` }, [icon("close")]);
        remove.addEventListener("click", () => this.remove(symbol));
        return shown(symbol, make("span", { class: "swatch", "data-colour": this.registry.colours[place], "aria-hidden": "true" }), remove);
      }),
    );
  }
}
