// @ts-check
// Tick to screen: from the receipt of a tick by the server to the end of the paint that shows it.

import { afterPaint, onFrame } from "./frame.mjs";
import { market } from "./values.mjs";

const WINDOW_MS = 60_000;
/** @type {{at: number, ms: number}[]} */
let samples = [];
/** @type {number} */
let oldest = Infinity;

/** A message with ticks received at `received` (server's clock) is about to be painted. @param {number} received */
export function received(received) {
  if (document.hidden) return;
  if (oldest === Infinity) {
    afterPaint(() => {
      if (!Number.isNaN(oldest)) samples.push({ at: performance.now(), ms: Math.max(0, market.now() - oldest) });
      oldest = Infinity;
    });
    onFrame(nothing);
  }
  oldest = Math.min(oldest, received);
}

function nothing() {}

/** What was about to be painted when the tab was hidden is painted when it is shown: no measure of anything. */
function hidden() {
  if (document.hidden) oldest = NaN;
}

function show() {
  const place = document.getElementById("latency");
  const from = performance.now() - WINDOW_MS;
  samples = samples.filter((sample) => sample.at > from);
  if (!place || !samples.length) return;
  const sorted = samples.map((sample) => sample.ms).sort((left, right) => left - right);
  const at = (/** @type {number} */ part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
  const p50 = at(0.5);
  const p95 = at(0.95);
  place.dataset.p50 = p50.toFixed(1);
  place.dataset.p95 = p95.toFixed(1);
  const words = `${Math.round(p50)} ms`;
  const number = place.querySelector("b") ?? place;
  if (number.textContent !== words) number.textContent = words;
}

export function start() {
  setInterval(show, 1000);
  document.addEventListener("visibilitychange", hidden);
}
