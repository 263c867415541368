// @ts-check
// Drawings that the server does not have yet, kept in this tab over a reload or a new login. Storage can be forbidden
// or full: then they last as long as the page.

/** @typedef {import("./kinds.mjs").Drawing} Drawing */
/** @typedef {{version: number, base: Drawing[], mine: Drawing[]}} Draft what was changed, and from what */

export class Drafts {
  /** @param {string} user whose they are: another one may log in here */
  constructor(user) {
    this.user = user;
  }

  /** @param {string} symbol */
  key(symbol) {
    return `tickboard.drawings.${this.user}.${symbol}`;
  }

  /** @param {string} symbol @returns {Draft | null} */
  get(symbol) {
    try {
      const found = JSON.parse(sessionStorage.getItem(this.key(symbol)) ?? "null");
      return Number.isInteger(found?.version) && Array.isArray(found.base) && Array.isArray(found.mine) ? found : null;
    } catch (_forbidden) {
      return null;
    }
  }

  /** @param {string} symbol @param {Draft | null} draft null: there is none any more */
  put(symbol, draft) {
    try {
      if (draft) sessionStorage.setItem(this.key(symbol), JSON.stringify(draft));
      else sessionStorage.removeItem(this.key(symbol));
    } catch (_forbidden) {
      // kept by the page alone
    }
  }
}
