// @ts-check
// A view in a file, as the export menu saves "The configuration" (exporting.mjs), read back. What is wrong with a file is
// said in a sentence; what its fields may hold is the server's to say, as of any view.

import { instant } from "../chart/range.mjs";
import { read as readIndicators, textOf, written } from "../indicators/choice.mjs";
import { Refused } from "./documents.mjs";
import { isCompare, joined, linked, parted } from "./viewpages.mjs";
import { keptOf } from "./viewtext.mjs";

/** The format of such a file, in its field `tickboard_view`. */
export const FORMAT = 1;
/** Bytes that are read; one that is saved here takes less than 2 KB. */
export const MOST_BYTES = 65_536;
/** Fields that are taken as they are, and count more than the file's `address`. */
const PLAIN = /** @type {const} */ (["symbol", "timeframe", "type", "scale"]);
const LONGEST_NAME = 60;

/** @typedef {{kept: import("./viewtext.mjs").Kept, faults: string[]}} Read the view, unchecked, and a sentence on each indicator that there is not */

/** A file's name as a sentence has it. @param {string} name */
export const called = (name) => (name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name);

/** The text of a file; one that is too large is not read. Throws Refused. @param {File} file @returns {Promise<string>} */
export async function contentOf(file) {
  if (file.size > MOST_BYTES) {
    throw new Refused(`${called(file.name)} takes ${Math.ceil(file.size / 1024).toLocaleString("en-US")} KB, a view ${MOST_BYTES / 1024} KB at most; it was not read.`, 0);
  }
  try {
    return await file.text();
  } catch (_gone) {
    throw new Refused(`${called(file.name)} could not be read: it is gone, or not yours to read.`, 0);
  }
}

/**
 * The view that a file's text holds. Throws Refused.
 * @param {string} text @param {string} name of the file @param {import("../indicators/choice.mjs").Registry} registry @returns {Read}
 */
export function viewIn(text, name, registry) {
  const said = objectIn(text, called(name));
  const link = typeof said.address === "string" ? linked(`http://file${said.address}`) : null;
  const query = link && !isCompare(link) ? link : new URLSearchParams();
  /** @type {any} */
  const kept = keptOf(query);
  for (const field of PLAIN) if (said[field] !== undefined) kept[field] = said[field];
  // While it follows the newest bars the range that was seen is over, unless it was chosen.
  const chosen = said.following !== true || query.has("start") || query.has("end");
  for (const field of /** @type {const} */ (["start", "end"])) kept[field] = chosen ? moment(said[field] ?? query.get(field)) : null;
  const asked = said.indicators ?? query.get("indicators") ?? "";
  if (typeof asked !== "string") return { kept: { ...kept, indicators: asked }, faults: [] };
  const { list, faults } = readIndicators(asked, String(said.looks ?? query.get("looks") ?? ""), registry);
  const { looks } = written(list, registry);
  const others = Object.entries(joined(kept.settings)).filter(([setting]) => setting !== "looks");
  const settings = Object.assign({}, ...[...others, ["looks", looks]].map(([setting, value]) => parted(setting, value)));
  return { kept: { ...kept, settings, indicators: list.map(textOf) }, faults };
}

/** The object of a view's file, of a format that is known. @param {string} text @param {string} name @returns {Record<string, any>} */
function objectIn(text, name) {
  /** @type {any} */
  let said;
  try {
    said = JSON.parse(text);
  } catch (_not) {
    throw new Refused(`${name} is not JSON, as the export menu saves "The configuration".`, 0);
  }
  const format = said?.tickboard_view;
  if (!Number.isInteger(format) || format < 1) throw new Refused(`${name} is not a view: it is JSON, but not what the export menu saves as "The configuration".`, 0);
  if (format > FORMAT) throw new Refused(`${name} is of format ${format}, which a newer version of this program has made; this one knows format ${FORMAT} at most.`, 0);
  return said;
}

/** UTC ms of a time as a file has it; what is none stays as it is, for the server to refuse. @param {unknown} value */
function moment(value) {
  return typeof value === "string" ? (instant(value) ?? value) : value;
}
