// @ts-check
// The menu at the head of the watchlist: which list is shown, how it is grouped, what is in it; to make, rename and delete
// lists, and to save the shown one as a file.

import { ask } from "./ask.mjs";
import { exported, keptColumns, walk } from "./columns.mjs";
import { make, menuOf, write } from "./dom.mjs";
import { finder } from "./finder.mjs";
import { GROUPINGS } from "./rows.mjs";

export const ALL = "All instruments";
const TITLES = { none: "None", class: "Class", sector: "Sector" };

/**
 * @param {{api: any, lists: import("./lists.mjs").Lists, market: any, view: any, members: () => any[], say: (text: string) => void}} page
 */
export function listMenu({ api, lists, market, view, members, say }) {
  const button = document.getElementById("list-button");
  const name = document.getElementById("list-name");
  const menu = document.getElementById("list-menu");
  if (!button || !name || !menu) return;
  const focusBack = () => button.focus();
  const find = finder({
    id: "member",
    label: "Add by symbol or name",
    instruments: () => market.instruments.filter((/** @type {any} */ { symbol }) => !lists.now?.symbols.includes(symbol)),
    choose: (symbol) => {
      const { now } = lists;
      if (!now || !market.get(symbol) || now.symbols.includes(symbol)) return;
      find.clear();
      lists.add(now, symbol);
      say(`${symbol} added to ${now.name}`);
    },
  });
  find.field.dataset.key = "find";

  /** @param {string} key @param {(string | Node)[]} inside @param {() => void} run @param {Record<string, any>} [given] */
  const item = (key, inside, run, given = {}) => {
    const made = make("button", { type: "button", class: "menu-item", "data-key": key, ...given }, inside);
    made.addEventListener("click", run);
    return made;
  };
  /** One that leaves the menu. @param {string} key @param {string} text @param {() => void} run */
  const leaving = (key, text, run) =>
    item(key, [text], () => {
      opened.close();
      focusBack();
      run();
    });
  const choice = (/** @type {number | null} */ id, /** @type {string} */ title, /** @type {number} */ size, /** @type {string} */ refused = "") =>
    item(
      `list ${id ?? "all"}`,
      [make("span", { class: "list-choice", text: title }), make("span", { class: "faint", text: refused ? "" : size })],
      () => {
        opened.close();
        focusBack();
        lists.choose(id);
        say(`${title}, ${members().length} instruments`);
      },
      { "aria-pressed": String((lists.now?.id ?? null) === id), disabled: Boolean(refused), title: refused || null },
    );
  const groups = () => {
    const buttons = GROUPINGS.map((one) => item(`group ${one}`, [TITLES[one]], () => lists.groupBy(one), { "aria-pressed": String(lists.group === one), class: "" }));
    return make("div", { class: "menu-row", role: "group", "aria-label": "Group by" }, [make("span", { class: "muted", text: "Group by" }), ...buttons]);
  };
  const content = () => {
    const { now } = lists;
    const { symbol } = view;
    const query = new URLSearchParams({ ...(now && { list: String(now.id) }), columns: exported(api).join(",") });
    const file = make("a", { class: "menu-item", "data-key": "file", href: `/api/v1/export/watchlist.csv?${query}`, download: "", text: "Save as CSV" });
    const absent = now?.unknown.length ?? 0;
    return [
      make("div", { role: "group", "aria-label": "Watchlists", class: "menu-part lists" }, [
        choice(null, ALL, market.instruments.length),
        ...lists.every.map((one) => choice(one.id, one.name, one.symbols?.length ?? 0, one.refused)),
      ]),
      ...(now ? [make("div", { class: "menu-part" }, [find.box])] : []),
      make("div", { class: "menu-part" }, [groups()]),
      make("div", { class: "menu-part" }, [
        ...(now ? [contained(now, symbol)] : []),
        leaving("new", "New list…", () => making(symbol)),
        ...(now ? [leaving("rename", "Rename…", () => renaming(now)), leaving("delete", "Delete…", () => deleting(now))] : []),
        file,
      ]),
      ...(absent ? [make("p", { class: "faint menu-note", text: `${absent} of its symbols ${absent > 1 ? "are" : "is"} not in this market.` })] : []),
    ];
  };
  const contained = (/** @type {import("./lists.mjs").List} */ now, /** @type {string} */ symbol) =>
    now.symbols.includes(symbol)
      ? leaving("member", `Remove ${symbol}`, () => {
          lists.drop(now, symbol);
          say(`${symbol} is no longer in ${now.name}`);
        })
      : leaving("member", `Add ${symbol}`, () => {
          lists.add(now, symbol);
          say(`${symbol} added to ${now.name}`);
        });
  const making = (/** @type {string} */ symbol) => {
    let made = false;
    ask({
      title: "New watchlist",
      text: `It begins with ${symbol}.`,
      label: "Name",
      action: "Make",
      run: async (value) => {
        const why = await lists.create(value, { symbols: [symbol], columns: keptColumns(api) });
        made = why === null;
        return why;
      },
      closed: () => {
        focusBack();
        // What it is to have comes next.
        if (!made) return;
        opened.open();
        find.field.focus();
      },
    });
  };
  const renaming = (/** @type {import("./lists.mjs").List} */ { id, name }) =>
    ask({ title: "Rename the watchlist", label: "Name", value: name, action: "Rename", run: (value) => lists.rename(id, value), closed: focusBack });
  const deleting = (/** @type {import("./lists.mjs").List} */ { id, name, symbols }) =>
    ask({
      title: `Delete ${name}?`,
      text: `The list of ${symbols.length} instrument${symbols.length === 1 ? "" : "s"} is gone then; the instruments stay.`,
      action: "Delete",
      run: () => lists.remove(id),
      closed: focusBack,
    });

  const draw = () => {
    const key = /** @type {HTMLElement | null} */ (menu.contains(document.activeElement) ? document.activeElement : null)?.dataset.key;
    menu.replaceChildren(...content());
    if (key) /** @type {HTMLElement | null} */ (menu.querySelector(`[data-key="${key}"]`))?.focus();
  };
  const opened = menuOf(button, menu, () => {
    draw();
    void lists.load();
  });
  walk(menu);
  const show = () => {
    write(name, lists.now?.name ?? ALL);
    if (!menu.hidden) draw();
  };
  lists.on(show);
  show();
}
