// @ts-check
// An indicator along the bars of a series: from the state behind the bars before them, over the closed ones, to the
// forming one as often as it changes. Draws nothing, asks for nothing.

import { at, CLOSE, HIGH, LOW, OPEN, START, VOLUME } from "../chart/series.mjs";
import { FORMULAS } from "./formulas.mjs";

/** @typedef {import("../chart/series.mjs").Bar} Bar */

/** So many bars are folded anew at most when a closed one is corrected, besides those behind it. */
const MARK_EVERY = 256;
const FIELDS = { open: OPEN, high: HIGH, low: LOW, close: CLOSE, volume: VOLUME };

/** A state as JSON has it, with NaN for null. @param {any} value @returns {any} */
function revived(value) {
  if (value === null) return NaN;
  if (Array.isArray(value)) return value.map(revived);
  if (typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, revived(inner)]));
}

export class Study {
  /**
   * @param {string} name @param {{outputs: string[], inputs: string[]}} about of the registry
   * @param {number | null} start of the first bar to fold, UTC ms; null where there is none yet
   * @param {any} state behind the bars before it, as JSON has it
   */
  constructor(name, about, start, state) {
    this.formula = FORMULAS[name];
    this.start = start;
    this.inputs = about.inputs.map((input) => FIELDS[input]);
    this.state = revived(state);
    /** States behind the first bars, the one behind none first. */
    this.marks = [{ at: 0, start, state: structuredClone(this.state) }];
    /** Closed bars that are folded. */
    this.done = 0;
    /** A column for each output, from the bar at `start` on, NaN where there is no value. @type {number[][]} */
    this.values = about.outputs.map(() => []);
  }

  /**
   * Go on to the newest of `rows`. @param {Bar[]} rows ascending, the last one forming
   * @param {number} from the first row that changed since; those behind the newest of last time count as changed
   */
  update(rows, from) {
    if (!rows.length) return;
    this.start ??= this.marks[0].start = rows[0][START];
    this.forget(rows[0][START]);
    const begin = at(rows, this.start);
    if (from - begin < this.done && from >= begin) this.back(from - begin);
    const last = rows.length - 1 - begin;
    for (; this.done < last; this.done++) {
      const bar = rows[begin + this.done];
      if (this.done % MARK_EVERY === 0 && this.done > this.marks[this.marks.length - 1].at) {
        this.marks.push({ at: this.done, start: bar[START], state: structuredClone(this.state) });
      }
      this.put(this.done, this.of(bar, true));
    }
    if (last >= 0) this.put(last, this.of(rows[begin + last], false));
  }

  /** Its outputs at a row, NaN where there are none. @param {Bar[]} rows @param {number} index @returns {number[]} */
  at(rows, index) {
    const place = this.start === null ? -1 : index - at(rows, this.start);
    return this.values.map((column) => column[place] ?? NaN);
  }

  /** @param {Bar} bar @param {boolean} keep */
  of(bar, keep) {
    if (!this.inputs.every((input) => Number.isFinite(bar[input]))) return this.values.map(() => NaN);
    return this.formula(this.state, bar, keep);
  }

  /** @param {number} place @param {number[]} outputs */
  put(place, outputs) {
    for (const [at, column] of this.values.entries()) column[place] = Number.isFinite(outputs[at]) ? outputs[at] : NaN;
  }

  /** Take back what was folded from a bar on. @param {number} place */
  back(place) {
    while (this.marks.length > 1 && this.marks[this.marks.length - 1].at > place) this.marks.pop();
    const mark = this.marks[this.marks.length - 1];
    this.state = structuredClone(mark.state);
    this.done = mark.at;
    for (const column of this.values) column.length = mark.at;
  }

  /** Begin at a later bar where the oldest are not held any more. @param {number} first the start of the first that is */
  forget(first) {
    if (this.start === null || this.start >= first) return;
    const mark = this.marks.find((each) => each.start !== null && each.start >= first);
    if (!mark) {
      // Nothing is known from here on: the state is of another bar.
      this.start = Infinity;
      return;
    }
    this.start = mark.start;
    this.done -= mark.at;
    for (const column of this.values) column.splice(0, mark.at);
    const gone = mark.at;
    this.marks = this.marks.filter((each) => each.at >= gone).map((each) => ({ ...each, at: each.at - gone }));
  }
}
