// @ts-check
// Fingers on the chart. One that moves sideways pans, up or down it scrolls the page (the browser's own: `touch-action`),
// two pinch the time axis, a tap sets the crosshair. Plotly would keep every touch to itself; it gets the mouse's drag and
// wheel instead, which it draws without a new picture for each step.

import { onFrame } from "../live/frame.mjs";

/** A finger that moves so far is no tap, px. */
const FAR = 8;
/** Plotly's wheel: a step of so much at most, and e to the step by this is the zoom. */
const STEP = 20;
const GROWTH = 200;

/**
 * The wheel's steps that zoom by a ratio of two distances: negative ones narrow the view. @param {number} ratio now by before
 * @returns {number[]}
 */
export function wheelSteps(ratio) {
  const whole = -Math.log(ratio) * GROWTH;
  if (!Number.isFinite(whole) || whole === 0) return [];
  const count = Math.ceil(Math.abs(whole) / STEP);
  return Array.from({ length: count }, () => whole / count);
}

/**
 * Of the dashboard's chart, or of one of the Compare page.
 * @param {{place: HTMLElement, overlay: import("./overlay.mjs").Overlay, paintOverlay: () => void}} chart
 * @param {() => void} [leave] takes the crosshair away
 */
export function touch(chart, leave = () => (chart.overlay.at = null)) {
  const { place } = chart;
  const box = /** @type {HTMLElement} */ (place.parentElement);
  /** The fingers that are down: where each is. @type {Map<number, {x: number, y: number}>} */
  const fingers = new Map();
  /** @type {{what: "wait" | "pan" | "pinch" | "none", target: Element, x: number, y: number, apart: number}} */
  let gesture = { what: "none", target: place, x: 0, y: 0, apart: 0 };

  const mouse = (/** @type {string} */ type, /** @type {EventTarget} */ to, /** @type {number} */ x, /** @type {number} */ y) =>
    to.dispatchEvent(new MouseEvent(type, { bubbles: true, cancelable: true, view: window, button: 0, buttons: type === "mouseup" ? 0 : 1, clientX: x, clientY: y }));
  /** Two fingers: how far they are apart sideways, and their middle. */
  const pair = () => {
    const [a, b] = [...fingers.values()];
    return { apart: Math.max(Math.abs(a.x - b.x), FAR), x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
  };
  const endPan = (/** @type {{x: number, y: number}} */ at) => {
    if (gesture.what === "pan") mouse("mouseup", document, at.x, at.y);
    gesture.what = "none";
  };

  box.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "touch" || !place.contains(/** @type {Node} */ (event.target))) return;
    // A drawing, or a tool in hand, has taken it.
    if (event.defaultPrevented) return;
    const at = { x: event.clientX, y: event.clientY };
    if (event.isPrimary) fingers.clear();
    fingers.set(event.pointerId, at);
    if (fingers.size === 1) gesture = { what: "wait", target: /** @type {Element} */ (event.target), ...at, apart: 0 };
    else if (fingers.size === 2) {
      endPan(at);
      gesture = { ...gesture, what: "pinch", ...pair() };
    }
  });
  box.addEventListener("pointermove", (event) => {
    const at = fingers.get(event.pointerId);
    if (!at) return;
    at.x = event.clientX;
    at.y = event.clientY;
    if (gesture.what === "wait" && Math.abs(at.x - gesture.x) > FAR) {
      gesture.what = "pan";
      mouse("mousedown", gesture.target.isConnected ? gesture.target : place, gesture.x, gesture.y);
    }
    if (gesture.what === "pan") {
      leave();
      mouse("mousemove", document, at.x, at.y);
    } else if (gesture.what === "pinch" && fingers.size >= 2) onFrame(pinch);
  });
  const pinch = () => {
    if (gesture.what !== "pinch" || fingers.size < 2) return;
    const now = pair();
    const dragger = place.querySelector(".nsewdrag");
    leave();
    for (const deltaY of wheelSteps(now.apart / gesture.apart)) {
      dragger?.dispatchEvent(new WheelEvent("wheel", { bubbles: true, cancelable: true, clientX: now.x, clientY: now.y, deltaY }));
    }
    gesture.apart = now.apart;
  };
  const up = (/** @type {PointerEvent} */ event) => {
    const at = fingers.get(event.pointerId);
    if (!at) return;
    fingers.delete(event.pointerId);
    if (gesture.what === "wait") {
      // A tap moves nothing: the crosshair hears of it as of a pointer. What the browser scrolls with is no tap.
      if (event.type === "pointerup") place.dispatchEvent(new PointerEvent("pointermove", { bubbles: true, pointerType: "touch", clientX: at.x, clientY: at.y }));
      else leave();
      onFrame(chart.paintOverlay);
    }
    // The finger that is left of two does nothing more.
    endPan(at);
  };
  box.addEventListener("pointerup", up);
  box.addEventListener("pointercancel", up);
  // The page can scroll, and a tap still is a click; Plotly does not hear of it.
  box.addEventListener("touchstart", (event) => place.contains(/** @type {Node} */ (event.target)) && event.stopPropagation(), { capture: true, passive: true });
  // Beside the chart a tap takes the crosshair away.
  const beside = (/** @type {PointerEvent} */ event) => {
    if (!box.isConnected) return document.removeEventListener("pointerdown", beside);
    if (event.pointerType !== "touch" || box.contains(/** @type {Node} */ (event.target)) || !chart.overlay.at) return;
    leave();
    onFrame(chart.paintOverlay);
  };
  document.addEventListener("pointerdown", beside);
}
