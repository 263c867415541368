// @ts-check
// The header's words about the line and the feed: #connection and #feed-note.

import { market } from "./values.mjs";

const WORDS = { live: "Live", reconnecting: "Reconnecting", polling: "Polling", offline: "Offline" };

function show() {
  const pill = document.getElementById("connection");
  if (!pill) return;
  const { state, retryAt, reason } = market.state;
  pill.dataset.state = state;
  const left = retryAt == null ? 0 : Math.ceil((retryAt - Date.now()) / 1000);
  const again = state !== "live" && left > 0 ? ` · again in ${left} s` : "";
  const words = WORDS[state] + again;
  if (pill.textContent !== words) pill.textContent = words;
  pill.title = reason || { live: "Prices are pushed as they change", polling: "No WebSocket: prices are asked for every second", reconnecting: "The line was lost a moment ago", offline: "Nothing answers; the last values are shown" }[state];
  document.documentElement.dataset.line = state;
}

function showFeed() {
  const note = document.getElementById("feed-note");
  if (!note) return;
  const words = feedWords();
  if (note.textContent !== words) note.textContent = words;
  note.classList.toggle("warn", words !== "");
}

/** What there is to say about the feed: nothing while it does what it should. */
export function feedWords() {
  const { feed } = market;
  if (market.state.state !== "live" && market.state.state !== "polling") return "";
  if (/ended/.test(feed.health)) return "feed ended";
  if (/^(retrying|stopped|starting)/.test(feed.health) && !feed.healthy) return `feed ${feed.health}`;
  let newest = Infinity;
  for (const symbol of market.symbols) newest = Math.min(newest, market.get(symbol)?.age_ms ?? Infinity);
  if (newest > feed.stale_after_ms && Number.isFinite(newest)) return `feed silent ${Math.floor(newest / 1000)} s`;
  return "";
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
  setInterval(ask, market.feed.silence_is_stale ? 5_000 : 1_500);
  ask();
  show();
}
