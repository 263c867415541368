// @ts-check
// The names of what is compared in a picture of the chart, where no legend tells whose line has which colour.

import { ink } from "../chart/ink.mjs";
import * as legends from "./legends.mjs";

/** Px from line to line. */
const LINE = 16;

/** @param {any} plot @param {import("./comparison.mjs").Comparison} comparison */
export function named(plot, comparison) {
  const before = plot.drawn;
  plot.drawn = () => {
    const found = before();
    if (!comparison.shown().length) return found;
    const parts = legends.legend(comparison, plot.series.rows.length - 1);
    const ground = ink("--surface").replace(/^rgb\((.*)\)$/, "rgba($1, 0.8)"); // a line behind a name is seen, but not instead of it
    const made = parts.map(({ name, text, token }, place) => ({
      ...{ xref: "paper", yref: "y domain", x: 0, y: 1, xanchor: "left", yanchor: "top", xshift: 4, yshift: -4 - place * LINE, showarrow: false },
      ...{ text: `${name} ${text}`, font: { size: 12, color: ink(token) }, bgcolor: ground },
    }));
    return { ...found, annotations: [...found.annotations, ...made] };
  };
}
