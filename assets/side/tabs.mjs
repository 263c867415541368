// @ts-check
// The side panel's tabs (the ARIA pattern, tabs chosen as the arrows move): which is shown, whether it can be seen, and
// what the reader chose, kept in this browser as the theme is.

import { element } from "../page/dom.mjs";

const KEPT = "tickboard.side";

/**
 * @typedef {object} Tab
 * @property {() => void} show it can be seen from now on
 * @property {() => void} hide it can't be seen any more
 * @property {() => void} changed another instrument is shown; told to a tab that can be seen only
 * @property {() => void} tick once a second, to a tab that can be seen only
 */

/** What is kept: the tab, and what a tab was set to. @returns {Record<string, string>} */
export function kept() {
  try {
    const found = JSON.parse(localStorage.getItem(KEPT) ?? "{}");
    return found && typeof found === "object" ? Object.fromEntries(Object.entries(found).filter(([, value]) => typeof value === "string")) : {};
  } catch {
    return {};
  }
}

/** @param {Record<string, string>} more */
export function keep(more) {
  try {
    localStorage.setItem(KEPT, JSON.stringify({ ...kept(), ...more }));
  } catch {
    // storage can be forbidden; the choice then lasts as long as the page
  }
}

/**
 * @param {Record<string, Promise<Tab> | null>} given what works in each tab, by its name; null where nothing does
 * @param {any} view
 */
export async function tabs(given, view) {
  const bar = await element("#side-tabs");
  const buttons = /** @type {HTMLButtonElement[]} */ ([...bar.querySelectorAll("[role=tab]")]);
  const names = buttons.map((button) => button.dataset.name ?? "");
  const panels = buttons.map((button) => /** @type {HTMLElement} */ (document.getElementById(button.getAttribute("aria-controls") ?? "")));
  /** @type {Map<string, Tab>} */
  const ready = new Map();
  /** @type {Set<string>} */
  const seen = new Set();

  const choose = (/** @type {string} */ name, focus = false) => {
    const wanted = Math.max(0, names.indexOf(name));
    buttons.forEach((button, at) => {
      button.setAttribute("aria-selected", String(at === wanted));
      button.tabIndex = at === wanted ? 0 : -1;
      panels[at].hidden = at !== wanted;
    });
    if (focus) buttons[wanted].focus();
  };
  const see = (/** @type {string} */ name, /** @type {boolean} */ now) => {
    if (now === seen.has(name)) return;
    if (now) seen.add(name);
    else seen.delete(name);
    ready.get(name)?.[now ? "show" : "hide"]();
  };
  // A tab can be out of sight for other reasons too: the drawer is shut, a phone shows the chart.
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) see(names[panels.indexOf(/** @type {HTMLElement} */ (entry.target))], entry.isIntersecting);
  });

  bar.addEventListener("click", (event) => {
    const name = /** @type {HTMLElement} */ (event.target).closest("[role=tab]")?.getAttribute("data-name");
    if (!name) return;
    choose(name);
    // A link's tab is not the reader's choice.
    if (event.isTrusted) keep({ tab: name });
  });
  bar.addEventListener("keydown", (event) => {
    const at = buttons.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (at < 0 || next === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    const name = names[(next + buttons.length) % buttons.length];
    choose(name, true);
    keep({ tab: name });
  });
  choose(kept().tab ?? names[0]);
  for (const panel of panels) watcher.observe(panel);
  for (const [name, coming] of Object.entries(given)) {
    coming?.then((tab) => {
      ready.set(name, tab);
      if (seen.has(name)) tab.show();
    }).catch((error) => {
      console.error(`the tab ${name} could not be made`, error);
      panels[names.indexOf(name)].textContent = "This tab could not be shown; reload the page to try again.";
    });
  }
  const told = (/** @type {"changed" | "tick"} */ what) => {
    for (const name of seen) ready.get(name)?.[what]();
  };
  view.on((/** @type {any} */ now, /** @type {any} */ before) => now.symbol !== before.symbol && told("changed"));
  return { choose, tick: () => told("tick") };
}
