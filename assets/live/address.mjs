// @ts-check
// Parts of the view that a module of the page holds itself (the chart its range, the list its sort): put into the
// address's query with the rest, and brought back from there.

/**
 * @typedef {object} Part
 * @property {string[]} names in the query
 * @property {() => (string | null)[]} read the values of now, a name each; null for what is as usual
 * @property {(values: (string | null)[], opening: boolean) => string | void} show bring back what the query has (null for
 *   nothing); a sentence on what it can't, which is left out. `opening`: of the page, or of what has just come to it
 */

/** Whether the address is the chart's page, the only one with these parts. */
export const onChart = () => location.pathname === "/";

class Address {
  constructor() {
    /** @type {Part[]} */
    this.parts = [];
    /** Whether the page has opened with a whole view: what that does not name is as usual, not as this browser left it. */
    this.whole = false;
    /** Says what was left out. @type {(sentence: string) => void} */
    this.tell = () => {};
    /** Told what a part shows in place of what was asked for. @type {(names: string[], asked: (string | null)[], shown: (string | null)[]) => void} */
    this.instead = () => {};
  }

  /** One more part: it is asked to show what the address has of it. @param {Part} part */
  add(part) {
    this.parts.push(part);
    this.show(part, !this.whole);
  }

  /** The address as it is, or another one that it became. */
  restore() {
    for (const part of this.parts) this.show(part, false);
  }

  /** @param {Part} part @param {boolean} opening */
  show(part, opening) {
    if (!onChart()) return;
    const query = new URLSearchParams(location.search);
    const asked = part.names.map((name) => query.get(name) || null);
    const wrong = part.show(asked, opening);
    if (!wrong) return;
    this.tell(wrong);
    this.instead(part.names, asked, part.read());
  }

  /** The query with every part as it is now, and whatever else stands there. */
  query() {
    const query = new URLSearchParams(location.search);
    for (const part of this.parts) {
      for (const [at, value] of part.read().entries()) {
        if (value === null) query.delete(part.names[at]);
        else query.set(part.names[at], value);
      }
    }
    return query;
  }

  /** Bring the address up to date, in its place of the history. */
  write() {
    if (!onChart()) return;
    const query = this.query();
    if (query.toString() !== new URLSearchParams(location.search).toString()) put(query, "replace");
  }
}

/** @param {URLSearchParams} query @param {"push" | "replace"} how */
export function put(query, how) {
  // A list reads better with its commas, colons and slashes, which a query may hold.
  const text = query.toString().replaceAll("%2C", ",").replaceAll("%3A", ":").replaceAll("%2F", "/");
  const url = text ? `${location.pathname}?${text}` : location.pathname;
  if (how === "push") history.pushState(null, "", url);
  else history.replaceState(null, "", url);
}

export const address = new Address();
