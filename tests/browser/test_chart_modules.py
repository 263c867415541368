"""The modules of the chart's types and axes by themselves: averaged bars, baselines, columns, ticks, countdown."""

from __future__ import annotations

import itertools
import math
import random
from typing import Any

import pytest
from playwright.sync_api import Page

from dashboard.ui.figures import TYPES
from dashboard.workbench.views import SCALES
from tests.browser import test_modules

blank = test_modules.blank
MODULES = """
const [series, plot, heikin, baseline, columns, scale, kinds, countdown, values, view, figures] = await Promise.all([
  "chart/series", "chart/plot", "chart/heikin", "chart/baseline", "chart/columns", "chart/scale", "chart/kinds",
  "chart/countdown", "live/values", "live/view", "chart/figures",
].map((name) => import(`/${name}.mjs`)));
"""
MINUTE = 60_000
BEGAN = 29_000_000 * MINUTE
Bar = list[float]


def run(page: Page, code: str, given: Any = None) -> Any:
    return page.evaluate(f"async (given) => {{{MODULES}{code}}}", given)


def bars_of(count: int, seed: int = 3) -> list[Bar]:
    """A walk of bars, flat ones among them."""
    chance, price = random.Random(seed), 100.0
    made: list[Bar] = []
    for at in range(count):
        opened = price
        price = opened if chance.random() < 0.1 else round(opened + chance.gauss(0, 0.5), 2)
        high, low = max(opened, price) + chance.random(), min(opened, price) - chance.random()
        made.append([BEGAN + at * MINUTE, opened, high, low, price, float(chance.randrange(1, 900)), 7, 1])
    return made


def heikin_ashi(bars: list[Bar]) -> list[Bar]:
    """Valcu's formula, word for word."""
    made: list[Bar] = []
    for start, opened, high, low, close, *rest in bars:
        average = (opened + high + low + close) / 4
        middle = (made[-1][1] + made[-1][4]) / 2 if made else (opened + close) / 2
        made.append([start, middle, max(high, middle, average), min(low, middle, average), average, *rest])
    return made


def near(found: list[Bar], wanted: list[Bar]) -> None:
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        assert one == pytest.approx(other, rel=1e-12)


def test_server_and_browser_have_the_same_types_and_scales(blank: Page) -> None:
    types, scales, drawn = run(blank, "return [view.TYPES, view.SCALES, Object.keys(kinds.KINDS)];")
    assert types == drawn == list(TYPES)
    assert scales == list(SCALES)


def test_averaged_bars_are_those_of_the_formula_while_bars_form_close_are_corrected_and_older_ones_come(
    blank: Page,
) -> None:
    bars = bars_of(60)
    forming = [[*bars[39][:4], bars[39][4] + step / 10, *bars[39][5:]] for step in range(3)]
    corrected = [*bars[20][:2], bars[20][2] + 3, *bars[20][3:]]
    first, moved, whole, mended = run(
        blank,
        """
        const { bars, forming, corrected } = given;
        const held = new series.Series(), made = new heikin.HeikinAshi(held);
        const load = { symbol: "A", timeframe: "1m", ms: 60000 };
        held.load({ ...load, bars: bars.slice(10, 39) });
        const copied = () => made.rows.map((row) => row.slice());
        const first = copied();
        for (const bar of forming) { held.merge([bar]); made.rows; }
        const moved = copied();
        held.merge([bars[39]]);
        held.merge(bars.slice(40));
        held.prepend(bars.slice(0, 10));
        const whole = copied();
        held.merge([corrected]);
        return [first, moved, whole, copied()];
        """,
        {"bars": bars, "forming": forming, "corrected": corrected},
    )
    near(first, heikin_ashi(bars[10:39]))
    near(moved, heikin_ashi([*bars[10:39], forming[-1]]))
    near(whole, heikin_ashi(bars))
    near(mended, heikin_ashi([*bars[:20], corrected, *bars[21:]]))


def test_a_tick_averages_the_forming_bar_alone(blank: Page) -> None:
    kept, other = run(
        blank,
        """
        const held = new series.Series(), made = new heikin.HeikinAshi(held);
        held.load({ symbol: "A", timeframe: "1m", ms: 60000, bars: given });
        const before = [...made.rows];
        const bar = given[given.length - 1].slice();
        bar[4] = bar[2];
        held.merge([bar]);
        const after = made.rows;
        const same = after.filter((row, at) => row === before[at]).length;
        return [same, after[after.length - 1] !== before[before.length - 1]];
        """,
        bars_of(50),
    )
    assert (kept, other) == (49, True)


@pytest.mark.parametrize("seed", range(4))
def test_the_sides_of_a_line_are_the_line_cut_at_its_base(blank: Page, seed: int) -> None:
    chance = random.Random(seed)
    points = [[float(at), float(chance.randrange(-3, 4))] for at in range(80)]
    above, below = run(blank, "const found = baseline.sides(given, 0); return [found.above, found.below];", points)
    assert all(y >= 0 for runs in above for _, y in runs)
    assert all(y <= 0 for runs in below for _, y in runs)
    ordered = sorted(above + below, key=lambda runs: (runs[0][0], runs[-1][0]))
    for one, following in itertools.pairwise(ordered):
        assert one[-1] == following[0]
        assert one[-1][1] == 0
    assert ordered[0][0] == points[0]
    assert ordered[-1][-1] == points[-1]
    drawn = [point for runs in ordered for point in runs]
    assert [point for point in drawn if point in points and point[1] != 0] == [point for point in points if point[1]]
    for runs in ordered:  # a crossing lies on the line between its two points
        for (x0, y0), (x1, y1) in itertools.pairwise(runs):
            left, right = points[math.floor(x0)], points[math.ceil(x1)]
            if right[0] > left[0] and x1 > x0:
                assert (y1 - y0) / (x1 - x0) == pytest.approx((right[1] - left[1]) / (right[0] - left[0]))


def test_every_bar_is_in_one_of_the_two_traces_of_its_type(blank: Page) -> None:
    bars = bars_of(40)
    found = run(
        blank,
        """
        const on = { before: given[0], shift: 0, half: 22500, base: 100, scale: "linear", view: [0, 1] };
        const column = columns.columns(given.slice(1), on);
        return Object.fromEntries(["up", "down", "rose", "fell"].map((where) => [where, column("time", where)])
          .concat([["all", column("time")], ["tick", [column("tick_time", "up"), column("tick_price", "up")]]]));
        """,
        bars,
    )
    assert sorted(found["up"] + found["down"]) == sorted(found["rose"] + found["fell"]) == found["all"]
    pairs = list(itertools.pairwise(bars))
    rose = [text for text, (before, bar) in zip(found["all"], pairs, strict=True) if bar[4] >= before[4]]
    assert found["rose"] == rose
    rises = [bar for before, bar in pairs if bar[4] > bar[1] or (bar[4] == bar[1] and bar[4] >= before[4])]
    assert len(found["up"]) == len(rises)
    times, prices = found["tick"]
    assert len(times) == len(prices) == 7 * len(rises)
    assert prices[1:7] == [rises[0][1], rises[0][2], rises[0][3], rises[0][4], rises[0][4], None]


LEVELS = [
    (189.8, 190.6, 2),
    (0.5561, 0.5574, 4),
    (3.2, 71000.0, 2),
    (1e-8, 1e9, 2),
    (66000.0, 66000.2, 1),
    (9.0, 80.0, 2),
]


@pytest.mark.parametrize(("low", "high", "decimals"), LEVELS)
@pytest.mark.parametrize("name", ["log", "percent"])
def test_ticks_lie_on_the_axis_and_no_two_read_the_same(
    blank: Page, low: float, high: float, decimals: int, name: str
) -> None:
    base = low + (high - low) / 3
    made = run(
        blank,
        "return scale.ticks(given.name, given.shown, { base: given.base, decimals: given.decimals, most: 9 });",
        {"name": name, "shown": [low, high], "base": base, "decimals": max(decimals, 8 if low < 1e-6 else 0)},
    )
    room = (high - low) * 1e-9
    assert all(low - room <= value <= high + room for value in made["values"])
    assert 2 <= len(made["values"]) <= 14
    assert len(set(made["texts"])) == len(made["texts"])
    if name == "percent":
        for value, words in zip(made["values"], made["texts"], strict=True):
            said = float(words.rstrip("%").replace("−", "-").replace(",", ""))
            assert said == pytest.approx((value / base - 1) * 100, abs=1e-6)


def test_an_axis_of_percent_says_zero_at_its_base_and_nothing_without_one(blank: Page) -> None:
    said, none = run(
        blank,
        """
        const made = (base) => scale.ticks("percent", [95, 110], { base, decimals: 2, most: 9 });
        return [made(100).texts[made(100).values.indexOf(100)], made(null).values];
        """,
    )
    assert said == "0%"
    assert none == []


@pytest.mark.parametrize(
    "rows", [[[5.0, 9.0, -4.0, 3.0]], [[0.0, 0.0, 0.0, 0.0]], [[-1.0, -1.0, -2.0, -1.5], [2.0, 3.0, 1.0, 2.0]], []]
)
def test_a_logarithmic_axis_never_shows_zero_or_below(blank: Page, rows: list[list[float]]) -> None:
    bars = [[BEGAN + at * MINUTE, *prices, 1, 1, 1] for at, prices in enumerate(rows)]
    for type_ in TYPES:
        low, high, words = run(
            blank,
            """
            const held = new series.Series();
            held.load({ symbol: "A", timeframe: "1m", ms: 60000, bars: given.bars });
            const made = new plot.Plot(null, {}, held);
            made.figure = { type: given.type, decimals: 2 };
            [made.from, made.to, made.scale] = [given.bars[0]?.[0] ?? 0, given.bars.at(-1)?.[0] + 60000 || 1, "log"];
            const [low, high] = made.fitted();
            return [low, high, made.words(low)];
            """,
            {"bars": bars, "type": type_},
        )
        assert 0 < low < high < math.inf, type_
        assert "NaN" not in words


def test_room_on_a_logarithmic_axis_is_the_same_above_and_below(blank: Page) -> None:
    low, high = run(blank, 'return scale.roomy("log", 10, 1000, 0.06, 0.01);')
    assert 10 / low == pytest.approx(high / 1000)
    assert math.log10(high / 1000) == pytest.approx(0.12)


@pytest.mark.parametrize(
    ("now", "ms", "flags", "said"),
    [
        (0, MINUTE, 0, "1:00"),
        (15_001, MINUTE, 0, "0:45"),
        (59_001, MINUTE, 0, "0:01"),
        (61_000, MINUTE, 0, "0:00"),
        (63_000, MINUTE, 0, None),
        (15_000, MINUTE, 1, None),
        (-4_000, MINUTE, 0, "1:00"),
        (-60_000, MINUTE, 0, None),
        (53_000, 24 * 60 * MINUTE, 2, "23:59:07"),
        (500, 1000, 0, None),
        (None, MINUTE, 0, None),
    ],
)
def test_the_countdown_is_what_is_left_by_the_markets_clock(
    blank: Page, now: int | None, ms: int, flags: int, said: str | None
) -> None:
    found = run(
        blank,
        """
        const { now, ms, flags, began } = given;
        const left = countdown.left([began, 1, 1, 1, 1, 1, 1, flags], ms, now === null ? null : began + now, 1);
        return left === null ? null : countdown.words(left);
        """,
        {"now": now, "ms": ms, "flags": flags, "began": BEGAN},
    )
    assert found == said


def test_a_replays_clock_goes_by_its_ticks_and_its_pace(blank: Page) -> None:
    stood, passed, told, anew, none, live = run(
        blank,
        """
        const { market } = values;
        const real = performance.now.bind(performance), began = real();
        let ahead = 0;
        performance.now = () => began + ahead;
        const feed = { silence_is_stale: false, stale_after_ms: 2000, health: "", pace: 4, market_now: 5000 };
        const tickers = [{ symbol: "A", ts: 4000, age_ms: 0 }];
        market.load({ now: 9e11, instruments: [{ symbol: "A" }], feed, epoch: "e", tickers });
        const stood = market.clock();
        ahead = 1000;
        const passed = market.clock();
        market.rows({ data: { A: [1, 1, 1, 1, 1, 1, 1, 8000] }, received: 9e11 });
        const told = market.clock();
        market.epoch = "f";
        market.rows({ data: { A: [1, 1, 1, 1, 1, 1, 1, 300] }, received: 9e11 });
        const anew = market.clock();
        market.setFeed({ health: "", pace: null });
        const none = market.clock();
        market.setFeed({ health: "", pace: 1, silence_is_stale: true });
        const live = market.clock() - market.now();
        performance.now = real;
        return [stood, passed, told, anew, none, live];
        """,
    )
    assert (stood, passed, told, anew, none) == (5000, 9000, 8000, 300, None)
    assert live == 0


def test_another_scale_asks_the_server_for_nothing_and_another_type_does(blank: Page) -> None:
    asked = run(
        blank,
        """
        window.dash_clientside = { set_props: (id) => window.asked.push(id) };
        window.asked = [];
        view.view.begin({ symbol: "A", timeframe: "1m", type: "line", scale: "linear" }, ["A"]);
        const figure = { ...view.view.shown(), epoch: "e", seq: 1 };
        const made = new figures.Figures({ watchBars() {} }, view.view, { on() {}, epoch: "e", feed: {}, symbols: [] });
        made.begin({ show() {}, state: { wait() {}, done() {} } }, figure);
        view.view.set({ scale: "log" });
        const scaled = [window.asked.length, location.search];
        view.view.set({ scale: "linear" });
        view.view.set({ type: "heikin-ashi" });
        return [...scaled, window.asked.length, location.search];
        """,
    )
    assert asked == [0, "?symbol=A&timeframe=1m&type=line&scale=log", 1, "?symbol=A&timeframe=1m&type=heikin-ashi"]


@pytest.mark.parametrize(
    ("query", "shown", "refused"),
    [
        ("?scale=log&type=ohlc", ["ohlc", "log"], []),
        ("?scale=linear", ["candles", "linear"], []),
        ("?scale=", ["candles", "linear"], []),
        ("?scale=cubic&type=hollow", ["hollow", "linear"], [["scale", "cubic"]]),
        (
            "?scale=LOG&type=pie&timeframe=2m",
            ["candles", "linear"],
            [["timeframe", "2m"], ["type", "pie"], ["scale", "LOG"]],
        ),
    ],
)
def test_the_address_says_type_and_scale_and_what_is_none_is_named(
    blank: Page, query: str, shown: list[str], refused: list[list[str]]
) -> None:
    blank.evaluate("query => history.replaceState(null, '', location.pathname + query)", query)
    found = run(
        blank,
        """
        const refused = view.view.refused().map(({ name, came }) => [name, came]);
        view.view.begin({ symbol: "A", timeframe: "1m", type: "candles", scale: "percent" }, ["A"]);
        return [[view.view.type, view.view.scale], refused, location.search.includes("scale=linear")];
        """,
    )
    assert found == [shown, refused, False]
