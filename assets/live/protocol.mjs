// @ts-check
// The stream's messages as the contract has them: pure, no sockets, no page.

/** @typedef {{epoch: string, seq: number, oldest_seq: number, heartbeat_ms: number}} Welcome */

export const TICKER = ["price", "bid", "ask", "size", "volume", "high", "low", "ts"];

/** @param {string} text @returns {any | null} null for what is no message */
export function read(text) {
  try {
    const message = JSON.parse(text);
    return message && typeof message.type === "string" ? message : null;
  } catch (_broken) {
    return null;
  }
}

/**
 * @param {string} channel @param {string | string[] | null} symbols
 * @param {{timeframe?: string, epoch?: string | null, after_seq?: number, after_id?: number, id?: number}} [more]
 */
export function subscribe(channel, symbols, more = {}) {
  /** @type {Record<string, unknown>} */
  const message = { op: "subscribe", channel };
  if (symbols) message.symbols = symbols;
  for (const [name, value] of Object.entries(more)) if (value != null) message[name] = value;
  if (message.after_seq == null || message.epoch == null) {
    delete message.after_seq;
    delete message.epoch;
  }
  return JSON.stringify(message);
}

/** @param {string} channel @param {string | string[]} symbols @param {string} [timeframe] */
export function unsubscribe(channel, symbols, timeframe) {
  return JSON.stringify({ op: "unsubscribe", channel, symbols, timeframe });
}

/** @param {number} id */
export function ping(id) {
  return JSON.stringify({ op: "ping", id });
}

/**
 * What a close code asks for.
 * @param {number} code
 * @returns {"soon" | "minute" | "login" | "never"}
 */
export function afterClose(code) {
  if (code === 4429) return "minute";
  if (code === 4401) return "login";
  if (code === 1008 || code === 1009 || code === 4403) return "never";
  return "soon";
}
