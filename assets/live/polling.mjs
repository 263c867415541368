// @ts-check
// The fall-back: Dash's interval callback brings quotes and bars while the stream can't be had.

import { market } from "./values.mjs";
import { stream } from "./socket.mjs";

/** Polls begin so long after the line was lost. */
const BEGIN_MS = 4_000;
/** Without an answer for so long nothing answers. */
const DEAD_MS = 6_000;

export const polling = { on: false, since: 0, answered: 0 };

/** @param {boolean} on */
function turn(on) {
  if (polling.on === on) return;
  polling.on = on;
  polling.since = performance.now();
  window["dash_clientside"]?.set_props?.("poll-interval", { disabled: !on });
}

/** An answer of the callback. @param {any} answer */
export function take(answer) {
  if (answer.error || !answer.tickers) return;
  polling.answered = performance.now();
  if (stream.open) return;
  if (market.epoch !== answer.epoch) {
    market.epoch = stream.epoch = answer.epoch;
    stream.tickerSeq = stream.barSeq = 0;
    market.tell("epoch", answer.epoch);
  }
  market.offset = answer.sent - performance.now();
  market.setFeed(answer.feed);
  market.take(answer.epoch, answer.tickers);
  if (answer.bars) market.tell("bars", { ...answer.bars, whole: true, polled: true });
  settle();
}

/** Say what the state of the connection is; `polling` is true once HTTP has answered instead. */
export function settle() {
  const lost = performance.now() - stream.lostAt;
  turn(!stream.open && lost > BEGIN_MS);
  if (stream.open) return market.setState("live", null, "");
  const fresh = polling.on && polling.answered > polling.since && performance.now() - polling.answered < DEAD_MS;
  if (fresh) return market.setState("polling", stream.retryAt, stream.reason);
  const state = lost < 10_000 ? "reconnecting" : "offline";
  return market.setState(state, stream.retryAt, stream.reason);
}

export function start() {
  stream.changed = settle;
  setInterval(settle, 500);
}
