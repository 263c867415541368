// @ts-check
// The flash of a changed price: its direction's colour for 150 ms, paler for as long, gone. Two steps and no transition:
// a transition draws sixty frames a second while it runs, and with ten ticks a second it would always run.

import { onFrame } from "../live/frame.mjs";

const STEP_MS = 150;
/** @type {Map<Element, {up: boolean, since: number, pale: boolean}>} */
const lit = new Map();
let timer = 0;

/** Begin a flash, in a frame. @param {Element} node @param {boolean} up @param {number} now performance.now() */
export function flash(node, up, now) {
  const one = lit.get(node);
  if (one && one.up === up && !one.pale) {
    one.since = now;
    return;
  }
  node.classList.toggle("flash-up", up);
  node.classList.toggle("flash-down", !up);
  if (one?.pale) node.classList.remove("pale");
  lit.set(node, { up, since: now, pale: false });
}

/** Let flashes fade: called in every frame that draws prices anyway, and by a timer when no such frame comes. */
export function fade() {
  const now = performance.now();
  clearTimeout(timer);
  timer = 0;
  for (const [node, one] of lit) {
    const age = now - one.since;
    if (age >= 2 * STEP_MS || !node.isConnected) {
      node.classList.remove("flash-up", "flash-down", "pale");
      lit.delete(node);
    } else if (age >= STEP_MS && !one.pale) {
      node.classList.add("pale");
      one.pale = true;
    }
  }
  if (lit.size) timer = window.setTimeout(() => onFrame(fade), STEP_MS);
}
