"""The modules of comparing by themselves: values are the server's whatever way bars come; what an address may ask for;
what is said where there is nothing to draw; an axis of index numbers."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from dashboard.market.comparison import aligned, indexed, ratio, rolling_correlation, spread
from dashboard.market.ticks import Floats
from dashboard.ui.comparing import registry
from tests.browser import test_modules

blank = test_modules.blank
MINUTE = 60_000
READY = """
const [series, comparison, legends, choice, axis, panes] = await Promise.all([
  "chart/series", "compare/comparison", "compare/legends", "compare/choice", "compare/axis", "chart/panes",
].map((name) => import(`/${name}.mjs`)));
const registry = REGISTRY;
const held = (symbol, rows = []) => {
  const made = new series.Series();
  made.load({ symbol, timeframe: "1m", ms: 60000, bars: rows });
  return made;
};
const bar = (start, close) => [start, close, close, close, close, 1, 1, 1];
/** A chart of A that shows its bars from one on, and what is compared on it. */
const chart = (own, others, chosen, edge = 0) => {
  const plot = {
    series: own,
    baseFrom: edge,
    get base() {
      const first = Math.min(series.at(own.rows, this.baseFrom), own.rows.length - 1);
      return own.rows[first]?.[4] ?? null;
    },
  };
  const made = new comparison.Comparison(plot, { decimals: () => 2, colours: registry.colours });
  made.choose({ symbols: others.map(({ symbol }) => symbol), mode: "indexed", factor: 1, window: null, ...chosen });
  for (const other of others) made.join(other.symbol, other);
  return { plot, made };
};
"""


def run(page: Page, code: str, given: Any = None) -> Any:
    whole = (
        f"async (sent) => {{{READY.replace('REGISTRY', json.dumps(registry()))}const given = JSON.parse(sent);{code}}}"
    )
    return json.loads(page.evaluate(f"async (sent) => JSON.stringify(await ({whole})(sent))", json.dumps(given)))


def numbers(column: list[float | None]) -> Floats:
    """A column of the page, None for NaN."""
    return np.array([math.nan if value is None else value for value in column], dtype=np.float64)


def prices(seed: int, count: int = 150) -> tuple[Floats, Floats, Floats, Floats]:
    """Times and closes of two instruments, each without some of the minutes."""
    random = np.random.default_rng(seed)
    steps = random.normal(0, 1e-3, (2, count)) + random.normal(0, 1e-3, count)
    close = np.array([[200.0], [40.0]]) * np.exp(np.cumsum(steps, axis=1))
    time = np.arange(count) * float(MINUTE)
    mine, theirs = random.random((2, count)) > 0.2
    return time[mine], close[0][mine], time[theirs], close[1][theirs]


#: Bars come as a stream brings them: forming ones first, the other's before the chart's own or after it, some corrected
#: later, older ones in front at the end; everything is drawn in between.
STREAMED = """
let state = given.seed * 7919 + 17;
const chance = (of) => (state = (state * 1103515245 + 12345) % 2147483648, Math.floor(state / 65536) % of);
const own = held("A"), other = held("B"), cut = 20;
const { plot, made } = chart(own, [other], { window: given.window, mode: given.mode, factor: given.factor });
const queues = [[own, given.own.slice(cut)], [other, given.other.filter(([start]) => start >= given.own[cut][0])]];
const late = [];
while (queues.some(([, rows]) => rows.length)) {
  const next = queues.filter(([, rows]) => rows.length).sort((a, b) => a[1][0][0] - b[1][0][0]);
  const [of, rows] = next.length > 1 && next[0][1][0][0] === next[1][1][0][0] ? next[chance(2)] : next[0];
  const [start, close] = rows.shift();
  for (let forming = chance(3); forming > 0; forming--) {
    of.merge([bar(start, close * (1 + forming / 100))]);
    made.shown();
  }
  if (chance(8) === 0) late.push([of, start, close]);
  of.merge([bar(start, chance(8) === 0 ? (late.push([of, start, close]), close * 2) : close)]);
  if (chance(5) === 0 && own.rows.length) plot.baseFrom = own.rows[chance(own.rows.length)][0];
  made.shown();
}
for (const [of, start, close] of late) {
  of.merge([bar(start, close)]);
  made.shown();
}
other.prepend(given.other.filter(([start]) => start < given.own[cut][0]).map(([start, close]) => bar(start, close)));
made.shown();
own.prepend(given.own.slice(0, cut).map(([start, close]) => bar(start, close)));
plot.baseFrom = given.edge;
const shown = made.shown();
return shown.map(({ study }) => study.values.map((column) => column.map((value) => (value === value ? value : null))));
"""


@pytest.mark.parametrize(("mode", "factor"), [("indexed", 1.0), ("spread", -2.5), ("ratio", 1.0)])
@pytest.mark.parametrize("seed", range(4))
def test_values_are_the_servers_whatever_way_bars_come(blank: Page, seed: int, mode: str, factor: float) -> None:
    time, close, other_time, other_close = prices(seed)
    edge = 60
    given = {
        "seed": seed,
        "mode": mode,
        "factor": factor,
        "window": 12,
        "own": np.stack([time, close], axis=1).tolist(),
        "other": np.stack([other_time, other_close], axis=1).tolist(),
        "edge": time[edge],
    }
    main, correlation = run(blank, STREAMED, given)
    other = aligned(time, other_time, other_close)
    if mode == "indexed":
        # On the axis of the chart's own prices, whose first in view is 100.
        made = numbers(main[0]) / close[edge] * 100
        np.testing.assert_allclose(made[edge:], indexed(other[edge:]), rtol=1e-12)
        assert made[edge:][np.isfinite(made[edge:])][0] == pytest.approx(100)
    else:
        made = spread(close, other, factor) if mode == "spread" else ratio(close, other)
        np.testing.assert_allclose(numbers(main[0]), made, rtol=1e-12)
    np.testing.assert_allclose(numbers(correlation[0]), rolling_correlation(close, other, 12), atol=1e-9)
    assert np.isnan(other).any()
    assert np.isfinite(numbers(correlation[0])).sum() > 50


def test_the_legend_tells_each_price_and_its_change_since_the_left_edge(blank: Page) -> None:
    code = """
    const own = held("A", [bar(0, 50), bar(1, 100), bar(2, 110)]);
    const other = held("B", [bar(0, 3), bar(1, 4), bar(2, 3)]), third = held("C", [bar(2, 7)]);
    const { plot, made } = chart(own, [other, third], {}, 1);
    const said = (at) => {
      made.shown();
      return legends.legend(made, at).map(({ name, text }) => `${name} ${text}`);
    };
    const found = [said(2), said(1)];
    plot.baseFrom = 0;
    return [...found, said(2)];
    """
    assert run(blank, code) == [
        ["A 110.00 +10.00%", "B 3.00 −25.00%", "C 7.00 0.00%"],
        ["A 100.00 0.00%", "B 4.00 0.00%", "C –"],
        ["A 110.00 +120.00%", "B 3.00 0.00%", "C 7.00 0.00%"],
    ]


@pytest.mark.parametrize(
    ("others", "chosen", "sentence"),
    [
        ("[]", {}, "There is no trade of B yet."),
        ("[bar(9, 5)]", {}, "B and A have no bar of the same time here."),
        ("[bar(0, 0), bar(1, 5)]", {}, "B was at 0 at the left edge; an index needs a price above 0 there."),
        ("[bar(0, -37.5)]", {}, "B was at -37.5 at the left edge; an index needs a price above 0 there."),
        ("[bar(0, 5)]", {"window": 5}, "A correlation of 5 returns with B needs 6 bars that both have; there are 1."),
        ("all(3)", {"window": 5}, "There is no correlation with B: a price that does not move has none."),
        (
            "all(3)",
            {"window": 5, "mode": "ratio"},
            "There is no correlation with B: a price that does not move has none.",
        ),
    ],
)
def test_what_can_not_be_drawn_is_said(blank: Page, others: str, chosen: dict[str, Any], sentence: str) -> None:
    code = f"""
    const all = (close) => Array.from({{ length: 9 }}, (_, at) => bar(at, close));
    const own = held("A", Array.from({{ length: 9 }}, (_, at) => bar(at, 100 + at % 3)));
    const {{ made }} = chart(own, [held("B", {others})], given);
    return [made.notes(), made.shown().flatMap(({{ study }}) => study.values.flat()).filter(Number.isFinite)];
    """
    notes, drawn = run(blank, code, chosen)
    assert notes == [sentence]
    if "no correlation" not in sentence and "A correlation" not in sentence:
        assert drawn == []


def test_an_own_price_that_is_not_above_zero_has_no_index_and_says_so(blank: Page) -> None:
    code = """
    const { made } = chart(held("A", [bar(0, -2), bar(1, 4)]), [held("B", [bar(0, 5), bar(1, 6)])], {});
    return [made.notes(), made.shown()[0].study.values[0].filter(Number.isFinite), made.indexing];
    """
    notes = ["A was at -2 at the left edge; an index needs a price above 0 there."]
    assert run(blank, code) == [notes, [], False]


READ = """
const page = { own: "AAPL", known: (symbol) => ["AAPL", "MSFT", "V", "JPM", "GOLD", "OIL"].includes(symbol), registry };
const { choice: found, faults } = choice.read(given, page);
return [found, faults, choice.written(found)];
"""


@pytest.mark.parametrize(
    ("values", "symbols", "faults"),
    [
        ((None, None, None, None), [], []),
        (("MSFT,V", None, None, None), ["MSFT", "V"], []),
        (("MSFT,NOPE", None, None, None), ["MSFT"], ["There is no instrument NOPE."]),
        (("MSFT,,V", None, None, None), ["MSFT", "V"], ["There is no instrument without a name."]),
        (("MSFT,MSFT", None, None, None), ["MSFT"], ["MSFT is compared already."]),
        (("AAPL,V", None, None, None), ["V"], ["AAPL is the chart's own instrument."]),
        (
            ("MSFT,V,JPM,GOLD,OIL", None, None, None),
            ["MSFT", "V", "JPM", "GOLD"],
            ["OIL is one too many: 5 instruments are compared at most, the chart's own among them."],
        ),
        (("V," * 300, None, None, None), [], ["A list of symbols to compare has 400 characters at most."]),
        (("V", "sum", None, None), ["V"], ["There is no way to compare called sum; there are indexed, spread, ratio."]),
        (
            ("V", "spread", "0", None),
            ["V"],
            ["The factor of a spread is a number other than 0, up to 1,000,000,000 in size, not 0."],
        ),
        (("V", None, None, "4"), ["V"], ["A correlation is of 5 to 500 returns, a whole number, not 4."]),
        (("V", None, None, "1e2"), ["V"], ["A correlation is of 5 to 500 returns, a whole number, not 1e2."]),
    ],
)
def test_what_an_address_may_ask_for(
    blank: Page, values: tuple[Any, ...], symbols: list[str], faults: list[str]
) -> None:
    found, said, _written = run(blank, READ, values)
    assert found["symbols"] == symbols
    assert said == faults


@pytest.mark.parametrize(
    "values",
    [
        (None, None, None, None),
        ("MSFT,V", None, None, "20"),
        ("V", "spread", "-0.000001", None),
        ("V", "spread", None, None),
        ("V", "ratio", None, "500"),
    ],
)
def test_a_choice_is_written_as_it_was_read(blank: Page, values: tuple[Any, ...]) -> None:
    _found, faults, written = run(blank, READ, values)
    assert faults == []
    assert tuple(written) == values


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_the_axis_has_round_index_numbers_at_the_prices_they_stand_for(blank: Page, scale: str) -> None:
    made = run(blank, f"return axis.indexTicks('{scale}', [190, 230], {{ base: 200, most: 9 }});")
    read = [float(text.replace(",", "")) for text in made["texts"]]
    assert len(read) >= 4
    np.testing.assert_allclose(made["values"], np.array(read) * 2)
    assert all(190 <= value <= 230 for value in made["values"])
    assert 100 in read
    assert run(blank, "return axis.indexWords(211, 200, 2);") == "105.50"


def test_a_bar_between_two_that_are_missing_is_a_dot(blank: Page) -> None:
    code = """
    const times = [0, 1, 2, 3, 4, 5];
    const own = held("A", times.map((at) => bar(at, 100))), other = held("B", [0, 1, 3, 5].map((at) => bar(at, 50)));
    const { made } = chart(own, [other], {});
    const templates = { line: { type: "scatter", mode: "lines", line: {} } };
    const values = ({ study }, output) => study.values[output];
    const traces = panes.traced(made.shown(), templates, times.map(String), values);
    return traces.map(({ mode, x, y }) => [mode, x, y]);
    """
    line, dots = run(blank, code)
    assert line == ["lines", list("012345"), [100, 100, None, 100, None, 100]]
    assert dots == ["markers", ["3", "5"], [100, 100]]


def test_a_legend_says_why_a_value_is_missing(blank: Page) -> None:
    code = """
    const own = held("A", Array.from({ length: 9 }, (_, at) => bar(at, 100 + at % 3)));
    const constant = held("C", own.rows.map(([at]) => bar(at, 3)));
    const others = [held("B", [bar(0, 0), bar(8, 5)]), constant, held("D", own.rows.slice())];
    const { made } = chart(own, others, { window: 5 });
    return made.shown().map((shown) => shown.read(8, false).map(({ name, text }) => `${name ?? ""} ${text}`.trim()));
    """
    assert run(blank, code) == [
        ["A 102.00 +2.00%", "B 5.00 no index", "C 3.00 0.00%", "D 102.00 +2.00%"],
        ["Correlation 5", "B too few bars", "C none, for a price does not move", "D 1.00"],
    ]
