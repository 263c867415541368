// @ts-check
// What the user keeps on the server, asked for and changed: each document has a version, and who changes one says which
// he has seen, so that nothing is overwritten unseen.

/** Why the server has not done what was asked, in a sentence; `status` is 0 where it could not be reached. */
export class Refused extends Error {
  /** @param {string} sentence @param {number} status */
  constructor(sentence, status) {
    super(sentence);
    this.status = status;
  }

  /** Whether somebody else has changed it meanwhile. */
  get outrun() {
    return this.status === 412;
  }
}

/** An answer that has not come by then is not waited for. */
const ANSWER_MS = 15_000;

/**
 * The answer's JSON; null where it has none. Throws Refused.
 * @param {"GET" | "POST" | "PUT" | "DELETE"} method @param {string} path below `/api/v1`
 * @param {{body?: unknown, version?: number | string}} [given] the version that was seen
 * @returns {Promise<any>}
 */
export async function ask(method, path, { body, version } = {}) {
  /** @type {Record<string, string>} */
  const headers = {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (version !== undefined) headers["If-Match"] = `"${version}"`;
  let answer;
  try {
    const sent = body === undefined ? undefined : JSON.stringify(body);
    // A change goes on though the page is left at once.
    const keepalive = method !== "GET";
    answer = await fetch(`/api/v1${path}`, { method, headers, body: sent, keepalive, signal: AbortSignal.timeout(ANSWER_MS) });
    if (answer.ok) return answer.status === 204 ? null : await answer.json();
  } catch (_unreachable) {
    throw new Refused("The server could not be reached.", 0);
  }
  const problem = await answer.json().catch(() => null);
  throw new Refused(sentence(problem?.detail ?? `the server answered with status ${answer.status}`), answer.status);
}

/** @param {string} text */
export function sentence(text) {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
