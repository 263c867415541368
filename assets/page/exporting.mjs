// @ts-check
// The export menu beside #export-csv: what is meant (in view, all of the series, the configuration), as what, and whether
// a receipt comes with it. A file is fetched piece by piece, so that it shows that it is coming, can be cancelled, and its
// receipt's address is known; one that is larger than the page should hold goes to the browser's own downloads.

import { START } from "../chart/series.mjs";
import { element, make, menuOf, write } from "./dom.mjs";
import { toast } from "./toasts.mjs";

const KEPT = "tickboard.export";
const WHAT = { view: "What is in view", series: "All of the series", configuration: "The configuration" };
const FORMS = { csv: "CSV", parquet: "Parquet", json: "JSON", png: "PNG", svg: "SVG" };
/** What each can be saved as. */
const TAKES = { view: Object.keys(FORMS), series: ["csv", "parquet", "json"], configuration: ["json"] };
/** Bytes that the page holds of a file; the store keeps 200,000 ticks of an instrument, 12 MB as CSV. */
const MOST = 64e6;
/** How often a running export says how far it is, ms. */
const SAID_MS = 250;

/** @typedef {{what: keyof typeof WHAT, form: keyof typeof FORMS, receipt: boolean, local: boolean}} Choice */

/**
 * @param {{view: any, chart: import("../chart/chart.mjs").Chart, feedKind: string}} page
 */
export async function exporting({ view, chart, feedKind }) {
  const button = await element("#export-button");
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  const { menu, submit, cancel, bar, hint, status } = form(zone);
  button.after(menu);
  /** @type {AbortController | null} */
  let running = null;
  const choice = () => /** @type {Choice} */ ({
    what: menu.elements.what.value,
    form: menu.elements.form.value,
    receipt: menu.elements.receipt.checked,
    local: menu.elements.local.checked,
  });

  const mark = () => {
    const { what, form } = choice();
    for (const one of menu.elements.form) one.disabled = !TAKES[what].includes(one.value);
    if (!TAKES[what].includes(form)) menu.elements.form.value = TAKES[what][0];
    const rows = what !== "configuration" && !["png", "svg"].includes(menu.elements.form.value);
    menu.elements.local.disabled = !rows;
    menu.elements.receipt.disabled = !rows || menu.elements.form.value === "parquet";
    write(hint, described(choice(), view, chart));
    submit.disabled = running !== null;
    cancel.hidden = bar.hidden = running === null;
  };
  const { close } = menuOf(button, menu, () => {
    if (!running) write(status, "");
    mark();
  });
  button.addEventListener("click", () => {
    if (menu.hidden) button.focus();
    else menu.querySelector("input[name=what]:checked").focus();
  });
  recall(menu);
  menu.addEventListener("change", () => {
    mark();
    keep(choice());
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
    const told = (/** @type {number} */ size) => {
      if (performance.now() - said < SAID_MS) return;
      said = performance.now();
      write(bar.nextSibling, `${(size / 1e6).toFixed(1)} MB so far`);
    };
    write(bar.nextSibling, "");
    write(status, "Exporting…");
    const wasFocused = () => menu.contains(document.activeElement);
    let sentence = "";
    try {
      sentence = await run(choice(), { view, chart, feedKind, zone, signal: mine.signal, told });
    } catch (error) {
      sentence = mine.signal.aborted ? "Cancelled; nothing was saved." : error instanceof Refused ? error.message : BROKE;
      if (menu.hidden) void toast("The export was not saved", sentence);
    }
    running = null;
    write(bar.nextSibling, "");
    const back = wasFocused();
    mark();
    write(status, sentence);
    if (back) submit.focus();
  });
  return { close };
}

const BROKE = "The export broke off before its end: the line was lost, or what it read was overwritten meanwhile. Try again.";

class Refused extends Error {}

/** Save what was chosen; the sentence that says what was. @param {Choice} choice @param {any} page @returns {Promise<string>} */
async function run(choice, page) {
  const { view, chart, feedKind, zone, signal, told } = page;
  if (choice.form === "png" || choice.form === "svg") {
    await chart.exportPng(choice.form);
    return "Saved the chart as it is shown.";
  }
  if (choice.what === "configuration") {
    const { symbol, timeframe } = view.shown();
    const body = JSON.stringify(configuration(view, chart, feedKind), null, 2);
    const simulated = feedKind === "SIMULATED" ? "simulated_" : "";
    save(new Blob([body], { type: "application/json" }), `${simulated}${symbol.replace(/[^A-Za-z0-9._-]/g, "_")}_${timeframe}_view.json`);
    return "Saved the configuration.";
  }
  const url = address(choice, view, chart, zone);
  if (!url) throw new Refused("There is no bar in view.");
  const file = await fetched(url, signal, told);
  if (!file) {
    link(url, "");
    return "It is large, so the browser downloads it by itself: its list of downloads shows how far it is and can cancel it. It has no receipt beside it.";
  }
  save(file.blob, file.name);
  if (!choice.receipt || !file.receipt) return `Saved ${file.name}.`;
  const receipt = await fetch(file.receipt, { signal });
  if (!receipt.ok) throw new Refused(`${file.name} is saved, its receipt could not be had: ${await detail(receipt)}`);
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

/** @param {Choice} choice @param {any} view @param {any} chart @param {string} zone @returns {string | null} */
function address(choice, view, chart, zone) {
  const { symbol, timeframe } = view.shown();
  const query = new URLSearchParams({ timeframe });
  if (choice.what === "view") {
    const seen = inView(chart);
    if (!seen) return null;
    query.set("start", String(seen.start));
    query.set("end", String(seen.end));
  }
  if (choice.local) query.set("zone", zone);
  return `/api/v1/export/${encodeURIComponent(symbol)}.${choice.form}?${query}`;
}

/** The view as a file: what a link says, and the range that is seen. @param {any} view @param {any} chart @param {string} feedKind */
function configuration(view, chart, feedKind) {
  const iso = (/** @type {number} */ ms) => new Date(ms).toISOString();
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

/** @param {Choice} choice @param {any} view @param {any} chart */
function described(choice, view, chart) {
  const { symbol, timeframe } = view.shown();
  if (choice.what === "configuration") return `Symbol, timeframe, type and range of ${symbol}, ${timeframe}; no prices.`;
  if (choice.form === "png" || choice.form === "svg") return "The chart as it is shown.";
  const carried = choice.form === "parquet" ? " The receipt is in the file." : "";
  if (choice.what === "series") return `Everything that is kept of ${symbol}, ${timeframe}.${carried}`;
  const seen = inView(chart);
  return seen ? `${seen.bars} bars of ${symbol}, ${timeframe}.${carried}` : "There is no bar in view.";
}

/**
 * A file, piece by piece; null where it is larger than the page should hold.
 * @param {string} url @param {AbortSignal} signal @param {(bytes: number) => void} told
 */
async function fetched(url, signal, told) {
  const answer = await fetch(url, { signal });
  if (!answer.ok || !answer.body) throw new Refused(await detail(answer));
  const reader = answer.body.getReader();
  const parts = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    size += value.byteLength;
    if (size > MOST) {
      await reader.cancel();
      return null;
    }
    told(size);
  }
  const type = answer.headers.get("Content-Type") ?? "";
  return {
    blob: new Blob(parts, { type }),
    name: /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") ?? "")?.[1] ?? "export",
    receipt: /<([^>]+)>; rel="describedby"/.exec(answer.headers.get("Link") ?? "")?.[1],
  };
}

/** What a refusal says. @param {Response} answer */
async function detail(answer) {
  const said = await answer.json().catch(() => null);
  return said?.detail ? `${said.detail[0].toUpperCase()}${said.detail.slice(1)}.` : `The server answered ${answer.status}.`;
}

/** @param {Blob} blob @param {string} name */
function save(blob, name) {
  const url = URL.createObjectURL(blob);
  link(url, name);
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** @param {string} href @param {string} name */
function link(href, name) {
  const made = make("a", { href, download: name });
  document.body.append(made);
  made.click();
  made.remove();
}

/** @param {string} zone */
function form(zone) {
  const radios = (/** @type {string} */ name, /** @type {Record<string, string>} */ options) =>
    Object.entries(options).map(([value, title]) => make("label", { class: "menu-item" }, [make("input", { type: "radio", name, value }), title]));
  const box = (/** @type {string} */ name, /** @type {string} */ title) =>
    make("label", { class: "menu-item" }, [make("input", { type: "checkbox", name }), title]);
  const submit = make("button", { type: "submit", class: "button primary", text: "Download" });
  const cancel = make("button", { type: "button", class: "button", text: "Cancel", hidden: true });
  const bar = make("progress", { "aria-label": "Export under way", hidden: true });
  const hint = make("p", { class: "muted" });
  const status = make("p", { role: "status", class: "export-status" });
  const menu = make("form", { id: "export-menu", class: "menu export-menu", role: "dialog", "aria-label": "Export", hidden: true }, [
    make("fieldset", {}, [make("legend", { text: "Export" }), ...radios("what", WHAT)]),
    make("fieldset", { class: "export-forms" }, [make("legend", { text: "As" }), ...radios("form", FORMS)]),
    box("receipt", "With receipt"),
    box("local", `Local time as a column (${zone})`),
    hint,
    make("div", { class: "export-run" }, [submit, cancel, bar, make("span", { class: "muted" })]),
    status,
  ]);
  return { menu, submit, cancel, bar, hint, status };
}

/** The choices of the last time, checked as anything from outside. @param {any} menu */
function recall(menu) {
  /** @type {any} */
  let kept = null;
  try {
    kept = JSON.parse(localStorage.getItem(KEPT) ?? "null");
  } catch {
    // forbidden or not ours: the first choices then
  }
  menu.elements.what.value = Object.hasOwn(WHAT, kept?.what) ? kept.what : "view";
  menu.elements.form.value = Object.hasOwn(FORMS, kept?.form) ? kept.form : "csv";
  menu.elements.receipt.checked = kept?.receipt === true;
  menu.elements.local.checked = kept?.local === true;
}

/** @param {Choice} choice */
function keep(choice) {
  try {
    localStorage.setItem(KEPT, JSON.stringify(choice));
  } catch {
    // storage can be forbidden; the choice then lasts as long as the page
  }
}
