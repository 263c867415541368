// @ts-check
// The charts of the Compare page: which there are, where their bars come from, what they share, and whose turn it is to be
// drawn. The controls and the address are `compare.mjs`'s.

import { onFrame } from "../live/frame.mjs";
import { make, setProps } from "../page/dom.mjs";
import { matches } from "../page/search.mjs";
import { toast } from "../page/toasts.mjs";
import { arranged, beside, layoutFor, MOST } from "./arrangement.mjs";
import { Asker } from "./asker.mjs";
import { Board } from "./board.mjs";
import { Cell } from "./cell.mjs";
import { LIST } from "./head.mjs";
import { cross } from "./pointing.mjs";
import { timeframeOf } from "./state.mjs";

/** Charts are drawn for so long in a frame, at least one; the rest in the next frames. */
const DRAW_MS = 12;
/** After a hole in the stream the next try. */
const AGAIN_MS = 1_000;
/** Without a stream bars are asked for so often. */
const POLL_MS = 3_000;

/** @typedef {import("./state.mjs").State} State */
/** @typedef {import("./state.mjs").Range} Range */

export class ComparePage {
  /**
   * @param {{market: any, stream: any, grid: HTMLElement, state: State, changed: (what: "charts" | "range") => void, open: (symbol: string, timeframe: string) => void}} given
   *   `changed`: by somebody, so that the address is another one
   */
  constructor({ market, stream, grid, state, changed, open }) {
    /** Plotly, as soon as it has come: bars are asked for meanwhile. @type {any} */
    this.Plotly = null;
    this.market = market;
    this.grid = grid;
    this.state = state;
    this.changed = changed;
    this.opened = open;
    /** @type {Cell[]} */
    this.cells = [];
    /** Charts that a smaller layout has put away. @type {import("./state.mjs").Series[]} */
    this.spare = [];
    this.active = false;
    this.columns = 1;
    /** @type {Cell | null} the one that was used last: it leads */
    this.leader = null;
    this.asker = new Asker((question) => setProps("compare-ask", { data: question }), () => this.state.type);
    this.board = new Board(stream, {
      news: (symbol, timeframe, rows) => {
        for (const cell of this.cells) if (cell.symbol === symbol && cell.timeframe === timeframe) cell.news(rows);
      },
      hole: (lost) => window.setTimeout(() => this.cells.filter((cell) => lost.some((one) => one.symbol === cell.symbol && one.timeframe === cell.timeframe)).forEach((cell) => cell.load()), AGAIN_MS),
    });
    stream.board = this.board;
    stream.holders.add(this.board);
    /** @type {Set<Cell>} */
    this.due = new Set();
    this.paint = this.paint.bind(this);
    /** Cells whose bars came with the answer that is being read. @type {Cell[]} */
    this.fresh = [];
    /** @type {Set<string>} */
    this.ticked = new Set();
    this.paintHeads = this.paintHeads.bind(this);
    this.seen = new IntersectionObserver((entries) => {
      for (const entry of entries) this.cells.find((cell) => cell.node === entry.target)?.see(entry.isIntersecting);
    });
    this.arrange = this.arrange.bind(this);
    new ResizeObserver(() => onFrame(this.arrange)).observe(/** @type {HTMLElement} */ (grid.parentElement));
    market.on("ticker", (/** @type {Iterable<string>} */ symbols) => {
      if (!this.active) return;
      for (const symbol of symbols) this.ticked.add(symbol);
      onFrame(this.paintHeads);
    });
    market.on("epoch", () => this.active && this.load());
    let [heard, dark] = [false, false];
    market.on("state", (/** @type {{state: string}} */ now) => {
      if (now.state !== "live" && now.state !== "polling") {
        dark = heard;
        return;
      }
      heard = true;
      if (!dark) return;
      dark = false;
      if (!this.active) return;
      // What was asked over the line that is gone may never be answered.
      this.asker.again();
      this.cells.filter((cell) => cell.failed).forEach((cell) => cell.load());
    });
    setInterval(() => {
      if (this.active && !document.hidden && market.state.state === "polling") this.cells.forEach((cell) => cell.poll());
    }, POLL_MS);
    document.addEventListener("tickboard:theme", () => this.cells.forEach((cell) => this.draw(cell)));
    document.addEventListener("tickboard:zone", () => this.cells.forEach((cell) => cell.rezone()));
  }

  // -- what is shown ---------------------------------------------------------------------------------------------------

  /** Show another state: charts that stay are not asked for again. @param {State} state */
  apply(state) {
    const retyped = state.type !== this.state.type;
    this.state = state;
    const { charts, ranges } = state;
    while (this.cells.length > charts.length) this.drop(this.cells.length - 1);
    for (const [at, series] of charts.entries()) {
      const cell = this.cells[at] ?? this.added();
      cell.show(series.symbol, timeframeOf(state, series));
      cell.turn((state.range ? ranges[0] : ranges[at]) ?? null);
    }
    if (retyped) this.cells.forEach((cell) => cell.load());
    this.settle();
  }

  /** The present state, with the parts that are shown now. @returns {State} */
  now() {
    const led = this.lead?.range ?? null;
    const ranges = this.state.range ? [led] : this.cells.map((cell) => cell.range);
    return { ...this.state, charts: this.state.charts.map((series) => ({ ...series })), ranges };
  }

  /** @returns {Cell} */
  added() {
    const cell = new Cell(this);
    this.cells.push(cell);
    this.grid.insertBefore(cell.node, this.grid.querySelector(".cell-empty"));
    this.seen.observe(cell.node);
    for (const kind of ["pointerdown", "focusin"]) cell.node.addEventListener(kind, () => this.use(cell));
    return cell;
  }

  /** @param {number} at */
  drop(at) {
    const [cell] = this.cells.splice(at, 1);
    const own = cell.overlay.at;
    if (own && own.moment === undefined) this.pointed(cell, null); // the others' crosshairs go with its own
    if (this.leader === cell) this.leader = null;
    this.due.delete(cell);
    this.seen.unobserve(cell.node);
    cell.remove();
  }

  /** Charts, places or timeframes are other ones. */
  settle() {
    const { state, cells, grid } = this;
    this.board.keep(cells);
    const empty = state.layout - cells.length;
    const places = [...grid.querySelectorAll(".cell-empty")];
    for (const place of places.slice(Math.max(empty, 0))) place.remove();
    for (let count = places.length; count < empty; count += 1) {
      const add = make("button", { class: "button", type: "button", text: "Add a chart" });
      add.addEventListener("click", () => this.add());
      grid.append(make("div", { class: "panel cell-empty" }, [add]));
    }
    for (const cell of cells) cell.head.allow(cells.length === 1, Boolean(state.one));
    this.arrange();
    for (const cell of cells) cell.head.paint(this.market.get(cell.symbol));
  }

  /** Columns and rows for the window as it is. */
  arrange() {
    const { grid } = this;
    const place = /** @type {HTMLElement} */ (grid.parentElement);
    const above = [...place.children].reduce((height, node) => (node === grid ? height : height + /** @type {HTMLElement} */ (node).offsetHeight), 0);
    if (!place.clientWidth) return;
    const { columns, rows, stacked } = arranged(this.state.layout, { width: place.clientWidth, height: place.clientHeight - above });
    this.columns = columns;
    grid.style.setProperty("--columns", String(columns));
    grid.style.setProperty("--rows", String(rows));
    grid.classList.toggle("stacked", stacked);
  }

  /** @param {Cell} cell */
  use(cell) {
    if (this.leader === cell) return;
    this.leader?.node.classList.remove("used");
    this.leader = cell;
    cell.node.classList.add("used");
  }

  get lead() {
    return this.leader ?? this.cells[0];
  }

  // -- changes that somebody makes ---------------------------------------------------------------------------------------

  /** One more chart: one that was put away, else of the first instrument that no chart shows. */
  add() {
    const { state } = this;
    if (state.charts.length >= MOST) {
      void toast("No room for another chart", `The page holds ${MOST} charts at most; replace or remove one.`);
      return;
    }
    const series = this.spare.shift() ?? this.unshown();
    const charts = [...state.charts, series];
    this.edit({ charts, layout: Math.max(state.layout, layoutFor(charts.length)) });
    this.cells[this.cells.length - 1].head.edit();
  }

  /** Another layout: its places are filled, and what has none is put away. @param {number} layout */
  lay(layout) {
    const charts = this.state.charts.slice(0, layout);
    this.spare = [...this.state.charts.slice(layout), ...this.spare];
    while (charts.length < layout) {
      const spare = this.spare.shift();
      const series = spare ?? this.unshown(charts);
      if (!charts.some((one) => one.symbol === series.symbol && one.timeframe === series.timeframe)) charts.push(series);
      else if (!spare) break; // there is no other instrument
    }
    this.edit({ charts, layout });
  }

  /** An instrument without a chart, in the leading chart's timeframe. @param {import("./state.mjs").Series[]} [charts] */
  unshown(charts = this.state.charts) {
    const shown = new Set(charts.map(({ symbol }) => symbol));
    const led = this.state.charts[Math.max(this.cells.indexOf(this.lead), 0)];
    return { symbol: this.market.symbols.find((/** @type {string} */ symbol) => !shown.has(symbol)) ?? led.symbol, timeframe: led.timeframe };
  }

  /** @param {Cell} cell */
  remove(cell) {
    const at = this.cells.indexOf(cell);
    if (at < 0 || this.cells.length === 1) return;
    const charts = this.state.charts.filter((_, index) => index !== at);
    this.drop(at);
    this.edit({ charts });
    this.cells[Math.min(at, this.cells.length - 1)].place.focus({ preventScroll: true });
  }

  /** Another instrument, by its symbol or what its name says. @param {Cell} cell @param {string} text */
  replace(cell, text) {
    const upper = text.toUpperCase();
    const { symbols, instruments } = this.market;
    const symbol = [text, upper].find((name) => symbols.includes(name)) ?? matches(instruments, text)[0]?.symbol;
    if (!symbol) {
      cell.head.symbol.value = cell.symbol;
      void toast(`There is no instrument ${text.slice(0, 40)}`, `${cell.symbol} is shown still.`);
      return;
    }
    this.change(cell, { symbol });
  }

  /** @param {Cell} cell @param {string} timeframe */
  retime(cell, timeframe) {
    if (this.state.one) this.edit({ one: timeframe });
    else this.change(cell, { timeframe });
  }

  /** @param {Cell} cell @param {Partial<import("./state.mjs").Series>} patch */
  change(cell, patch) {
    const at = this.cells.indexOf(cell);
    // A part that was chosen among bars of a minute is none of bars of a day, but where all charts show the same one.
    if (patch.timeframe && !this.state.range) cell.home();
    this.edit({ charts: this.state.charts.map((series, index) => (index === at ? { ...series, ...patch } : series)) });
    cell.head.name(cell.symbol, cell.timeframe);
    cell.head.paint(this.market.get(cell.symbol));
  }

  /** @param {Partial<State>} patch */
  edit(patch) {
    // The parts that are shown stay: they are those of the charts that there are now.
    const state = { ...this.now(), ...patch };
    if (!state.range) state.ranges = state.charts.map((_, at) => this.cells[at]?.range ?? null);
    this.apply(state);
    this.changed("charts");
  }

  /** Go from chart to chart. @param {Cell} cell @param {string} key */
  walk(cell, key) {
    const to = this.cells[beside(this.cells.indexOf(cell), key, this.columns, this.cells.length)];
    to.place.focus();
  }

  /** @param {Cell} cell */
  open(cell) {
    this.opened(cell.symbol, cell.timeframe);
  }

  // -- what charts share -----------------------------------------------------------------------------------------------

  /** A chart was moved by somebody: the others follow where that is linked. @param {Cell} cell */
  moved(cell) {
    this.use(cell);
    if (this.state.range) for (const other of this.cells) if (other !== cell) other.turn(cell.range);
    this.changed("range");
  }

  /** The newest bars again, of all charts where their range is linked. @param {Cell | null} cell null for all in any case */
  home(cell) {
    for (const one of cell && !this.state.range ? [cell] : this.cells) one.home();
    this.changed("range");
  }

  /** The pointer is at a moment of a chart, or has left it. @param {Cell} cell @param {number | null} moment UTC ms */
  pointed(cell, moment) {
    if (!this.state.cross) return;
    for (const other of this.cells) if (other !== cell) cross(other, moment);
  }

  /** Link or part the ranges. @param {boolean} on */
  link(on) {
    const led = this.lead.range;
    this.state = { ...this.state, range: on };
    if (on) for (const cell of this.cells) if (cell !== this.lead) cell.turn(led);
    this.changed("charts");
  }

  /** Link or part the crosshairs. @param {boolean} on */
  linkCross(on) {
    for (const cell of this.cells) cross(cell, null);
    this.state = { ...this.state, cross: on };
    this.changed("charts");
  }

  // -- bars and drawing ------------------------------------------------------------------------------------------------

  /** Somebody looks at the page, or no more. @param {boolean} active */
  wake(active) {
    if (active === this.active) return;
    this.active = active;
    if (active) {
      this.arrange();
      this.load();
    } else this.board.keep([]);
  }

  /** Ask for all charts' bars. */
  load() {
    this.cells.forEach((cell) => cell.load());
  }

  /** A chart has bars: the stream goes on from there. @param {Cell} cell @param {{seq: number, epoch: string}} answer */
  loaded(cell, { seq, epoch }) {
    this.fresh.push(cell);
    if (this.fresh.length > 1) return;
    queueMicrotask(() => {
      const fresh = this.fresh.splice(0).filter((one) => one.whole && this.cells.includes(one));
      if (this.active) this.board.watch(fresh, seq, epoch);
    });
  }

  /** Plotly has come. @param {any} Plotly */
  begin(Plotly) {
    this.Plotly = Plotly;
    this.cells.forEach((cell) => this.draw(cell));
  }

  /** Draw a chart when it is its turn. @param {Cell} cell */
  draw(cell) {
    this.due.add(cell);
    onFrame(this.paint);
  }

  paint() {
    const began = performance.now();
    for (const cell of this.due) {
      this.due.delete(cell);
      cell.draw();
      if (performance.now() - began > DRAW_MS) break;
    }
    if (this.due.size) onFrame(this.paint);
  }

  paintHeads() {
    for (const cell of this.cells) {
      if (cell.visible && this.ticked.has(cell.symbol)) cell.head.paint(this.market.get(cell.symbol));
    }
    this.ticked.clear();
  }

  /** Once a second: ages. */
  tick() {
    for (const cell of this.cells) if (cell.visible) cell.head.paint(this.market.get(cell.symbol));
  }

  /** The instruments to choose from, when somebody begins to choose: a market may have thousands. */
  offer() {
    if (document.getElementById(LIST)) return;
    document.body.append(make("datalist", { id: LIST }, this.market.instruments.map((/** @type {any} */ one) => make("option", { value: one.symbol, label: one.name }))));
  }
}
