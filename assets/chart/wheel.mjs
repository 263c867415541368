// @ts-check
// The wheel over the chart: the view narrows and widens around the pointer. While it turns the sheet draws the bars
// (crowd.mjs), however few, and Plotly the axes once a frame; its own way is to draw all that it has after each turn, twice.

import { onFrame } from "../live/frame.mjs";
import { NARROWEST, WIDEST } from "./range.mjs";

/** Plotly's measure: px of a turn that count at most, and how many make the view e times as wide. */
const MOST_PX = 20;
const E_PX = 200;
/** A wheel that turns by lines or pages turns by so many px of each. */
const LINE_PX = 20;
/** After so long the wheel rests, and Plotly draws what it should. */
const REST_MS = 200;

/** @param {import("./chart.mjs").Chart} chart */
export function wheel(chart) {
  const { place, plot, overlay } = chart;
  let resting = 0;
  const rest = () => {
    plot.crowd.moving = false;
    onFrame(chart.drawAll);
  };
  place.addEventListener(
    "wheel",
    (event) => {
      const panes = overlay.panes();
      if (!panes || !plot.figure || chart.dragging || !plot.series.newest) return;
      const box = place.getBoundingClientRect();
      const x = event.clientX - box.left - panes.price.left;
      const y = event.clientY - box.top;
      // On the axes it is Plotly's.
      if (x < 0 || x > panes.price.width || y < panes.price.top || y > panes.bottom) return;
      event.preventDefault();
      event.stopPropagation();
      const turned = event.deltaMode ? event.deltaY * LINE_PX : event.deltaY;
      if (!turned) return;
      const { left, right } = plot;
      const middle = left + ((right - left) * x) / panes.price.width;
      const by = Math.exp(Math.min(Math.max(turned, -MOST_PX), MOST_PX) / E_PX);
      const span = Math.min(Math.max((right - left) * by, NARROWEST * plot.series.ms), WIDEST * plot.series.ms);
      const begin = middle - ((middle - left) / (right - left)) * span;
      plot.look(begin, begin + span);
      plot.moved = true;
      plot.crowd.moving = true;
      clearTimeout(resting);
      resting = window.setTimeout(rest, REST_MS);
      onFrame(chart.drawAll);
      void chart.wantOlder();
      chart.onMoved();
    },
    { capture: true, passive: false },
  );
}
