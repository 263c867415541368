// @ts-check
// A bar in words, as a screen reader says it, and the bars in view as the cells of a table. Pure.

import { label } from "../indicators/choice.mjs";
import * as words from "../page/words.mjs";
import { flagWords } from "./made.mjs";
import { barTime } from "./pointer.mjs";
import { reading } from "./readings.mjs";
import { at as indexAt, CLOSE, FLAGS, HIGH, LOW, OPEN, START, VOLUME } from "./series.mjs";

/** Rows that a table has at most. */
export const MOST_ROWS = 300;
const PRICES = { Open: OPEN, High: HIGH, Low: LOW, Close: CLOSE };

/** How far a bar moved, in percent of its open with a sign. @param {number[]} bar */
const moved = (bar) => `${words.percent(((bar[CLOSE] - bar[OPEN]) / bar[OPEN]) * 100)} %`;
/** A volume in full. @param {number | null} value */
const volume = (value) => (value == null ? "–" : value.toLocaleString("en-US", { maximumFractionDigits: 8 }));

/** What is to be known about how a bar was made; empty for one that is whole. @param {number[]} bar @param {Record<string, number>} marks */
function made(bar, marks) {
  return [bar[FLAGS] & marks.closed ? "" : "still forming", flagWords(bar[FLAGS], marks)].filter(Boolean).join(" · ");
}

/** The values of indicators at a row: name and value of each output. @param {any} plot @param {number} index @returns {[string, string][]} */
function studied(plot, index) {
  const { rows } = plot.series;
  return plot.studies.shown.flatMap((/** @type {import("../indicators/studies.mjs").Shown} */ { chosen, study }) => {
    const { outputs, digits } = chosen.about;
    return study.at(rows, index).map((value, output) => [
      [label(chosen), outputs.length > 1 ? outputs[output] : ""].filter(Boolean).join(" "),
      reading(digits, value, plot.figure.decimals),
    ]);
  });
}

/** One bar as a sentence. @param {any} plot @param {number} index among the series' rows */
export function barWords(plot, index) {
  const { figure, series } = plot;
  const bar = series.rows[index];
  const parts = [
    ...Object.entries(PRICES).map(([name, field]) => `${name.toLowerCase()} ${words.price(bar[field], figure.decimals)}`),
    moved(bar),
    `volume ${volume(bar[VOLUME])}`,
    ...studied(plot, index).map(([name, value]) => `${name} ${value === "–" ? "none" : value}`),
    made(bar, figure.marks),
  ];
  return `${barTime(bar[START], series.ms)}: ${parts.filter(Boolean).join(", ")}.`;
}

/**
 * The bars in view, newest first. @param {any} plot
 * @returns {{caption: string, note: string, columns: string[], rows: string[][]}} of a row the first cell is its time
 */
export function barsTable(plot) {
  const { figure, series, from, to } = plot;
  const end = indexAt(series.rows, to);
  const first = indexAt(series.rows, from - series.ms + 1);
  const count = end - first;
  const begin = Math.max(first, end - MOST_ROWS);
  const indices = Array.from({ length: end - begin }, (_, at) => end - 1 - at);
  const names = indices.length ? studied(plot, indices[0]).map(([name]) => name) : [];
  const zone = series.ms >= 864e5 ? "UTC" : words.zone(series.newest?.[START] ?? to);
  return {
    caption: `${figure.name}, ${figure.timeframe}: ${count.toLocaleString("en-US")} ${count === 1 ? "bar" : "bars"} in view, newest first. Times are ${zone}.`,
    note: count > MOST_ROWS ? `The newest ${MOST_ROWS} of ${count.toLocaleString("en-US")} bars; move or narrow the view for others, or export them all.` : "",
    columns: ["Time", ...Object.keys(PRICES), "Change", "Volume", ...names, "Made"],
    rows: indices.map((index) => {
      const bar = series.rows[index];
      return [
        barTime(bar[START], series.ms),
        ...Object.values(PRICES).map((field) => words.price(bar[field], figure.decimals)),
        moved(bar),
        volume(bar[VOLUME]),
        ...studied(plot, index).map(([, value]) => value),
        made(bar, figure.marks) || "whole",
      ];
    }),
  };
}
