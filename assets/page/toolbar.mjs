// @ts-check
// The chart's toolbar: timeframe, type, export. It is at work before plotly.js has come; only an export needs the chart.

import { element, setProps } from "./dom.mjs";

/** @param {{view: any}} page @returns {Promise<(chart: import("../chart/chart.mjs").Chart) => void>} the exports, from a chart */
export async function toolbar({ view }) {
  const group = await element("#timeframe");
  const type = /** @type {HTMLSelectElement} */ (await element("#chart-type"));
  group.addEventListener("change", (event) => {
    const { value } = /** @type {HTMLInputElement} */ (event.target);
    if (value) view.set({ timeframe: labelOf(/** @type {HTMLInputElement} */ (event.target)) });
  });
  type.addEventListener("change", () => view.set({ type: type.value }));
  const mark = () => {
    if (type.value !== view.type) type.value = view.type;
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
