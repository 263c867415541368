// @ts-check
// The user's watchlists, as the server keeps them: which there are, which one is chosen, and every change of them. A change
// is seen at once and sent behind it, one at a time for each list, with the version that it was made on. Draws nothing.

const PATH = "/api/v1/watchlists";
const NAME = "lists";
const PATIENCE_MS = 15_000;
const GONE = "This list was deleted elsewhere.";
/** Answers after which the same may be tried again. */
const PASSING = new Set([0, 401, 408, 429, 500, 502, 503, 504]);

/**
 * @typedef {import("./rows.mjs").Grouping} Grouping
 * @typedef {{id: number, name: string, version: number, symbols: string[], group: Grouping, unknown: string[],
 *   pinned: string[], refused?: string}} Answer what the server says of a list; `refused`: why it can't be shown
 * @typedef {Answer & {edits: number, saved: number, line: Promise<any>}} List `edits` made here, as many of them `saved`
 * @typedef {{text: string, retry: (() => void) | null}} Trouble
 */

/** Why something was not done, in a sentence. */
class Refused extends Error {
  /** @param {number} status of the answer; 0 for none @param {string} detail */
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/** @param {string} method @param {string} [path] @param {any} [body] @param {number} [version] that was seen @returns {Promise<any>} */
async function ask(method, path = "", body, version) {
  /** @type {Record<string, string>} */
  const headers = {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (version !== undefined) headers["If-Match"] = `"${version}"`;
  let answer;
  try {
    const text = JSON.stringify(body);
    // So that a page which is left at once still says it; a browser takes 64 KB of such.
    const keepalive = text !== undefined && text.length < 30_000;
    answer = await fetch(PATH + path, { method, headers, body: text, keepalive, signal: AbortSignal.timeout(PATIENCE_MS) });
    if (answer.ok) return answer.status === 204 ? null : await answer.json();
  } catch {
    throw new Refused(0, "the server does not answer");
  }
  const problem = await answer.json().catch(() => null);
  if (answer.status === 401) throw new Refused(401, "your login has ended; log in again in another tab");
  throw new Refused(answer.status, problem?.detail ?? `the server answers ${answer.status}`);
}

/** A name as it is quoted in a sentence. @param {{name: string}} list */
export const quoted = (list) => `“${list.name}”`;

/** The list that the page shows, by its number; null for every instrument. @param {import("./kept.mjs").Kept} kept @returns {number | null} */
export function shownList(kept) {
  const chosen = kept.read(NAME)?.chosen;
  return Number.isInteger(chosen) ? chosen : null;
}

export class Lists {
  /** @param {import("./kept.mjs").Kept} kept what the browser keeps: which list is chosen, and how all instruments are grouped */
  constructor(kept) {
    this.kept = kept;
    const found = kept.read(NAME);
    /** @type {List[]} */
    this.every = [];
    /** The chosen list's number; null: every instrument of the market. @type {number | null} */
    this.chosen = shownList(kept);
    /** How every instrument is grouped. @type {Grouping} */
    this.grouping = ["none", "class", "sector"].includes(found?.grouping) ? found.grouping : "class";
    /** What went wrong last. @type {Trouble | null} */
    this.trouble = null;
    /** Grows with each change: an answer to an earlier question is void. */
    this.turn = 0;
    /** @type {Set<() => void>} */
    this.listeners = new Set();
  }

  /** Hear of every change. @param {() => void} heard */
  on(heard) {
    this.listeners.add(heard);
  }

  tell() {
    for (const heard of this.listeners) heard();
  }

  /** The chosen list; null for every instrument, and until the lists have come. @returns {List | null} */
  get now() {
    return this.every.find((one) => one.id === this.chosen && !one.refused) ?? null;
  }

  /** How what is shown is grouped. */
  get group() {
    return this.now?.group ?? this.grouping;
  }

  /** @param {Trouble | null} trouble */
  say(trouble) {
    this.trouble = trouble;
    this.tell();
  }

  /** Read what the server has. What was changed here and is not saved yet stays, unless it was changed elsewhere too. */
  async load() {
    for (;;) {
      const turn = this.turn;
      let answer;
      try {
        answer = await ask("GET");
      } catch (error) {
        return this.say({ text: `Your watchlists could not be read: ${error.message}.`, retry: () => void this.load() });
      }
      if (turn !== this.turn) continue;
      const given = this.take(answer.data);
      if (given) return this.say({ text: changedElsewhere(given), retry: null });
      return this.say(this.every.some(isBehind) ? this.trouble : null);
    }
  }

  /** Take the server's lists for ours. @param {Answer[]} answers @returns {List | undefined} one whose unsaved changes are lost by it */
  take(answers) {
    const before = new Map(this.every.map((one) => [one.id, one]));
    this.every = answers.map((given) => {
      const mine = before.get(given.id);
      if (mine?.version === given.version) return mine;
      return { ...given, edits: 0, saved: 0, line: mine?.line ?? Promise.resolve() };
    });
    const still = new Set(this.every);
    if (this.chosen !== null && !this.now) this.choose(null);
    return [...before.values()].find((one) => isBehind(one) && !still.has(one));
  }

  /** @param {number | null} id */
  choose(id) {
    this.chosen = id;
    this.keep();
    this.tell();
  }

  keep() {
    this.kept.write(NAME, { chosen: this.chosen, grouping: this.grouping });
  }

  /** Group what is shown: a list has that on the server, every instrument in the browser. @param {Grouping} group */
  groupBy(group) {
    if (this.now) return this.change(this.now, { group });
    this.grouping = group;
    this.keep();
    this.tell();
  }

  /** Change a list: seen at once, saved behind it. @param {List} list @param {{symbols?: string[], group?: Grouping}} patch */
  change(list, patch) {
    Object.assign(list, patch);
    const among = new Set(list.symbols);
    list.pinned = list.pinned.filter((one) => among.has(one));
    list.unknown = list.unknown.filter((one) => among.has(one));
    list.edits += 1;
    this.tell();
    void this.save(list);
  }

  /** @param {List} list @param {string} symbol */
  add(list, symbol) {
    if (!list.symbols.includes(symbol)) this.change(list, { symbols: [...list.symbols, symbol] });
  }

  /** @param {List} list @param {string} symbol */
  drop(list, symbol) {
    this.change(list, { symbols: list.symbols.filter((one) => one !== symbol) });
  }

  /** Send what is not saved yet: nothing, where an earlier turn sent it along. @param {List} list */
  async save(list) {
    try {
      await this.inLine(list, async () => {
        if (list.saved === list.edits) return;
        const { edits } = list;
        await this.put(list, list.name);
        list.saved = edits;
      });
      if (this.trouble && !this.every.some(isBehind)) this.say(null);
    } catch (error) {
      await this.failed(list, error, () => void this.save(list));
    }
  }

  /** One after the other: each goes by the version that the one before it made. @param {List} list @param {() => Promise<any>} run */
  inLine(list, run) {
    this.turn += 1;
    const turn = list.line.then(run);
    list.line = turn.catch(() => {});
    return turn;
  }

  /** @param {List} list @param {string} name */
  async put(list, name) {
    const { edits: _edits, saved: _saved, line: _line, ...content } = list;
    const answer = await ask("PUT", `/${list.id}`, { ...content, name }, list.version);
    this.turn += 1;
    list.version = answer.version;
    list.name = answer.name;
  }

  /**
   * A change was refused. What may pass can be tried again and stays on the page; else the newest is loaded.
   * @param {List} list @param {Refused} error @param {() => void} retry
   */
  async failed(list, error, retry) {
    if (PASSING.has(error.status)) return this.say({ text: `${quoted(list)} is not saved: ${error.message}.`, retry });
    const text = why(list, error);
    // Its own changes are given up, those too that wait in line: what the server has is the newest.
    list.saved = list.edits;
    list.version = 0;
    await this.load();
    // Where it could not be read either, that is said, with its own way to try again.
    if (!this.trouble?.retry) this.say({ text, retry: null });
  }

  /**
   * Make a list and choose it. @param {string} name @param {{symbols: string[], columns: string[]}} content
   * @returns {Promise<string | null>} why not
   */
  async create(name, content) {
    try {
      const answer = await ask("POST", "", { name, ...content });
      this.turn += 1;
      this.every = [...this.every.filter((one) => one.id !== answer.id), { ...answer, edits: 0, saved: 0, line: Promise.resolve() }];
      this.choose(answer.id);
      return null;
    } catch (error) {
      return sentence(error.message);
    }
  }

  /** @param {number} id @param {string} name @returns {Promise<string | null>} why not */
  async rename(id, name) {
    const list = this.every.find((one) => one.id === id);
    if (!list) return GONE;
    try {
      await this.inLine(list, () => this.put(list, name));
      this.tell();
      return null;
    } catch (error) {
      return await this.notDone(list, error);
    }
  }

  /** @param {number} id @returns {Promise<string | null>} why not */
  async remove(id) {
    const list = this.every.find((one) => one.id === id);
    try {
      if (list) await this.inLine(list, () => ask("DELETE", `/${id}`, undefined, list.version));
    } catch (error) {
      if (list && error.status !== 404) return await this.notDone(list, error);
    }
    this.turn += 1;
    this.every = this.every.filter((one) => one.id !== id);
    if (this.chosen === id) this.choose(null);
    this.tell();
    return null;
  }

  /** @param {List} list @param {Refused} error */
  async notDone(list, error) {
    if (error.status === 412 || error.status === 404) {
      list.saved = list.edits;
      list.version = 0;
      await this.load();
    }
    if (error.status === 412) return `${quoted(list)} was changed elsewhere meanwhile: the newest is shown. If you still mean it, do it again.`;
    return why(list, error);
  }
}

/** Whether changes of a list wait to be saved. @param {List} list */
const isBehind = (list) => list.edits !== list.saved;
const changedElsewhere = (/** @type {List} */ list) =>
  `${quoted(list)} was changed elsewhere meanwhile: the newest is shown, without your last change.`;

/** @param {List} list @param {Refused} error */
function why(list, error) {
  if (error.status === 412) return changedElsewhere(list);
  return error.status === 404 ? `${quoted(list)} was deleted elsewhere.` : sentence(error.message);
}

/** @param {string} text */
function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
}
