// @ts-check
// Views of another page than the dashboard, among the saved ones: kept as settings of a view, and addressed by the page's
// own path. Pure.

/** The Compare page, in a view's setting `page`. */
export const PAGE = "compare";
/** Characters that a setting may have (dashboard/workbench/views.py). */
const SETTING = 200;

/** @param {URLSearchParams} query */
export const isCompare = (query) => query.get("page") === PAGE;

/**
 * A Compare page as the server keeps it: as a view of its first chart, with the rest of the query in the settings, long
 * values in several. @param {URLSearchParams} query @returns {import("./viewtext.mjs").Kept}
 */
export function keptPage(query) {
  const [symbol = "", own = "1m"] = (query.get("charts") ?? "").split(",")[0].split(":");
  /** @type {Record<string, string>} */
  const settings = {};
  for (const [name, value] of query) {
    if (name === "type" || !value) continue;
    Object.assign(settings, parted(name, value));
  }
  return { symbol, timeframe: query.get("one") || own, ...(query.get("type") && { type: /** @type {string} */ (query.get("type")) }), settings };
}

/** The query of a kept Compare page, with its `page`. @param {import("./viewtext.mjs").Kept} view */
export function pageQuery({ type, settings = {} }) {
  const query = new URLSearchParams(Object.entries(joined(settings)));
  if (type && type !== "candles") query.set("type", type);
  return query;
}

/** A value as settings: a long one in several, `name`, `name.2`, … @param {string} name @param {string} value @returns {Record<string, string>} */
export function parted(name, value) {
  /** @type {Record<string, string>} */
  const found = {};
  for (let at = 0, part = 1; at < value.length; at += SETTING, part += 1) found[part === 1 ? name : `${name}.${part}`] = value.slice(at, at + SETTING);
  return found;
}

/** The values of settings, those of several put together. @param {Record<string, string | number | boolean | null>} settings @returns {Record<string, string>} */
export function joined(settings) {
  /** @type {Record<string, string>} */
  const found = Object.create(null); // an address may have any name
  for (const [key, value] of Object.entries(settings).sort(([a], [b]) => partOf(a) - partOf(b))) {
    const name = key.replace(/\.\d+$/, "");
    found[name] = (found[name] ?? "") + String(value ?? "");
  }
  return found;
}

/** @param {string} key */
function partOf(key) {
  return Number(/\.(\d+)$/.exec(key)?.[1] ?? 1);
}

/** What a kept Compare page shows, in a line. @param {import("./viewtext.mjs").Kept} view */
export function pageSummary(view) {
  const query = pageQuery(view);
  const charts = (query.get("charts") ?? "").split(",").filter(Boolean);
  const one = query.get("one");
  return ["Compare", charts.map((chart) => (one ? chart.split(":")[0] : chart.replace(":", " "))).join(", "), one && `all ${one}`].filter(Boolean).join(" · ");
}

/** The address of a view, path and query. @param {URLSearchParams} query */
export function addressOf(query) {
  const rest = new URLSearchParams(query);
  rest.delete("page");
  const text = rest.toString().replaceAll("%2C", ",").replaceAll("%3A", ":").replaceAll("%2F", "/");
  return isCompare(query) ? `/${PAGE}?${text}` : `/?${query}`;
}

/** The query of a link to a view; null for a text that is no link. @param {string} text */
export function linked(text) {
  const found = /^https?:\/\/[^/?#]*([^?#]*)\?([^#]*)/.exec(text);
  if (!found) return null;
  const query = new URLSearchParams(found[2]);
  if (found[1] === `/${PAGE}`) query.set("page", PAGE);
  else if (isCompare(query)) query.delete("page");
  return query;
}
