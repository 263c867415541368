// @ts-check
// The Market page: what its panels are asked, in its address too, and when: while the page is shown in a tab that is seen.

import { onFrame } from "../live/frame.mjs";
import { element, make } from "../page/dom.mjs";
import { toast } from "../page/toasts.mjs";
import { breadth } from "./breadth.mjs";
import { correlation } from "./correlation.mjs";
import { Heat } from "./heat.mjs";
import { movers } from "./movers.mjs";
import { Panel } from "./panel.mjs";

/** As in dashboard/ui/market/callbacks.py. */
const PACES_MS = { heat: 5_000, movers: 5_000, breadth: 10_000, correlation: 30_000 };
/** A parameter of the address and the panels that depend on it. @type {Record<string, string[]>} */
const PANELS = {
  window: ["heat", "movers", "breadth"],
  size: ["heat"],
  returns: ["correlation"],
  symbols: ["correlation"],
};
/** Parameters that are one of a choice, by its control. */
const CHOICES = { window: "market-window", size: "market-size", returns: "market-returns" };

/** @param {{market: any, pages: import("../page/pages.mjs").Pages}} page */
export async function marketPage({ market, pages }) {
  const place = await element("#market");
  const table = await element("#market-table");
  const selects = Object.fromEntries(
    await Promise.all(Object.entries(CHOICES).map(async ([name, id]) => [name, /** @type {HTMLSelectElement} */ (await element(`#${id}`))])),
  );
  const { form, field } = symbolsForm(await element("#market-symbols"));
  const usual = Object.fromEntries(Object.entries(selects).map(([name, select]) => [name, select.value]));
  const asked = { ...usual, symbols: "" };
  const heat = new Heat(pages.open);

  const question = (/** @type {string} */ panel) => () =>
    Object.fromEntries(Object.entries(asked).filter(([name]) => PANELS[name].includes(panel)));
  const draws = { heat: (/** @type {HTMLElement} */ body, /** @type {any} */ answer) => heat.draw(body, answer), movers, breadth, correlation };
  /** @type {Record<string, Panel>} */
  const panels = {};
  for (const [name, pace] of Object.entries(PACES_MS)) {
    panels[name] = new Panel(name, { pace, now: () => market.now(), question: question(name), draw: draws[name] });
  }
  const every = Object.values(panels);

  /** Show what is asked for in the controls. */
  const show = () => {
    for (const [name, select] of Object.entries(selects)) select.value = asked[name];
    if (document.activeElement !== field) field.value = asked.symbols;
    table.setAttribute("aria-pressed", String(heat.table));
  };
  /** Read the address; what there is not is said once, and not kept. */
  const read = () => {
    const query = new URLSearchParams(location.search);
    for (const [name, select] of Object.entries(selects)) {
      const came = query.get(name) ?? "";
      const accepted = [...select.options].map((option) => option.value);
      asked[name] = accepted.includes(came) ? came : usual[name];
      if (came && !accepted.includes(came)) {
        void toast(`There is no ${name} ${came.slice(0, 40)}`, `${asked[name]} is shown instead; there are ${accepted.join(", ")}.`);
        query.delete(name);
        history.replaceState(null, "", address(query));
      }
    }
    asked.symbols = query.get("symbols") ?? "";
    heat.table = query.get("view") === "table";
    show();
  };
  /** Put what is asked for into the address. */
  const write = () => {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(asked)) if (value !== (usual[name] ?? "")) query.set(name, value);
    if (heat.table) query.set("view", "table");
    if (address(query) !== location.pathname + location.search) history.pushState(null, "", address(query));
  };
  /** @param {string} name @param {string} value */
  const ask = (name, value) => {
    asked[name] = value;
    write();
    for (const panel of PANELS[name]) panels[panel].ask();
  };

  for (const [name, select] of Object.entries(selects)) select.addEventListener("change", () => ask(name, select.value));
  form.addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    ask("symbols", field.value.trim().toUpperCase().split(/[\s,]+/).filter(Boolean).join(","));
  });
  table.addEventListener("click", () => {
    heat.table = !heat.table;
    show();
    write();
    panels.heat.paint();
  });
  place.addEventListener("click", (/** @type {MouseEvent} */ event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    const symbol = /** @type {HTMLElement} */ (/** @type {HTMLElement} */ (event.target).closest("[data-symbol]"))?.dataset.symbol;
    if (!symbol) return;
    event.preventDefault();
    pages.open(symbol);
  });
  const restore = () => {
    if (pages.shown !== "market") return;
    const before = { ...asked };
    read();
    const changed = new Set(Object.keys(PANELS).filter((name) => asked[name] !== before[name]).flatMap((name) => PANELS[name]));
    for (const name of changed) panels[name].ask();
    panels.heat.paint();
  };
  addEventListener("popstate", restore);
  pages.on(restore);

  const look = () => {
    const seen = pages.shown === "market" && !document.hidden;
    for (const panel of every) {
      if (seen) panel.wake();
      else panel.sleep();
    }
  };
  pages.on(look);
  document.addEventListener("visibilitychange", look);
  market.on("epoch", () => every.forEach((panel) => panel.ask()));
  setInterval(() => every.forEach((panel) => panel.tick()), 1000);
  new ResizeObserver(() => onFrame(() => panels.heat.paint())).observe(panels.heat.body);
  read();
  look();
  return {
    /** An answer of a callback. @param {string} name @param {any} answer */
    take: (name, answer) => panels[name]?.take(answer),
  };
}

/** @param {URLSearchParams} query */
function address(query) {
  const text = query.toString().replaceAll("%2C", ",");
  return location.pathname + (text && `?${text}`);
}

/** The field that names the instruments of the matrix. @param {HTMLElement} place */
function symbolsForm(place) {
  const field = make("input", {
    class: "field",
    name: "symbols",
    type: "search",
    placeholder: `Largest, or ${place.dataset.accepted}`,
    "aria-label": `Instruments to correlate, ${place.dataset.accepted} with commas between them; empty for the largest`,
    autocomplete: "off",
    spellcheck: "false",
  });
  const form = make("form", { class: "market-symbols" }, [field, make("button", { class: "button", type: "submit", text: "Show" })]);
  place.replaceChildren(form);
  return { form, field };
}
