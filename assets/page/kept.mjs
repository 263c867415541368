// @ts-check
// What the browser keeps for a user: small values by name. Where storage is forbidden or full they last as long as the page.

/** The values of one user of this browser. */
export class Kept {
  /** @param {string} user the name that is logged in: another one on the same browser has values of their own */
  constructor(user) {
    this.user = user;
    /** What was written here, also where the browser refuses it. @type {Map<string, any>} */
    this.written = new Map();
    /** Who hears of what another tab keeps, by name. @type {Map<string, () => void>} */
    this.heard = new Map();
    addEventListener("storage", ({ key }) => {
      for (const [name, heard] of this.heard) {
        if (key !== this.place(name)) continue;
        this.written.delete(name);
        heard();
      }
    });
  }

  /** Hear of another value of a name, from another tab of this browser. @param {string} name @param {() => void} heard */
  on(name, heard) {
    this.heard.set(name, heard);
  }

  /** @param {string} name */
  place(name) {
    return `tickboard.${name}.${this.user}`;
  }

  /** The value of a name; null where there is none, or none that can be read. @param {string} name @returns {any} */
  read(name) {
    if (this.written.has(name)) return this.written.get(name);
    try {
      return JSON.parse(localStorage.getItem(this.place(name)) ?? "null");
    } catch {
      return null;
    }
  }

  /** Keep a value that JSON can hold; null forgets it. @param {string} name @param {any} value */
  write(name, value) {
    this.written.set(name, value);
    try {
      if (value == null) localStorage.removeItem(this.place(name));
      else localStorage.setItem(this.place(name), JSON.stringify(value));
    } catch {
      // forbidden or full: `written` has it
    }
  }
}
