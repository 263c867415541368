// @ts-check
// The chart's toolbar: timeframe, type, export.

/** @param {{view: any, chart: import("../chart/chart.mjs").Chart}} page */
export function toolbar({ view, chart }) {
  const group = /** @type {HTMLElement} */ (document.getElementById("timeframe"));
  const type = /** @type {HTMLSelectElement} */ (document.getElementById("chart-type"));
  group.addEventListener("change", (event) => {
    const { value } = /** @type {HTMLInputElement} */ (event.target);
    if (value) view.set({ timeframe: labelOf(/** @type {HTMLInputElement} */ (event.target)) });
  });
  type.addEventListener("change", () => view.set({ type: type.value }));
  const mark = () => {
    if (type.value !== view.type) type.value = view.type;
    window["dash_clientside"].set_props("timeframe", { value: view.timeframe });
  };
  view.on(mark);
  document.getElementById("export-csv")?.addEventListener("click", () => chart.exportCsv());
  document.getElementById("export-png")?.addEventListener("click", () => void chart.exportPng());
}

/** What a radio button's option reads, whatever Dash gives it as a value. @param {HTMLInputElement} input */
function labelOf(input) {
  return input.closest("label")?.textContent?.trim() ?? "";
}
