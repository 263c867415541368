// @ts-check
// The chart as a picture, as it is seen: Plotly's part with the forming bar, and what the overlay draws over it (the last
// price, levels of alerts, marks of gaps, what is drawn on it) as shapes and labels of Plotly's, under a title that says what it is of,
// with the strip of how its bars were made.

import { dateText, ink, inked } from "./ink.mjs";
import { HALF } from "./plot.mjs";
import { counted } from "./scale.mjs";
import { between, CLOSE, FLAGS, OPEN, START } from "./series.mjs";

/** The title's text, and what a line of it takes, px. */
const TITLE = { size: 14, line: 20, left: 12, top: 10 };
/** A mark under a bar with a gap, and the label of a level, px; as in the overlay. */
const MARK = 3;
const LABEL = 18;

/**
 * @param {{plot: import("./plot.mjs").Plot, overlay: import("./overlay.mjs").Overlay, strip: import("./strip.mjs").Strip}} chart
 * @param {string} title its parts with ` · ` between them @param {"png" | "svg"} format
 * @returns {Promise<string>} a data URL
 */
export async function picture({ plot, overlay, strip }, title, format) {
  const { crowd, series, from, to } = plot;
  const { clientWidth: width, clientHeight: height } = plot.place;
  const lines = wrapped(title, width - 2 * TITLE.left);
  const head = 2 * TITLE.top + lines.length * TITLE.line;
  // A little more at the left, so that a line enters the picture.
  const bars = crowd.on ? crowd.between(from - series.ms, to) : between(plot.rows, series.ms, from - series.ms, to);
  const own = plot.layout();
  const drawings = plot.drawn(); // on the ranges that are laid out now
  const paper = ink("--surface");
  const traces = plot.traces(bars);
  // A line of one point would not be seen.
  if (bars.length < 3 && !plot.kind.spans) for (const trace of traces) if (trace.mode) trace.mode = "lines+markers";
  const levels = [...overlay.alerts.map(({ level }) => alert(plot, level)), ...last(plot, overlay.left)];
  const layout = {
    ...own,
    paper_bgcolor: paper,
    plot_bgcolor: paper,
    // The panes are as large as on the page.
    margin: { ...own.margin, t: own.margin.t + head },
    shapes: [...(own.shapes ?? []), ...drawings.shapes, ...marks(plot), ...levels.map(({ line }) => line)],
    annotations: [...(own.annotations ?? []), ...drawings.annotations, ...levels.map(({ label }) => label), titled(lines, own.margin)],
    images: made(strip, overlay.panes()),
  };
  return plot.Plotly.toImage({ data: traces, layout }, { format, width, height: height + head, scale: format === "png" ? 2 : 1 });
}

/** A title in the room over the panes: a label, since Plotly puts the first line of a title outside. @param {string[]} lines @param {any} margin */
function titled(lines, { l, t }) {
  return {
    ...{ xref: "paper", x: 0, xanchor: "left", xshift: TITLE.left - l, yref: "paper", y: 1, yanchor: "bottom", yshift: t + TITLE.top },
    ...{ text: lines.map(plain).join("<br>"), align: "left", font: { size: TITLE.size, color: ink("--text") }, borderpad: 0, showarrow: false },
  };
}

/** The strip under the panes. @param {import("./strip.mjs").Strip} strip @param {any} panes */
function made(strip, panes) {
  const found = panes && strip.picture(panes);
  if (!found) return [];
  const tall = panes.layout._size.h;
  const place = { xref: "paper", x: 0, sizex: 1, xanchor: "left", yref: "paper", y: -found.gap / tall, sizey: found.height / tall, yanchor: "top" };
  return [{ ...place, source: found.source, sizing: "stretch", layer: "above" }];
}

/**
 * The parts of a title in lines that fit, as far as single parts do.
 * @param {string} title @param {number} width px @returns {string[]}
 */
function wrapped(title, width) {
  const brush = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));
  brush.font = `${TITLE.size}px ${ink("--font")}`;
  /** @type {string[]} */
  const lines = [];
  for (const part of title.split(" · ")) {
    const longer = lines.length ? `${lines[lines.length - 1]} · ${part}` : part;
    if (lines.length && brush.measureText(longer).width <= width) lines[lines.length - 1] = longer;
    else lines.push(part);
  }
  return lines;
}

/** A text that Plotly, which reads some of HTML, shows as it is. @param {string} text */
function plain(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** @param {import("./plot.mjs").Plot} plot @param {number} price */
function alert(plot, price) {
  return level(plot, price, { text: plot.words(price), line: ink("--accent"), dash: "5px,4px", ground: ink("--accent-soft"), colour: ink("--accent") });
}

/** The last price, and under it what is left of its bar. @param {import("./plot.mjs").Plot} plot @param {string} left */
function last(plot, left) {
  const bar = plot.series.newest;
  if (!bar) return [];
  const tone = ink(bar[CLOSE] >= bar[OPEN] ? "--up" : "--down");
  const text = plot.words(bar[CLOSE]);
  return [level(plot, bar[CLOSE], { text: left ? `${text}<br>${left}` : text, line: tone, dash: "2px,3px", ground: tone, colour: ink("--surface") })];
}

/**
 * A line across the price pane with its label in the margin; not to be seen where the pane does not reach.
 * @param {import("./plot.mjs").Plot} plot @param {number} price
 * @param {{text: string, line: string, dash: string, ground: string, colour: string}} looks
 */
function level(plot, price, { text, line, dash, ground, colour }) {
  const [low, high, at] = [plot.low, plot.high, price].map((value) => counted(plot.scale, value));
  // As a part of the pane: shapes and labels count a logarithmic axis in different ways.
  const y = (at - low) / (high - low);
  const visible = y >= 0 && y <= 1;
  const place = { xref: "paper", yref: "y domain", visible };
  return {
    line: { ...place, type: "line", x0: 0, x1: 1, y0: y, y1: y, line: { color: line, width: 1, dash } },
    label: {
      ...place,
      ...{ x: 1, y, xanchor: "left", yanchor: "top", xshift: 2, yshift: LABEL / 2, align: "left", showarrow: false },
      ...{ text, font: { size: 11, color: colour }, bgcolor: ground, borderpad: 2 },
    },
  };
}

/** Strips under runs of bars that the feed was not there for. @param {import("./plot.mjs").Plot} plot */
function marks(plot) {
  const { series, figure, from, to } = plot;
  const wanted = figure.marks.gap | figure.marks.partial;
  const tall = MARK / Math.max(plot.place._fullLayout?.yaxis?._length ?? 0, 1);
  /** @type {any[]} */
  const found = [];
  let end = NaN;
  for (const bar of series.between(from, to)) {
    if ((bar[FLAGS] & wanted) === 0) continue;
    const [x0, x1] = [-HALF, HALF].map((part) => dateText(plot.x(bar[START]) + part * series.ms));
    if (bar[START] === end) found[found.length - 1].x1 = x1;
    else found.push({ type: "rect", xref: "x", yref: "y domain", x0, x1, y0: 0, y1: tall, fillcolor: inked("var(--warn)"), line: { width: 0 } });
    end = bar[START] + series.ms;
  }
  return found;
}
