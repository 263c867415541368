// @ts-check
// The form of the export menu: its controls, what goes with what, and the choices of the last time.

import { make } from "./dom.mjs";

const KEPT = "tickboard.export";
const WHAT = {
  view: "What is in view",
  compared: "What is compared, in view",
  series: "All of the series",
  ticks: "Every tick that is kept",
  configuration: "The configuration",
  watchlist: "A watchlist",
};
const FORMS = { csv: "CSV", parquet: "Parquet", json: "JSON", png: "PNG", svg: "SVG" };
const TABLES = ["csv", "parquet", "json"];
/** What each can be saved as, the usual first. @type {Record<keyof typeof WHAT, string[]>} */
const TAKES = { view: [...TABLES, "png", "svg"], compared: TABLES, series: TABLES, ticks: TABLES, configuration: ["json"], watchlist: ["csv"] };
/** What the list of every instrument is called. */
const EVERY = "Every instrument";

/** @typedef {{what: keyof typeof WHAT, form: keyof typeof FORMS, receipt: boolean, local: boolean, list: string}} Choice */

export class ExportForm {
  constructor() {
    this.submit = make("button", { type: "submit", class: "button primary", text: "Download" });
    this.cancel = make("button", { type: "button", class: "button", text: "Cancel", hidden: true });
    this.bar = make("progress", { "aria-label": "Export under way", max: 1, hidden: true });
    this.far = make("span", { class: "muted export-far" });
    this.hint = make("p", { class: "muted" });
    this.status = make("p", { role: "status", class: "export-status" });
    this.zone = make("span");
    this.lists = make("select", { class: "select", name: "list", "aria-label": "Watchlist" }, [make("option", { value: "", text: EVERY })]);
    this.forms = make("fieldset", { class: "export-forms" }, [make("legend", { text: "As" }), ...radios("form", FORMS)]);
    this.listed = make("div", { class: "export-list", hidden: true }, [this.lists]);
    this.menu = make("form", { id: "export-menu", class: "menu export-menu", role: "dialog", "aria-label": "Export", hidden: true }, [
      make("fieldset", {}, [make("legend", { text: "Export" }), ...radios("what", WHAT)]),
      this.listed,
      this.forms,
      box("receipt", "With receipt"),
      box("local", this.zone),
      this.hint,
      make("div", { class: "export-run" }, [this.submit, this.cancel, this.bar, this.far]),
      this.status,
    ]);
    /** The list that the page showed when lists were offered last. @type {number | null} */
    this.shown = null;
    this.recall();
  }

  /** @returns {Choice} */
  get choice() {
    const { what, form, receipt, local, list } = this.menu.elements;
    return { what: what.value, form: form.value, receipt: receipt.checked && !receipt.disabled, local: local.checked && !local.disabled, list: list.value };
  }

  /** Let only be chosen what goes with what is. @param {boolean} running whether an export is under way @param {boolean} comparing whether anything is compared */
  settle(running, comparing) {
    const { what, form, receipt, local } = this.menu.elements;
    const compared = [...what].find((one) => one.value === "compared");
    compared.disabled = compared.closest("label").hidden = !comparing;
    if (!comparing && what.value === "compared") what.value = "view";
    const takes = TAKES[/** @type {keyof typeof WHAT} */ (what.value)];
    for (const one of form) one.disabled = !takes.includes(one.value);
    if (!takes.includes(form.value)) form.value = takes[0];
    const rows = what.value !== "watchlist" && what.value !== "configuration" && TABLES.includes(form.value);
    local.disabled = !rows;
    receipt.disabled = !rows || form.value === "parquet";
    this.listed.hidden = what.value !== "watchlist";
    this.submit.disabled = running;
    this.cancel.hidden = this.bar.hidden = !running;
  }

  /**
   * The watchlists to choose from. What is chosen stays, where there is it still, until the page shows another list.
   * @param {{id: number, name: string}[]} lists @param {number | null} shown which of them the page shows; null for every instrument
   */
  offer(lists, shown) {
    const value = shown === this.shown ? this.lists.value : String(shown ?? "");
    this.shown = shown;
    const options = lists.map(({ id, name }) => make("option", { value: String(id), text: name }));
    this.lists.replaceChildren(make("option", { value: "", text: EVERY }), ...options);
    this.lists.value = lists.some(({ id }) => String(id) === value) ? value : "";
  }

  /** The choices of the last time, checked as anything from outside. */
  recall() {
    /** @type {any} */
    let kept = null;
    try {
      kept = JSON.parse(localStorage.getItem(KEPT) ?? "null");
    } catch {
      // forbidden or not ours: the first choices then
    }
    const { what, form, receipt, local } = this.menu.elements;
    what.value = typeof kept?.what === "string" && Object.hasOwn(WHAT, kept.what) ? kept.what : "view";
    form.value = typeof kept?.form === "string" && Object.hasOwn(FORMS, kept.form) ? kept.form : "csv";
    receipt.checked = kept?.receipt === true;
    local.checked = kept?.local === true;
  }

  keep() {
    const { what, form, receipt, local } = this.menu.elements;
    try {
      localStorage.setItem(KEPT, JSON.stringify({ what: what.value, form: form.value, receipt: receipt.checked, local: local.checked }));
    } catch {
      // storage can be forbidden; the choice then lasts as long as the page
    }
  }
}

/** @param {string} name @param {Record<string, string>} options */
function radios(name, options) {
  return Object.entries(options).map(([value, title]) => make("label", { class: "menu-item" }, [make("input", { type: "radio", name, value }), title]));
}

/** @param {string} name @param {string | Node} title */
function box(name, title) {
  return make("label", { class: "menu-item" }, [make("input", { type: "checkbox", name }), title]);
}
