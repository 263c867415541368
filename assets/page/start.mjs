// @ts-check
// Puts the page together once its layout has come: who hears of what, and what is painted when.

import { chart as makeChart } from "../chart/chart.mjs";
import * as connection from "../live/connection.mjs";
import { onFrame } from "../live/frame.mjs";
import * as latency from "../live/latency.mjs";
import * as polling from "../live/polling.mjs";
import { stream } from "../live/socket.mjs";
import { market } from "../live/values.mjs";
import { view } from "../live/view.mjs";
import { alerts as makeAlerts } from "./alerts.mjs";
import { cards as makeCards } from "./cards.mjs";
import { element, setProps } from "./dom.mjs";
import { fade } from "./flash.mjs";
import { header as makeHeader } from "./header.mjs";
import { Kept } from "./kept.mjs";
import { keyboard } from "./keyboard.mjs";
import { pinner } from "./pinning.mjs";
import { Pins } from "./pins.mjs";
import { quote as makeQuote } from "./quote.mjs";
import { search as makeSearch } from "./search.mjs";
import { Sparks } from "./sparks.mjs";
import { theme } from "./theme.mjs";
import { toast } from "./toasts.mjs";
import { toolbar } from "./toolbar.mjs";
import { views as makeViews } from "./views.mjs";
import { watchlist as makeWatchlist } from "./watchlist.mjs";
import { Figures } from "../chart/figures.mjs";

/** What the parts of a view are called. */
const NAMES = { timeframe: "timeframe", type: "chart type", scale: "price scale" };

/** @type {Figures | null} */
let figures = null;

/** What Dash's callbacks bring, by the store that it comes through. @param {string} kind @param {any} data */
function take(kind, data) {
  if (kind === "start") void begin(data);
  else if (kind === "figure") figures?.take(data);
  else if (kind === "alerts") document.dispatchEvent(new CustomEvent("tickboard:alerts", { detail: data }));
  else if (kind === "polled") polling.take(data);
}

/** @param {any} paint the data that the page opens with */
async function begin(paint) {
  if (figures) return;
  market.load(paint);
  const asked = new URLSearchParams(location.search).get("symbol");
  const refused = view.refused();
  view.begin(paint.view, market.symbols);
  if (asked && !view.known(asked)) void toast(`There is no instrument ${asked.slice(0, 40)}`, `${view.symbol} is shown instead.`);
  for (const { name, came, accepted } of refused) {
    void toast(`There is no ${NAMES[name]} ${came.slice(0, 40)}`, `${view[name]} is shown instead; there are ${accepted.join(", ")}.`);
  }
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
  const views = await makeViews();
  view.on((/** @type {any} */ now, /** @type {any} */ before) => now.symbol !== before.symbol && views.show("chart"));
  const kept = new Kept(paint.user.name);
  const pins = new Pins(market.symbols, kept);
  const toggle = pinner(pins);
  const cards = makeCards(await element("#cards"), { market, view, sparks, pins, toggle });
  const header = await makeHeader({ market, paint });
  const search = await makeSearch({ market, view });
  const alerts = await makeAlerts({ market, view, show: views.show, paint: paint.alerts });
  const quote = await makeQuote({ market, view });
  await keyboard({ view, search, alerts, views });
  const watchlist = makeWatchlist({ market, view, sparks, kept, pins, toggle });

  /** @type {Set<string>} */
  const changed = new Set();
  const paintChanged = () => {
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
    cards.tick();
    header.tick();
    watchlist.tick();
    alerts.tick();
    quote.tick();
  };
  setInterval(tick, 1000);
  tick();

  market.on("received", latency.received);
  connection.start();
  latency.start();
  polling.start();
  stream.start(paint);

  const exportBy = await toolbar({ view });
  const chart = await makeChart({ market, feedKind: paint.feed.kind });
  view.on((/** @type {any} */ now) => chart.rescale(now.scale));
  chart.rescale(view.scale);
  setInterval(() => !document.hidden && chart.tick(), 1000);
  chart.tick();
  figures.begin(chart, paint.figure);
  exportBy(chart);
  const levels = (/** @type {any} */ answer) => answer?.rules && chart.alerts((rules = answer.rules));
  let rules = paint.alerts.rules ?? [];
  document.addEventListener("tickboard:alerts", (event) => levels(/** @type {CustomEvent} */ (event).detail));
  figures.shown = () => chart.alerts(rules);
  chart.alerts(rules);
  window["tickboard"] = {
    market,
    view,
    chart: { series: () => chart.rows(), show: (/** @type {number} */ bars) => chart.home(bars), plot: chart.plot, overlay: chart.overlay },
  };
}

window["tickboardInbox"].open(take);
