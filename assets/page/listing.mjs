// @ts-check
// The chosen watchlist in the grid: its rows, what is said where there are none, and what went wrong with a way to try again.

import { make, setProps, write } from "./dom.mjs";
import { listMenu } from "./listmenu.mjs";
import { ordering } from "./ordering.mjs";
import { PanelState } from "./panelstate.mjs";
import { fill, rowsOf } from "./rows.mjs";

/** So many lists a row's menu offers. */
const MOST_OFFERS = 8;

/**
 * @param {any} api the grid's @param {string} grid its id @param {HTMLElement} box what holds it
 * @param {{market: any, view: any, sparks: import("./sparks.mjs").Sparks, lists: import("./lists.mjs").Lists}} page
 */
export function listing(api, grid, box, { market, view, sparks, lists }) {
  const titles = api.getGridOption("context").groups;
  const known = new Map(market.instruments.map((/** @type {any} */ one) => [one.symbol, one]));
  window["tickboardGrid"].sectors = new Map(market.instruments.map((/** @type {any} */ { symbol, sector }) => [symbol, sector]));
  /** @returns {any[]} */
  const members = () => (lists.now ? lists.now.symbols.flatMap((symbol) => known.get(symbol) ?? []) : market.instruments);
  const status = make("span", { id: "list-said", class: "read-only-to-readers", role: "status" });
  document.body.append(status);
  const say = (/** @type {string} */ text) => write(status, text);

  /** The grid's own rows, by id: one that is there already is not drawn anew. */
  const made = new Map();
  /** @type {any[]} */
  let given = [];
  api.forEachNode((/** @type {any} */ { data }) => {
    made.set(data.id, data);
    given.push(data);
  });
  const none = make("p", { class: "list-empty", hidden: true });
  box.after(none);
  const show = () => {
    const rows = rowsOf(members(), lists.group, titles, made);
    none.hidden = rows.length > 0;
    box.classList.toggle("empty", !rows.length);
    const { now } = lists;
    if (now) write(none, now.symbols.length ? `Nothing of ${now.name} is in this market.` : `${now.name} is empty: its menu, or that of a row, adds instruments.`);
    if (rows.length === given.length && rows.every((row, at) => row === given[at])) return;
    given = rows;
    for (const row of rows) {
      const quote = row.group ? null : market.get(row.symbol);
      if (quote) fill(row, quote, sparks.of(row.symbol));
    }
    setProps(grid, { rowData: rows });
  };
  lists.on(show);
  show();

  box.before(bar(lists));
  ordering(api, box, { lists, members, say });
  listMenu({ api, lists, market, view, members, say });
  api.addEventListener("cellKeyDown", (/** @type {any} */ { event, data }) => {
    if (event.key !== "Delete" || event.ctrlKey || event.metaKey || event.altKey || event.repeat || !data?.symbol || !lists.now) return;
    event.preventDefault();
    lists.drop(lists.now, data.symbol);
    say(`${data.symbol} is no longer in ${lists.now.name}`);
  });
  market.on("state", ({ state }) => state === "live" && lists.trouble?.retry?.());
  // What another tab did meanwhile is here before anything is changed on top of it.
  document.addEventListener("visibilitychange", () => document.hidden || void lists.load());
  void lists.load();
}

/** What went wrong last, and what can be done. @param {import("./lists.mjs").Lists} lists @returns {HTMLElement} */
function bar(lists) {
  const state = new PanelState(() => lists.trouble?.retry?.());
  state.node.classList.add("list-trouble");
  lists.on(() => {
    const { text = "", retry = null } = lists.trouble ?? {};
    state.fail(text, retry ? {} : { retry: null, dismiss: () => lists.say(null) });
  });
  return state.node;
}

/**
 * What the row's menu offers of the lists. @param {import("./lists.mjs").Lists} lists @param {string} symbol
 * @returns {{text: string, run: () => void}[]}
 */
export function offers(lists, symbol) {
  const { now } = lists;
  const others = lists.every.filter((one) => one !== now && !one.refused && !one.symbols.includes(symbol));
  return [
    ...(now ? [{ text: `Remove ${symbol} from ${now.name}`, run: () => lists.drop(now, symbol) }] : []),
    ...others.slice(0, MOST_OFFERS).map((one) => ({ text: `Add ${symbol} to ${one.name}`, run: () => lists.add(one, symbol) })),
  ];
}
