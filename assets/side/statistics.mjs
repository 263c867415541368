// @ts-check
// Statistics of the shown instrument over a window of stored bars; the server computes them, this writes them down.

import { element, make, write } from "../page/dom.mjs";
import * as words from "../page/words.mjs";
import { Asked } from "./asked.mjs";
import { paintBars } from "./histogram.mjs";
import { say } from "./lines.mjs";
import { keep, kept } from "./tabs.mjs";

const EVERY_MS = 15_000;
/** As in dashboard/api/statistics.py. */
export const WINDOWS = { "1h": "1 hour", "1d": "1 day", "7d": "7 days", "30d": "30 days", "1y": "1 year" };
const USUAL = "1d";
const LENGTHS = { "5m": 3e5, "1h": 36e5, "1d": 864e5, "7d": 6048e5, "30d": 2592e6, "1y": 31536e6 };
/** A return whose first price lies this much further back than asked for is said to be of longer. */
const FURTHER = 1.5;
const LITTLE = "not enough data";
const STILL = "the price did not move";

/** A share in percent with its sign, `−2.24 %`. @param {number} share */
export const percent = (share) => `${words.percent(share * 100)} %`;

/** A share in percent, as a volatility is. @param {number} share */
const plain = (share) => `${words.price(share * 100, 2)} %`;

/** A moment to the minute. @param {number} ms */
const minute = (ms) => words.moment(ms).replace(/:\d\d$/, "");

/**
 * What each line of the list says, with what is to be known about it.
 * @param {any} answer @param {number} decimals @returns {import("./lines.mjs").Line[]}
 */
export function lines(answer, decimals) {
  const { volatility, atr, beta, drawdown, distribution, against } = answer;
  const said = [
    { name: "Volatility a year", value: volatility == null ? LITTLE : plain(volatility), more: volatility === 0 ? STILL : "" },
    {
      name: "ATR 14",
      value: atr == null ? LITTLE : words.price(atr.value, decimals),
      more: atr == null ? "" : `${words.price(atr.percent, 2)} % of the price, a bar of ${answer.timeframe}`,
    },
    {
      name: "Drawdown now",
      value: drawdown == null ? LITTLE : percent(drawdown.now),
      more: "",
    },
    {
      name: "Deepest drawdown",
      value: drawdown == null ? LITTLE : percent(drawdown.most),
      more: drawdown == null || drawdown.most === 0 ? "" : `${minute(drawdown.peak)} to ${minute(drawdown.trough)}`,
    },
    { name: "Skew", value: distribution == null ? LITTLE : distribution.skew == null ? STILL : words.price(distribution.skew, 2), more: "" },
    {
      name: "Excess kurtosis",
      value: distribution == null ? LITTLE : distribution.kurtosis == null ? STILL : words.price(distribution.kurtosis, 2),
      more: "",
    },
  ];
  if (against) {
    said.splice(2, 0, {
      name: `Beta to ${against}`,
      value: beta == null ? LITTLE : beta.value == null ? `${against} did not move` : words.price(beta.value, 2),
      more: beta == null || beta.correlation == null ? "" : `correlation ${words.price(beta.correlation, 2)}, ${beta.returns} pairs`,
    });
  }
  return said;
}

/** @param {{market: any, view: any}} page @returns {Promise<import("./tabs.mjs").Tab>} */
export async function statistics({ market, view }) {
  const place = await element("#statistics-panel");
  const choice = kept();
  const window_ = select("statistics-window", Object.entries(WINDOWS), choice.window in WINDOWS ? choice.window : USUAL);
  const known = market.symbols.includes(choice.against) ? choice.against : "";
  const against = select("statistics-against", [["", "none"], ...market.symbols.map((/** @type {string} */ one) => [one, one])], known);
  const changes = make("dl", { class: "returns", "aria-label": "Returns" });
  const list = make("dl", { class: "facts-list" });
  const picture = make("div", { class: "histogram" });
  const note = make("p", { class: "tab-note" });
  const paint = (/** @type {any} */ answer) => {
    const decimals = market.get(answer.symbol)?.decimals ?? 2;
    changes.replaceChildren(...answer.returns.map(changeOf(answer.end)));
    say(list, lines(answer, decimals));
    paintBars(picture, answer.distribution, answer.timeframe);
    write(note, footnote(answer));
  };
  const asked = new Asked({
    what: "The statistics",
    everyMs: EVERY_MS,
    address: () => {
      const query = new URLSearchParams({ window: window_.value });
      if (against.value) query.set("against", against.value);
      return `/api/v1/tickers/${encodeURIComponent(view.symbol)}/statistics?${query}`;
    },
    paint,
  });
  place.replaceChildren(
    make("div", { class: "tab-bar" }, [
      make("label", { for: "statistics-window", text: "Window" }),
      window_,
      make("span", { class: "grow" }),
      make("label", { for: "statistics-against", text: "Beta to" }),
      against,
    ]),
    asked.place,
    make("div", { class: "tab-scroll", tabindex: "0", role: "group", "aria-label": "Statistics" }, [changes, list, picture, note]),
  );
  const chosen = () => {
    keep({ window: window_.value, against: against.value });
    void asked.now();
  };
  window_.addEventListener("change", chosen);
  against.addEventListener("change", chosen);
  return {
    show: () => asked.show(),
    hide: () => asked.hide(),
    changed() {
      // What belongs to another instrument must not be read as this one's.
      for (const part of [changes, list, picture]) part.replaceChildren();
      write(note, `Reading the statistics of ${view.symbol} …`);
      void asked.now();
    },
    tick() {},
  };
}

/** @param {string} id @param {string[][]} options @param {string} chosen @returns {HTMLSelectElement} */
function select(id, options, chosen) {
  return make("select", { class: "select", id }, options.map(([value, text]) => make("option", { value, text, selected: value === chosen })));
}

/** @param {number} end */
const changeOf = (end) => (/** @type {any} */ { window: name, value, since }) => {
  const further = value != null && end - since > LENGTHS[name] * FURTHER;
  const title = value == null ? `No bar reaches back ${name}: ${LITTLE}` : `Since ${words.moment(since)}`;
  return make("div", { title }, [
    make("dt", { text: further ? `${name}, from ${minute(since)}` : name }),
    make("dd", { class: `num ${words.direction(value)}`, text: value == null ? "–" : percent(value) }),
  ]);
};

/** @param {any} answer */
function footnote(answer) {
  if (!answer.bars) return `Not enough data: no bar of ${answer.timeframe} has closed in this window.`;
  return (
    `From ${answer.bars.toLocaleString("en-US")} closed ${answer.bars === 1 ? "bar" : "bars"} of ${answer.timeframe} since ${minute(answer.start)}. ` +
    "Volatility: root of the sum of squared log returns (Andersen et al. 2003), scaled to a year by calendar time. " +
    "ATR: Wilder 1978. Skew and kurtosis: those of a sample."
  );
}
