// @ts-check
// Files to the reader's disk: fetched piece by piece, so that they can be shown coming and cancelled, and saved under their
// names; one that is larger than the page should hold goes to the browser's own downloads.

import { make } from "./dom.mjs";

/** Bytes that the page holds of a file; the store keeps 200,000 ticks of an instrument, 12 MB as CSV. */
const MOST = 64e6;
const NEWLINE = 10;
const BRACKET = 91;

/** Why there is no file, as a sentence for the reader. */
export class Refused extends Error {}

/** @typedef {{blob: Blob, name: string, receipt: string | undefined}} File */
/** How far a file is: bytes, and the part of its rows where that is known. @typedef {(bytes: number, part: number | null) => void} Told */

/**
 * A file of the server's; null where it is larger than the page should hold. Raises Refused where the server gives none.
 * @param {string} url @param {AbortSignal} signal @param {Told} told @returns {Promise<File | null>}
 */
export async function fetched(url, signal, told) {
  const answer = await fetch(url, { signal });
  if (!answer.ok || !answer.body) throw new Refused(await detail(answer));
  const type = answer.headers.get("Content-Type") ?? "";
  const rows = Number(answer.headers.get("X-Rows") ?? 0);
  // A line of CSV is a row, and an array in JSON; rows of Parquet can't be counted from outside.
  const sign = type.startsWith("text/csv") ? NEWLINE : type.startsWith("application/json") ? BRACKET : 0;
  const reader = answer.body.getReader();
  const parts = [];
  // The heading is a line too, and the lists of columns and of rows are arrays.
  let [size, had] = [0, sign === BRACKET ? -2 : -1];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    size += value.byteLength;
    if (size > MOST) {
      await reader.cancel();
      return null;
    }
    if (rows && sign) had += count(value, sign);
    told(size, rows && sign ? Math.min(Math.max(had, 0) / rows, 1) : null);
  }
  return {
    blob: new Blob(parts, { type }),
    name: /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") ?? "")?.[1] ?? "export",
    receipt: /<([^>]+)>; rel="describedby"/.exec(answer.headers.get("Link") ?? "")?.[1],
  };
}

/** How often a byte occurs. @param {Uint8Array} bytes @param {number} wanted */
function count(bytes, wanted) {
  let found = 0;
  for (let at = bytes.indexOf(wanted); at >= 0; at = bytes.indexOf(wanted, at + 1)) found += 1;
  return found;
}

/** What a refusal says. @param {Response} answer */
export async function detail(answer) {
  const said = await answer.json().catch(() => null);
  return said?.detail ? `${said.detail[0].toUpperCase()}${said.detail.slice(1)}.` : `The server answered ${answer.status}.`;
}

/** Save what the page has. @param {Blob} blob @param {string} name */
export function save(blob, name) {
  const url = URL.createObjectURL(blob);
  link(url, name);
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Let the browser download an address. @param {string} href @param {string} name empty: as the server calls it */
export function link(href, name) {
  const made = make("a", { href, download: name });
  document.body.append(made);
  made.click();
  made.remove();
}
