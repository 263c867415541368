// @ts-check
// Which instruments have a card: the first six of the market until the user pins or unpins one. Draws nothing.

/** Cards until something is pinned, and the most there can be: as many again as fit beside each other. */
export const FIRST = 6;
export const MOST = 12;
/** What is kept, those of other markets included. */
const KEPT = 100;
const NAME = "pins";

/** The pinned instruments of a user, in the order of their cards. */
export class Pins {
  /** @param {string[]} symbols the market's @param {import("./kept.mjs").Kept} kept */
  constructor(symbols, kept) {
    this.symbols = symbols;
    this.known = new Set(symbols);
    this.kept = kept;
    /** @type {Set<() => void>} */
    this.listeners = new Set();
    /** What was chosen, with what other markets have; null until then. @type {string[] | null} */
    this.chosen = null;
    this.read();
    kept.on(NAME, () => {
      this.read();
      for (const heard of this.listeners) heard();
    });
  }

  read() {
    const found = this.kept.read(NAME);
    this.chosen = Array.isArray(found) ? [...new Set(found.filter((one) => typeof one === "string"))].slice(0, KEPT) : null;
    this.settle();
  }

  /** Symbols of another market are passed over; where nothing else was pinned, this market's first six stand. */
  settle() {
    const here = this.chosen?.filter((symbol) => this.known.has(symbol)) ?? [];
    /** The pinned symbols of this market, at most `MOST`. @type {string[]} */
    this.shown = here.length || this.chosen?.length === 0 ? here.slice(0, MOST) : this.symbols.slice(0, FIRST);
  }

  /** @param {string} symbol */
  has(symbol) {
    return this.shown.includes(symbol);
  }

  /** Hear of every change. @param {() => void} heard */
  on(heard) {
    this.listeners.add(heard);
  }

  /**
   * Pin what is not pinned, unpin what is. "full" where as many are pinned as there can be: nothing changes then.
   * @param {string} symbol one of the market's @returns {"pinned" | "unpinned" | "full" | "unknown"}
   */
  toggle(symbol) {
    if (!this.known.has(symbol)) return "unknown";
    const pinned = this.has(symbol);
    if (!pinned && this.shown.length >= MOST) return "full";
    const elsewhere = this.chosen?.filter((one) => !this.known.has(one)) ?? [];
    this.shown = pinned ? this.shown.filter((one) => one !== symbol) : [...this.shown, symbol];
    // The market's own stand first: what is cut off is another market's.
    this.chosen = [...this.shown, ...elsewhere].slice(0, KEPT);
    this.kept.write(NAME, this.chosen);
    for (const heard of this.listeners) heard();
    return pinned ? "unpinned" : "pinned";
  }
}
