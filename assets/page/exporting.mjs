// @ts-check
// The export menu beside #export-csv: what is meant (in view, compared, all of the series, its ticks, the configuration, a
// watchlist), as what, and whether a receipt comes with it. What runs is shown, and can be cancelled.

import { START } from "../chart/series.mjs";
import { address as written } from "../live/address.mjs";
import { element, menuOf, write } from "./dom.mjs";
import { detail, fetched, link, Refused, save } from "./download.mjs";
import { ExportForm } from "./exportform.mjs";
import { shownList } from "./lists.mjs";
import { toast } from "./toasts.mjs";
import { name as zone } from "./zone.mjs";

/** How often a running export says how far it is, ms. */
const SAID_MS = 250;
const BROKE = "The export broke off before its end: the line was lost, or what it read was overwritten meanwhile. Try again.";
const NOTHING = "There is no bar in view.";
const PICTURES = ["png", "svg"];

/** @typedef {import("./exportform.mjs").Choice} Choice */

/** @param {{view: any, chart: import("../chart/chart.mjs").Chart, compare: any, kept: import("./kept.mjs").Kept, feedKind: string}} page */
export async function exporting({ view, chart, compare, kept, feedKind }) {
  const button = await element("#export-button");
  const form = new ExportForm();
  const { menu, submit, cancel, bar, far, hint, status } = form;
  button.after(menu);
  /** @type {AbortController | null} */
  let running = null;

  const mark = () => {
    form.settle(running !== null, compare.choice.symbols.length > 0);
    write(form.zone, `Local time as a column (${zoneName()})`);
    write(hint, described(form.choice, view, chart, compare));
  };
  const { close } = menuOf(button, menu, () => {
    if (!running) write(status, "");
    mark();
    void watchlists().then((lists) => lists && form.offer(lists, shownList(kept))).then(mark);
  });
  button.addEventListener("click", () => {
    if (menu.hidden) button.focus();
    else menu.querySelector("input[name=what]:checked").focus();
  });
  menu.addEventListener("change", () => {
    mark();
    form.keep();
  });
  cancel.addEventListener("click", () => {
    running?.abort();
    submit.focus();
  });
  menu.addEventListener("submit", async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    if (running) return;
    const mine = (running = new AbortController());
    mark();
    cancel.focus();
    let said = 0;
    /** @type {import("./download.mjs").Told} */
    const told = (size, part) => {
      if (performance.now() - said < SAID_MS) return;
      said = performance.now();
      if (part === null) bar.removeAttribute("value");
      else bar.value = part;
      write(far, `${part === null ? "" : `${Math.floor(part * 100)} %, `}${(size / 1e6).toFixed(1)} MB`);
    };
    bar.removeAttribute("value");
    write(far, "");
    write(status, "Exporting…");
    let sentence = "";
    try {
      sentence = await run(form.choice, { view, chart, compare, feedKind, signal: mine.signal, told });
    } catch (error) {
      sentence = mine.signal.aborted ? "Cancelled; nothing was saved." : error instanceof Refused ? error.message : BROKE;
      if (menu.hidden) void toast("The export was not saved", sentence);
    }
    running = null;
    write(far, "");
    const back = menu.contains(document.activeElement);
    mark();
    write(status, sentence);
    if (back) submit.focus();
  });
  return { close };
}

/** The zone of the column of local times. */
function zoneName() {
  return zone() || "UTC";
}

/** The indicators that are shown beside the bars, as the API takes them; empty for none. @param {any} view */
function indicatorsOf(view) {
  return [...new Set(String(view.shown().indicators ?? "").split(","))].join(",");
}

/** The user's watchlists; null where they can't be had, which the export itself will tell. */
async function watchlists() {
  const answer = await fetch("/api/v1/watchlists").catch(() => null);
  if (!answer?.ok) return null;
  const { data } = await answer.json();
  return data.filter((/** @type {any} */ list) => !list.refused);
}

/** Save what was chosen; the sentence that says what was. @param {Choice} choice @param {any} page @returns {Promise<string>} */
async function run(choice, { view, chart, compare, feedKind, signal, told }) {
  if (PICTURES.includes(choice.form)) {
    if (!inView(chart)) throw new Refused(NOTHING);
    await chart.exportPng(choice.form);
    return "Saved the chart as it is shown.";
  }
  if (choice.what === "configuration") {
    const { symbol, timeframe } = view.shown();
    const body = JSON.stringify(configuration(view, chart, feedKind), null, 2);
    const simulated = feedKind === "SIMULATED" ? "simulated_" : "";
    const name = `${simulated}${symbol.replace(/[^A-Za-z0-9._-]/g, "_")}_${timeframe}_view.json`;
    save(new Blob([body], { type: "application/json" }), name);
    return `Saved ${name}.`;
  }
  const url = choice.what === "compared" ? compare.file(choice.form, choice.local ? zoneName() : "") : address(choice, view, chart);
  if (!url) throw new Refused(NOTHING);
  const file = await fetched(url, signal, told);
  if (!file) {
    link(url, "");
    return "It is large, so the browser downloads it by itself: its list of downloads shows how far it is and can cancel it. It has no receipt beside it.";
  }
  save(file.blob, file.name);
  if (!choice.receipt || !file.receipt) return `Saved ${file.name}.`;
  const receipt = await fetch(file.receipt).catch(() => null);
  if (!receipt?.ok) throw new Refused(`${file.name} is saved, its receipt could not be had: ${receipt ? await detail(receipt) : "the line was lost."}`);
  save(await receipt.blob(), `${file.name}.receipt.json`);
  return `Saved ${file.name} and its receipt.`;
}

/** The part of the series that is seen, UTC ms, the end not included; null without a bar. @param {any} chart */
export function inView(chart) {
  const { from, to } = chart.plot;
  const { ms } = chart.data;
  const seen = chart.rows().filter((/** @type {number[]} */ bar) => bar[START] + ms > from && bar[START] < to);
  return seen.length ? { start: seen[0][START], end: seen[seen.length - 1][START] + ms, bars: seen.length } : null;
}

/** @param {Choice} choice @param {any} view @param {any} chart @returns {string | null} */
function address(choice, view, chart) {
  if (choice.what === "watchlist") return `/api/v1/export/watchlist.csv${choice.list ? `?list=${choice.list}` : ""}`;
  const { symbol, timeframe } = view.shown();
  const query = new URLSearchParams({ timeframe: choice.what === "ticks" ? "tick" : timeframe });
  if (choice.what === "view") {
    const seen = inView(chart);
    if (!seen) return null;
    query.set("start", String(seen.start));
    query.set("end", String(seen.end));
  }
  const indicators = indicatorsOf(view);
  if (indicators && choice.what !== "ticks") query.set("indicators", indicators);
  if (choice.local) query.set("zone", zoneName());
  return `/api/v1/export/${encodeURIComponent(symbol)}.${choice.form}?${query}`;
}

/** The view as a file, which the views' dialog reads (viewfile.mjs): what a link says, and the range that is seen. @param {any} view @param {any} chart @param {string} feedKind */
function configuration(view, chart, feedKind) {
  const iso = (/** @type {number} */ ms) => new Date(ms).toISOString();
  written.write();
  return {
    tickboard_view: 1,
    ...view.shown(),
    start: iso(chart.plot.from),
    end: iso(chart.plot.to),
    following: chart.plot.following,
    feed: feedKind,
    address: `${location.pathname}${location.search}`,
    made: iso(Date.now()),
  };
}

/** @param {Choice} choice @param {any} view @param {any} chart @param {any} compare */
function described(choice, view, chart, compare) {
  const { symbol, timeframe } = view.shown();
  const indicators = indicatorsOf(view).replaceAll(",", ", ");
  const beside = indicators ? ` with ${indicators}` : "";
  if (choice.what === "watchlist") return "The last values of its instruments, in its order and columns.";
  if (choice.what === "configuration") return `Symbol, timeframe, type and range of ${symbol}, ${timeframe}${beside}; no prices.`;
  const seen = inView(chart);
  if (choice.what === "view" && !seen) return NOTHING;
  if (PICTURES.includes(choice.form)) return "The chart as it is shown, with a title.";
  if (choice.what === "compared" && !compare.seen().length) return NOTHING;
  const carried = choice.form === "parquet" ? " The receipt is in the file." : "";
  if (choice.what === "ticks") return `Everything that is kept of ${symbol}, tick by tick.${carried}`;
  if (choice.what === "compared") return `${compare.words()}${carried}`;
  const apart = compare.choice.symbols.length ? " What is compared is a choice of its own." : "";
  if (choice.what === "series") return `Everything that is kept of ${symbol}, ${timeframe}${beside}.${carried}${apart}`;
  return `${seen?.bars} bars of ${symbol}, ${timeframe}${beside}.${carried}${apart}`;
}
