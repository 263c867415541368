"""The 52-week range by itself: its numbers over the day that goes on, its words, and when the page asks for it."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

from tests.browser.test_modules import blank

__all__ = ["blank"]

READY = """
const [measures, cells, yearly] = await Promise.all(
  ["measures", "cells", "yearly"].map((name) => import(`/page/${name}.mjs`)),
);
const NOON = Date.UTC(2026, 2, 3, 12);
/** A market of three, two of which have a price, and a server that says what it is told to. */
function market() {
  const listeners = {};
  const still = { price: 5, high: 5, low: 5, ts: NOON };
  const tickers = new Map([["A", { price: 10, high: 11, low: 9, ts: NOON }], ["B", still], ["C", {}]]);
  return {
    epoch: "e", tickers, symbols: ["A", "B", "C"],
    on: (kind, heard) => (listeners[kind] = heard), tell: (kind) => listeners[kind](),
    newest: (symbol) => ({ ts: tickers.get(symbol).ts ?? null }),
    years: () => [...tickers.values()].map((one) => one.year),
  };
}
const rows = [["A", 4, 12, NOON, true], ["B", 5, 5, NOON, false]];
"""


def run(page: Page, code: str) -> Any:
    return page.evaluate(f"async () => {{{READY}{code}}}")


def test_the_place_in_the_range_follows_the_day_beyond_what_the_server_said(blank: Page) -> None:
    places = run(
        blank,
        """
        const year = { low: 4, high: 12, since: null };
        const quote = (more) => ({ price: 10, high: 11, low: 9, ts: NOON, year, ...more });
        const still = { price: 5, high: 5, low: 5, year: { low: 5, high: 5, since: 0 } };
        return [
          {}, { price: 14, high: 14 }, { price: 2, low: 2 }, { price: 8, high: null, low: null }, { year: undefined },
          { year: null }, { year: null, high: null, low: null }, { price: null }, still,
        ].map((more) => [measures.MEASURES.year_range(quote(more)), measures.yearRange(quote(more))]);
        """,
    )
    inside, above, below, still, unasked, none, nothing, priceless, constant = places
    assert inside == [0.75, {"low": 4, "high": 12, "since": None}]
    assert above == [1, {"low": 4, "high": 14, "since": None}]
    assert below == [0, {"low": 2, "high": 12, "since": None}]
    assert still[0] == 0.5
    assert unasked == [None, None]
    assert none == [0.5, {"low": 9, "high": 11, "since": 1_772_539_200_000}]
    assert nothing == [None, None]
    assert priceless[0] is None
    assert constant[0] == 0.5


def test_the_range_in_words_says_since_when_where_that_is_less_than_52_weeks(blank: Page) -> None:
    said = run(
        blank,
        """
        const quote = { price: 10, high: 11, low: 9, ts: NOON, decimals: 2, year: { low: 4, high: 1200, since: null } };
        const short = { ...quote, year: { low: 4, high: 12, since: Date.UTC(2026, 2, 3) } };
        const nothing = { price: null, high: null, low: null, ts: null, decimals: 2 };
        return [quote, short, { ...nothing, year: undefined }, { ...nothing, year: null }].map(cells.yearWords);
        """,
    )
    assert said == [
        "52-week range 4.00 to 1,200.00, last 10.00",
        "52-week range 4.00 to 12.00, last 10.00, since 3 Mar 2026",
        "52-week range: not known yet",
        "52-week range: no bars of a day yet",
    ]


def test_a_cell_draws_the_bar_of_its_range_and_nothing_where_there_is_none(blank: Page) -> None:
    before, after = run(
        blank,
        """
        const node = document.createElement("span");
        const cell = { node, column: "year_range", shown: "", tone: "" };
        const quote = { price: 10, high: 11, low: 9, ts: NOON, decimals: 2, year: undefined };
        const paths = () => [...node.querySelectorAll("path")].map((path) => path.getAttribute("d"));
        const look = () => [paths(), node.title, node.getAttribute("aria-label")];
        cells.drawSlow(cell, quote, [], 0);
        const before = look();
        quote.year = { low: 4, high: 12, since: null };
        cells.drawSlow(cell, quote, [], 0);
        return [before, look()];
        """,
    )
    assert before == [["", ""], "52-week range: not known yet", "52-week range: not known yet"]
    words = "52-week range 4.00 to 12.00, last 10.00"
    # 0.75 of the 98 units between the ends.
    assert after == [["M1 8H99", "M1 8H75M75 2V14"], words, words]


def test_it_is_asked_for_only_while_somebody_looks_and_again_with_another_day_or_market(blank: Page) -> None:
    asked, years, told = run(
        blank,
        """
        let clock = 1000;
        performance.now = () => clock;
        const there = market();
        let told = 0;
        const asked = [];
        const made = new yearly.Yearly(there, () => (told += 1), async (method, path) => {
          asked.push([method, path, clock]);
          return { epoch: there.epoch, data: rows };
        });
        const look = async (wanted, ms) => {
          clock += ms;
          made.look(wanted);
          await new Promise((resolve) => setTimeout(resolve, 0));
        };
        await look(false, 60_000);
        await look(true, 1000);
        for (let second = 0; second < 30; second++) await look(true, 1000);
        const years = there.years();
        there.tickers.get("A").ts += 86_400_000;
        await look(true, 1000);
        there.tickers.get("A").ts += 86_400_000;
        await look(true, 1000);
        await look(true, 9000);
        there.epoch = "f";
        there.tell("epoch");
        const cleared = there.years();
        await look(true, 0);
        await look(false, 700_000);
        await look(true, 0);
        return [asked, [years, cleared, there.years()], told];
        """,
    )
    assert [(method, path) for method, path, _at in asked] == [("GET", "/ranges")] * 5
    # First shown; another day; the day after, not sooner than ten seconds later; another market; long not looked at.
    assert [at for _method, _path, at in asked] == [62_000, 93_000, 103_000, 103_000, 803_000]
    noon = 1_772_539_200_000
    whole = [{"low": 4, "high": 12, "since": None}, {"low": 5, "high": 5, "since": noon}, None]
    assert years == [whole, [None] * 3, whole]
    assert told == 5


def test_what_was_refused_is_said_and_asked_again_and_another_markets_answer_is_not_taken(blank: Page) -> None:
    said, years, asked = run(
        blank,
        """
        let clock = 1000;
        performance.now = () => clock;
        const there = market();
        const answers = [null, { epoch: "other", data: rows }, null, { epoch: "e", data: rows }];
        let asked = 0;
        const made = new yearly.Yearly(there, () => {}, async () => {
          const answer = answers[asked++];
          if (!answer) throw new Error("The server could not be reached.");
          return answer;
        });
        const said = [];
        const years = [];
        const look = async (wanted, ms) => {
          clock += ms;
          made.look(wanted);
          await new Promise((resolve) => setTimeout(resolve, 0));
          said.push(made.state.words.textContent);
          years.push(there.years()[0] ?? null);
        };
        for (const ms of [0, 1000, 9000, 10_000]) await look(true, ms);
        await look(false, 1000);
        await look(true, 0);
        made.state.again.click();
        await look(true, 0);
        return [said, years, asked];
        """,
    )
    failed = "The 52-week ranges could not be read. The server could not be reached."
    assert said == [failed, failed, "", failed, "", "", ""]
    assert years == [None] * 6 + [{"low": 4, "high": 12, "since": None}]
    assert asked == 4
