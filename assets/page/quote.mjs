// @ts-check
// The shown symbol's quote and day, beside the chart.

import { element, make, write } from "./dom.mjs";
import * as words from "./words.mjs";

const LINES = ["Bid", "Ask", "Spread", "Open", "High", "Low", "Previous close", "Volume", "Last report"];

/** @param {{market: any, view: any}} page */
export async function quote({ market, view }) {
  const title = await element("#quote-symbol");
  const list = await element("#quote-list");
  /** @type {Record<string, HTMLElement>} */
  const values = {};
  list.replaceChildren(
    ...LINES.map((name) => {
      values[name] = make("dd", { class: "num" });
      return make("div", {}, [make("dt", { text: name }), values[name]]);
    }),
  );
  const paint = () => {
    const now = market.get(view.symbol);
    write(title, view.symbol);
    if (!now) return;
    const price = (/** @type {number | null} */ value) => words.price(value, now.decimals);
    write(values.Bid, price(now.bid));
    write(values.Ask, price(now.ask));
    write(values.Spread, now.bid == null || now.ask == null ? price(null) : price(now.ask - now.bid));
    write(values.Open, price(now.open));
    write(values.High, price(now.high));
    write(values.Low, price(now.low));
    write(values["Previous close"], price(now.previous_close));
    write(values.Volume, words.short(now.volume));
    values.Volume.title = now.volume == null ? "" : now.volume.toLocaleString("en-US");
    write(values["Last report"], now.age_ms == null ? "no tick yet" : `${words.age(now.age_ms)} ago`);
    list.classList.toggle("stale", Boolean(now.stale));
  };
  view.on(paint);
  paint();
  return {
    /** @param {Set<string>} changed */
    paint(changed) {
      if (changed.has(view.symbol)) paint();
    },
    tick: paint,
  };
}
