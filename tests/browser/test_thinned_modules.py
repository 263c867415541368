"""Views of more bars than pixels: candles of several bars, rows that lines go through, what is kept as a view moves."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser import test_modules
from tests.browser.test_chart_modules import BEGAN, MINUTE, Bar, bars_of

blank = test_modules.blank
MODULES = """
const [series, plot, thinned, crowds] = await Promise.all(
  ["chart/series", "chart/plot", "chart/thinned", "chart/crowd"].map((name) => import(`/${name}.mjs`)),
);
const plain = { place: (ms) => ms, time: (x) => x };
const chart = (bars, width) => {
  const held = new series.Series();
  held.load({ symbol: "A", timeframe: "1m", ms: 60000, bars });
  const made = new plot.Plot(null, { clientWidth: width }, held);
  made.figure = { type: "candles" };
  return made;
};
const look = (made, from, to) => { made.look(from, to); made.crowd.turn(); };
"""


def run(page: Page, code: str, given: Any = None) -> Any:
    return page.evaluate(f"async (given) => {{{MODULES}{code}}}", given)


def as_one(bars: list[Bar]) -> Bar:
    """The bar of a longer timeframe, but for its start."""
    flags = 0
    for bar in bars:
        flags |= int(bar[7])
    highs, lows = [bar[2] for bar in bars], [bar[3] for bar in bars]
    sums = [sum(bar[field] for bar in bars) for field in (5, 6)]
    return [bars[0][1], max(highs), min(lows), bars[-1][4], *sums, flags]


@pytest.mark.parametrize("each", [2, 5, 20])
def test_a_candle_of_several_bars_is_the_bar_of_a_longer_timeframe(blank: Page, each: int) -> None:
    bars = bars_of(333)
    for at in (7, 90, 91):
        bars[at][7] = 5.0
    del bars[100:131]
    found, firsts = run(
        blank,
        "const made = thinned.merged(given.bars, 0, given.bars.length, { each: given.each, ms: 60000, ...plain });"
        "return [made.bars, made.firsts];",
        {"bars": bars, "each": each},
    )
    groups: dict[int, list[Bar]] = {}
    for bar in bars:
        groups.setdefault(int(bar[0]) // (each * MINUTE), []).append(bar)
    assert [one[1:] for one in found] == [as_one(group) for group in groups.values()]
    assert [one[0] for one in found] == [of * each * MINUTE + (each - 1) * MINUTE / 2 for of in groups]
    assert [bars[first] for first in firsts] == [group[0] for group in groups.values()]


def test_bars_are_merged_in_round_numbers_until_a_candle_has_room(blank: Page) -> None:
    cases = [(bars, width) for bars in (100, 241, 1000, 5000, 100_000) for width in (300, 800, 1240)]
    found = run(blank, "return given.map(([bars, width]) => thinned.eachOf(bars, width));", cases)
    for (bars, width), each in zip(cases, found, strict=True):
        assert each / 10 ** math.floor(math.log10(each)) in (1, 2, 5)
        assert width / (bars / each) >= 2.5, (bars, width, each)
        assert each == 1 or width / (bars / each) < 2.5 * 2.5 + 1e-9, "not more than needed"


@pytest.mark.parametrize("seed", range(3))
def test_a_line_goes_through_its_own_points_and_through_every_spike(blank: Page, seed: int) -> None:
    chance = random.Random(seed)
    values: list[float | None] = [round(math.sin(at / 70) + chance.gauss(0, 0.02), 6) for at in range(5000)]
    spikes = chance.sample(range(100, 4900), 12)
    for at in spikes:
        values[at] = 5.0 if at % 2 else -5.0
    for at in range(2000, 2100):
        values[at] = None
    found = run(
        blank,
        """
        const firsts = Array.from({ length: 250 }, (_, at) => at * 20);
        return thinned.picked(given.map((value) => value ?? NaN), 0, firsts, given.length);
        """,
        values,
    )
    rows = [at for at in found if at >= 0]
    assert rows == sorted(set(rows))
    assert rows[0] == 0
    assert rows[-1] == 4999
    assert len(rows) <= 2 * 250 + 4
    assert {at for at in spikes if not 2000 <= at < 2100} <= set(rows)
    gap = found.index(-1)
    assert found.count(-1) == 1
    assert 1980 <= found[gap - 1] < 2000
    assert 2100 <= found[gap + 1] < 2120


def test_where_there_is_room_a_line_goes_through_every_point(blank: Page) -> None:
    for each in (1, 2):
        found = run(
            blank,
            """
            const firsts = Array.from({ length: 60 / given }, (_, at) => at * given);
            return thinned.picked(Array.from({ length: 63 }, (_, at) => Math.sin(at - 3)), -3, firsts, 60);
            """,
            each,
        )
        assert found == list(range(60))


def test_what_is_drawn_is_the_same_however_the_view_came_there(blank: Page) -> None:
    """Bars come in front and at the end, are corrected, the view moves: groups are those of a new chart."""
    bars = bars_of(6000)
    corrected = [*bars[3001][:2], bars[3001][2] + 3, *bars[3001][3:]]
    checks, kept = run(
        blank,
        """
        const { bars, corrected } = given, start = bars[0][0];
        const made = chart(bars.slice(2000, 5000), 800);
        const checks = [];
        const compare = (from, to) => {
          look(made, start + from * 60000, start + to * 60000);
          const fresh = chart(made.series.rows, 800);
          look(fresh, made.left, made.right);
          const of = (one) => one.crowd.between(one.from, one.to);
          checks.push([made.crowd.on, JSON.stringify(of(made)) === JSON.stringify(of(fresh)), of(made).length]);
        };
        compare(2100, 3100);
        const { version } = made.crowd;
        for (let at = 0; at < 200; at += 7) compare(2100 + at, 3100 + at);
        const kept = made.crowd.version === version;
        compare(3900, 5050);
        made.series.merge(bars.slice(5000, 5030)); compare(3900, 5050);
        made.series.merge([[...bars[5029].slice(0, 4), 1, ...bars[5029].slice(5)]]); compare(3900, 5050);
        made.series.merge([corrected]); compare(2500, 3500);
        made.series.prepend(bars.slice(0, 2000)); compare(1000, 3000); compare(0, 6000); compare(10, 700);
        return [checks, kept];
        """,
        {"bars": bars, "corrected": corrected},
    )
    assert all(on and same and count > 100 for on, same, count in checks), checks
    assert kept, "a view that moves a little makes nothing anew"


def test_a_tick_costs_the_forming_candle_alone(blank: Page) -> None:
    before, after, forming, close = run(
        blank,
        """
        const made = chart(given, 800);
        look(made, given[0][0], given.at(-1)[0] + 60000);
        const first = made.crowd.groups.bars.slice(), { version } = made.crowd;
        made.series.merge([[...given.at(-1).slice(0, 4), 123, ...given.at(-1).slice(5)]]);
        const second = made.crowd.groups.bars;
        const same = second.filter((bar, at) => bar === first[at]).length;
        return [first.length, same, made.crowd.version - version, made.crowd.forming.bars[0][4]];
        """,
        bars_of(3000),
    )
    assert (after, forming, close) == (before - 1, 0, 123)


def test_few_bars_are_plotlys_and_what_is_pending_is_whole(blank: Page) -> None:
    bars = bars_of(3000)
    few, many, pending, closed = run(
        blank,
        """
        const made = chart(given, 800);
        look(made, given[2800][0], given.at(-1)[0] + 60000);
        const few = [made.crowd.on, made.crowd.words];
        look(made, given[1000][0], given.at(-1)[0] + 60000);
        return [few, [made.crowd.on, made.crowd.words], made.pending(), made.rows[made.crowd.closed - 1]];
        """,
        bars,
    )
    assert few == [False, ""]
    assert many == [True, "each candle 10 bars"]
    assert pending == bars[bars.index(closed) + 1 :]
    assert pending[0][0] // (10 * MINUTE) == pending[-1][0] // (10 * MINUTE)
    assert BEGAN % (10 * MINUTE) == 0
