// @ts-check
// How the user has the page: applied at once, kept on the server, and so the same at the next login anywhere. The server
// writes them into the page's first line, so that nothing has to be kept in the browser and nothing flashes.

import { ask } from "./documents.mjs";
import * as zone from "./zone.mjs";

/** @typedef {{theme: string, palette: string, direction: string, time_zone: string, density: string, motion: string, default_view: number | null}} Preferred */

/** @type {Preferred} As in dashboard/workbench/preferences.py. */
export const USUAL = {
  theme: "system", palette: "default", direction: "green-up", time_zone: "local", density: "comfortable", motion: "system", default_view: null,
};
/** Attributes of <html>, as dashboard/ui/remembered.py writes them: none for what is as usual. */
const LOOKS = /** @type {const} */ (["theme", "palette", "direction", "density", "motion"]);
const TRIES = 4;

/** Only what is a preference of what came. @param {any} given @returns {Preferred} */
function read(given) {
  return /** @type {any} */ (Object.fromEntries(Object.entries(USUAL).map(([name, usual]) => [name, given?.[name] ?? usual])));
}

class Preferences {
  constructor() {
    /** As the page shows them. */
    this.shown = { ...USUAL };
    /** As the server has them, and the version of that; null where it is not known. */
    this.saved = { ...USUAL };
    /** @type {number | null} */
    this.version = null;
    /** Chosen and not kept yet, perhaps since it could not be. @type {Partial<Preferred>} */
    this.waiting = {};
    /** @type {Promise<void> | null} */
    this.sending = null;
    /** Says what goes wrong. @type {(title: string, detail: string) => void} */
    this.tell = () => {};
    this.user = "";
    /** @type {BroadcastChannel | null} */
    this.others = null;
  }

  /**
   * Begin with those of the first paint. @param {any} given @param {string} user the name that is logged in
   * @param {(title: string, detail: string) => void} tell
   */
  begin(given, user, tell) {
    this.tell = tell;
    this.user = user;
    this.version = given.version;
    this.saved = read(given);
    this.apply(this.saved);
    if (given.error) tell("Your settings could not be read", `The page is shown as usual: ${given.error}.`);
    if (!("BroadcastChannel" in window)) return;
    this.others = new BroadcastChannel("tickboard.preferences");
    this.others.addEventListener("message", ({ data }) => {
      if (data?.user === this.user && data.version > (this.version ?? -1)) this.take(data);
    });
  }

  /** Another state of the server. @param {any} answer */
  take(answer) {
    this.version = answer.version;
    this.saved = read(answer);
    this.apply({ ...this.saved, ...this.waiting });
  }

  /** Show them. @param {Preferred} wanted */
  apply(wanted) {
    const before = this.shown;
    this.shown = { ...wanted };
    const root = document.documentElement;
    for (const name of LOOKS) {
      // What is there already is not written again: who watches the attribute would take that for a change.
      if (wanted[name] === USUAL[name]) delete root.dataset[name];
      else if (root.dataset[name] !== wanted[name]) root.dataset[name] = wanted[name];
    }
    remember(wanted.theme);
    const is = (/** @type {(keyof Preferred)[]} */ ...names) => names.some((name) => before[name] !== wanted[name]);
    if (is("time_zone")) {
      if (!zone.choose(wanted.time_zone)) this.tell(`This browser does not know the time zone ${wanted.time_zone}`, `Times are shown in its own, ${zone.own()}.`);
      document.dispatchEvent(new CustomEvent("tickboard:zone"));
    }
    if (is("theme", "palette", "direction")) document.dispatchEvent(new CustomEvent("tickboard:theme"));
    if (is("density")) {
      document.dispatchEvent(new CustomEvent("tickboard:density"));
      // Plotly and the grid measure their boxes.
      window.dispatchEvent(new Event("resize"));
    }
    document.dispatchEvent(new CustomEvent("tickboard:preferences"));
  }

  /**
   * Show other ones at once and keep them; what could not be kept is told and lasts as long as the page.
   * @param {Partial<Preferred>} patch @returns {Promise<void>} when it is kept, or has failed
   */
  change(patch) {
    this.waiting = { ...this.waiting, ...patch };
    this.apply({ ...this.shown, ...patch });
    this.sending ??= this.send().finally(() => {
      this.sending = null;
    });
    return this.sending;
  }

  async send() {
    while (Object.keys(this.waiting).length) {
      const patch = this.waiting;
      try {
        const answer = await this.put(patch);
        for (const name of Object.keys(patch)) if (this.waiting[name] === patch[name]) delete this.waiting[name];
        this.take(answer);
        this.others?.postMessage({ ...answer, user: this.user });
      } catch (given) {
        const refused = /** @type {import("./documents.mjs").Refused} */ (given);
        if (refused.status === 422) {
          // The server knows no such value, as a time zone newer than its own list.
          this.waiting = {};
          this.apply(this.saved);
          this.tell("The setting is not taken", refused.message);
        } else this.tell("The setting is not kept", `It lasts as long as this page, and is tried again with the next one. ${refused.message}`);
        return;
      }
    }
  }

  /**
   * Put what was chosen on top of what the server has: what was changed elsewhere meanwhile stays, and is told.
   * @param {Partial<Preferred>} patch
   */
  async put(patch) {
    let elsewhere = false;
    for (let tries = 1; ; tries++) {
      if (this.version === null) this.take(await ask("GET", "/preferences"));
      try {
        const answer = await ask("PUT", "/preferences", { body: { ...this.saved, ...patch }, version: /** @type {any} */ (this.version) });
        if (elsewhere) this.tell("Settings were changed elsewhere meanwhile", "Those are shown now, with what you chose here.");
        return answer;
      } catch (refused) {
        if (!(/** @type {any} */ (refused).outrun) || tries === TRIES) throw refused;
        elsewhere = true;
        this.version = null;
      }
    }
  }
}

/** For the login page only (`early.js`), which does not know who comes. @param {string} theme */
function remember(theme) {
  try {
    if (theme === USUAL.theme) localStorage.removeItem("tickboard.theme");
    else localStorage.setItem("tickboard.theme", theme);
  } catch {
    // storage can be forbidden; the login page has the system's theme then
  }
}

export const preferences = new Preferences();
