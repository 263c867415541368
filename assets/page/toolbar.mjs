// @ts-check
// The chart's toolbar: timeframe, type, scale, export. It is at work before plotly.js has come; only an export needs the chart.

import { element, setProps, write } from "./dom.mjs";
import { fetched, link, Refused, save } from "./download.mjs";
import { SLOW_MS } from "./panelstate.mjs";
import { toast } from "./toasts.mjs";

/** @param {{view: any}} page @returns {Promise<(chart: import("../chart/chart.mjs").Chart) => void>} the exports, from a chart */
export async function toolbar({ view }) {
  const group = await element("#timeframe");
  asRadios(group);
  const choices = await Promise.all(
    Object.entries({ type: "#chart-type", scale: "#chart-scale" }).map(async ([part, selector]) => ({
      part,
      select: /** @type {HTMLSelectElement} */ (await element(selector)),
    })),
  );
  group.addEventListener("change", (event) => {
    const { value } = /** @type {HTMLInputElement} */ (event.target);
    if (value) view.set({ timeframe: labelOf(/** @type {HTMLInputElement} */ (event.target)) });
  });
  for (const { part, select } of choices) select.addEventListener("change", () => view.set({ [part]: select.value }));
  const mark = () => {
    for (const { part, select } of choices) if (select.value !== view[part]) select.value = view[part];
    setProps("timeframe", { value: view.timeframe });
  };
  view.on(mark);
  mark();
  return (chart) => {
    const csv = document.getElementById("export-csv");
    if (csv) saving(csv, () => chart.csvAddress());
    document.getElementById("export-png")?.addEventListener("click", () => void chart.exportPng());
  };
}

/**
 * A button that saves a file; one that takes long can be ended by it. @param {HTMLElement} button
 * @param {() => string} address of the file, empty for none
 */
function saving(button, address) {
  const name = button.textContent ?? "";
  /** @type {AbortController | null} */
  let running = null;
  button.addEventListener("click", async () => {
    if (running) return running.abort();
    const url = address();
    if (!url) return undefined;
    const mine = (running = new AbortController());
    const slow = setTimeout(() => {
      write(button, "Cancel");
      button.title = `Cancel the download of the ${name}`;
    }, SLOW_MS);
    const { title } = button;
    try {
      const file = await fetched(url, mine.signal, (bytes) => button.textContent !== name && write(button, `Cancel ${(bytes / 1e6).toFixed(1)} MB`));
      if (file) save(file.blob, file.name);
      else link(url, "");
    } catch (error) {
      const why = error instanceof Refused ? error.message : "The line was lost before its end; try again.";
      void toast(`The ${name} was not saved`, mine.signal.aborted ? "Cancelled." : why);
    }
    clearTimeout(slow);
    running = null;
    write(button, name);
    button.title = title;
    return undefined;
  });
}

/**
 * Dash calls its radio buttons the options of a list, with a control in each: they are what they are.
 * @param {HTMLElement} group
 */
function asRadios(group) {
  const mend = () => {
    if (group.getAttribute("role") !== "radiogroup") group.setAttribute("role", "radiogroup");
    if (!group.hasAttribute("aria-label")) group.setAttribute("aria-label", "Timeframe");
    for (const name of ["role", "aria-selected"]) for (const label of group.querySelectorAll(`label[${name}]`)) label.removeAttribute(name);
  };
  mend();
  new MutationObserver(mend).observe(group, { subtree: true, childList: true, attributes: true, attributeFilter: ["role", "aria-selected"] });
}

/** What a radio button's option reads, whatever Dash gives it as a value. @param {HTMLInputElement} input */
function labelOf(input) {
  return input.closest("label")?.textContent?.trim() ?? "";
}
