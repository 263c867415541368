// @ts-check
// One chart of the Compare page: its bars, Plotly's part, the overlay, and when each is drawn. It asks the page for bars and
// tells it when it is moved or pointed at; of the other charts it knows nothing.

import { forget } from "../chart/ink.mjs";
import { Legend } from "../chart/legend.mjs";
import { Overlay } from "../chart/overlay.mjs";
import { Plot } from "../chart/plot.mjs";
import { Series, START } from "../chart/series.mjs";
import { onFrame } from "../live/frame.mjs";
import { make, write } from "../page/dom.mjs";
import { Head } from "./head.mjs";
import { rowsOf, shared } from "./linking.mjs";
import { point } from "./pointing.mjs";

/** As in dashboard/store/change.py. */
const COLUMNS = ["start", "open", "high", "low", "close", "volume", "trades", "flags"];
/** Plotly takes newly closed bars at most so often; the overlay draws them until then. */
const REDRAW_MS = 5_000;
/** Older bars are asked for in pieces of so many. */
const OLDER = 2_000;
/** A poll brings so many bars, while there is no stream. */
const POLLED = 30;
/** A question that takes longer than this is shown to be under way. */
const SLOW_MS = 400;
const UNDRAWN = "This could not be drawn; the browser's console has the reason.";

/** @typedef {import("./state.mjs").Range} Range */

export class Cell {
  /** @param {import("./page.mjs").ComparePage} page */
  constructor(page) {
    this.page = page;
    this.series = new Series();
    /** What is shown, or asked for. */
    this.symbol = "";
    this.timeframe = "";
    this.place = make("div", { class: "cell-chart", tabindex: "0", role: "group" });
    const legend = make("div", { class: "legend" });
    const box = make("div", { class: "cell-plot" }, [this.place, legend]);
    this.plot = new Plot(null, this.place, this.series);
    this.plot.crowd.most = 0; // Plotly takes longer for nine charts' candles than for all else on the page
    this.overlay = new Overlay(box, this.plot);
    this.legend = new Legend(legend);
    this.back = make("button", { class: "button cell-live", type: "button", text: "Back to live", hidden: true });
    this.words = make("span", { role: "status" });
    this.retry = make("button", { class: "button", type: "button", text: "Try again" });
    this.message = make("div", { class: "panel-message cell-message", hidden: true }, [this.words, this.retry]);
    box.append(this.back, this.message);
    this.head = new Head(this);
    this.node = make("section", { class: "panel cell" }, [this.head.node, box]);
    /** Whether any of it is in the window. */
    this.visible = true;
    this.owed = false;
    this.dragging = false;
    this.failed = false;
    this.redraw = 0;
    this.slow = 0;
    this.askedBefore = Infinity;
    /** The keys of its wishes for other bars than its newest. */
    this.olderKey = {};
    this.pollKey = {};
    /** The part to show as soon as there are bars; undefined: as before. @type {Range | undefined} */
    this.wanted = undefined;
    this.paintOverlay = this.paintOverlay.bind(this);
    this.describe = point(this);
    this.plot.heard = (what) => this.heard(what);
    this.retry.addEventListener("click", () => this.load());
    this.back.addEventListener("click", () => {
      page.home(this);
      this.place.focus({ preventScroll: true });
    });
    this.sized = new ResizeObserver(() => this.resized());
    this.sized.observe(this.place);
  }

  /** Another instrument or timeframe. @param {string} symbol @param {string} timeframe */
  show(symbol, timeframe) {
    if (symbol === this.symbol && timeframe === this.timeframe) return;
    this.symbol = symbol;
    this.timeframe = timeframe;
    this.page.asker.forget(this.olderKey);
    this.head.name(symbol, timeframe);
    this.load();
  }

  /** Whether what is drawn is what is meant to be. */
  get whole() {
    const { series, plot } = this;
    return plot.figure !== null && series.symbol === this.symbol && series.timeframe === this.timeframe;
  }

  /** Ask for the newest bars. */
  load() {
    const { symbol, timeframe } = this;
    clearTimeout(this.slow);
    this.slow = window.setTimeout(() => {
      this.node.setAttribute("aria-busy", "true");
      if (!this.whole) this.say(`Loading ${symbol}, ${timeframe}…`, false);
    }, SLOW_MS);
    const fits = () => symbol === this.symbol && timeframe === this.timeframe;
    this.page.asker.want(this, { symbol, timeframe }, {
      answer: (series, whole) => fits() && this.take(series, whole),
      fail: (sentence) => fits() && this.fail(sentence),
    });
  }

  /** The newest bars of its series. @param {any} series @param {any} whole what all charts of the answer share */
  take(series, whole) {
    this.rest();
    const { plot } = this;
    const { traces, layout, marks, in_view, type } = whole;
    const keep = this.whole && plot.figure.epoch === series.epoch && this.wanted === undefined && plot.moved;
    const held = keep ? this.series.rows : [];
    const bars = rowsOf(series.columns, COLUMNS);
    this.series.load({ ...series, bars });
    // What was looked at stays, where it joins what came.
    if (held.length && bars.length && held[held.length - 1][START] >= bars[0][START]) this.series.prepend(held);
    const { columns: _read, ...described } = series;
    plot.figure = { ...described, traces, layout, marks, in_view, type };
    plot.rezone();
    this.askedBefore = Infinity;
    this.failed = false;
    this.say(bars.length ? "" : `No trade of ${series.symbol} yet.`, false);
    this.place.setAttribute("aria-label", `Chart of ${series.name}, ${series.timeframe} bars; arrows move, plus and minus zoom, 1 to 8 choose the timeframe, Enter another instrument, Delete removes it`);
    if (!keep && this.wanted) this.look(this.wanted);
    else if (!keep) this.home();
    this.wanted = undefined;
    this.page.draw(this);
    this.page.loaded(this, whole);
  }

  /** Show a part of the series, or the newest bars, where it does not yet. @param {Range} range */
  turn(range) {
    const { plot, whole } = this;
    if (!range) {
      if (!whole || plot.moved) this.home();
      return;
    }
    const [from, to] = shared(range, this.series.ms);
    if (!whole || !plot.moved || plot.from !== from || plot.to !== to) this.look(range);
  }

  /** @param {[number, number]} range UTC ms */
  look(range) {
    const { plot } = this;
    if (!this.whole) {
      this.wanted = range;
      return;
    }
    [plot.from, plot.to] = shared(range, this.series.ms);
    plot.moved = true;
    this.moved();
  }

  home() {
    if (!this.whole) {
      this.wanted = null;
      return;
    }
    this.plot.home();
    this.moved();
  }

  /** The part that is shown and was chosen; null for the newest bars. @returns {Range} */
  get range() {
    if (!this.whole) return this.wanted ?? null;
    return this.plot.moved ? [this.plot.from, this.plot.to] : null;
  }

  moved() {
    this.page.draw(this);
    this.wantOlder();
    onFrame(this.paintOverlay);
  }

  /** Plotly has drawn, is being dragged, or shows another part. @param {"drawn" | "dragging" | "moved"} what */
  heard(what) {
    this.dragging = what === "dragging";
    if (what === "drawn") forget();
    else this.page.moved(this);
    if (what === "moved") this.moved();
    this.paintOverlay();
  }

  /** News of the stream: bars in their newest state. @param {number[][]} rows */
  news(rows) {
    const { series, plot } = this;
    if (!this.whole) return;
    const was = series.newest?.[START];
    const followed = plot.following;
    const changed = series.merge(rows);
    const newest = series.newest?.[START];
    if (newest === undefined) return;
    if (was === undefined) {
      this.say("", false);
      this.home();
      return;
    }
    if (followed && newest > was && !this.dragging) {
      const before = plot.to;
      plot.follow();
      if (plot.to !== before) this.later(REDRAW_MS);
    }
    if (changed !== null) this.later(changed <= plot.drawnTo && changed !== was ? 0 : REDRAW_MS);
    if (followed && plot.outgrown) this.later(0);
    onFrame(this.paintOverlay);
  }

  /** What a poll brings; a hole is filled by asking for all. */
  poll() {
    const { symbol, timeframe } = this;
    if (!this.whole) return this.load();
    this.page.asker.want(this.pollKey, { symbol, timeframe, bars: POLLED }, {
      answer: (series) => {
        if (symbol !== this.symbol || timeframe !== this.timeframe) return;
        const rows = rowsOf(series.columns, COLUMNS);
        const newest = this.series.newest?.[START];
        const joins = newest === undefined || !rows.length || rows[0][START] <= newest;
        if (joins && series.epoch === this.plot.figure.epoch) this.news(rows);
        else this.load();
      },
      fail: () => undefined, // the next poll tries again, and the header says what is wrong
    });
    return undefined;
  }

  /** Give Plotly the closed bars, but at most every `least` ms. @param {number} least */
  later(least) {
    const wait = Math.max(0, least - (performance.now() - (this.plot.drawnAt ?? 0)));
    if (wait === 0) {
      this.page.draw(this);
    } else if (!this.redraw) {
      this.redraw = window.setTimeout(() => {
        this.redraw = 0;
        this.page.draw(this);
      }, wait);
    }
  }

  /** In a frame, in this chart's turn. */
  draw() {
    if (this.dragging || !this.plot.figure || !this.page.Plotly) return;
    this.owed = !this.visible;
    if (this.owed) return;
    this.plot.Plotly = this.page.Plotly;
    clearTimeout(this.redraw);
    this.redraw = 0;
    this.attempt(() => this.plot.draw());
  }

  paintOverlay() {
    if (!this.plot.figure || !this.visible) return;
    this.attempt(() => {
      this.overlay.draw();
      this.describe();
    });
    this.back.hidden = !this.whole || this.plot.following;
  }

  /** A chart that can't be drawn says so, and takes none of the others with it. @param {() => void} act */
  attempt(act) {
    try {
      act();
    } catch (error) {
      if (!this.failed) console.error(`the chart of ${this.symbol} could not be drawn`, error);
      this.fail(UNDRAWN);
    }
  }

  /** Whether it is in the window. @param {boolean} visible */
  see(visible) {
    this.visible = visible;
    if (visible && this.owed) this.page.draw(this);
  }

  resized() {
    const { clientWidth, clientHeight } = this.place;
    const has = this.place._fullLayout;
    if (clientWidth && (!has || has.width !== clientWidth || has.height !== clientHeight)) this.page.draw(this);
  }

  /** Another zone is shown. */
  rezone() {
    if (!this.plot.figure) return;
    this.plot.rezone();
    this.page.draw(this);
  }

  /** Bars before those that are held, when the view comes near to the first. */
  wantOlder() {
    const { series, plot, symbol, timeframe } = this;
    const first = series.rows[0]?.[START];
    if (first === undefined || plot.from - (plot.to - plot.from) > first || this.askedBefore <= first) return;
    this.askedBefore = first;
    this.page.asker.want(this.olderKey, { symbol, timeframe, before: first, bars: OLDER }, {
      answer: (older) => {
        if (!this.whole || symbol !== this.symbol || timeframe !== this.timeframe) return;
        if (older.epoch !== plot.figure.epoch || series.rows[0]?.[START] !== first) return;
        const rows = rowsOf(older.columns, COLUMNS);
        if (!rows.length) return;
        series.prepend(rows);
        this.moved(); // the view may lie further back still
      },
      fail: () => {
        this.askedBefore = Infinity; // asked again at the next move
      },
    });
  }

  /** @param {string} sentence */
  fail(sentence) {
    this.rest();
    this.failed = true;
    this.say(sentence, true);
  }

  /** Nothing is under way any more. */
  rest() {
    clearTimeout(this.slow);
    this.node.removeAttribute("aria-busy");
  }

  /** @param {string} sentence @param {boolean} wrong whether it can be tried again */
  say(sentence, wrong) {
    write(this.words, sentence);
    this.retry.hidden = !wrong;
    this.message.hidden = !sentence;
    this.message.classList.toggle("wrong", wrong);
  }

  /** It is gone. */
  remove() {
    this.rest();
    clearTimeout(this.redraw);
    for (const key of [this, this.olderKey, this.pollKey]) this.page.asker.forget(key);
    this.sized.disconnect();
    this.plot.figure = null;
    this.node.remove();
    this.page.Plotly?.purge(this.place);
  }
}
