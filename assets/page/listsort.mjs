// @ts-check
// The order of the watchlist in the address: `sort=change_percent:desc,symbol:asc`, the first column first.

import { address } from "../live/address.mjs";

const MOST = 5;
const WAYS = ["asc", "desc"];

/**
 * What a text asks for, or a sentence on what is wrong with it.
 * @param {string} text @param {string[]} columns that a list can be sorted by
 * @returns {{colId: string, sort: string, sortIndex: number}[] | string}
 */
export function read(text, columns) {
  const found = text.split(",").map((part, sortIndex) => {
    const [colId, sort = "asc"] = part.split(":");
    return { colId, sort, sortIndex };
  });
  const wrong = found.find(({ colId, sort }) => !columns.includes(colId) || !WAYS.includes(sort));
  if (wrong) return `The list can't be sorted by "${`${wrong.colId}:${wrong.sort}`.slice(0, 30)}": sort takes asc or desc of ${columns.join(", ")}, as in sort=${columns[0]}:asc.`;
  if (found.length > MOST || new Set(found.map(({ colId }) => colId)).size < found.length) {
    return `The list can't be sorted by "${text.slice(0, 60)}": sort takes up to ${MOST} columns, each once.`;
  }
  return found;
}

/** @param {any} api the grid's own interface */
export function listSort(api) {
  const sortable = () => api.getColumns().filter((/** @type {any} */ one) => one.getColDef().sortable !== false).map((/** @type {any} */ one) => one.getColId());
  address.add({
    names: ["sort"],
    read() {
      const sorted = api.getColumnState().filter((/** @type {any} */ one) => one.sort);
      sorted.sort((/** @type {any} */ a, /** @type {any} */ b) => a.sortIndex - b.sortIndex);
      return [sorted.map((/** @type {any} */ { colId, sort }) => `${colId}:${sort}`).join(",") || null];
    },
    show([text], opening) {
      if (text === null) {
        // What the page opens with is the list's own to say.
        if (!opening) api.applyColumnState({ defaultState: { sort: null } });
        return undefined;
      }
      const state = read(text, sortable());
      if (typeof state === "string") return state;
      api.applyColumnState({ state, defaultState: { sort: null } });
      return undefined;
    },
  });
  // In a timeout, for it is told of while an address is shown.
  api.addEventListener("sortChanged", () => setTimeout(() => address.write(), 0));
}
