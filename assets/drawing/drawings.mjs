// @ts-check
// Puts drawing together for the chart: board, painter, hand, keys, tools, and what is said about them.

import { onFrame } from "../live/frame.mjs";
import { make, write } from "../page/dom.mjs";
import { Board } from "./board.mjs";
import { Drafts } from "./drafts.mjs";
import { Hand } from "./hand.mjs";
import { Keys } from "./keys.mjs";
import { KINDS } from "./kinds.mjs";
import { measured } from "./measure.mjs";
import { notes } from "./note.mjs";
import { Painter } from "./painter.mjs";
import { Rail } from "./rail.mjs";

/** A tab that is looked at again asks what others have drawn, if it has not for so long. */
const LOOK_MS = 5_000;

/**
 * Drawing on a chart. @param {import("../chart/chart.mjs").Chart} chart
 * @param {{market: any, user: string}} page whose drawings they are
 */
export function drawings(chart, { market, user }) {
  const box = /** @type {HTMLElement} */ (chart.place.parentElement);
  const board = new Board(new Drafts(user));
  const painter = new Painter(chart, board);
  const spoken = make("span", { class: "read-only-to-readers", role: "status" });
  const say = (/** @type {string} */ words) => write(spoken, words);
  const hand = new Hand(chart, board, painter, notes(chart, board, () => painter.ground()));
  const keys = new Keys(chart, board, painter, hand, say);
  const take = (/** @type {string} */ tool, /** @type {boolean} */ byKey) => {
    board.take(tool);
    if (byKey && tool && board.tool === tool) {
      if (tool === "eraser") say("Eraser: press on a drawing to delete it. With keys: PageDown selects, Delete deletes.");
      else keys.begin();
    }
  };
  const rail = new Rail(box, board, take);
  const told = message(board);
  const hint = make("div", { class: "drawing-hint", role: "status", hidden: true });
  box.append(make("div", { class: "drawing-words" }, [told.node, hint]), spoken);

  const paintHint = () => {
    const kind = KINDS[board.tool];
    const words = kind
      ? `${kind.name}: ${kind.hints[Math.min(board.placed.length, kind.hints.length - 1)]}. Esc or the arrow ends it.`
      : board.tool === "eraser"
        ? "Eraser: press on a drawing. Esc or the arrow ends it."
        : "";
    write(hint, words);
    hint.hidden = !words;
  };
  const paintTools = () => {
    rail.paint();
    paintHint();
    told.paint();
  };
  const others = "BroadcastChannel" in window ? new BroadcastChannel("tickboard.drawings") : null;
  board.on((what) => {
    onFrame(painter.paint);
    onFrame(paintTools);
    if (what === "measured" && board.ruler) say(measured(board.ruler, { rows: chart.data.rows, ms: chart.data.ms, decimals: chart.plot.figure.decimals }).join(", "));
    if (what === "saved") others?.postMessage({ user, symbol: board.symbol });
  });

  let looked = performance.now();
  const look = () => {
    looked = performance.now();
    for (const kept of board.all.values()) {
      if (kept.failing) kept.again();
      else if (kept.symbol === board.symbol && !kept.unsaved) void kept.load();
    }
  };
  others?.addEventListener("message", ({ data }) => {
    if (data?.user === user && data.symbol === board.symbol && !board.kept?.unsaved) void board.kept?.load();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) for (const kept of board.all.values()) kept.flush();
    else if (performance.now() - looked > LOOK_MS) look();
  });
  addEventListener("pagehide", () => {
    for (const kept of board.all.values()) kept.flush();
  });
  let line = "";
  market.on("state", (/** @type {any} */ now) => {
    if (now.state === "live" && line !== "live" && line !== "") look();
    line = now.state;
  });
  document.addEventListener("tickboard:draw", (event) => {
    const { detail } = /** @type {CustomEvent} */ (event);
    if (detail === "tools") rail.open(!rail.isOpen, true);
    else {
      rail.open(true);
      take(detail, true);
    }
  });
  chart.painted = painter.paint;
  chart.plot.drawn = () => painter.picture();
  onFrame(painter.paint);
  return { board, painter };
}

/** What is wrong with the drawings, and what can be done about it. @param {Board} board */
function message(board) {
  const words = make("span");
  const again = make("button", { type: "button", class: "button", text: "Put my change back" });
  const close = make("button", { type: "button", class: "button", text: "Leave it" });
  const node = make("div", { class: "drawing-message", role: "status", hidden: true }, [words, again, close]);
  again.addEventListener("click", () => board.kept?.restore());
  close.addEventListener("click", () => board.kept?.dismiss());
  return {
    node,
    paint() {
      const { kept } = board;
      write(words, kept?.words ?? "");
      node.hidden = !kept?.words;
      again.hidden = close.hidden = !kept?.offer;
    },
  };
}
