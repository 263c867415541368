"""The side panel's modules by themselves, in a browser without a server: the tick rule, rows out of view, words."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.test_modules import blank

__all__ = ["blank"]

#: Modules by name.
READY = """
const [direction, trades, rows, statistics, quality] = await Promise.all(
  ["direction", "trades", "rows", "statistics", "quality"].map((name) => import(`/side/${name}.mjs`)),
);
"""


def run(page: Page, code: str) -> Any:
    return page.evaluate(f"async () => {{{READY}{code}}}")


def test_the_tick_rule_gives_a_price_the_side_of_the_last_that_differed(blank: Page) -> None:
    sides = run(
        blank,
        """
        const rule = new direction.TickRule();
        const sides = [10, 10, 11, 11, 10, 10, 12].map((price) => rule.of(price));
        rule.forget();
        return [sides, [12, 13, 12].map((price) => rule.of(price))];
        """,
    )
    assert sides == [[0, 0, 1, 1, -1, -1, 1], [0, 1, -1]]


def test_a_reader_who_scrolled_back_keeps_the_rows_and_is_told_how_many_came(blank: Page) -> None:
    before, during, after = run(
        blank,
        """
        const shown = new trades.Shown();
        const row = (_, at) => [at + 1, 5, at + 1, null, null, 1];
        const give = (from, to) => shown.add(Array.from({ length: to - 1 }, row).slice(from - 1), false);
        const look = () => [shown.first, shown.end, shown.missed, shown.at(shown.end - 1).seq];
        give(1, 101);
        const before = look();
        shown.stopped = shown.newest;
        give(101, 131);
        const during = look();
        shown.stopped = null;
        return [before, during, look()];
        """,
    )
    assert before == [0, 100, 0, 100]
    assert during == [0, 100, 30, 100]
    assert after == [0, 130, 0, 130]


def test_the_oldest_go_and_the_others_keep_their_numbers_with_a_filter_too(blank: Page) -> None:
    kept, numbered, filtered, unfiltered = run(
        blank,
        """
        const shown = new trades.Shown();
        shown.filter(5);
        const row = (seq) => [seq, 5, seq % 10, null, null, 1];
        for (let from = 1; from < 20_000; from += 100) {
          shown.add(Array.from({ length: 100 }, (_, at) => row(from + at)), false);
        }
        const numbered = [];
        for (let number = shown.first; number < shown.end; number++) numbered.push(shown.at(number));
        const ordered = numbered.every((trade, at) => !at || trade.seq > numbered[at - 1].seq);
        const wrong = ordered ? numbered.filter((trade) => trade.size < 5).length : -1;
        const filtered = shown.end;
        shown.filter(0);
        return [shown.trades.length, wrong, filtered, shown.end - shown.first];
        """,
    )
    assert 5_000 <= kept <= 5_500
    assert numbered == 0
    assert filtered == 10_000
    assert unfiltered == kept


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("", 0),
        (" 12 ", 12),
        ("1,000", 1000),
        (".5", 0.5),
        ("1e3", 1000),
        ("abc", None),
        ("-1", None),
        ("1e999", None),
        ("0x10", None),
    ],
)
def test_a_size_is_a_number_from_0_on(blank: Page, text: str, size: float | None) -> None:
    assert run(blank, f"return trades.sizeOf({text!r})") == size


def test_only_rows_in_view_have_elements_and_a_new_one_touches_no_other(blank: Page) -> None:
    elements, top, touched, jumped = run(
        blank,
        """
        const [scroller, list] = [document.createElement("div"), document.createElement("div")];
        scroller.style.cssText = "height:220px;overflow-y:scroll";
        list.style.position = "relative";
        scroller.append(list);
        document.body.replaceChildren(scroller);
        const source = { first: 0, end: 5000, at: (number) => number };
        const view = new rows.Rows(scroller, list, 22, {
          make: () => {
            const node = document.createElement("p");
            node.style.cssText = "position:absolute;margin:0;height:22px";
            return node;
          },
          fill: (node, row) => { node.textContent = String(row); },
        });
        view.draw(source);
        const texts = () => [...list.children].map((node) => Number(node.textContent));
        const elements = list.children.length;
        const top = texts()[0];
        let touched = 0;
        const every = { childList: true, subtree: true, attributes: true, characterData: true };
        new MutationObserver((records) => { touched += records.length; }).observe(list, every);
        for (let turn = 0; turn < 10; turn++) {
          source.end += 1;
          view.draw(source);
        }
        await new Promise((go) => setTimeout(go));
        scroller.scrollTop = 22 * 2000;
        view.draw(source);
        const box = scroller.getBoundingClientRect();
        const first = [...list.children].find((node) => node.getBoundingClientRect().bottom > box.top + 1);
        const inOrder = texts().every((row, at, all) => !at || row === all[at - 1] - 1);
        return [elements, top, touched, [Number(first.textContent), inOrder]];
        """,
    )
    assert elements <= 20
    assert top == 4999
    # A row: taller list, rows counted, one element moved, its text and place.
    assert touched <= 10 * 8
    assert jumped == [3009, True]


def test_what_can_not_be_told_is_said_and_not_drawn_as_a_number(blank: Page) -> None:
    little, still = run(
        blank,
        """
        const none = { volatility: null, atr: null, beta: null, drawdown: null, distribution: null, against: "B" };
        const still = {
          ...none,
          volatility: 0,
          atr: { value: 0, percent: 0 },
          beta: { value: null, correlation: null, returns: 30 },
          drawdown: { now: 0, most: 0 },
          distribution: { skew: null, kurtosis: null },
        };
        const said = (answer) => {
          const lines = statistics.lines({ ...answer, timeframe: "5m" }, 2);
          return Object.fromEntries(lines.map(({ name, value }) => [name, value]));
        };
        return [said(none), said(still)];
        """,
    )
    assert set(little.values()) == {"not enough data"}
    assert still["Beta to B"] == "B did not move"
    assert still["Skew"] == still["Excess kurtosis"] == "the price did not move"
    assert still["Volatility a year"] == "0.00 %"


def test_a_gap_of_days_is_told_in_days(blank: Page) -> None:
    lines = run(
        blank,
        """
        const bars = { count: 50, timeframe: "1m", start: 0, whole: 49, partial: 1, gap: 0, filled: 0, corrected: 0 };
        const holes = { count: 1, bars: 5760, longest: [0, 4 * 864e5] };
        return quality.barLines({ bars, holes }).map(({ name, value, more }) => `${name} ${value} ${more}`);
        """,
    )
    assert lines[1] == "Whole 49 98.00 %"
    assert lines[-1].startswith("Minutes without a tick 5,760 1 gap, the longest 4 days from")
