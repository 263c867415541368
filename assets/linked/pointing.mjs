// @ts-check
// Pointer and keys on one chart of the Compare page: the crosshair, its own or another chart's, and the legend of the bar
// under it; moving, zooming, changing and leaving the chart without a mouse.

import { flagWords } from "../chart/made.mjs";
import { barTime } from "../chart/pointer.mjs";
import { CLOSE, FLAGS, HIGH, LOW, OPEN, START, VOLUME } from "../chart/series.mjs";
import { touch } from "../chart/touch.mjs";
import { onFrame } from "../live/frame.mjs";
import { TIMEFRAMES } from "../live/view.mjs";
import * as words from "../page/words.mjs";
import { under } from "./linking.mjs";

/** A key moves the view by this part of it, and widens or narrows it by so much. */
const STEP = 0.15;
const ZOOM = 1.3;
/** The legend leaves so much of the chart's width to the price axis, px. */
const LEGEND_MARGIN = 76;

/** @param {import("./cell.mjs").Cell} cell @returns {() => void} what writes the legend */
export function point(cell) {
  const { place, plot, overlay, series, page } = cell;

  place.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => {
    const panes = overlay.panes();
    if (!panes) return;
    const box = place.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left - panes.price.left, event.clientY - box.top];
    if (x < 0 || x > panes.price.width || y < panes.price.top || y > panes.bottom) {
      leave();
      return;
    }
    const ms = panes.x.p2l(x) - plot.shift;
    overlay.at = { x, raw: x, y, words: "", when: "" };
    page.pointed(cell, series.nearest(ms)?.[START] ?? ms);
    onFrame(cell.paintOverlay);
  });
  const leave = () => {
    if (!overlay.at) return;
    overlay.at = null;
    page.pointed(cell, null);
    onFrame(cell.paintOverlay);
  };
  // Where a finger has tapped the crosshair stays.
  place.addEventListener("pointerleave", (/** @type {PointerEvent} */ event) => event.pointerType === "touch" || leave());
  touch(cell, leave);

  // What lies under the pointer, or at another chart's moment, with the scales of now.
  overlay.look = (/** @type {any} */ panes) => {
    const { at } = overlay;
    const led = at.moment !== undefined;
    const ms = led ? at.moment : panes.x.p2l(at.raw) - plot.shift;
    const bar = led ? under(series.rows, series.ms, ms) : series.nearest(ms);
    at.bar = bar;
    at.x = bar || led ? panes.x.l2p((bar?.[START] ?? ms) + plot.shift) : at.raw;
    at.when = bar || led ? barTime(bar?.[START] ?? ms, series.ms) : "";
    at.pane = null;
    at.words = led ? "" : plot.words(panes.y.p2d(at.y - panes.price.top));
  };

  place.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.ctrlKey || event.metaKey) return;
    const act = event.altKey ? walking(event.key) : action(event.key);
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  });
  /** @param {string} key */
  const walking = (key) => (key.startsWith("Arrow") ? () => page.walk(cell, key) : null);
  /** @param {string} key @returns {(() => void) | null} */
  const action = (key) => {
    const timeframe = TIMEFRAMES[Number(key) - 1];
    if (timeframe) return () => page.retime(cell, timeframe);
    if (key === "Enter") return () => cell.head.edit();
    if (key === "Delete") return () => page.remove(cell);
    if (!cell.whole) return null;
    const { from, to } = plot;
    const span = to - from;
    const look = (/** @type {number} */ first, /** @type {number} */ last) => () => {
      cell.look([first, last]);
      page.moved(cell);
    };
    const oldest = series.rows[0]?.[START] ?? from;
    return {
      ArrowLeft: look(from - span * STEP, to - span * STEP),
      ArrowRight: look(from + span * STEP, to + span * STEP),
      "+": look(to - span / ZOOM, to),
      "=": look(to - span / ZOOM, to),
      "-": look(to - span * ZOOM, to),
      Home: look(oldest, oldest + span),
      End: () => page.home(cell),
    }[key] ?? null;
  };

  return () => {
    const { figure } = plot;
    const panes = overlay.panes();
    if (!figure || !panes) return;
    const most = panes.layout.width - LEGEND_MARGIN;
    const bar = overlay.at?.bar;
    const drawn = { text: [plot.kind.averaged ? "Heikin-Ashi" : "", plot.crowd.words].filter(Boolean).join(", "), token: "--muted" };
    if (!bar) {
      const empty = series.rows.length > 0 && !series.between(plot.from, plot.to).length;
      cell.legend.say([{ text: empty ? "No bar is kept of this range" : figure.name, token: empty ? "--warn" : "--muted" }, drawn], most);
      return;
    }
    const price = (/** @type {string} */ name, /** @type {number} */ field) => ({ name, text: words.price(bar[field], figure.decimals), token: "--text" });
    const moved = ((bar[CLOSE] - bar[OPEN]) / bar[OPEN]) * 100;
    const way = words.direction(moved);
    cell.legend.say(
      [
        price("O", OPEN),
        price("H", HIGH),
        price("L", LOW),
        price("C", CLOSE),
        { text: `${words.percent(moved)}%`, token: way === "flat" ? "--text" : `--${way}` },
        { name: "Vol", text: words.short(bar[VOLUME]), token: "--text" },
        { text: flagWords(bar[FLAGS], figure.marks), token: "--warn" },
        drawn,
      ],
      most,
    );
  };
}

/** The crosshair of another chart. @param {import("./cell.mjs").Cell} cell @param {number | null} moment UTC ms */
export function cross(cell, moment) {
  const { overlay, plot } = cell;
  const panes = moment === null || !cell.whole ? null : overlay.panes();
  const x = panes ? panes.x.l2p((under(cell.series.rows, cell.series.ms, /** @type {number} */ (moment))?.[START] ?? moment) + plot.shift) : -1;
  const inside = panes !== null && x >= 0 && x <= panes.price.width;
  if (!inside && !overlay.at) return;
  // Above the pane: only the line down is drawn.
  overlay.at = inside ? { moment, x, raw: x, y: -1, words: "", when: "" } : null;
  onFrame(cell.paintOverlay);
}
