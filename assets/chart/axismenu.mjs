// @ts-check
// The menu of the time axis, in the corner where the axes meet: whether closed hours are left out, whether the strip of how
// bars were made is shown, and what its patterns mean. Both are in the address where they are not as usual, and so in
// links and saved views.

import { onFrame } from "../live/frame.mjs";
import { address } from "../live/address.mjs";
import { icon, make, menuOf } from "../page/dom.mjs";
import { ink } from "./ink.mjs";
import { ABOUT, drawRun, HEIGHT, KINDS } from "./made.mjs";

const SAMPLE = 28;
/** By the name in the address: what the switch says, and the word for off. */
const SWITCHES = {
  gaps: { says: "Close gaps between sessions", off: "open" },
  strip: { says: "Strip of how bars were made", off: "off" },
};

/** @param {import("./chart.mjs").Chart} chart */
export function axisMenu(chart) {
  const { plot, strip } = chart;
  const box = /** @type {HTMLElement} */ (chart.place.parentElement);
  const button = make("button", {
    id: "axis-button", class: "icon-button axis-button", type: "button", title: "Time axis", "aria-label": "Time axis",
    "aria-haspopup": "dialog", "aria-expanded": "false",
  }, [icon("tune")]);
  /** @type {Record<string, HTMLInputElement>} */
  const inputs = {};
  const rows = Object.entries(SWITCHES).map(([name, { says }]) => {
    inputs[name] = make("input", { type: "checkbox", name });
    return make("label", { class: "menu-item" }, [inputs[name], says]);
  });
  const samples = KINDS.map((kind) => /** @type {[string, HTMLCanvasElement]} */ ([kind, make("canvas", { class: "made-sample", "aria-hidden": "true" })]));
  const key = make("ul", { class: "made-key", "aria-label": "Patterns of the strip" }, samples.map(([kind, canvas]) => make("li", {}, [canvas, ABOUT[kind].name])));
  const note = make("p", { class: "faint menu-note", text: "This instrument trades around the clock." });
  const menu = make("div", { id: "axis-menu", class: "menu axis-menu", role: "dialog", "aria-label": "Time axis", hidden: true }, [...rows, note, key]);
  box.append(button, menu);

  const is = { gaps: () => plot.axis.closing, strip: () => strip.on };
  const turn = {
    gaps: (/** @type {boolean} */ on) => chart.closeGaps(on),
    strip(/** @type {boolean} */ on) {
      strip.turn(on);
      onFrame(chart.drawAll);
    },
  };
  const mark = () => {
    for (const [name, input] of Object.entries(inputs)) input.checked = is[name]();
    const always = !plot.axis.hours;
    inputs.gaps.disabled = always;
    note.hidden = !always;
    key.hidden = !strip.on;
  };
  const change = (/** @type {string} */ name, /** @type {boolean} */ on) => {
    if (is[name]() !== on) turn[name](on);
    mark();
  };
  menuOf(button, menu, () => {
    mark();
    for (const [kind, canvas] of samples) sample(canvas, kind);
    if (inputs.gaps.disabled) inputs.strip.focus();
  });
  menu.addEventListener("change", (/** @type {Event} */ event) => {
    const { name, checked } = /** @type {HTMLInputElement} */ (event.target);
    change(name, checked);
    address.write();
  });
  address.add({
    names: Object.keys(SWITCHES),
    read: () => Object.entries(SWITCHES).map(([name, { off }]) => (is[name]() ? null : off)),
    show(values) {
      /** @type {string[]} */
      const wrong = [];
      for (const [at, [name, { off }]] of Object.entries(SWITCHES).entries()) {
        const value = values[at];
        if (value !== null && value !== off) wrong.push(`${name} must be "${off}" or left out, not "${value.slice(0, 30)}"; it is left out.`);
        change(name, value !== off);
      }
      return wrong.join(" ") || undefined;
    },
  });
}

/** @param {HTMLCanvasElement} canvas @param {string} kind */
function sample(canvas, kind) {
  const scale = devicePixelRatio;
  [canvas.width, canvas.height] = [SAMPLE * scale, HEIGHT * scale];
  canvas.style.width = `${SAMPLE}px`;
  canvas.style.height = `${HEIGHT}px`;
  const brush = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  brush.setTransform(scale, 0, 0, scale, 0, 0);
  drawRun(brush, { kind, from: 0, to: SAMPLE }, 0, 0, ink(ABOUT[kind].token));
}
