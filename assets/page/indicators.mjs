// @ts-check
// The menu of indicators: add one, set its parameters and colour, hide it, remove it. What it says goes into the view,
// and the view is what it shows; a mistake is told beside its field and changes nothing.

import { another, label, number, order, read, textOf, written } from "../indicators/choice.mjs";
import { element, icon, make, menuOf, write } from "./dom.mjs";

/** @typedef {import("../indicators/choice.mjs").Chosen} Chosen */
/** @typedef {import("../indicators/choice.mjs").Registry} Registry */

/** What the tokens `--study-1` and so on are called. */
const COLOURS = ["Orange", "Violet", "Teal", "Olive", "Rose", "Blue", "Green", "Grey"];
const PANES = { price: "On the price", own: "In a pane of its own" };

/** @param {{view: any, registry: Registry}} page */
export async function indicators({ view, registry }) {
  const button = await element("#indicators");
  const made = new Menu(button, view, registry);
  view.on(() => made.show());
  made.show();
  return made;
}

class Menu {
  /** @param {HTMLElement} button @param {any} view @param {Registry} registry */
  constructor(button, view, registry) {
    this.button = button;
    this.view = view;
    this.registry = registry;
    /** @type {Chosen[]} */
    this.list = [];
    /** @type {Row[]} */
    this.rows = [];
    this.names = "";
    this.remove = this.remove.bind(this);
    this.place = make("ul", { class: "indicator-list" });
    this.none = make("p", { class: "muted indicator-none", text: "No indicators yet." });
    this.choice = make("select", { class: "select", "aria-label": "Indicator to add" }, this.groups());
    this.adder = make("button", { class: "button primary", type: "button", text: "Add" });
    this.message = make("p", { class: "indicator-fault", role: "status" });
    const close = make("button", { class: "icon-button", type: "button", "aria-label": "Close" }, [icon("close")]);
    this.panel = make("div", { class: "menu indicator-panel", role: "dialog", "aria-label": "Indicators", hidden: true }, [
      make("div", { class: "indicator-head" }, [make("h2", { text: "Indicators" }), close]),
      this.place,
      this.none,
      make("form", { class: "indicator-add" }, [this.choice, this.adder]),
      this.message,
    ]);
    button.after(this.panel);
    const menu = menuOf(button, this.panel, () => this.put());
    this.open = () => {
      menu.open();
      this.choice.focus();
    };
    button.addEventListener("click", () => this.panel.hidden || this.choice.focus());
    close.addEventListener("click", () => {
      menu.close();
      button.focus();
    });
    this.choice.addEventListener("change", () => this.say(""));
    this.adder.setAttribute("type", "submit");
    this.adder.closest("form").addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      this.add(this.choice.value);
    });
    addEventListener("resize", () => this.panel.hidden || this.put());
  }

  groups() {
    return Object.entries(PANES).map(([pane, title]) =>
      make("optgroup", { label: title }, this.registry.list.filter((each) => each.pane === pane).map((each) => make("option", { value: each.name, text: each.title }))),
    );
  }

  /** Under the button, as far as there is room. */
  put() {
    const at = this.button.getBoundingClientRect();
    const left = Math.max(8, Math.min(at.left, innerWidth - this.panel.offsetWidth - 8));
    this.panel.style.setProperty("--left", `${left}px`);
    this.panel.style.setProperty("--top", `${at.bottom + 6}px`);
  }

  /** What the view says. */
  show() {
    this.list = read(this.view.indicators, this.view.looks, this.registry).list;
    const names = this.list.map(({ about }) => about.name).join();
    if (names !== this.names) {
      this.names = names;
      this.rows = this.list.map((_chosen, at) => new Row(this, at));
      this.place.replaceChildren(...this.rows.map((row) => row.item));
    }
    for (const [at, row] of this.rows.entries()) row.show(this.list[at]);
    this.none.hidden = this.list.length > 0;
    write(this.button, this.list.length ? `Indicators ${this.list.length}` : "Indicators");
    const full = this.list.length >= this.registry.most;
    this.choice.disabled = this.adder.disabled = full;
    this.say(full ? `A chart has ${this.registry.most} indicators at most; remove one to add another.` : "");
  }

  /** @param {string} sentence */
  say(sentence) {
    write(this.message, sentence);
  }

  /** Another list, into the view. @param {Chosen[]} list */
  set(list) {
    this.view.set(written(list, this.registry));
  }

  /** @param {string} name */
  add(name) {
    const about = this.registry.list.find((each) => each.name === name);
    const made = about && another(about, this.list, this.registry);
    if (made) this.set([...this.list, made]);
    else if (about) this.say(`${about.short} is there already; it has no parameters to differ in.`);
  }

  /** @param {string} text */
  remove(text) {
    const at = this.list.findIndex((each) => textOf(each) === text);
    if (at < 0) return;
    const focused = this.panel.contains(document.activeElement);
    this.set(this.list.filter((_each, place) => place !== at));
    if (focused) (this.rows[Math.min(at, this.rows.length - 1)]?.remover ?? this.choice).focus();
  }

  /** @param {number} at @param {Partial<Chosen>} patch */
  change(at, patch) {
    this.set(this.list.map((each, place) => (place === at ? { ...each, ...patch } : each)));
  }
}

/** One indicator in the menu. */
class Row {
  /** @param {Menu} menu @param {number} at its place in the list */
  constructor(menu, at) {
    this.menu = menu;
    this.at = at;
    const { about } = menu.list[at];
    const faultId = `indicator-fault-${at}`;
    this.colour = make("select", { class: "swatch" }, COLOURS.map((name, each) => make("option", { value: each + 1, text: name })));
    this.hider = make("button", { class: "button", type: "button" });
    this.remover = make("button", { class: "icon-button", type: "button" }, [icon("close")]);
    this.fault = make("p", { class: "indicator-fault", id: faultId, role: "alert" });
    this.fields = about.parameters.map(({ whole }) =>
      make("input", { class: "field", inputmode: whole ? "numeric" : "decimal", autocomplete: "off", maxlength: 20, "aria-describedby": faultId }),
    );
    this.item = make("li", { class: "indicator-row" }, [
      make("div", { class: "indicator-line" }, [
        this.colour,
        make("b", { text: about.short }),
        make("span", { class: "muted indicator-title", text: about.title }),
        this.hider,
        this.remover,
      ]),
      ...(about.parameters.length
        ? [make("div", { class: "indicator-fields" }, about.parameters.map(({ name }, place) => make("label", {}, [make("span", { text: name }), this.fields[place]])))]
        : []),
      this.fault,
    ]);
    this.colour.addEventListener("change", () => menu.change(at, { colour: Number(this.colour.value) }));
    this.hider.addEventListener("click", () => menu.change(at, { hidden: !menu.list[at].hidden }));
    this.remover.addEventListener("click", () => menu.remove(textOf(menu.list[at])));
    for (const field of this.fields) {
      field.addEventListener("change", () => this.take());
      field.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
        if (event.key === "Enter") this.take();
      });
    }
  }

  /** @param {Chosen} chosen */
  show(chosen) {
    const name = label(chosen);
    this.item.dataset.indicator = textOf(chosen);
    this.item.classList.toggle("hidden-one", chosen.hidden);
    this.colour.value = String(chosen.colour);
    this.colour.dataset.colour = String(chosen.colour);
    this.colour.setAttribute("aria-label", `Colour of ${name}`);
    write(this.hider, chosen.hidden ? "Show" : "Hide");
    this.hider.setAttribute("aria-label", `${chosen.hidden ? "Show" : "Hide"} ${name}`);
    this.remover.setAttribute("aria-label", `Remove ${name}`);
    for (const [at, field] of this.fields.entries()) {
      field.value = String(chosen.values[at]);
      field.setAttribute("aria-label", `${name}: ${chosen.about.parameters[at].name}`);
    }
    this.refuse("", []);
  }

  /** What the fields say, or why it can't be. */
  take() {
    const { list } = this.menu;
    const { about } = list[this.at];
    const told = about.parameters.map((parameter, at) => number(parameter, this.fields[at].value.trim()));
    const bad = told.filter(({ fault }) => fault);
    if (bad.length) return this.refuse(sentence(/** @type {string} */ (bad[0].fault)), this.fields.filter((_field, at) => told[at].fault));
    const values = told.map(({ value }) => /** @type {number} */ (value));
    const fault = order(about, values);
    if (fault) return this.refuse(sentence(fault), this.fields);
    const text = textOf({ ...list[this.at], values });
    if (list.some((each, at) => at !== this.at && textOf(each) === text)) return this.refuse(`${label({ ...list[this.at], values })} is there already.`, this.fields);
    this.refuse("", []);
    return this.menu.change(this.at, { values });
  }

  /** @param {string} words @param {HTMLInputElement[]} fields */
  refuse(words, fields) {
    write(this.fault, words);
    for (const field of this.fields) field.toggleAttribute("aria-invalid", fields.includes(field));
    for (const field of fields) field.setAttribute("aria-invalid", "true");
  }
}

/** @param {string} text */
function sentence(text) {
  return text[0].toUpperCase() + text.slice(1);
}
