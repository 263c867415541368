"""The Market page's callbacks and address: numbers of the store, one sentence for nonsense, each panel by itself."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pandas as pd
import pytest
from flask.testing import FlaskClient

from dashboard.market.bars import TIMEFRAME_INDEX
from dashboard.market.windows import WINDOWS
from dashboard.ui.market import answers, overview
from dashboard.ui.market.asked import MEASURES, RETURNS
from dashboard.ui.market.callbacks import FAILED, PACES_MS
from tests.house import House, open_house
from tests.ui.test_chart_callback import stores

SYMBOLS = "AAPL,MSFT,JPM,V,BTC-USD,ETH-USD,GOLD"


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder: Path = tmp_path_factory.mktemp("market")
    with open_house(folder, {"ada": "administrator"}, SYMBOLS=SYMBOLS) as house:
        last = {symbol: house.runtime.store.last().price[at] for at, symbol in enumerate(SYMBOLS.split(","))}
        for turn in range(10):
            house.clock.advance(900)
            house.tick(*((symbol, round(price * (1 + turn / 900), 2)) for symbol, price in last.items()))
        yield house


@pytest.fixture(scope="module")
def analyst(market: House) -> FlaskClient:
    return market.enter("ada")


def ask(analyst: FlaskClient, panel: str, **question: Any) -> Any:
    """The answer of a panel's callback."""
    body = {
        "output": f"market-{panel}.data",
        "outputs": {"id": f"market-{panel}", "property": "data"},
        "inputs": [
            {"id": f"market-{panel}-interval", "property": "n_intervals", "value": 1},
            {"id": f"market-{panel}-ask", "property": "data", "value": {"number": 7, **question}},
        ],
        "changedPropIds": [f"market-{panel}-ask.data"],
    }
    answer = analyst.post("/_dash-update-component", data=orjson.dumps(body), content_type="application/json")
    assert answer.status_code == 200, answer.text
    found = orjson.loads(answer.data)["response"][f"market-{panel}"]["data"]
    assert found["number"] == 7
    return found


# -- the page's address ----------------------------------------------------------------------------------------------


def test_the_page_is_for_who_is_logged_in(market: House, analyst: FlaskClient) -> None:
    answer = market.stranger().get("/market?window=1h")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/login?next=/market%3Fwindow%3D1h")
    page = analyst.get("/market")
    assert page.status_code == 200
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert "no-store" in page.headers["Cache-Control"]
    assert analyst.get("/markets").status_code == analyst.get("/market/").status_code == 404


def test_the_layout_shows_the_page_that_asks_for_it(analyst: FlaskClient) -> None:
    for referer, shown in (("/market?window=1h", "market"), ("/?symbol=V", "chart"), ("http://[", "chart")):
        layout = analyst.get("/_dash-layout", headers={"Referer": referer}).json
        assert layout["props"]["data-page"] == shown


def test_the_first_page_brings_none_of_the_markets_modules(analyst: FlaskClient) -> None:
    first, market = analyst.get("/").text, analyst.get("/market").text
    assert "assets/market/" not in first
    assert 'id="plotly-source" rel="preload"' in first
    assert 'id="plotly-source" rel="prefetch"' in market


# -- the panels ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("window", WINDOWS)
def test_a_change_is_the_last_price_against_the_close_before_the_window(
    market: House, analyst: FlaskClient, window: str
) -> None:
    answer = ask(analyst, "heat", window=window, size="equal")
    store, chosen = market.runtime.store, WINDOWS[window]
    now = float(np.nanmax(store.last().ts))
    for tile in answer["tiles"]:
        at = store.catalogue.index(tile["symbol"])
        assert at is not None
        timeframe = chosen.timeframe(store.kept_bars)
        rows = pd.DataFrame(store.bars(at, timeframe).rows)
        before = rows[rows[0] <= now - chosen.ms][4]
        reference = store.last().previous_close[at] if chosen.daily else before.iloc[-1] if len(before) else math.nan
        expected = (store.last().price[at] / reference - 1) * 100
        assert tile["change"] == (None if math.isnan(expected) else pytest.approx(expected, abs=6e-5))
    assert (answer["window"], answer["full"]) == (window, chosen.full)
    assert [tile["symbol"] for tile in answer["tiles"]] == SYMBOLS.split(",")


def test_todays_change_is_that_of_the_watchlist(analyst: FlaskClient) -> None:
    quotes = {quote["symbol"]: quote for quote in analyst.get("/api/v1/tickers").json["data"]}
    for tile in ask(analyst, "heat")["tiles"]:
        assert tile["change"] == pytest.approx(quotes[tile["symbol"]]["change_percent"], abs=6e-5)
        assert tile["price"] == quotes[tile["symbol"]]["price"]
        assert tile["stale"] == quotes[tile["symbol"]]["stale"]


@pytest.mark.parametrize("size", MEASURES)
def test_a_tile_is_as_large_as_its_measure(market: House, analyst: FlaskClient, size: str) -> None:
    tiles = ask(analyst, "heat", window="1h", size=size)["tiles"]
    rows = [pd.DataFrame(market.runtime.store.bars(at, TIMEFRAME_INDEX["1m"]).rows) for at in range(len(tiles))]
    now = float(np.nanmax(market.runtime.store.last().ts))
    for tile, table in zip(tiles, rows, strict=True):
        inside = table[table[0] > now - 3_600_000]
        expected = {
            "turnover": (inside[5] * inside[4]).sum(),
            "volume": inside[5].sum(),
            "trades": inside[6].sum(),
            "equal": 1.0,
        }[size]
        assert tile["value"] == pytest.approx(expected, rel=1e-5)
    largest = max(tile["value"] for tile in tiles)
    for tile in tiles:
        assert tile["weight"] == pytest.approx(max(tile["value"], largest / 1000), rel=1e-5)


def test_many_instruments_are_the_largest_and_one_tile_a_sector(
    analyst: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = ask(analyst, "heat", size="volume")["tiles"]
    monkeypatch.setattr(answers, "MOST_TILES", 3)
    answer = ask(analyst, "heat", size="volume")
    ranked = sorted(whole, key=lambda tile: -tile["weight"])
    assert {tile["symbol"] for tile in answer["tiles"]} == {tile["symbol"] for tile in ranked[:3]}
    frame = pd.DataFrame(ranked[3:])
    for (kind, sector), members in frame.groupby(["class", "sector"]):
        (tile,) = [each for each in answer["others"] if (each["class"], each["sector"]) == (kind, sector)]
        assert tile["count"] == len(members)
        assert tile["weight"] == pytest.approx(members["weight"].sum(), rel=1e-5)
        assert tile["change"] == pytest.approx(np.average(members["change"], weights=members["weight"]), abs=1e-3)
    assert sum(each["count"] for each in answer["others"]) == len(frame)


def test_movers_are_ordered_and_on_the_right_side_of_nothing(analyst: FlaskClient) -> None:
    for window in WINDOWS:
        answer = ask(analyst, "movers", window=window)
        every = pd.DataFrame(ask(analyst, "heat", window=window, size="equal")["tiles"]).set_index("symbol")
        for name, column, ascending, among in (
            ("gainers", "change", False, every["change"] > 0),
            ("losers", "change", True, every["change"] < 0),
            ("active", "turnover", False, every["turnover"] > 0),
            ("volatile", "volatility", False, every["volatility"] > 0),
        ):
            expected = every[among].sort_values(column, ascending=ascending)[column].tolist()[: answers.MOVERS]
            assert [row[column] for row in answer[name]] == expected


def test_breadth_adds_up_over_the_classes(market: House, analyst: FlaskClient) -> None:
    answer = ask(analyst, "breadth", window="1h")
    every = pd.DataFrame(ask(analyst, "heat", window="1h", size="equal")["tiles"])
    assert answer["all"]["advancing"] == (every["change"] > 0).sum()
    assert answer["all"]["declining"] == (every["change"] < 0).sum()
    assert list(answer["classes"]) == ["stock", "crypto", "commodity"]
    for name in ("advancing", "declining", "unchanged", "unknown", "new_highs", "new_lows", "covered"):
        assert answer["all"][name] == sum(one[name] for one in answer["classes"].values())
    store = market.runtime.store
    daily = pd.DataFrame({at: store.sparkline(at, TIMEFRAME_INDEX["1d"], 50) for at in range(7)})
    for (above, known), days in zip(answer["all"]["above"], (20, 50), strict=True):
        mean = daily.rolling(days).mean().iloc[-1].to_numpy()
        assert (above, known) == (int((store.last().price > mean).sum()), 7)


@pytest.mark.parametrize("returns", RETURNS)
def test_the_matrix_is_that_of_pandas(market: House, analyst: FlaskClient, returns: str) -> None:
    answer = ask(analyst, "correlation", symbols="msft, JPM AAPL,V", returns=returns)
    order = [one["symbol"] for one in answer["instruments"]]
    assert sorted(order) == ["AAPL", "JPM", "MSFT", "V"]
    store = market.runtime.store
    closes = pd.DataFrame(
        {
            symbol: pd.Series(rows[:, 4], rows[:, 0])
            for symbol in order
            for rows in [store.bars(store.catalogue.require(symbol), TIMEFRAME_INDEX[returns], limit=121).rows]
        }
    )
    expected = np.log(closes).diff().corr(min_periods=10).to_numpy()
    found = np.array(answer["matrix"], dtype=np.float64)
    np.testing.assert_allclose(found, expected, atol=6e-4)
    assert answer["common"][1] <= 120


def test_without_names_the_largest_are_correlated(analyst: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "USUAL_CORRELATED", 3)
    turnover = pd.DataFrame(ask(analyst, "heat", window="24h", size="turnover")["tiles"]).set_index("symbol")["value"]
    shown = {one["symbol"] for one in ask(analyst, "correlation")["instruments"]}
    assert shown == set(turnover.nlargest(3).index)


# -- what is refused, and what fails ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("panel", "question", "sentence"),
    [
        ("heat", {"window": "7y"}, "window must be one of 15m, 1h, 4h, day, 24h, 1w, 1mo, 1y, got 7y"),
        ("movers", {"window": ["1h"]}, "window must be one of 15m, 1h, 4h, day, 24h, 1w, 1mo, 1y, got ['1h']"),
        ("breadth", {"window": 0}, "window must be one of 15m, 1h, 4h, day, 24h, 1w, 1mo, 1y, got 0"),
        ("heat", {"size": "cap"}, "size must be one of turnover, volume, trades, equal, got cap"),
        ("correlation", {"returns": "1s"}, "returns must be one of 1m, 5m, 15m, 1h, 1d, got 1s"),
        ("correlation", {"symbols": "AAPL"}, "symbols must be 2 to 40 symbols with commas between them, got 1 of them"),
        ("correlation", {"symbols": "V,V"}, "symbols must be 2 to 40 symbols with commas between them, got V twice"),
        ("correlation", {"symbols": "AAPL,MSFX"}, "there is no instrument 'MSFX'; did you mean MSFT?"),
        ("correlation", {"symbols": {}}, "symbols must be 2 to 40 symbols with commas between them, got {}"),
    ],
)
def test_nonsense_is_refused_in_a_sentence(
    analyst: FlaskClient, panel: str, question: dict[str, Any], sentence: str
) -> None:
    assert ask(analyst, panel, **question) == {"number": 7, "error": sentence}


def test_a_long_list_of_symbols_is_cut_in_the_sentence(analyst: FlaskClient) -> None:
    answer = ask(analyst, "correlation", symbols="AAPL," * 100_000)
    assert answer["error"].startswith("symbols must be 2 to 40 symbols")
    assert len(answer["error"]) < 200


def test_a_panel_that_fails_says_so_and_the_others_go_on(analyst: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "leaves", lambda *_: 1 / 0)
    assert ask(analyst, "correlation") == {"number": 7, "error": FAILED}
    assert ask(analyst, "heat")["tiles"]


def test_before_anybody_asks_nothing_is_computed(analyst: FlaskClient) -> None:
    body = {
        "output": "market-heat.data",
        "outputs": {"id": "market-heat", "property": "data"},
        "inputs": [
            {"id": "market-heat-interval", "property": "n_intervals", "value": 1},
            {"id": "market-heat-ask", "property": "data", "value": None},
        ],
        "changedPropIds": ["market-heat-interval.n_intervals"],
    }
    answer = analyst.post("/_dash-update-component", data=orjson.dumps(body), content_type="application/json")
    assert answer.json["response"] == {}


def test_the_page_opens_with_every_interval_at_rest(analyst: FlaskClient) -> None:
    def every(part: Any) -> Iterator[dict[str, Any]]:
        if isinstance(part, dict):
            if part.get("type") == "Interval":
                yield part["props"]
            for inner in part.values():
                yield from every(inner)
        elif isinstance(part, list):
            for inner in part:
                yield from every(inner)

    layout = orjson.loads(analyst.get("/_dash-layout").data)
    assert list(stores(layout))
    intervals = {one["id"]: one for one in every(layout)}
    for name, pace in PACES_MS.items():
        assert intervals[f"market-{name}-interval"]["disabled"] is True
        assert intervals[f"market-{name}-interval"]["interval"] == pace


def test_many_who_look_at_once_cost_one_computation(market: House, analyst: FlaskClient) -> None:
    made: list[str] = []
    shared = overview.Overview(market.runtime.store, market.runtime.freshness, market.clock)
    real = shared.store.panel

    def counted(*given: Any) -> Any:
        made.append("panel")
        return real(*given)

    market.runtime.store.panel = counted  # type: ignore[method-assign]
    try:
        for _ in range(50):
            shared.crossed(WINDOWS["1h"])
        assert len(made) == 1
        market.clock.advance(100)
        market.tick(("AAPL", 250.0))
        shared.crossed(WINDOWS["1h"])
        assert len(made) == 1, "a tick within two seconds"
        market.clock.advance(overview.KEPT_MS)
        assert shared.crossed(WINDOWS["1h"]).last.price[0] == 250.0
        assert len(made) == 2
    finally:
        del market.runtime.store.panel  # type: ignore[method-assign]


def test_a_market_without_a_single_price_is_answered(tmp_path: Path) -> None:
    with open_house(tmp_path, {"ada": "administrator"}, SYMBOLS=SYMBOLS) as house:
        house.runtime.store.reset()
        analyst = house.enter("ada")
        heat = ask(analyst, "heat")
        assert {tile["change"] for tile in heat["tiles"]} == {None}
        assert {tile["weight"] for tile in heat["tiles"]} == {1.0}
        assert ask(analyst, "movers")["gainers"] == []
        assert ask(analyst, "breadth")["all"]["unknown"] == 7
        matrix = ask(analyst, "correlation")["matrix"]
        assert {cell for row in matrix for cell in row} == {None}
