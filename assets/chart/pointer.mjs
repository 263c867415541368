// @ts-check
// Pointer and keys on the chart: crosshair, the legend of the bar under it, the menu of the right button, moving the
// view without a mouse.

import { onFrame } from "../live/frame.mjs";
import { make, write } from "../page/dom.mjs";
import * as words from "../page/words.mjs";
import { shifted } from "../page/zone.mjs";
import { Legend } from "./legend.mjs";
import { ABOUT, flagWords } from "./made.mjs";
import { reading, readings } from "./readings.mjs";
import { at as indexAt, CLOSE, FLAGS, HIGH, LOW, OPEN, START, VOLUME } from "./series.mjs";

const DAY_MS = 86_400_000;
/** A key moves the view by this part of it, and widens or narrows it by so much. */
const STEP = 0.15;
const ZOOM = 1.3;
/** The legend leaves so much of the chart's width, px; on one narrower than this it says less of the forming bar. */
const LEGEND_MARGIN = 96;
const NARROW = 520;

/** The words for a bar's start. @param {number} start UTC ms @param {number} ms length of the bar */
export function barTime(start, ms) {
  if (ms >= DAY_MS) return `${new Date(start).toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" })} UTC`;
  const day = shifted(start).toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
  return `${day} ${words.time(start).slice(0, ms < 60_000 ? 8 : 5)}`;
}

/** Pointer and keys of a chart. @param {import("./chart.mjs").Chart} chart */
export function point(chart) {
  const { heads, place, plot, overlay, series } = chart;
  const legend = new Legend(/** @type {HTMLElement} */ (document.getElementById("chart-legend")));

  const describe = () => {
    const { figure } = plot;
    const panes = overlay.panes();
    if (!figure || !panes) return;
    const at = overlay.at?.ms;
    const bar = at == null ? series.newest : series.nearest(at);
    const title = { text: `${figure.name} · ${figure.timeframe}`, token: "--muted" };
    const most = panes.layout.width - LEGEND_MARGIN;
    const brief = panes.layout.width < NARROW && at == null;
    if (!bar) {
      heads.draw(panes, -1); // there are no values either
      return legend.say([title], most);
    }
    const price = (/** @type {string} */ name, /** @type {number} */ field) => ({ name, text: words.price(bar[field], figure.decimals), token: "--text" });
    const moved = ((bar[CLOSE] - bar[OPEN]) / bar[OPEN]) * 100;
    const way = words.direction(moved);
    const based = plot.base !== null && (plot.scale === "percent" || figure.type === "baseline");
    const made = flagWords(bar[FLAGS], figure.marks);
    const index = indexAt(series.rows, bar[START]);
    heads.draw(panes, index);
    const overlays = plot.studies.shown.filter(({ chosen }) => chosen.about.pane === "price");
    const parts = [
      title,
      // The numbers are those of the bar itself; what is drawn is averaged.
      { text: plot.kind.averaged ? (panes.layout.width < NARROW ? "Heikin-Ashi; true:" : "Heikin-Ashi drawn, true prices:") : "", token: "--muted" },
      // Nobody takes a candle of several bars for one.
      { text: plot.crowd.words, token: "--muted" },
      ...(brief ? [] : [price("O", OPEN), price("H", HIGH), price("L", LOW)]),
      price("C", CLOSE),
      { text: `${words.percent(moved)}%`, token: way === "flat" ? "--text" : `--${way}` },
      { name: "Vol", text: words.short(bar[VOLUME]), token: "--text" },
      { name: plot.scale === "percent" ? "0% is" : "Base", text: based ? words.price(plot.base, figure.decimals) : "", token: "--text" },
      { text: made, token: "--warn" },
      // What the strip shows of the bar under the pointer.
      { text: at != null && chart.strip.on && !made ? ABOUT.whole.words : "", token: "--muted" },
      ...overlays.flatMap((shown) => readings(shown, series.rows, index, figure.decimals)),
    ];
    return legend.say(parts, most);
  };

  /** @param {MouseEvent} event */
  const read = (event) => {
    const panes = overlay.panes();
    if (!panes) return null;
    const box = place.getBoundingClientRect();
    const x = event.clientX - box.left - panes.price.left;
    const y = event.clientY - box.top;
    if (x < 0 || x > panes.price.width || y < panes.price.top || y > panes.bottom) return null;
    const ms = plot.at(panes.x.p2l(x));
    // Under an indicator there are no prices.
    const price = panes.own.length && y > panes.own[0].top ? NaN : panes.y.p2d(y - panes.price.top);
    return { x, y, ms, price };
  };

  const move = (/** @type {MouseEvent} */ event) => {
    const at = read(event);
    if (!at) return leave();
    overlay.at = { x: at.x, raw: at.x, y: at.y, words: "", when: "" };
    onFrame(chart.paintOverlay);
    return undefined;
  };
  // What lies under the pointer with the scales of now: they change while it rests.
  overlay.look = (/** @type {any} */ panes) => {
    const { at } = overlay;
    chart.walk.place(at, panes);
    const ms = plot.at(panes.x.p2l(at.raw));
    const bar = series.nearest(ms);
    at.ms = at.bar ?? ms;
    at.x = bar ? panes.x.l2p(plot.x(bar[START])) : at.raw;
    at.pane = panes.own.find((/** @type {any} */ pane) => at.y >= pane.top && at.y <= pane.top + pane.height) ?? null;
    const { pane } = at;
    at.words = pane
      ? reading(pane.shown.chosen.about.digits, pane.axis.p2d(at.y - pane.top), plot.figure.decimals)
      : plot.words(panes.y.p2d(at.y - panes.price.top));
    at.when = bar ? barTime(bar[START], series.ms) : "";
  };
  const leave = () => {
    if (!overlay.at) return;
    overlay.at = null;
    onFrame(chart.paintOverlay);
  };
  place.addEventListener("pointermove", move);
  // Where a finger has tapped the crosshair stays; it has nowhere else to rest.
  place.addEventListener("pointerleave", (event) => event.pointerType === "touch" || leave());

  menu(chart, read);
  place.tabIndex = 0;
  // The keys are ours, not a screen reader's own.
  place.setAttribute("role", "application");
  place.setAttribute("aria-roledescription", "chart");
  place.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return undefined;
    const { left, right } = plot;
    const span = right - left;
    const first = plot.axis.place(series.rows[0]?.[START] ?? plot.from);
    const steps = { ArrowLeft: -1, ArrowRight: 1 };
    const zooms = { "+": 1 / ZOOM, "=": 1 / ZOOM, "-": ZOOM };
    const by = steps[event.key] ?? 0;
    if (by && event.shiftKey) chart.turn(left + by * span * STEP, right + by * span * STEP);
    else if (by) chart.walk.step(by);
    else if (event.key === "Escape" && chart.walk.leave()) return event.stopPropagation();
    else if (event.key in zooms) chart.turn(right - span * zooms[event.key], right);
    else if (event.key === "End") chart.home();
    else if (event.key === "Home") chart.turn(first, first + span);
    else return undefined;
    event.preventDefault();
    event.stopPropagation();
    return undefined;
  });
  return { describe };
}

/** The right button's menu: an alert at the price under the pointer. @param {any} chart @param {(event: MouseEvent) => any} read */
function menu(chart, read) {
  const alert = make("button", { type: "button", class: "menu-item", role: "menuitem" });
  const live = make("button", { type: "button", class: "menu-item", role: "menuitem", text: "Back to live" });
  const bars = make("button", { type: "button", class: "menu-item", role: "menuitem", text: "Bars as a table" });
  const items = [alert, live, bars];
  const box = make("div", { class: "menu chart-menu", role: "menu", "aria-label": "Chart", hidden: true }, items);
  document.body.append(box);
  let price = 0;
  const close = () => {
    box.hidden = true;
  };
  chart.place.addEventListener("contextmenu", (/** @type {MouseEvent} */ event) => {
    const at = read(event);
    if (!at || !(at.price > 0)) return;
    event.preventDefault();
    price = at.price;
    write(alert, `Alert at ${words.price(price, chart.plot.figure.decimals)}`);
    box.hidden = false;
    box.style.left = `${Math.min(event.clientX, innerWidth - box.offsetWidth - 8)}px`;
    box.style.top = `${Math.min(event.clientY, innerHeight - box.offsetHeight - 8)}px`;
    alert.focus();
  });
  alert.addEventListener("click", () => {
    close();
    const detail = { symbol: chart.series.symbol, price };
    document.dispatchEvent(new CustomEvent("tickboard:alert-at", { detail }));
  });
  live.addEventListener("click", () => {
    close();
    chart.home();
  });
  bars.addEventListener("click", () => {
    close();
    chart.place.focus({ preventScroll: true });
    document.dispatchEvent(new CustomEvent("tickboard:bars"));
  });
  document.addEventListener("pointerdown", (event) => {
    if (!box.contains(/** @type {Node} */ (event.target))) close();
  });
  box.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      close();
      chart.place.focus();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const next = items.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
      items[(next + items.length) % items.length].focus();
      event.preventDefault();
    }
  });
}
