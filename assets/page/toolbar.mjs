// @ts-check
// The chart's toolbar: timeframe, type, scale, export. It is at work before plotly.js has come; only an export needs the chart.

import { element, setProps } from "./dom.mjs";

/** @param {{view: any}} page @returns {Promise<(chart: import("../chart/chart.mjs").Chart) => void>} the exports, from a chart */
export async function toolbar({ view }) {
  const group = await element("#timeframe");
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
    document.getElementById("export-csv")?.addEventListener("click", () => chart.exportCsv());
    document.getElementById("export-png")?.addEventListener("click", () => void chart.exportPng());
  };
}

/** What a radio button's option reads, whatever Dash gives it as a value. @param {HTMLInputElement} input */
function labelOf(input) {
  return input.closest("label")?.textContent?.trim() ?? "";
}
