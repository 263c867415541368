"""The Compare page's modules by themselves: layouts, links, addresses, kept pages, questions, the stream."""

from __future__ import annotations

import random
from typing import Any

import pytest
from playwright.sync_api import Page

from dashboard.market.bars import TIMEFRAMES
from dashboard.ui.compare.asked import LAYOUTS
from dashboard.ui.figures import TYPES
from dashboard.workbench import views
from tests.browser.test_modules import blank

__all__ = ["blank"]
READY = """
window.dash_clientside = { set_props: () => {} };
const [layouts, linking, states, kept, text, asking, boards] = await Promise.all(
  ["linked/arrangement", "linked/linking", "linked/state", "page/viewpages", "page/viewtext", "linked/asker",
   "linked/board"].map((name) => import(`/${name}.mjs`)));
const known = (symbol) => ["AAPL", "MSFT", "^GSPC", "BTC-USD"].includes(symbol);
const first = { layout: 2, charts: [{ symbol: "AAPL", timeframe: "1m" }, { symbol: "MSFT", timeframe: "1m" }], one: "",
  type: "candles", cross: true, range: true, ranges: [] };
const read = (query) => states.read(new URLSearchParams(query), { known, first });
"""


def run(page: Page, code: str, given: Any = None) -> Any:
    return page.evaluate(f"async (given) => {{{READY}{code}}}", given)


# -- layouts ---------------------------------------------------------------------------------------------------------


def test_every_layout_fills_the_window_or_stacks(blank: Page) -> None:
    sizes = [(1440, 800), (1024, 680), (2560, 1300), (820, 1100), (390, 700), (1440, 380), (699, 2000)]
    assert run(blank, "return layouts.LAYOUTS") == list(LAYOUTS)
    found = run(
        blank,
        "return given.map(([width, height]) => layouts.LAYOUTS.map((n) => layouts.arranged(n, { width, height })))",
        [list(size) for size in sizes],
    )
    for (width, height), made in zip(sizes, found, strict=True):
        for places, grid in zip(LAYOUTS, made, strict=True):
            assert grid["columns"] * grid["rows"] == places
            if width < 700:
                assert grid == {"columns": 1, "rows": places, "stacked": places > 1}
            elif not grid["stacked"]:
                assert height / grid["rows"] >= 150 or places == 1
                # No other full grid has charts that are nearer to the best shape.
                shape = width * grid["rows"] / (height * grid["columns"])
                for columns in (count for count in range(1, places + 1) if places % count == 0):
                    other = width * (places // columns) / (height * columns)
                    assert max(shape / 1.6, 1.6 / shape) <= max(other / 1.6, 1.6 / other) + 1e-9
    wide = dict(zip(LAYOUTS, found[0], strict=True))
    assert [(wide[places]["columns"], wide[places]["rows"]) for places in (2, 4, 6, 9)] == [
        (2, 1),
        (2, 2),
        (3, 2),
        (3, 3),
    ]
    assert found[5][-1]["stacked"], "nine charts in a low window"


def test_arrows_walk_the_grid_and_stop_at_its_edges(blank: Page) -> None:
    keys = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"]
    walked = run(blank, "return [0, 4, 5, 6].map((at) => given.map((key) => layouts.beside(at, key, 3, 8)))", keys)
    assert walked == [[0, 1, 0, 3], [3, 5, 1, 7], [4, 5, 2, 5], [6, 7, 3, 6]]


# -- links -----------------------------------------------------------------------------------------------------------


def test_a_shared_range_ends_where_it_ends_and_is_as_wide_as_a_charts_bars_allow(blank: Page) -> None:
    chance = random.Random(4)
    cases = [
        (start, start + chance.randrange(1, 10**9), frame.ms)
        for frame in TIMEFRAMES
        for start in (chance.randrange(10**12, 2 * 10**12) for _ in range(20))
    ]
    found = run(blank, "return given.map(([from, to, ms]) => linking.shared([from, to], ms))", cases)
    for (start, end, ms), (left, right) in zip(cases, found, strict=True):
        assert right == end
        assert 8 * ms <= right - left <= 2_000 * ms
        if 8 * ms <= end - start <= 2_000 * ms:
            assert left == start


def test_the_bar_under_a_moment_is_the_one_that_it_lies_in(blank: Page) -> None:
    """Of bars of another length the same moment; in closed hours there is none."""
    minutes = [[1_000 * 60 * at, at] for at in (0, 1, 2, 10, 11)]
    moments = [0, 59_999, 60_000, 179_999, 180_000, 599_999, 600_000, 719_999, 720_000, -1]
    found = run(
        blank, "return given[1].map((ms) => linking.under(given[0], 60000, ms)?.[1] ?? null)", [minutes, moments]
    )
    assert found == [0, 0, 1, 2, None, None, 10, 11, None, None]


def test_columns_become_the_rows_that_they_were(blank: Page) -> None:
    columns = {"start": [60_000, 60_000, 120_000], "open": [1.5, 2.5, 3.5], "flags": [1, 1, 0]}
    rows = run(blank, 'return linking.rowsOf(given, ["start", "open", "flags"])', columns)
    assert rows == [[60_000, 1.5, 1], [120_000, 2.5, 1], [240_000, 3.5, 0]]
    assert run(blank, 'return linking.rowsOf({ start: [], open: [] }, ["start", "open"])') == []


# -- the address -----------------------------------------------------------------------------------------------------


def test_what_is_shown_is_in_the_address_and_comes_back_from_it(blank: Page) -> None:
    hour = [1_763_895_300_000, 1_763_898_900_000]
    charts = [{"symbol": name, "timeframe": frame} for name in ("^GSPC", "BTC-USD") for frame in ("1s", "1d")]
    states = [
        {"layout": 4, "charts": charts, "one": "", "type": "candles", "cross": True, "range": True, "ranges": [hour]},
        {"layout": 6, "charts": charts, "one": "15m", "type": "line", "cross": False, "range": True, "ranges": []},
        {
            "layout": 9,
            "charts": charts,
            "one": "",
            "type": "ohlc",
            "cross": False,
            "range": False,
            "ranges": [None, hour],
        },
        {"layout": 4, "charts": charts, "one": "", "type": "area", "cross": True, "range": False, "ranges": [hour]},
    ]
    found = run(blank, "return given.map((state) => read(String(states.written(state))))", states)
    assert [each["state"] for each in found] == states
    assert [each["faults"] for each in found] == [[], [], [], []]


def test_the_address_may_have_any_type_and_timeframe_of_the_server(blank: Page) -> None:
    for name, values in (("type", TYPES), ("one", [frame.name for frame in TIMEFRAMES])):
        for value in values:
            found = run(blank, "return read(`${given[0]}=${given[1]}`)", [name, value])
            assert (found["state"][name], found["faults"]) == (value, [])


@pytest.mark.parametrize(
    ("query", "sentence", "left"),
    [
        ("charts=AAPL:1m,NOPE:1m", "There is no instrument NOPE; its chart is left out.", ["AAPL 1m"]),
        (
            "charts=AAPL:7m,MSFT:1d",
            "There is no timeframe 7m, of which 1s, 5s, 15s, 1m, 5m, 15m, 1h, 1d are accepted; AAPL is shown in 1m.",
            ["AAPL 1m", "MSFT 1d"],
        ),
        ("charts=NOPE:1m", "There is no instrument NOPE; its chart is left out.", ["AAPL 1m", "MSFT 1m"]),
        ("charts=msft:5m&one=2m", "There is no timeframe 2m; there are 1s, 5s, 15s, 1m, 5m, 15m, 1h, 1d.", ["MSFT 5m"]),
        ("charts=AAPL&layout=5", "There is no layout 5; there are 1, 2, 3, 4, 6, 9.", ["AAPL 1m"]),
        (
            "charts=AAPL,MSFT,AAPL&layout=2",
            "A layout of 2 has no room for 3 charts; one of 3 is shown.",
            ["AAPL 1m", "MSFT 1m", "AAPL 1m"],
        ),
        ("charts=AAPL&link=price,range", "There is no link price; there are cross, range, and none.", ["AAPL 1m"]),
        (
            "charts=AAPL&range=20260102T000000Z/20260101T000000Z",
            (
                "A range is two times such as 20261123T101500Z/20261123T111500Z, the earlier one first, not "
                "20260102T000000Z/20260101T000000Z; the newest bars are shown."
            ),
            ["AAPL 1m"],
        ),
        (
            "charts=" + ",".join(["AAPL:1m"] * 11),
            "The page holds 9 charts at most; the last 2 of 11 are left out.",
            ["AAPL 1m"] * 9,
        ),
    ],
)
def test_what_an_address_asks_for_in_vain_is_told_in_a_sentence_and_the_rest_is_shown(
    blank: Page, query: str, sentence: str, left: list[str]
) -> None:
    found = run(blank, "return read(given)", query)
    assert found["faults"] == [sentence]
    assert [f"{chart['symbol']} {chart['timeframe']}" for chart in found["state"]["charts"]] == left
    assert len(found["state"]["charts"]) <= found["state"]["layout"]


# -- saved views -----------------------------------------------------------------------------------------------------


def test_the_largest_page_is_kept_by_the_server_and_comes_back_whole(blank: Page) -> None:
    code = """
        const name = (at) => `ABCDEFGHIJKLMNOPQRSTUVW${at}`;
        const charts = Array.from({ length: 9 }, (_, at) => ({ symbol: name(at), timeframe: "15m" }));
        const ranges = charts.map((_, at) => [1.7e12 + at * 1000, 1.7e12 + 6e7]);
        const query = states.written({ layout: 9, charts, one: "", type: "ohlc", cross: false, range: false, ranges });
        query.set("page", "compare");
        return [String(query), text.keptOf(query)];
    """
    query, view = run(blank, code)
    taken = views.read("view", view, tuple(TYPES))
    assert (taken["symbol"], taken["timeframe"], taken["type"]) == ("ABCDEFGHIJKLMNOPQRSTUVW0", "15m", "ohlc")
    assert max(len(value) for value in taken["settings"].values()) <= 200
    again, same, line, address, linked = run(
        blank,
        """const query = text.queryOf(given[1]);
        const address = kept.addressOf(query);
        return [[...query].sort(), text.same(query, new URLSearchParams(given[0])), text.summary(given[1]), address,
          [...kept.linked(`https://a.example${address}`)].sort()];""",
        [query, taken],
    )
    assert sorted(f"{name}={value}" for name, value in again) == sorted(
        f"{name}={value}" for name, value in run(blank, "return [...new URLSearchParams(given)]", query)
    )
    assert same
    assert line.startswith("Compare · ABCDEFGHIJKLMNOPQRSTUVW0 15m, ")
    assert address.startswith("/compare?")
    assert "page=" not in address
    assert linked == again


def test_a_view_of_the_dashboard_is_kept_as_it_was(blank: Page) -> None:
    query = "symbol=AAPL&timeframe=5m&type=line&compare=MSFT"
    view, address, linked = run(
        blank,
        """const query = new URLSearchParams(given);
        return [text.keptOf(query), kept.addressOf(query), String(kept.linked(`http://a:8050/?${given}`))];""",
        query,
    )
    assert (view["symbol"], view["compare"], view["settings"]) == ("AAPL", ["MSFT"], {})
    assert address == f"/?{query}"
    assert linked == query
    assert run(blank, 'return [kept.linked("c2l4IGNoYXI"), kept.linked("http://a/compare")]') == [None, None]


# -- questions -------------------------------------------------------------------------------------------------------


def test_wishes_of_a_turn_are_one_question_and_the_next_waits_for_its_answer(blank: Page) -> None:
    sent, answered, refused = run(
        blank,
        """
        const sent = [], answered = [], refused = [];
        const asker = new asking.Asker(({ charts }) => sent.push(charts.map((piece) => piece.symbol)), () => "line");
        const waiter = (name) => ({
          answer: (series) => answered.push([name, series.symbol]),
          fail: (why) => refused.push([name, why]),
        });
        const want = (key, symbol) => asker.want(key, { symbol, timeframe: "1m" }, waiter(key));
        for (let at = 0; at < 11; at += 1) want(at, `S${at}`);
        want(0, "T0");
        await Promise.resolve();
        want(3, "U3");
        await Promise.resolve();
        asker.take({ number: 99, charts: [] });
        const came = ["T0", "S1", "S2", "S3", "S4", "S5", "S6", "S7"].map((symbol) => ({ symbol }));
        asker.take({ number: 1, charts: [...came, { error: "gone" }] });
        asker.take({ number: 2, error: "no charts" });
        return [sent, answered, refused];
        """,
    )
    assert sent == [["T0", *(f"S{at}" for at in range(1, 9))], ["S9", "S10", "U3"]]
    assert answered == [[0, "T0"], *([at, f"S{at}"] for at in range(1, 8))]
    assert refused == [[8, "gone"], [9, "no charts"], [10, "no charts"], [3, "no charts"]]


# -- series on the stream --------------------------------------------------------------------------------------------

STREAM = """
const said = [], news = [], holes = [];
const wanted = (symbol, timeframe) => symbol === "AAPL" && timeframe === "1m";
const stream = { open: true, wanted, say: (text) => said.push(JSON.parse(text)) };
const board = new boards.Board(stream, {
  news: (symbol, timeframe, rows) => news.push([symbol, timeframe, rows.length]),
  hole: (lost) => holes.push(lost.map(({ symbol, timeframe }) => `${symbol} ${timeframe}`)),
});
const series = (...texts) => texts.map((each) => ({ symbol: each.split(" ")[0], timeframe: each.split(" ")[1] }));
const subscribed = (at, resumed) => board.take({ type: "subscribed", channel: "bars", id: said[at].id, resumed });
"""


def test_series_are_subscribed_by_timeframe_and_resumed_from_what_was_heard(blank: Page) -> None:
    said, news = run(
        blank,
        STREAM
        + """
        board.watch(series("AAPL 1m", "MSFT 1m", "AAPL 1d"), 40, "e");
        subscribed(0, true);
        board.take({ type: "bars", timeframe: "1m", seq: 50, data: { MSFT: [[1]], TSLA: [[1]] } });
        board.take({ type: "bars", timeframe: "1d", seq: 51, data: { AAPL: [[1]] } });
        subscribed(1, true);
        board.take({ type: "snapshot", channel: "bars", timeframe: "1d", seq: 45, data: { AAPL: [[1], [2]] } });
        board.welcome(false);
        return [said, news];
        """,
    )
    asked = [(each["timeframe"], each["symbols"], each["epoch"], each["after_seq"]) for each in said]
    assert asked == [
        ("1m", ["AAPL", "MSFT"], "e", 40),
        ("1d", ["AAPL"], "e", 40),
        ("1m", ["AAPL", "MSFT"], "e", 50),
        ("1d", ["AAPL"], "e", 40),
    ]
    assert len({each["id"] for each in said}) == 4
    # Of bars whose subscription was not answered yet nothing is known to be whole.
    assert news == [["MSFT", "1m", 1], ["AAPL", "1d", 2]]


def test_a_stream_that_can_not_go_on_is_a_hole_until_the_bars_are_asked_for_anew(blank: Page) -> None:
    holes, news, watched, after = run(
        blank,
        STREAM
        + """
        board.watch(series("AAPL 1m", "MSFT 5m"), 40, "e");
        subscribed(0, false);
        subscribed(1, true);
        board.take({ type: "snapshot", channel: "bars", timeframe: "1m", seq: 90, data: { AAPL: [[1]] } });
        board.watch(series("AAPL 1m"), 95, "e");
        subscribed(2, true);
        board.take({ type: "bars", timeframe: "1m", seq: 96, data: { AAPL: [[1]] } });
        board.welcome(true);
        return [holes, news, board.watched.size, said.map((one) => one.after_seq)];
        """,
    )
    assert after == [40, 40, 95], "what was lost is not asked for again"
    assert holes == [["AAPL 1m"]]
    assert news == [["AAPL", "1m", 1]]
    assert watched == 0


def test_a_second_chart_of_a_series_does_not_cost_the_first_what_is_under_way(blank: Page) -> None:
    after = run(
        blank,
        STREAM
        + """
        board.watch(series("MSFT 1m"), 100, "e");
        subscribed(0, true);
        board.take({ type: "bars", timeframe: "1m", seq: 105, data: { MSFT: [[1]] } });
        board.watch(series("MSFT 1m"), 120, "e");
        board.watch(series("MSFT 1m"), 130, "f");
        return said.map((one) => [one.epoch, one.after_seq]);
        """,
    )
    assert after == [["e", 100], ["e", 105], ["f", 130]]


def test_what_is_no_longer_shown_is_unsubscribed_but_for_the_dashboards_own_series(blank: Page) -> None:
    said = run(
        blank,
        STREAM
        + """
        board.watch(series("AAPL 1m", "MSFT 1m", "MSFT 5m", "TSLA 5m"), 40, "e");
        board.keep(series("TSLA 5m"));
        return said.filter((each) => each.op === "unsubscribe").map((each) => [each.timeframe, each.symbols]);
        """,
    )
    assert said == [["1m", ["MSFT"]], ["5m", ["MSFT"]]]
