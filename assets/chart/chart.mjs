// @ts-check
// The chart: its series, Plotly's part, the overlay, and when each is drawn.

import { label, textOf } from "../indicators/choice.mjs";
import { onFrame } from "../live/frame.mjs";
import { ask, Refused } from "../page/documents.mjs";
import { make, write } from "../page/dom.mjs";
import { PanelState } from "../page/panelstate.mjs";
import * as words from "../page/words.mjs";
import { now } from "../page/zone.mjs";
import { feedWords } from "../live/connection.mjs";
import * as countdown from "./countdown.mjs";
import { Heads } from "./heads.mjs";
import { dateText, forget } from "./ink.mjs";
import { Overlay } from "./overlay.mjs";
import { plotly } from "./library.mjs";
import { picture } from "./picture.mjs";
import { Plot } from "./plot.mjs";
import { point } from "./pointer.mjs";
import { at as indexAt, Series, START } from "./series.mjs";
import { Strip } from "./strip.mjs";
import { Walk } from "./walk.mjs";
import { Warming } from "./warming.mjs";
import { wheel } from "./wheel.mjs";

/** Plotly takes newly closed bars at most so often; the overlay draws them until then. */
const REDRAW_MS = 5_000;
/** The countdown is drawn at most so often, where a replay's seconds are short. */
const COUNT_MS = 250;
/** Older bars are asked for in pieces of so many, of a view that lacks more of as many as the server gives at once. */
const OLDER = 2_000;
const OLDER_MOST = 50_000;

export class Chart {
  /** @param {any} Plotly @param {HTMLElement} place `#chart` @param {{market: any, feedKind: string}} page */
  constructor(Plotly, place, { market, feedKind }) {
    this.place = place;
    this.market = market;
    /** What a picture says, so that it is not taken for the real market. */
    this.kind = { SIMULATED: "simulated", REPLAY: "replay" }[feedKind] ?? "";
    this.data = new Series();
    this.series = this.data;
    this.plot = new Plot(Plotly, place, this.data);
    const box = /** @type {HTMLElement} */ (place.parentElement);
    this.overlay = new Overlay(box, this.plot);
    this.strip = new Strip(box, this.plot);
    this.back = make("button", { id: "back-to-live", class: "button", type: "button", text: "Back to live", hidden: true });
    this.zone = make("span", { class: "chart-zone faint" });
    this.message = make("div", { class: "panel-message chart-message", role: "status" });
    box.append(this.zone, this.back, this.message);
    this.state = new PanelState(() => void this.wantOlder());
    box.before(this.state.node);
    this.back.addEventListener("click", () => {
      this.home();
      place.focus({ preventScroll: true });
    });
    this.dragging = false;
    /** The indicators that are shown, in words. */
    this.studied = "";
    this.counting = false;
    this.counted = 0;
    this.redraw = 0;
    this.askedBefore = Infinity;
    this.olderFailed = false;
    /** Called when another part is shown. */
    this.onMoved = () => {};
    this.paintOverlay = this.paintOverlay.bind(this);
    this.drawAll = this.drawAll.bind(this);
    /** Called with the text of an indicator whose pane is closed. @type {(text: string) => void} */
    this.closed = () => {};
    this.heads = new Heads(box, this.plot, { resized: () => onFrame(this.drawAll), closed: (text) => this.closed(text) });
    this.warming = new Warming(this);
    this.walk = new Walk(this);
    this.pointer = point(this);
    wheel(this);
    /** Called with a figure before it is drawn. @type {(figure: any) => void} */
    this.comparing = () => {};
    /** Called when older bars have come in front. */
    this.prepended = () => {};
    /** Called after the overlay is drawn: what else lies on the chart's scales. */
    this.painted = () => {};
    this.plot.heard = (what) => this.drawn(what);
    new ResizeObserver(() => onFrame(() => this.plot.resize())).observe(place);
    document.addEventListener("tickboard:theme", () => onFrame(this.drawAll));
    document.addEventListener("tickboard:zone", () => this.rezone());
  }

  /** Whether a figure is shown, and of what. @param {string} symbol @param {string} timeframe */
  holds(symbol, timeframe) {
    return this.plot.figure !== null && this.data.symbol === symbol && this.data.timeframe === timeframe;
  }

  /** Bars that another series is shown with: as many as of this one, where its newest are in view; else the usual number. */
  get zoom() {
    const { plot, data } = this;
    if (!plot.figure || !plot.moved || !plot.following) return undefined;
    return data.rows.length - indexAt(data.rows, plot.from - data.ms + 1) || undefined;
  }

  /** Show a figure; zoom and pan are kept for the same series, zoom for another one. @param {any} figure */
  show(figure) {
    const same = this.holds(figure.symbol, figure.timeframe);
    const bars = same ? undefined : this.zoom;
    const followed = same && this.plot.following;
    const keep = same && (followed || figure.epoch === this.plot.figure.epoch);
    this.olderFailed = false;
    this.data.load(figure);
    this.plot.axis.load(figure, same);
    this.plot.studies.clear();
    this.plot.studies.load(figure.warm);
    this.comparing(figure);
    if (followed) this.plot.follow();
    if (!same) this.overlay.at = null;
    this.askedBefore = Infinity;
    write(this.message, figure.bars.length ? "" : `No trade of ${figure.symbol} yet.`);
    const heading = document.getElementById("chart-symbol");
    if (heading) write(heading, (heading.title = figure.symbol));
    this.place.setAttribute("aria-label", `Chart of ${figure.name}, ${figure.timeframe} bars; arrows go from bar to bar, with Shift they move the view, plus and minus zoom, B shows a table`);
    this.plot.show(figure, keep, bars);
    this.warming.want();
    this.settled();
    this.sayZone();
  }

  sayZone() {
    write(this.zone, this.data.ms < 86_400_000 ? words.zone(this.data.newest?.[START] ?? now()) : "UTC");
  }

  /** Another time zone is shown. */
  rezone() {
    if (!this.plot.figure) return;
    this.plot.rezone();
    this.sayZone();
    this.drawn("moved");
  }

  /** News of the stream. @param {{symbol: string, timeframe: string, rows: number[][], whole: boolean, polled?: boolean}} news */
  news(news) {
    if (!news.whole || !this.holds(news.symbol, news.timeframe)) return;
    const was = this.data.newest?.[START];
    if (news.polled && was !== undefined && news.rows.length && news.rows[0][START] > was) {
      // More bars have gone by than a poll brings: what is in between has to be asked for.
      this.market.tell("hole");
      return;
    }
    const followed = this.plot.following;
    const changed = this.data.merge(news.rows);
    const { newest } = this.data;
    if (!newest) return;
    if (was === undefined) {
      this.plot.home();
      write(this.message, "");
      onFrame(this.drawAll);
      return;
    }
    const closedSince = newest[START] - was;
    if (followed && closedSince > 0 && !this.dragging) {
      const before = this.plot.right;
      this.plot.follow();
      if (this.plot.right !== before) this.later(REDRAW_MS);
    }
    if (changed !== null) this.later(changed <= this.plot.drawnTo && changed !== was ? 0 : REDRAW_MS);
    if (followed && this.plot.outgrown) this.later(0);
    this.warming.want();
    onFrame(this.paintOverlay);
  }

  /** Show these indicators. @param {import("../indicators/choice.mjs").Chosen[]} list */
  study(list) {
    const text = JSON.stringify(list.map((one) => [textOf(one), one.colour, one.hidden]));
    if (text === this.studied) return;
    this.studied = text;
    this.plot.studies.choose(list);
    if (!this.plot.figure) return;
    this.warming.want();
    onFrame(this.drawAll);
  }

  /** Give Plotly the closed bars, but at most every `least` ms. @param {number} least */
  later(least) {
    const wait = Math.max(0, least - (performance.now() - (this.plot.drawnAt ?? 0)));
    if (wait === 0) {
      onFrame(this.drawAll);
    } else if (!this.redraw) {
      this.redraw = window.setTimeout(() => {
        this.redraw = 0;
        onFrame(this.drawAll);
      }, wait);
    }
  }

  drawAll() {
    if (this.dragging || !this.plot.figure) return;
    clearTimeout(this.redraw);
    this.redraw = 0;
    this.plot.draw();
  }

  paintOverlay() {
    if (!this.plot.figure) return;
    this.count();
    this.overlay.draw();
    const panes = this.overlay.panes();
    if (panes) this.strip.draw(panes, this.dragging || this.plot.crowd.moving);
    this.painted();
    this.pointer.describe();
  }

  /** How long the forming bar lasts still, under the last price; nothing where the feed does not move the market on. */
  count() {
    const { market, data, plot } = this;
    const remaining = this.counting ? countdown.left(data.newest, data.ms, market.clock(), plot.figure.marks.closed) : null;
    this.overlay.left = remaining === null ? "" : countdown.words(remaining);
    clearTimeout(this.counted);
    if (remaining === null) return;
    const next = (remaining % 1000 || 1000) / market.feed.pace;
    this.counted = window.setTimeout(() => onFrame(this.paintOverlay), Math.max(next, COUNT_MS));
  }

  /** Once a second: whether there is a market whose time passes. */
  tick() {
    const heard = this.market.state.state === "live" || this.market.state.state === "polling";
    const counting = heard && feedWords()[0] === "" && this.market.get(this.data.symbol)?.stale === false;
    if (counting === this.counting) return;
    this.counting = counting;
    onFrame(this.paintOverlay);
  }

  /** Another scale of the price axis. @param {string} scale */
  rescale(scale) {
    if (scale === this.plot.scale) return;
    this.plot.scale = scale;
    onFrame(this.drawAll);
  }

  /** Leave closed hours out of the time axis, or show them. @param {boolean} closing */
  closeGaps(closing) {
    this.plot.close(closing);
    if (this.plot.figure) this.drawn("moved");
  }

  /** Plotly has drawn, is being dragged, or shows another part. @param {"drawn" | "dragging" | "moved"} what */
  drawn(what) {
    this.dragging = what === "dragging";
    if (what === "drawn") forget();
    if (what !== "moved") return this.shown();
    onFrame(this.drawAll);
    return this.settled();
  }

  /** Another part is shown. */
  settled() {
    void this.wantOlder();
    this.onMoved();
    this.shown();
  }

  shown() {
    this.back.hidden = this.plot.following;
    this.paintOverlay();
  }

  /** Show another part of the series. @param {number} from UTC ms @param {number} to */
  look(from, to) {
    this.plot.asked = [from, to];
    this.plot.moved = true;
    this.drawn("moved");
  }

  /** Show another part of the time axis. @param {number} left places of it @param {number} right */
  turn(left, right) {
    this.plot.look(left, right);
    this.plot.moved = true;
    this.drawn("moved");
  }

  /** The newest bars at the right edge. @param {number} [bars] how many */
  home(bars) {
    this.plot.home(bars);
    this.drawn("moved");
  }

  /** Bars before those that are held, when the view comes near to the first. */
  async wantOlder() {
    const { data, plot } = this;
    const first = data.rows[0]?.[START];
    if (first === undefined || 2 * plot.left - plot.right > plot.axis.place(first) || this.askedBefore <= first) return;
    this.askedBefore = first;
    const { symbol, timeframe } = data;
    const lacking = Math.ceil((plot.axis.place(first) - 2 * plot.left + plot.right) / data.ms);
    const limit = Math.min(Math.max(lacking, OLDER), OLDER_MOST);
    const query = new URLSearchParams({ timeframe, end: String(first), limit: String(limit) });
    try {
      const older = await ask("GET", `/tickers/${encodeURIComponent(symbol)}/bars?${query}`);
      if (this.olderFailed) this.state.done();
      this.olderFailed = false;
      if (!this.holds(symbol, timeframe) || older.epoch !== plot.figure.epoch || data.rows[0]?.[START] !== first) return;
      data.prepend(older.data);
      this.prepended();
      if (!older.data.length) return;
      this.warming.want();
      onFrame(this.drawAll);
      void this.wantOlder(); // the view may lie further back still
    } catch (error) {
      this.askedBefore = Infinity; // asked again at the next move
      if (!this.holds(symbol, timeframe)) return;
      this.olderFailed = true;
      const why = error instanceof Refused ? error.message : "The answer could not be understood.";
      this.state.fail(`${why} Older bars of ${symbol} are missing.`, { retry: () => void this.wantOlder() });
    }
  }

  /** Levels of the user's alerts on this symbol. @param {any[]} rules */
  alerts(rules) {
    this.overlay.alerts = rules
      .filter((rule) => rule.enabled && rule.symbol === this.data.symbol)
      .map((rule) => ({ id: rule.id, level: rule.level }));
    onFrame(this.paintOverlay);
  }

  /** The bars of the series, oldest first, the forming one included. */
  rows() {
    return this.data.rows;
  }

  /** Where the series that is held is as CSV: made by the server, from the same store; empty without a bar. */
  csvAddress() {
    const { rows, symbol, timeframe, ms } = this.data;
    if (!rows.length) return "";
    const query = new URLSearchParams({ timeframe, start: String(rows[0][START]), end: String(rows[rows.length - 1][START] + ms) });
    const seen = this.plot.studies.list.filter(({ hidden }) => !hidden);
    if (seen.length) query.set("indicators", seen.map(textOf).join(","));
    return `/api/v1/export/${encodeURIComponent(symbol)}.csv?${query}`;
  }

  /** Download a picture of the part in view, as it is seen. @param {"png" | "svg"} [format] */
  async exportPng(format = "png") {
    const { symbol, timeframe } = this.data;
    const stamp = (/** @type {number} */ ms) => `${dateText(ms).slice(0, 19).replace(/[-:]/g, "")}Z`;
    const { from } = this.plot;
    const to = Math.min(this.plot.to, (this.data.newest?.[START] ?? this.plot.to) + this.data.ms);
    const studied = this.plot.studies.shown.map(({ chosen }) => label(chosen));
    const said = `${studied.length ? ` · ${studied.join(", ")}` : ""}${this.plot.kind.averaged ? " · Heikin-Ashi" : ""}${this.plot.crowd.words && ` · ${this.plot.crowd.words}`}${this.kind ? ` (${this.kind})` : ""}`;
    const { name: full } = this.plot.figure;
    // The axis has no date where its first tick lies too near to the edge.
    const [first, last] = [Math.min(Math.max(from, this.data.rows[0]?.[START] ?? from), to - 1), to - 1].map((ms) => dateText(ms + this.plot.shift).slice(0, 10));
    const days = first === last ? first : `${first} to ${last}`;
    const title = `${full === symbol ? symbol : `${full} · ${symbol}`} · ${timeframe} · ${days} · ${this.zone.textContent}${said}`;
    this.drawAll(); // with the ranges of now, as the picture
    const url = await picture(this, title, format);
    const safe = symbol.replace(/[^A-Za-z0-9._-]/g, "_");
    const name = `${this.kind === "simulated" ? "simulated_" : ""}${safe}_${timeframe}_${stamp(from)}_${stamp(to)}.${format}`;
    const link = make("a", { href: url, download: name });
    document.body.append(link);
    link.click();
    link.remove();
  }
}

/** The chart in `#chart`, once plotly.js has come. @param {{market: any, feedKind: string}} page */
export async function chart(page) {
  const place = /** @type {HTMLElement} */ (document.getElementById("chart"));
  const say = (/** @type {string} */ sentence) => {
    const legend = document.getElementById("chart-legend");
    if (legend) legend.textContent = sentence;
  };
  return new Chart(await plotly(say), place, page);
}
