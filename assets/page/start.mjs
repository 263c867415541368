// @ts-check
// Puts the page together once its layout has come: who hears of what, and what is painted when.

import { chart as makeChart } from "../chart/chart.mjs";
import { drawings } from "../drawing/drawings.mjs";
import { compare as makeCompare } from "../compare/compare.mjs";
import * as connection from "../live/connection.mjs";
import { onFrame } from "../live/frame.mjs";
import { read, written } from "../indicators/choice.mjs";
import * as latency from "../live/latency.mjs";
import * as polling from "../live/polling.mjs";
import { stream } from "../live/socket.mjs";
import { address, onChart, put } from "../live/address.mjs";
import { market } from "../live/values.mjs";
import { view } from "../live/view.mjs";
import { alerts as makeAlerts } from "./alerts.mjs";
import { cards as makeCards } from "./cards.mjs";
import { sentence } from "./documents.mjs";
import { element, setProps } from "./dom.mjs";
import { exporting } from "./exporting.mjs";
import { fade } from "./flash.mjs";
import { header as makeHeader } from "./header.mjs";
import { indicators as makeIndicators } from "./indicators.mjs";
import { keyboard } from "./keyboard.mjs";
import { pages as makePages } from "./pages.mjs";
import { listSort } from "./listsort.mjs";
import { moreTools } from "./moretools.mjs";
import { preferences } from "./preferences.mjs";
import { Kept } from "./kept.mjs";
import { pinner } from "./pinning.mjs";
import { Pins } from "./pins.mjs";
import { quote as makeQuote } from "./quote.mjs";
import { savedViews } from "./savedviews.mjs";
import { search as makeSearch } from "./search.mjs";
import { settings as makeSettings } from "./settings.mjs";
import { sideTab } from "./sidetab.mjs";
import { Sparks } from "./sparks.mjs";
import { theme } from "./theme.mjs";
import { toast } from "./toasts.mjs";
import { leftOut, teller } from "./told.mjs";
import { toolbar } from "./toolbar.mjs";
import { views as makeViews } from "./views.mjs";
import { addressOf, isCompare } from "./viewpages.mjs";
import { queryOf } from "./viewtext.mjs";
import { gridApi, watchlist as makeWatchlist } from "./watchlist.mjs";
import { setClock } from "./zone.mjs";
import { Figures } from "../chart/figures.mjs";
import { quality } from "../side/quality.mjs";
import { statistics } from "../side/statistics.mjs";
import { tabs } from "../side/tabs.mjs";
import { trades } from "../side/trades.mjs";
import { barTable } from "../chart/bartable.mjs";
import { range } from "../chart/range.mjs";
import { axisMenu } from "../chart/axismenu.mjs";
import { touch } from "../chart/touch.mjs";

/** The indicators that the address asks for. @param {import("../indicators/choice.mjs").Registry} registry */
function readAddress(registry) {
  const query = new URLSearchParams(location.search);
  return read(query.get("indicators") ?? "", query.get("looks") ?? "", registry);
}

/** @type {Figures | null} */
let figures = null;
/** @type {import("./pages.mjs").Pages | null} */
let pages = null;

/** What Dash's callbacks bring, by the store that it comes through. @param {string} kind @param {any} data */
function take(kind, data) {
  if (kind === "start") void begin(data);
  else if (kind === "figure") figures?.take(data);
  else if (kind === "alerts") document.dispatchEvent(new CustomEvent("tickboard:alerts", { detail: data }));
  else if (kind === "polled") polling.take(data);
  else pages?.take(kind, data);
}

/** @param {any} paint the data that the page opens with */
async function begin(paint) {
  if (figures) return;
  market.load(paint);
  setClock(() => market.now());
  preferences.begin(paint.preferences, paint.user.name, toast);
  const opened = location.search.length > 1 || !onChart() ? null : paint.opened;
  if (opened?.view) {
    const query = queryOf(opened.view);
    if (isCompare(query)) history.replaceState(null, "", addressOf(query));
    else {
      put(query, "replace");
      address.whole = true;
    }
  }
  if (opened?.error) void toast("The view to open with could not be shown", `${sentence(opened.error)} The usual one is shown.`);
  address.tell = leftOut;
  view.told = teller(view);
  const left = readAddress(paint.indicators).faults;
  view.begin(paint.view, market.symbols, (texts, looks) => written(read(texts, looks, paint.indicators).list, paint.indicators));
  if (left.length) void toast(left.length > 1 ? `${left.length} indicators of the address are left out` : "An indicator of the address is left out", left.slice(0, 3).join(" "));
  const told = () => setProps("view", { data: view.shown() });
  view.on(told);
  told();
  market.on("epoch", () => toast("The market began anew", "The server started over; prices and history are those of the new run."));
  const sparks = new Sparks(paint.sparks, (symbol) => market.newest(symbol).ts);
  figures = new Figures(stream, view, market);
  figures.sparks = (closes) => {
    for (const [symbol, values] of Object.entries(closes)) sparks.replace(symbol, values);
  };

  await theme();
  const shown = (pages = await makePages({ view, market }));
  const views = await makeViews();
  view.on((/** @type {any} */ now, /** @type {any} */ before) => now.symbol !== before.symbol && views.show("chart"));
  const kept = new Kept(paint.user.name);
  const pins = new Pins(market.symbols, kept);
  const toggle = pinner(pins);
  const cards = makeCards(await element("#cards"), { market, view, sparks, pins, toggle });
  const header = await makeHeader({ market, paint });
  const search = await makeSearch({ market, view });
  const tape = trades({ market, view, stream });
  const side = await tabs({ alerts: null, trades: tape, statistics: statistics({ market, view }), quality: quality({ market, view }) }, view);
  const toAlerts = (/** @type {string} */ name) => {
    side.choose("alerts");
    views.show(name);
  };
  const alerts = await makeAlerts({ market, view, show: toAlerts, paint: paint.alerts });
  const quote = await makeQuote({ market, view });
  const settings = await makeSettings();
  const saved = await savedViews({ view: shown.views, opened, registry: paint.indicators });
  const indicators = await makeIndicators({ view, registry: paint.indicators });
  const compare = await makeCompare({ view, market, stream, registry: paint.comparison });
  figures.compared = compare.text;
  await keyboard({ view, search, alerts, indicators, compare, views, saved, settings });
  const watchlist = makeWatchlist({ market, view, sparks, kept, pins, toggle });
  void gridApi().then(listSort);
  await sideTab();

  /** @type {Set<string>} */
  const changed = new Set();
  const paintChanged = () => {
    if (shown.shown !== "chart") return;
    cards.paint(changed);
    watchlist.paint(changed);
    alerts.paint(changed);
    quote.paint(changed);
    changed.clear();
    fade();
  };
  market.on("ticker", (/** @type {Iterable<string>} */ symbols) => {
    for (const symbol of symbols) {
      const { price, ts } = market.newest(symbol);
      sparks.follow(symbol, price, ts);
      changed.add(symbol);
    }
    onFrame(paintChanged);
  });
  const tick = () => {
    if (document.hidden) return;
    header.tick();
    if (shown.shown !== "chart") return;
    cards.tick();
    watchlist.tick();
    alerts.tick();
    quote.tick();
    side.tick();
  };
  shown.on(() => {
    onFrame(paintChanged);
    tick();
  });
  setInterval(tick, 1000);
  tick();

  market.on("received", latency.received);
  connection.start();
  latency.start();
  polling.start();
  stream.start(paint);

  // What happens to alerts before the chart is first seen is on it then.
  document.addEventListener("tickboard:alerts", (event) => {
    paint.alerts.rules = /** @type {CustomEvent} */ (event).detail?.rules ?? paint.alerts.rules;
  });
  await shown.seen("chart");
  const exportBy = await toolbar({ view });
  await moreTools();
  const chart = await makeChart({ market, feedKind: paint.feed.kind });
  view.on((/** @type {any} */ now) => chart.rescale(now.scale));
  chart.rescale(view.scale);
  axisMenu(chart);
  view.on(() => chart.study(indicators.list));
  chart.study(indicators.list);
  chart.closed = (text) => compare.close(text) || indicators.remove(text);
  setInterval(() => !document.hidden && chart.tick(), 1000);
  chart.tick();
  const drawing = drawings(chart, { market, user: paint.user.name });
  touch(chart);
  barTable(chart);
  compare.begin(chart);
  figures.begin(chart, paint.figure);
  exportBy(chart);
  await exporting({ view, chart, compare, kept, feedKind: paint.feed.kind });
  const levels = (/** @type {any} */ answer) => answer?.rules && chart.alerts((rules = answer.rules));
  let rules = paint.alerts.rules ?? [];
  document.addEventListener("tickboard:alerts", (event) => levels(/** @type {CustomEvent} */ (event).detail));
  const ranged = range(chart, view);
  figures.shown = () => {
    chart.alerts(rules);
    ranged();
  };
  chart.alerts(rules);
  window["tickboard"] = {
    market,
    view,
    trades: async () => (await tape).all(),
    chart: { series: () => chart.rows(), show: (/** @type {number} */ bars) => chart.home(bars), plot: chart.plot, overlay: chart.overlay },
    drawing,
  };
}

// For scripts on a page that has no chart yet.
window["tickboardInbox"].market = market;
window["tickboardInbox"].open(take);
