// @ts-check
// How good the shown instrument's data is, and how its feed does: age, gaps, how bars were made, what was refused.

import { element, make } from "../page/dom.mjs";
import * as words from "../page/words.mjs";
import { Asked } from "./asked.mjs";
import { say } from "./lines.mjs";

const EVERY_MS = 5_000;
/** What the checks refuse, in the order of dashboard/market/quality.py. */
const REASONS = {
  unknown: "unknown instrument",
  nan: "not a number",
  price: "price not positive",
  crossed: "bid over ask",
  future: "ahead of the clock",
  late: "too late",
  duplicate: "sent twice",
  unreadable: "unreadable",
};
const MADE = { whole: "Whole", partial: "Begun before the data", gap: "Feed away inside", filled: "Filled in", corrected: "Corrected later" };

/** How long something was, in words. @param {number} ms */
export function lasted(ms) {
  const days = Math.floor(ms / 864e5);
  if (days < 3) return words.age(ms);
  return `${days} days`;
}

/** @param {number} count */
const whole = (count) => count.toLocaleString("en-US");

/** Lines about the feed. @param {any} answer */
export function feedLines({ feed, breaks }) {
  const newest = breaks.newest[breaks.newest.length - 1];
  return [
    { name: "Feed", value: feed.kind, more: feed.words },
    { name: "Breaks", value: whole(feed.breaks), more: feed.error ?? "" },
    {
      name: "Last gap of the feed",
      value: !newest ? "none" : newest[1] === null ? "now" : lasted(newest[1] - newest[0]),
      more: newest ? `from ${words.moment(newest[0])}` : "",
    },
  ];
}

/** Lines about the bars. @param {any} answer */
export function barLines({ bars, holes }) {
  if (!bars.count) return [{ name: `Bars of ${bars.timeframe}`, value: "not enough data", more: "" }];
  const share = (/** @type {number} */ count) => (count && count < bars.count ? `${words.price((count / bars.count) * 100, count / bars.count > 0.999 ? 3 : 2)} %` : "");
  return [
    { name: `Bars of ${bars.timeframe}`, value: whole(bars.count), more: `since ${words.moment(bars.start)}` },
    ...Object.entries(MADE).map(([name, text]) => ({ name: text, value: whole(bars[name]), more: share(bars[name]) })),
    {
      name: "Minutes without a tick",
      value: whole(holes.bars),
      more: holes.longest ? `${whole(holes.count)} ${holes.count === 1 ? "gap" : "gaps"}, the longest ${lasted(holes.longest[1] - holes.longest[0])} from ${words.moment(holes.longest[0])}` : "",
    },
  ];
}

/** Refused ticks: reason, of this instrument (null where that can't be told), of the whole feed. @param {any} answer */
export function refused(answer) {
  return Object.entries(REASONS).map(([reason, text]) => ({ text, own: answer.quarantined[reason] ?? null, all: answer.quarantined_of_feed[reason] }));
}

/** @param {{market: any, view: any}} page @returns {Promise<import("./tabs.mjs").Tab>} */
export async function quality({ market, view }) {
  const place = await element("#quality-panel");
  const age = make("dl", { class: "facts-list" });
  const feed = make("dl", { class: "facts-list" });
  const bars = make("dl", { class: "facts-list" });
  const table = make("table", { class: "refused" });
  /** @type {any} */
  let answer = null;
  const paintAge = () => {
    const now = market.get(view.symbol);
    say(age, [
      {
        name: "Last report",
        value: now?.age_ms == null ? "no tick yet" : `${words.age(now.age_ms)} ago`,
        more: now?.age_ms == null ? "" : now.stale ? "stale" : "fresh",
      },
      { name: "Last tick", value: now?.ts ? words.moment(now.ts) : "–", more: "" },
      { name: "Ticks", value: answer ? whole(answer.ticks) : "–", more: answer?.outliers ? `${whole(answer.outliers)} jumped by over 20 %, kept` : "" },
    ]);
  };
  const paint = (/** @type {any} */ given) => {
    answer = given;
    paintAge();
    say(feed, feedLines(answer));
    say(bars, barLines(answer));
    const cell = (/** @type {number | null} */ count) => make("td", { class: count ? "num warn" : "num faint", text: count === null ? "–" : whole(count) });
    table.replaceChildren(
      make("caption", { text: "Refused ticks since the start" }),
      make("thead", {}, [make("tr", {}, [make("th", { scope: "col", text: "Reason" }), make("th", { scope: "col", class: "num", text: answer.symbol }), make("th", { scope: "col", class: "num", text: "Whole feed" })])]),
      make("tbody", {}, refused(answer).map(({ text, own, all }) => make("tr", {}, [make("th", { scope: "row", text }), cell(own), cell(all)]))),
    );
  };
  const asked = new Asked({
    what: "The quality of the data",
    everyMs: EVERY_MS,
    address: () => `/api/v1/tickers/${encodeURIComponent(view.symbol)}/quality`,
    paint,
  });
  place.replaceChildren(asked.place, make("div", { class: "tab-scroll", tabindex: "0", role: "group", "aria-label": "Data quality" }, [age, feed, bars, table]));
  return {
    show() {
      paintAge();
      asked.show();
    },
    hide: () => asked.hide(),
    changed() {
      answer = null;
      for (const part of [feed, bars, table]) part.replaceChildren();
      paintAge();
      void asked.now();
    },
    tick: paintAge,
  };
}
