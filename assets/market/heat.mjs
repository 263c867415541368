// @ts-check
// The heat map: a treemap of classes, sectors in them and instruments in those, as links that arrows move between; or the
// same as a table.

import { make, write } from "../page/dom.mjs";
import * as words from "../page/words.mjs";
import { heatTable } from "./heat-table.mjs";
import { replace } from "./rows.mjs";
import { legend, moved, shade, staleness } from "./shade.mjs";
import { squarify } from "./squarify.mjs";
import { CLASSES, SIZES, windowTitle } from "./titles.mjs";

/** @typedef {import("./squarify.mjs").Box} Box */

/** Room that a class and a sector keep for their name, px; a box that is smaller than so much has none. */
const CLASS_HEAD = 18;
const SECTOR_HEAD = 14;
const LEAST_HEAD = { w: 56, h: 40 };
/** A tile has larger letters, its change and its symbol from so many px on; a symbol also takes so much a letter. */
const ROOM = { large: { w: 104, h: 68 }, change: { w: 60, h: 34 }, symbol: { w: 6, h: 16 } };
const LETTER = 8;
/** Space between classes, and between tiles. */
const CLASS_GAP = 4;
const TILE_GAP = 1;

export class Heat {
  /** @param {(symbol: string) => void} open */
  constructor(open) {
    this.open = open;
    this.table = false;
    /** Tiles by what they are of. @type {Map<string, HTMLElement>} */
    this.tiles = new Map();
    this.map = make("div", { class: "heat-map", role: "group", "aria-label": "Heat map; arrows move between tiles, Enter opens the chart" });
    this.legend = make("div", { class: "heat-legend" });
    this.full = NaN;
    /** The tile that Tab comes to. */
    this.current = "";
    this.map.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.key(event));
    this.map.addEventListener("focusin", (/** @type {FocusEvent} */ event) => {
      const tile = /** @type {HTMLElement} */ (event.target).closest(".tile");
      if (tile) this.come(/** @type {HTMLElement} */ (tile));
    });
  }

  /** @param {HTMLElement} body @param {any} answer */
  draw(body, answer) {
    if (this.full !== answer.full) {
      this.full = answer.full;
      this.legend.replaceChildren(legend(answer.full, "%", answer.full < 3 ? 2 : 0, true));
    }
    if (this.table) replace(body, heatTable(answer));
    else {
      if (this.map.parentElement !== body) body.replaceChildren(this.map, this.legend);
      this.lay(answer);
    }
    const others = answer.others.reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + one.count, 0);
    const count = `${windowTitle(answer.window)} · ${answer.tiles.length + others} instruments`;
    return others ? `${count}, the ${answer.tiles.length} largest by name` : count;
  }

  /** @param {any} answer */
  lay(answer) {
    const box = { x: 0, y: 0, w: this.map.clientWidth, h: this.map.clientHeight };
    /** @type {Set<string>} */
    const kept = new Set();
    const parts = [
      ...answer.tiles.map((/** @type {any} */ one) => ({ ...one, key: one.symbol })),
      ...answer.others.map((/** @type {any} */ one) => ({ ...one, key: `others ${one.class} ${one.sector}` })),
    ];
    /** @type {HTMLElement[]} */
    const heads = [];
    for (const [kind, members, inner] of divided(parts, "class", box, CLASS_GAP)) {
      const room = headed(inner, CLASS_HEAD, CLASSES[kind] ?? kind, "heat-class", heads);
      const sectors = divided(members, "sector", room, TILE_GAP);
      for (const [sector, tiles, place] of sectors) {
        const left = sectors.length > 1 ? headed(place, SECTOR_HEAD, sector, "heat-sector", heads) : place;
        const sorted = [...tiles].sort((a, b) => b.weight - a.weight);
        squarify(sorted.map((one) => one.weight), left).forEach((tile, at) => {
          kept.add(sorted[at].key);
          this.tile(sorted[at], tile, answer);
        });
      }
    }
    for (const [key, node] of this.tiles) {
      if (kept.has(key)) continue;
      node.remove();
      this.tiles.delete(key);
    }
    for (const old of this.map.querySelectorAll(".heat-head")) old.remove();
    this.map.append(...heads);
    if (!this.tiles.has(this.current)) this.come(this.map.querySelector("a.tile"));
  }

  /** Draw one tile, in the element that it has already. @param {any} one @param {Box} box @param {any} answer */
  tile(one, box, answer) {
    let node = this.tiles.get(one.key);
    if (!node) {
      const parts = [make("b"), make("span"), make("span", { class: "tile-age" })];
      node = /** @type {HTMLElement} */ (
        one.symbol
          ? make("a", { href: `/?symbol=${encodeURIComponent(one.symbol)}`, "data-symbol": one.symbol, tabindex: "-1" }, parts)
          : make("div", { role: "img" }, parts)
      );
      this.tiles.set(one.key, node);
      this.map.append(node);
    }
    const [name, change, age] = node.children;
    const w = Math.max(0, box.w - TILE_GAP);
    const h = Math.max(0, box.h - TILE_GAP);
    const text = one.symbol ?? `+${one.count}`;
    const lies = (/** @type {{w: number, h: number}} */ room) => w >= room.w && h >= room.h;
    const stands = (/** @type {{w: number, h: number}} */ room) => h >= room.w && w >= room.h;
    const named = { ...ROOM.symbol, w: ROOM.symbol.w + LETTER * text.length };
    // A tile that is too narrow for its words has them upright.
    const upright = !lies(named) && stands(named);
    const fits = upright ? stands : lies;
    const large = lies(ROOM.large);
    const size = `${large ? " large" : ""}${upright ? " upright" : ""}`;
    node.className = `tile ${shade(one.change, answer.full)}${size}${one.stale ? " stale" : ""}`;
    Object.assign(node.style, { left: `${box.x}px`, top: `${box.y}px`, width: `${w}px`, height: `${h}px` });
    write(name, fits(named) ? text : "");
    write(change, fits(ROOM.change) ? moved(one.change) : "");
    write(age, large ? staleness(one) : "");
    const said = spoken(one, answer.size);
    if (node.title !== said) {
      node.title = said;
      node.setAttribute("aria-label", said);
    }
  }

  /** Tab comes to `tile` from now on. @param {HTMLElement | null} tile */
  come(tile) {
    if (!tile) return;
    this.tiles.get(this.current)?.setAttribute("tabindex", "-1");
    this.current = tile.dataset.symbol ?? "";
    if (tile.dataset.symbol) tile.setAttribute("tabindex", "0");
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const from = /** @type {HTMLElement} */ (event.target).closest(".tile");
    if (!way || !from) return;
    event.preventDefault();
    const all = /** @type {HTMLElement[]} */ ([...this.map.querySelectorAll("a.tile")]);
    nearest(/** @type {HTMLElement} */ (from), all, way)?.focus();
  }
}

/** What a tile says. @param {any} one @param {string} size */
function spoken(one, size) {
  const name = one.symbol ? `${one.symbol}, ${one.name}` : `${one.count} smaller of ${one.sector}`;
  const change = one.change == null ? "change not known" : `${words.percent(one.change)}%`;
  const measure = size in SIZES ? `${SIZES[size]} ${words.short(one.value)}` : "";
  return [name, change, measure, staleness(one)].filter(Boolean).join(", ");
}

/**
 * The parts by one of their properties, the heaviest first, each with its box.
 * @param {any[]} parts @param {string} by @param {Box} box @param {number} gap @returns {[string, any[], Box][]}
 */
function divided(parts, by, box, gap) {
  /** @type {Map<string, any[]>} */
  const groups = new Map();
  for (const one of parts) {
    const group = groups.get(one[by]);
    if (group) group.push(one);
    else groups.set(one[by], [one]);
  }
  const weigh = (/** @type {any[]} */ group) => group.reduce((sum, one) => sum + one.weight, 0);
  const sorted = [...groups].map(([name, group]) => ({ name, group, weight: weigh(group) })).sort((a, b) => b.weight - a.weight);
  const boxes = squarify(sorted.map((one) => one.weight), box);
  return sorted.map(({ name, group }, at) => {
    const { x, y, w, h } = boxes[at];
    // The gap is at the right and below, unless that is the edge.
    const right = x + w < box.x + box.w - 0.5 ? gap : 0;
    const below = y + h < box.y + box.h - 0.5 ? gap : 0;
    return [name, group, { x, y, w: Math.max(0, w - right), h: Math.max(0, h - below) }];
  });
}

/**
 * What a box leaves under its name, where there is room for one.
 * @param {Box} box @param {number} height @param {string} text @param {string} kind @param {HTMLElement[]} heads
 */
function headed(box, height, text, kind, heads) {
  if (box.w < LEAST_HEAD.w || box.h < LEAST_HEAD.h) return box;
  const head = make("div", { class: `heat-head ${kind}`, text, "aria-hidden": "true" });
  Object.assign(head.style, { left: `${box.x}px`, top: `${box.y}px`, width: `${box.w}px`, height: `${height}px` });
  heads.push(head);
  return { x: box.x, y: box.y + height, w: box.w, h: box.h - height };
}

/**
 * The element whose middle lies nearest in a direction; what is off the line counts twice.
 * @param {HTMLElement} from @param {HTMLElement[]} all @param {number[]} way
 */
function nearest(from, all, [dx, dy]) {
  const middle = (/** @type {HTMLElement} */ one) => [one.offsetLeft + one.offsetWidth / 2, one.offsetTop + one.offsetHeight / 2];
  const [x, y] = middle(from);
  /** @type {HTMLElement | null} */
  let best = null;
  let least = Infinity;
  for (const one of all) {
    if (one === from) continue;
    const [ox, oy] = middle(one);
    const along = (ox - x) * dx + (oy - y) * dy;
    const off = Math.abs((ox - x) * dy) + Math.abs((oy - y) * dx);
    if (along <= 0.5 || along + 2 * off >= least) continue;
    least = along + 2 * off;
    best = one;
  }
  return best;
}
