// @ts-check
// The columns of Plotly's traces, by the names that dashboard/ui/figures.py calls them. Pure.

import { ground, sides } from "./baseline.mjs";
import { dateText } from "./ink.mjs";
import { counted } from "./scale.mjs";
import { CLOSE, HIGH, LOW, OPEN, rises, rose, START, VOLUME } from "./series.mjs";

/** @typedef {import("./series.mjs").Bar} Bar */
/**
 * @typedef {object} Ground what the bars lie on
 * @property {Bar | undefined} before the bar before the first @property {number} shift ms to the browser's zone
 * @property {(ms: number) => number} [place] a moment's place on the axis, where that is not time itself
 * @property {number} half of a bar's width, ms @property {number | null} base a price @property {string} scale
 * @property {[number, number]} view places of the axis
 */

const FIELDS = { open: OPEN, high: HIGH, low: LOW, close: CLOSE, volume: VOLUME };
const CHOICES = {
  up: rises,
  down: (/** @type {Bar} */ bar, /** @type {Bar | undefined} */ before) => !rises(bar, before),
  rose,
  fell: (/** @type {Bar} */ bar, /** @type {Bar | undefined} */ before) => !rose(bar, before),
};

/**
 * What gives a column: (its name, which bars, of a volume the colours of up and down) => values.
 * @param {Bar[]} bars @param {Ground} on
 * @returns {(name: string, where?: string, colours?: string[]) => any[]}
 */
export function columns(bars, on) {
  const { place = (/** @type {number} */ ms) => ms } = on;
  const drawn = (/** @type {number} */ x) => dateText(x + on.shift);
  const time = (/** @type {number} */ ms) => drawn(place(ms));
  const before = (/** @type {number} */ at) => bars[at - 1] ?? on.before;
  const chosen = (/** @type {string | undefined} */ where) => (where ? bars.filter((bar, at) => CHOICES[where](bar, before(at))) : bars);
  /** @type {Map<string, {time: string[], price: (number | null)[]}>} */
  const lines = new Map();

  const drawnAs = (/** @type {string} */ kind, /** @type {string} */ where) => {
    if (kind === "tick") return ticked(chosen(where), on.half, { place, drawn });
    if (kind === "base") return across(on, drawn);
    return sided(bars, on, kind, where, { place, drawn });
  };
  const line = (/** @type {string} */ kind, /** @type {string} */ where) => {
    const key = `${kind} ${where}`;
    let made = lines.get(key);
    if (!made) lines.set(key, (made = drawnAs(kind, where)));
    return made;
  };

  return (name, where, colours = []) => {
    const [kind, column] = name.split("_");
    if (column) return line(kind, where ?? "")[column];
    if (name === "direction") return bars.map((bar, at) => (rises(bar, before(at)) ? colours[0] : colours[1]));
    if (name === "time") return chosen(where).map((bar) => time(bar[START]));
    return chosen(where).map((bar) => bar[FIELDS[name]]);
  };
}

/** The base from edge to edge, and as far again where the view is dragged. @param {Ground} on @param {(x: number) => string} drawn */
function across({ base, view: [left, right] }, drawn) {
  return { time: [2 * left - right, 2 * right - left].map(drawn), price: [base, base] };
}

/**
 * Bars as one line with gaps: the open's tick, from low to high, the close's tick.
 * @param {Bar[]} bars @param {number} half
 * @param {{place: (ms: number) => number, drawn: (x: number) => string}} axis
 */
function ticked(bars, half, { place, drawn }) {
  /** @type {{time: string[], price: (number | null)[]}} */
  const made = { time: [], price: [] };
  for (const bar of bars) {
    const [left, middle, right] = [-half, 0, half].map((more) => drawn(place(bar[START]) + more));
    made.time.push(left, middle, middle, middle, middle, right, right);
    made.price.push(bar[OPEN], bar[OPEN], bar[HIGH], bar[LOW], bar[CLOSE], bar[CLOSE], null);
  }
  return made;
}

/**
 * The closes above or below the base, or the ground under them, with a gap between runs. They cross where the line that is
 * drawn does: on a logarithmic axis elsewhere than on a linear one.
 * @param {Bar[]} bars @param {Ground} on @param {string} kind `side` or `ground` @param {string} where
 * @param {{place: (ms: number) => number, drawn: (x: number) => string}} axis
 */
function sided(bars, { base, scale }, kind, where, { place, drawn }) {
  /** @type {{time: string[], price: (number | null)[]}} */
  const made = { time: [], price: [] };
  if (base === null) return made;
  const level = counted(scale, base);
  const points = bars.map((bar) => /** @type {[number, number]} */ ([place(bar[START]), counted(scale, bar[CLOSE])]));
  for (const run of sides(points.filter(([, height]) => Number.isFinite(height)), level)[where]) {
    for (const [x, height] of kind === "ground" ? ground(run, level) : run) {
      made.time.push(drawn(x));
      made.price.push(scale === "log" ? 10 ** height : height);
    }
    made.time.push(made.time[made.time.length - 1]);
    made.price.push(null);
  }
  return made;
}
