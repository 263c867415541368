// @ts-check
// Where the panes of a chart lie: prices, volume, and one an indicator with a scale of its own; and what Plotly draws of
// indicators. Pure but for the colours.

import { inked } from "./ink.mjs";

/** @typedef {import("../indicators/studies.mjs").Shown} Shown */

/** Px between panes; heights of a pane at least and, unless it was dragged, at most; of the prices at least. */
const GAP = 8;
export const LEAST = 40;
const USUAL = { least: 56, part: 0.17, most: 120 };
const VOLUME = { part: 0.17, most: 72 };
const PRICE_PART = 0.4;
/** Room around the values of a pane, as a part of them. */
const ROOM = 0.08;
/** So near to its edge a new value asks for another range. */
const EDGE = 0.01;
/** A value between two that are missing, px. */
const LONELY = 3;
/** Axes of panes: Plotly's first two are those of prices and volume. */
const FIRST_AXIS = 3;

/** The token of a chosen colour. @param {number} colour */
export function token(colour) {
  return `--study-${colour}`;
}

/** The token of an output's line. @param {Shown} shown @param {number} output */
export function toned({ chosen }, output) {
  return chosen.about.lines[output]?.colour ?? token(chosen.colour);
}

/** Those with a pane of their own. @param {Shown[]} shown */
export function own(shown) {
  return shown.filter(({ chosen }) => chosen.about.pane === "own");
}

/**
 * Heights in px of [prices, volume, each own pane] and the ends of each as parts of the area from its bottom.
 * @param {number} area px @param {(number | undefined)[]} wanted heights that were chosen for the own panes, px
 */
export function divided(area, wanted) {
  const gaps = GAP * (wanted.length + 1);
  const volume = Math.min(area * VOLUME.part, VOLUME.most);
  const usual = Math.min(Math.max(area * USUAL.part, USUAL.least), USUAL.most);
  const asked = wanted.map((height) => Math.max(height ?? usual, LEAST));
  const room = area * (1 - PRICE_PART) - volume - gaps;
  const sum = asked.reduce((total, height) => total + height, 0);
  const heights = sum > room ? asked.map((height) => (height * Math.max(room, 0)) / sum) : asked;
  const price = Math.max(area - volume - gaps - heights.reduce((total, height) => total + height, 0), 0);
  const all = [price, volume, ...heights];
  let top = area;
  const domains = all.map((height) => {
    const low = Math.max(top - height, 0);
    const ends = /** @type {[number, number]} */ ([low / area, top / area]);
    top = Math.max(low - GAP, 0);
    return ends;
  });
  return { heights: all, domains };
}

/** The range of a pane that shows values from low to high. @param {import("../indicators/choice.mjs").About} about @param {[number, number] | null} found @returns {[number, number]} */
export function ranged({ span, guides, lines }, found) {
  if (span) return span;
  let [low, high] = found ?? [0, 1];
  // A histogram stands on 0; other guides are in view, as far away as the values may be.
  if (guides.length && (!lines.some(({ draw }) => draw === "histogram") || found)) {
    low = Math.min(low, ...guides);
    high = Math.max(high, ...guides);
  }
  const room = (high - low) * ROOM || Math.abs(high) * ROOM || 1;
  return [low - room, high + room];
}

/** Whether a value lies outside of a range, or nearly. @param {[number, number]} range @param {number} value */
export function outside([low, high], value) {
  const edge = (high - low) * EDGE;
  return value < low + edge || value > high - edge;
}

/**
 * A layout with the panes of indicators: Plotly's, of which nothing is changed where there are none.
 * @param {any} layout @param {Shown[]} panes with one of their own @param {[number, number][]} ranges theirs
 * @param {{domains: [number, number][], axis: any}} how the ends of all panes (`divided`), and Plotly's axis
 */
export function paned(layout, panes, ranges, { domains, axis }) {
  if (!panes.length) return layout;
  const made = { ...layout, yaxis: { ...layout.yaxis, domain: domains[0] }, yaxis2: { ...layout.yaxis2, domain: domains[1] } };
  for (const [at, { chosen }] of panes.entries()) {
    const { guides, digits, lines } = chosen.about;
    const [low, high] = ranges[at];
    const strong = inked("var(--line-strong)");
    const histogram = lines.some(({ draw }) => draw === "histogram");
    const levels = guides.length ? { tickvals: guides, griddash: "dash", gridcolor: strong } : {};
    const marks = histogram ? { zeroline: true, zerolinecolor: strong, zerolinewidth: 1 } : levels;
    made[`yaxis${FIRST_AXIS + at}`] = {
      ...inked(axis),
      ...marks,
      domain: domains[2 + at],
      range: [low, high],
      anchor: "x",
      ...(digits === "volume" && { tickformat: "~s" }),
    };
  }
  made.xaxis = { ...layout.xaxis, anchor: `y${FIRST_AXIS + panes.length - 1}` };
  return made;
}

/**
 * Plotly's traces of what is shown.
 * @param {Shown[]} shown @param {any} templates the figure's @param {string[]} times of the bars
 * @param {(shown: Shown, output: number) => number[]} values at the bars
 */
export function traced(shown, templates, times, values) {
  const panes = own(shown);
  return shown.flatMap((one) => {
    const place = panes.indexOf(one);
    const axis = place < 0 ? "y" : `y${FIRST_AXIS + place}`;
    return one.chosen.about.outputs.map((name, output) => {
      const { dash = "solid", draw = "line" } = one.chosen.about.lines[output] ?? {};
      const column = values(one, output);
      const made = { ...templates[draw], name: `${one.text} ${name}`.trim(), x: times, y: column.map((value) => (Number.isFinite(value) ? value : null)), yaxis: axis };
      if (draw === "histogram") {
        const [up, down] = ["--up-volume", "--down-volume"].map((each) => inked(`var(${each})`));
        return { ...made, marker: { ...made.marker, color: column.map((value) => (value >= 0 ? up : down)) } };
      }
      const color = inked(`var(${toned(one, output)})`);
      const line = { ...made, line: { ...made.line, dash, color } };
      const alone = lonely(made.y);
      // A line of one point would not be seen.
      if (!alone.length) return line;
      return [line, { ...made, mode: "markers", marker: { size: LONELY, color }, x: alone.map((at) => times[at]), y: alone.map((at) => made.y[at]) }];
    }).flat();
  });
}

/** The places of values without a neighbour. @param {(number | null)[]} values */
function lonely(values) {
  const none = (/** @type {number} */ at) => (values[at] ?? null) === null;
  return [...values.keys()].filter((at) => !none(at) && none(at - 1) && none(at + 1));
}

/** The name in Plotly's layout of the axis of an own pane. @param {number} at */
export function axisOf(at) {
  return `yaxis${FIRST_AXIS + at}`;
}
