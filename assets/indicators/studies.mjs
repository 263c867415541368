// @ts-check
// The indicators of a chart: which are chosen, their values along its bars, and which states have to be asked for yet.
// Values follow the rows by themselves: a tick costs the forming bar's. Draws nothing, asks for nothing.

import { at, START } from "../chart/series.mjs";
import { textOf } from "./choice.mjs";
import { Study } from "./study.mjs";

/** @typedef {import("../chart/series.mjs").Bar} Bar */
/** @typedef {import("./choice.mjs").Chosen} Chosen */
/** `read`: its own words for a legend. @typedef {{chosen: Chosen, text: string, study: Study, read?: (index: number, brief: boolean) => any[]}} Shown */

export class Studies {
  /** @param {import("../chart/series.mjs").Series} series */
  constructor(series) {
    this.series = series;
    this.follower = series.follow();
    /** @type {Chosen[]} */
    this.list = [];
    /** By text. @type {Map<string, Study>} */
    this.held = new Map();
    this.seen = 0;
    /** What else is drawn as indicators are. @type {() => Shown[]} */
    this.beside = () => [];
  }

  /** @param {Chosen[]} list */
  choose(list) {
    this.list = list;
    const wanted = new Set(list.map(textOf));
    for (const text of this.held.keys()) if (!wanted.has(text)) this.held.delete(text);
  }

  /** States behind the bars before `start`; of others than those chosen they are passed over. @param {{start: number | null, texts: string[], states: any[]}} warm */
  load({ start, texts, states }) {
    const about = new Map(this.list.map((chosen) => [textOf(chosen), chosen.about]));
    for (const [at, text] of texts.entries()) {
      const known = about.get(text);
      if (known) this.held.set(text, new Study(known.name, known, start, states[at]));
    }
    this.follower.from = 0;
  }

  /** Everything is another series'. */
  clear() {
    this.held.clear();
  }

  /** The texts of those whose values do not begin with the first bar yet. */
  get missing() {
    const first = this.series.rows[0]?.[START];
    if (first === undefined) return [];
    return this.list.map(textOf).filter((text) => (this.held.get(text)?.start ?? first + 1) !== first);
  }

  /** Those that are to be seen, with values up to the newest bar. @returns {Shown[]} */
  get shown() {
    this.update();
    const own = this.list.flatMap((chosen) => {
      const text = textOf(chosen);
      const study = this.held.get(text);
      return study && !chosen.hidden ? [{ chosen, text, study }] : [];
    });
    return [...own, ...this.beside()];
  }

  update() {
    const { follower, series } = this;
    if (follower.from === Infinity && this.seen === series.rows.length) return;
    for (const study of this.held.values()) study.update(series.rows, follower.from);
    follower.from = Infinity;
    this.seen = series.rows.length;
  }

  /** The values of an output at bars, ascending and among the rows' starts. @param {Study} study @param {number} output @param {Bar[]} bars @returns {number[]} */
  column(study, output, bars) {
    const { rows } = this.series;
    const values = study.values[output];
    if (!bars.length || study.start === null) return bars.map(() => NaN);
    let index = at(rows, bars[0][START]);
    const begin = at(rows, study.start);
    return bars.map((bar) => {
      while (index < rows.length && rows[index][START] < bar[START]) index += 1;
      return values[index - begin] ?? NaN;
    });
  }

  /** The least and the most of what is shown of a study from one moment to another; null where there is nothing. @param {Study} study @param {number} from UTC ms @param {number} to @param {number} [over] values that count are above @returns {[number, number] | null} */
  span(study, from, to, over = -Infinity) {
    const { rows } = this.series;
    if (study.start === null) return null;
    const begin = at(rows, study.start);
    let [low, high] = [Infinity, -Infinity];
    for (let index = Math.max(at(rows, from), begin); index < rows.length && rows[index][START] < to; index++) {
      for (const column of study.values) {
        const value = column[index - begin];
        if (!(value > over)) continue;
        if (value < low) low = value;
        if (value > high) high = value;
      }
    }
    return low === Infinity ? null : [low, high];
  }
}
