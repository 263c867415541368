// @ts-check
// The header's words about the line and the feed: #connection and #feed-note.

import { market } from "./values.mjs";

/** How often the feed's health is asked for; a replay's more often, since its silence can't be told from the stream. */
const ASK_MS = 5_000;
const ASK_REPLAY_MS = 1_500;
const WORDS = { live: "Live", reconnecting: "Reconnecting", polling: "Polling", offline: "Offline" };

function show() {
  const pill = document.getElementById("connection");
  if (!pill) return;
  const { state, retryAt, reason } = market.state;
  pill.dataset.state = state;
  const left = retryAt == null ? 0 : Math.ceil((retryAt - performance.now()) / 1000);
  say(pill, WORDS[state], state !== "live" && left > 0 ? ` · again in ${left} s` : "");
  pill.title = reason || { live: "Prices are pushed as they change", polling: "No WebSocket: prices are asked for every second", reconnecting: "The line was lost a moment ago", offline: "Nothing answers; the last values are shown" }[state];
  document.documentElement.dataset.line = state;
}

function showFeed() {
  const note = document.getElementById("feed-note");
  if (!note) return;
  const [words, seconds] = feedWords();
  say(note, words, seconds);
  note.classList.toggle("warn", words !== "");
}

/**
 * Words that are announced, and what counts seconds beside them, which is not.
 * @param {HTMLElement} place @param {string} words @param {string} seconds
 */
function say(place, words, seconds) {
  const [announced, counted] = place.children;
  if (announced.textContent !== words) announced.textContent = words;
  if (counted.textContent !== seconds) counted.textContent = seconds;
}

/** What there is to say about the feed, and the seconds to it: nothing while it does what it should. @returns {[string, string]} */
export function feedWords() {
  const { feed } = market;
  if (market.state.state !== "live" && market.state.state !== "polling") return ["", ""];
  if (/ended/.test(feed.health)) return ["feed ended", ""];
  if (/^(retrying|stopped|starting)/.test(feed.health) && !feed.healthy) return [`feed ${feed.health}`, ""];
  let newest = Infinity;
  for (const symbol of market.symbols) newest = Math.min(newest, market.get(symbol)?.age_ms ?? Infinity);
  // Without a tick a feed may be well: every session is closed. Its signs of life are heard of at times only.
  const life = market.now() - market.aliveAt - ASK_MS;
  const silent = Math.min(newest, life);
  return silent > feed.stale_after_ms && Number.isFinite(newest) ? ["feed silent", ` ${Math.floor(newest / 1000)} s`] : ["", ""];
}

/** How the feed is, asked every few seconds: a replay's silence can't be told from the stream. */
async function ask() {
  if (document.hidden || market.state.state === "offline") return;
  try {
    const answer = await fetch("/health/ready", { signal: AbortSignal.timeout(3_000) });
    const line = (await answer.text()).split("\n").find((text) => text.startsWith("feed "));
    if (line) market.setFeed({ health: line.slice(5), healthy: !/^(retrying|stopped|starting|silent)/.test(line.slice(5)) });
  } catch (_unreachable) {
    // The connection's own state says so.
  }
}

export function start() {
  market.on("state", show);
  setInterval(() => {
    show();
    showFeed();
  }, 1000);
  setInterval(ask, market.feed.silence_is_stale ? ASK_MS : ASK_REPLAY_MS);
  ask();
  show();
}
