// @ts-check
// The header's own parts: the market's clock with its zone, and the note when the feed says nothing.

import { element, menuOf, write } from "./dom.mjs";
import * as words from "./words.mjs";

/** While the feed is silent, readiness is asked so often for the reason. */
const ASK_MS = 5000;

/** @param {{market: any, paint: any}} page */
export async function header({ market, paint }) {
  const clock = await element("#clock");
  const note = await element("#feed-note");
  const facts = await element("#menu-facts");
  const latency = await element("#latency");
  menuOf(await element("#user-button"), await element("#user-list"));
  let asked = 0;
  let reason = "";

  const ask = async () => {
    asked = Date.now();
    try {
      const answer = await fetch("/health/ready", { cache: "no-store" });
      const line = (await answer.text()).split("\n").find((one) => one.startsWith("feed "));
      reason = line && !line.startsWith("feed ok") ? line : "";
    } catch {
      reason = ""; // the line is cut; the connection's pill says so
    }
  };
  return {
    /** Once a second. */
    tick() {
      const now = market.now();
      write(clock, `${words.time(now)} ${words.zone(now)}`);
      const silent = silence(market);
      if (silent == null || market.state === "offline") {
        write(note, "");
        reason = "";
      } else {
        if (Date.now() - asked > ASK_MS) void ask();
        const ended = /^feed ended/.test(reason);
        const words_ = ended || /retrying|stopped/.test(reason) ? reason : `feed silent for ${words.age(silent)}`;
        write(note, ended ? "feed ended" : words_);
        note.title = reason || words_;
      }
      write(facts, `${paint.feed.kind} · ${clock.textContent} · ${latency.textContent}`);
    },
  };
}

/** How long no instrument at all was reported, ms, when that is stale; else null. @param {any} market */
export function silence(market) {
  let least = Infinity;
  for (const symbol of market.symbols ?? []) {
    const quote = market.get(symbol);
    if (quote && !quote.stale) return null;
    if (quote?.age_ms != null) least = Math.min(least, quote.age_ms);
  }
  return Number.isFinite(least) ? least : null;
}
