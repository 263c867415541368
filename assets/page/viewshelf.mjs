// @ts-check
// The user's named views on the server, and which of them is open here. A change says which version this page has seen:
// of the open view the one that was opened, of another the one that was listed.

import { ask, Refused } from "./documents.mjs";
import { called, contentOf, viewIn } from "./viewfile.mjs";
import { isCompare, linked } from "./viewpages.mjs";
import { keptOf, queryOf, same } from "./viewtext.mjs";

/**
 * @typedef {object} Row
 * @property {number} id @property {string} name @property {number} version @property {number} changed UTC ms
 * @property {import("./viewtext.mjs").Kept} [view] @property {string} [refused] why it can't be shown
 */

export class ViewShelf {
  /** @param {any} view the page's */
  constructor(view) {
    this.page = view;
    /** @type {Row[]} */
    this.rows = [];
    /** The open one, as it was opened. @type {{id: number, name: string, version: number, query: URLSearchParams} | null} */
    this.opened = null;
    /** Grows with each change made here. */
    this.changes = 0;
  }

  /** Whether the page shows something else than the open view by now. */
  get changed() {
    return this.opened !== null && !same(this.opened.query, this.page.query());
  }

  /** What the page shows, as the server keeps it. */
  now() {
    return keptOf(this.page.query());
  }

  /** Read the list; once more, where a change was made here meanwhile, which what came may not have. */
  async list() {
    let changes;
    do {
      changes = this.changes;
      const { data } = await ask("GET", "/views");
      if (changes === this.changes) this.rows = data;
    } while (changes !== this.changes);
    if (this.opened && !this.rows.some(({ id }) => id === this.opened?.id)) this.opened = null;
  }

  /** Whether the open view was changed elsewhere since. @param {Row} row */
  outrun(row) {
    return this.opened?.id === row.id && this.opened.version !== row.version;
  }

  /** Keep what is shown under a name. @param {string} name */
  async save(name) {
    const query = this.page.query();
    const row = await ask("POST", "/views", { body: { name, view: keptOf(query) } });
    this.changes += 1;
    this.opened = { id: row.id, name: row.name, version: row.version, query };
    this.rows = [...this.rows.filter(({ id }) => id !== row.id), row];
  }

  /** Put what is shown in the place of a kept view. @param {Row} row */
  async overwrite(row) {
    const query = this.page.query();
    const version = this.opened?.id === row.id ? this.opened.version : row.version;
    const kept = await this.put(row, { name: row.name, view: keptOf(query) }, version);
    this.opened = { id: kept.id, name: kept.name, version: kept.version, query };
  }

  /** @param {Row} row @param {string} name */
  async rename(row, name) {
    const { opened } = this;
    const kept = await this.put(row, { name, view: row.view }, row.version);
    if (opened?.id !== row.id) return;
    opened.name = kept.name;
    // Its content is what it was: who had seen that has seen this.
    if (opened.version === row.version) opened.version = kept.version;
  }

  /** @param {Row} row @param {unknown} body @param {number} version */
  async put(row, body, version) {
    const kept = await this.heeding(row, () => ask("PUT", `/views/${row.id}`, { body, version }));
    this.changes += 1;
    this.rows = this.rows.map((one) => (one.id === row.id ? kept : one));
    return kept;
  }

  /** @param {Row} row */
  async remove(row) {
    await this.heeding(row, () => ask("DELETE", `/views/${row.id}`, { version: row.version }));
    this.changes += 1;
    this.rows = this.rows.filter(({ id }) => id !== row.id);
    if (this.opened?.id === row.id) this.opened = null;
  }

  /**
   * Do it; where somebody was quicker nothing is done, the list is read again, and the next try is one of who has been told.
   * @param {Row} row @param {() => Promise<any>} change
   */
  async heeding(row, change) {
    try {
      return await change();
    } catch (refused) {
      if (!(refused instanceof Refused) || ![404, 412].includes(refused.status)) throw refused;
      await this.list();
      const there = this.rows.find(({ id }) => id === row.id);
      if (!there) throw new Refused(`"${row.name}" has been deleted in another tab or browser; nothing was changed.`, 404);
      if (this.opened?.id === row.id) this.opened.version = there.version;
      throw new Refused(
        `"${row.name}" has been changed in another tab or browser meanwhile; nothing was overwritten. Open it to see that, or do the same again to put yours in its place.`,
        412,
      );
    }
  }

  /** Show a kept view. @param {Row} row */
  open(row) {
    if (!row.view) return;
    const query = queryOf(row.view);
    this.opened = { id: row.id, name: row.name, version: row.version, query };
    this.page.open(query);
    // What there is not the page has told and left out: that is no change of somebody's.
    const shown = this.page.query();
    if (isCompare(shown) === isCompare(query)) this.opened.query = shown;
  }

  /**
   * The page shows something else than what a part of the open view asks for, and has told it.
   * @param {string[]} names in the query @param {(string | null)[]} asked @param {(string | null)[]} shown null for nothing
   */
  instead(names, asked, shown) {
    const query = this.opened?.query;
    if (!query || names.some((name, at) => query.get(name) !== asked[at])) return;
    for (const [at, name] of names.entries()) {
      if (shown[at] === null) query.delete(name);
      else query.set(name, /** @type {string} */ (shown[at]));
    }
  }

  /** The token of what is shown. @returns {Promise<string>} */
  async token() {
    return (await ask("POST", "/views/token", { body: this.now() })).token;
  }

  /** Show what a token, or a link of this program, says. @param {string} text */
  async restore(text) {
    const given = text.trim();
    const link = linked(given);
    if (link) {
      this.page.open(queryOf(keptOf(link)));
    } else {
      if (!given) throw new Refused("Paste a token or a link first.", 0);
      this.page.open(queryOf((await ask("GET", `/views/token/${encodeURIComponent(given)}`)).view));
    }
    this.opened = null;
  }

  /**
   * Show the view in a file; it is not kept by that. Throws Refused.
   * @param {File} file @param {import("../indicators/choice.mjs").Registry} registry
   * @returns {Promise<string[]>} a sentence on each indicator that there is not: the rest is shown
   */
  async load(file, registry) {
    const { kept, faults } = viewIn(await contentOf(file), file.name, registry);
    let view;
    try {
      view = (await ask("POST", "/views/token", { body: kept })).view;
    } catch (refused) {
      if (!(refused instanceof Refused) || !refused.status) throw refused;
      throw new Refused(`${called(file.name)} can't be shown: ${refused.message}`, refused.status);
    }
    this.page.open(queryOf(view));
    this.opened = null;
    return faults;
  }
}
