// @ts-check
// The header's own parts: the server's clock with its zone, and the user's menu.

import { element, menuOf, write } from "./dom.mjs";
import * as words from "./words.mjs";

/** @param {{market: any, paint: any}} page */
export async function header({ market, paint }) {
  const clock = await element("#clock");
  const facts = await element("#menu-facts");
  const latency = await element("#latency");
  menuOf(await element("#user-button"), await element("#user-list"));
  /** Once a second, and at another zone. */
  const tick = () => {
    const now = market.now();
    write(clock, `${words.time(now)} ${words.zone(now)}`);
    write(facts, `${paint.feed.kind} · ${clock.textContent} · ${latency.textContent}`);
  };
  document.addEventListener("tickboard:zone", tick);
  return { tick };
}
