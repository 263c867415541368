"""The modules of indicators by themselves: values are the server's whatever way bars come; what is chosen; panes."""

from __future__ import annotations

import itertools
import json
import math
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from dashboard.errors import BadParameter
from dashboard.market.indicators import INDICATORS, Chosen, Columns, Running, parse, warm
from dashboard.market.ticks import Floats
from dashboard.ui.studies import registry
from tests.browser import test_modules
from tests.market.indicators.series import SERIES, walk

blank = test_modules.blank
MODULES = """
const [series, studies, choice, panes] = await Promise.all([
  "chart/series", "indicators/studies", "indicators/choice", "chart/panes",
].map((name) => import(`/${name}.mjs`)));
const registry = REGISTRY;
const of = (texts) => choice.read(texts, "", registry).list;
"""
EVERY = (
    *INDICATORS,
    "sma:1",
    "ema:1",
    "wma:3",
    "bbands:5:0.5",
    "keltner:3:1.5:9",
    "rsi:2",
    "macd:3:7:4",
    "stoch:5:1:1",
    "adx:2",
    "atr:1",
)


def run(page: Page, code: str, given: Any = None) -> Any:
    modules = MODULES.replace("REGISTRY", json.dumps(registry()))
    # As text: the driver's own way of passing values takes seconds for some thousand numbers.
    whole = f"async (sent) => {{{modules}const given = JSON.parse(sent);{code}}}"
    return json.loads(page.evaluate(f"async (sent) => JSON.stringify(await ({whole})(sent))", json.dumps(given)))


def rows_of(bars: Columns) -> list[list[float]]:
    """Bars as the API gives them."""
    columns = (
        bars.start,
        bars.open,
        bars.high,
        bars.low,
        bars.close,
        bars.volume,
        np.ones(len(bars)),
        np.ones(len(bars)),
    )
    made: list[list[float]] = np.column_stack(columns).tolist()
    return made


def near(found: list[list[float | None]], wanted: Floats, what: object = None, size: float = 1.0) -> None:
    """Columns of the page, None for NaN, against float64[outputs, n] of the server, of prices as large as `size`."""
    got = np.array([[np.nan if value is None else value for value in column] for column in found], dtype=np.float64)
    np.testing.assert_allclose(got, wanted, rtol=1e-9, atol=1e-9 * size, err_msg=str(what))


def scaled(bars: Columns) -> float:
    return max(1.0, float(np.max(np.abs(bars.close), initial=1.0)))


SERIES_TO_GO_ON = {name: bars for name, bars in SERIES.items() if len(bars) > 1}
WHOLE = """
return given.map(({ text, rows, state, start }) => {
const held = new series.Series(), made = new studies.Studies(held);
held.load({ symbol: "A", timeframe: "1h", ms: 3600000, bars: rows });
made.choose(of(text));
made.load({ start, texts: made.list.map(choice.textOf), states: [state] });
const [{ study }] = made.shown;
return study.values;
});
"""


@pytest.mark.parametrize("text", EVERY)
def test_values_are_the_servers_wherever_the_page_begins(blank: Page, text: str) -> None:
    """From the state behind the bars before, over the closed ones, and the forming one's as if it had closed so."""
    (chosen,) = parse(text)
    cases = [
        (name, at, bars)
        for name, bars in SERIES_TO_GO_ON.items()
        for at in sorted({0, 1, len(bars) // 3, len(bars) - 2})
    ]
    given = [
        {
            "text": text,
            "rows": rows_of(bars[at:]),
            "state": warm((chosen,), bars[:at])[0],
            "start": float(bars.start[at]),
        }
        for _name, at, bars in cases
    ]
    for (name, at, bars), found in zip(cases, run(blank, WHOLE, given), strict=True):
        near(found, Running(chosen).close(bars)[:, at:], (name, at), scaled(bars))


NEWS = """
const { text, bars, state, forming, corrected, inserted } = given;
const held = new series.Series(), made = new studies.Studies(held);
const load = (start, states) => made.load({ start, texts: made.list.map(choice.textOf), states });
made.choose(of(text));
const plain = () => {
  const [{ study }] = made.shown;
  return study.values.map((_column, output) => made.column(study, output, held.rows));
};
held.load({ symbol: "A", timeframe: "1h", ms: 3600000, bars: bars.slice(0, 500) });
load(bars[0][0], [state]);
const begun = plain();
for (const bar of forming) { held.merge([bar]); made.shown; }
const moved = plain();
held.merge([bars[500]]);
for (const bar of bars.slice(501)) { held.merge([bar]); made.shown; }
const closed = plain();
held.merge([corrected]);
const mended = plain();
held.merge([inserted]);
return [begun, moved, closed, mended, plain()];
"""


@pytest.mark.parametrize("text", EVERY)
def test_values_follow_a_bar_that_forms_closes_is_corrected_or_comes_late(blank: Page, text: str) -> None:
    (chosen,) = parse(text)
    bars = walk(640, 21)
    rows = rows_of(bars)
    late = 580
    forming = [
        [*rows[500][:2], rows[500][1] + step + 1, rows[500][1] - step, rows[500][1] + step, 5.0 * step, 1, 0]
        for step in range(4)
    ]
    corrected = [*rows[300][:2], rows[300][2] + 3, *rows[300][3:5], 777.0, 1, 17]
    given = {
        "text": text,
        "bars": [row for at, row in enumerate(rows) if at != late],
        "state": warm((chosen,), bars[:0])[0],
        "forming": forming,
        "corrected": corrected,
        "inserted": rows[late],
    }
    found = run(blank, NEWS, given)
    without = [row for at, row in enumerate(rows) if at != late]
    mended = [corrected if row[0] == corrected[0] else row for row in without]
    expected = (
        rows[:500],
        [*rows[:500], forming[-1]],
        without,
        mended,
        [corrected if row[0] == corrected[0] else row for row in rows],
    )
    for step, (got, wanted) in enumerate(zip(found, expected, strict=True)):
        near(got, Running(chosen).close(Columns.of(np.array(wanted))), (text, step))


def test_older_bars_in_front_change_no_value_behind_the_seam(blank: Page) -> None:
    """What is held stays until the states behind the older bars come; then values begin there, and go on the same."""
    text = "sma:20,rsi:14,macd,obv,vwap,adx"
    bars = walk(700, 5)
    chosen = parse(text)
    before, waiting, after, missing = run(
        blank,
        """
        const { text, older, newer, states, start } = given;
        const held = new series.Series(), made = new studies.Studies(held);
        const of_ = ({ study }) => study.values.map((_, output) => made.column(study, output, held.rows));
        const plain = () => made.shown.map(of_);
        held.load({ symbol: "A", timeframe: "1h", ms: 3600000, bars: newer });
        made.choose(of(text));
        made.load({ start: newer[0][0], texts: made.list.map(choice.textOf), states: states[1] });
        const before = plain(), missing = [made.missing];
        held.prepend(older);
        missing.push(made.missing);
        const waiting = plain();
        made.load({ start, texts: made.list.map(choice.textOf), states: states[0] });
        missing.push(made.missing);
        return [before, waiting, plain(), missing];
        """,
        {
            "text": text,
            "older": rows_of(bars[200:400]),
            "newer": rows_of(bars[400:]),
            "states": [warm(chosen, bars[:200]), warm(chosen, bars[:400])],
            "start": float(bars.start[200]),
        },
    )
    assert missing[0] == missing[2] == []
    assert missing[1] == [each.text for each in chosen]
    for one, held, now, each in zip(before, waiting, after, chosen, strict=True):
        whole = Running(each).close(bars)[:, 200:]
        near(now, whole, each.text)
        assert [column[200:] for column in held] == one
        assert all(value is None for column in held for value in column[:200])
        near([column[200:] for column in now], np.array(one, dtype=np.float64), each.text)


def test_a_tick_costs_the_forming_bar_alone(blank: Page) -> None:
    folded = run(
        blank,
        """
        const held = new series.Series(), made = new studies.Studies(held);
        held.load({ symbol: "A", timeframe: "1h", ms: 3600000, bars: given.rows });
        made.choose(of("sma:20"));
        made.load({ start: given.rows[0][0], texts: ["sma:20"], states: given.states });
        const [{ study }] = made.shown, counted = [0];
        const { formula } = study;
        study.formula = (...all) => (counted[0]++, formula(...all));
        for (let at = 0; at < 50; at++) {
          const bar = held.newest.slice();
          bar[4] += 0.01;
          held.merge([bar]);
          made.shown; made.shown;
        }
        return counted[0];
        """,
        {"rows": rows_of(walk(900, 2)), "states": warm(parse("sma:20"), walk(900, 2)[:0])},
    )
    assert folded == 50


GOOD = (
    "sma",
    "SMA:50,ema:9",
    "bbands:20:2.5,macd:3:7,vwap",
    "keltner:20:2:10,stoch:14",
    ",".join(f"sma:{n}" for n in range(1, 11)),
)
BAD = (
    "",
    "sma:0",
    "sma:1001",
    "sma:1000000000",
    "rsi:1",
    "sma:1.5",
    "sma:abc",
    "sma:",
    "sma:20:3",
    "vwap:1",
    "bbands:20:0.05",
    "bbands:20:2.00001",
)
WORSE = (
    "macd:26:12:9",
    "smaa",
    "sma,sma:20",
    "sma:-5",
    "sma: 5",
    "sma:٣",
    ",",
    ",".join(f"sma:{n}" for n in range(1, 12)),
)


@pytest.mark.parametrize("text", [*GOOD, *BAD[1:], *WORSE])
def test_page_and_server_take_and_refuse_the_same(blank: Page, text: str) -> None:
    texts, faults = run(
        blank,
        "const { list, faults } = choice.read(given, '', registry); return [list.map(choice.textOf), faults];",
        text,
    )
    try:
        chosen: tuple[Chosen, ...] = parse(text)
    except BadParameter:
        assert faults
        for fault in faults:
            assert fault.endswith(".")
            assert len(fault) < 200
    else:
        assert faults == []
        assert texts == [each.text for each in chosen]


def test_a_choice_is_the_same_after_it_was_written_and_read(blank: Page) -> None:
    found = run(
        blank,
        """
        const { list, faults } = choice.read("sma:20,nonsense,bbands:20:2,rsi", "3,,h,5h", registry);
        const text = choice.written(list, registry);
        const again = choice.read(text.indicators, text.looks, registry).list;
        const usual = choice.written(choice.read("sma,rsi", "", registry).list, registry);
        const odd = choice.read("sma,rsi", "99,x", registry).list;
        const same = JSON.stringify(again) === JSON.stringify(list);
        return { faults, text, same, usual, odd: odd.map(({ colour, hidden }) => [colour, hidden]) };
        """,
    )
    assert len(found["faults"]) == 1
    assert found["text"] == {"indicators": "sma:20,bbands:20:2,rsi:14", "looks": "3,h,5h"}
    assert found["same"]
    assert found["usual"] == {"indicators": "sma:20,rsi:14", "looks": ""}
    assert found["odd"] == [[1, False], [2, False]]


def test_one_more_of_the_same_is_another_one_until_there_is_none(blank: Page) -> None:
    texts, colours = run(
        blank,
        """
        const about = (name) => registry.list.find((each) => each.name === name);
        const list = [];
        for (const name of ["sma", "sma", "rsi", "rsi", "vwap", "vwap", "macd", "macd"]) {
          const made = choice.another(about(name), list, registry);
          if (made) list.push(made);
        }
        return [list.map(choice.textOf), list.map(({ colour }) => colour)];
        """,
    )
    assert len(set(texts)) == len(texts) == 7
    assert [each.text for each in parse(",".join(texts))] == texts
    assert "vwap" in texts
    assert colours == list(range(1, 8))


@pytest.mark.parametrize("area", [80, 260, 420, 700])
@pytest.mark.parametrize("wanted", [[], [None], [None, None], [200, None, 40], [600] * 6, [None] * 10])
def test_panes_share_the_height_without_a_hole_or_an_overlap(blank: Page, area: int, wanted: list[int | None]) -> None:
    heights, domains = run(
        blank,
        """
        const { heights, domains } = panes.divided(given.area, given.wanted.map((height) => height ?? undefined));
        return [heights, domains];
        """,
        {"area": area, "wanted": wanted},
    )
    assert len(heights) == len(domains) == len(wanted) + 2
    assert domains[0][1] == 1
    assert all(0 <= low <= high <= 1 for low, high in domains)
    assert all(above[0] >= below[1] for above, below in itertools.pairwise(domains))
    if area >= 260:
        assert heights[0] >= 0.39 * (area - 8 * len(heights))
    if wanted == [None] and area == 700:
        assert heights[2] == pytest.approx(min(0.17 * area, 120))
    assert not any(math.isnan(height) for height in heights)
