"""The workbench walked on recorded markets: a month of minutes of one instrument, half a minute of ten."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from playwright.sync_api import Browser, expect

from dashboard.ui.figures import TYPES
from tests.browser.drawing.board import drawn, place, saved, take
from tests.browser.test_chart_types import opened
from tests.browser.test_compare import drawn as compared
from tests.browser.test_done_when import SHARED, chart_equals_api, fetch, series, state_is
from tests.browser.test_exporting import body, choose, saved_with_receipt
from tests.browser.test_indicators import equal, whole
from tests.browser.test_side_panel import open_tab

MONTH = SHARED / "btc-perp-1m-2022-01.csv.gz"
SESSION = SHARED / "coinbase-2021-04-17.jsonl"
pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the recorded market data is not beside this checkout")


def replaying(folder: Path, file: Path) -> Any:
    """A product that has replayed a file at once, at the times that stand in it."""
    from tests.conftest import Product

    settings = {"FEED": f"replay:{file}", "REPLAY_SPEED": "max", "REPLAY_TIMES": "original"}
    return Product(folder, "app", settings).start()


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A perpetual of January 2022 in minutes."""
    made = replaying(tmp_path_factory.mktemp("month"), MONTH)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Every quote of ten instruments of an exchange in 30 s; some of them moved twice only."""
    folder = tmp_path_factory.mktemp("session")
    file = folder / "session.csv"
    frames = [json.loads(line)["frame"] for line in SESSION.read_text().splitlines()]
    with file.open("w", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["time", "symbol", "price", "size", "bid", "ask"])
        names = ("time", "product_id", "price", "last_size", "best_bid", "best_ask")
        rows.writerows([frame[name] for name in names] for frame in frames if frame["type"] == "ticker")
    made = replaying(folder, file)
    yield made
    made.stop()


def hours() -> pd.DataFrame:
    """The month's bars of an hour, of the recording alone: [open, high, low, close] by start, UTC."""
    file = pd.read_csv(MONTH, parse_dates=["timestamp"])
    minutes = file.drop_duplicates("timestamp", keep="last").sort_values("timestamp").set_index("timestamp")
    merged = minutes.resample("1h").agg({"open": "first", "high": "max", "low": "min", "close": "last"})
    return merged.dropna().tz_localize("UTC")


def test_a_months_chart_is_the_recordings_in_every_type_with_indicators_and_drawings(
    month: Any, browser: Browser
) -> None:
    studies = "sma:20,bbands:20:2,rsi:14,macd"
    page, said = opened(browser, month, f"/?symbol=BTC-PERP&timeframe=1h&indicators={studies}")
    whole(page)
    chart_equals_api(page, "BTC-PERP", "1h")
    equal(page, "sma:20,bbands:20:2,rsi:14,macd:12:26:9", "1h", "BTC-PERP", least=300)
    told = hours()
    for kind in TYPES:
        page.select_option("#chart-type", kind)
        page.wait_for_function("type => window.tickboard.chart.plot.figure.type === type", arg=kind)
    # Panned to the month's first hour, older bars come; all of them are the recording's.
    first = told.index[0].timestamp() * 1000
    page.locator("#chart").focus()
    for _ in range(200):
        if series(page)[0][0] == first:
            break
        page.keyboard.press("-")
        page.wait_for_timeout(100)
    shown = series(page)
    assert [row[0] for row in shown] == [at.timestamp() * 1000 for at in told.index]
    for row, wanted in zip(shown, told.to_numpy(), strict=True):
        assert row[1:5] == pytest.approx(list(wanted), rel=1e-12)
    page.keyboard.press("End")
    take(page, "horizontal")
    page.mouse.click(*place(page, 0.5, 0.4))
    (made,) = saved(page, 1, "BTC-PERP")
    page.reload()
    page.wait_for_selector("#chart.js-plotly-plot")
    page.wait_for_function("() => window.tickboard.drawing?.board.kept?.loaded")
    assert drawn(page) == [made]
    expect(page.locator("#chart-type")).to_have_value(list(TYPES)[-1])
    assert said == []
    page.context.close()


def test_a_months_figures_exports_and_quality_are_the_recordings(month: Any, browser: Browser, tmp_path: Path) -> None:
    page, said = opened(browser, month, "/?symbol=BTC-PERP&timeframe=1h")
    expect(page.locator("#feed-kind")).to_have_text("REPLAY")
    told = hours()
    choose(page, "series", "csv")
    came = saved_with_receipt(page)
    file, _receipt = came
    rows = list(csv.DictReader(body(file).decode().splitlines()))
    assert [float(row["close"]) for row in rows] == pytest.approx(list(told["close"]), rel=1e-12)
    assert rows[0]["time"].startswith("2021-12-31T23:00:00")
    for each in came:
        each.save_as(tmp_path / each.suggested_filename)
    verified = month.run("verify", str(tmp_path / file.suggested_filename))
    assert verified.returncode == 0, verified.stdout + verified.stderr
    page.keyboard.press("Escape")
    open_tab(page, "statistics")
    page.select_option("#statistics-window", "30d")
    figures = fetch(page, "/api/v1/tickers/BTC-PERP/statistics?window=30d")
    expect(page.locator("#statistics-panel")).to_contain_text(f"{figures['volatility'] * 100:.2f} %")
    open_tab(page, "quality")
    condition = fetch(page, "/api/v1/tickers/BTC-PERP/quality")
    assert condition["bars"]["whole"] >= len(told) - 2
    expect(page.locator("#quality-panel")).to_contain_text(f"Whole{condition['bars']['whole']:,}")
    expect(page.locator("#quality-panel")).to_contain_text("REPLAY")
    page.locator(".pages a", has_text="Market").click()
    expect(page.locator(".heat-map a.tile")).to_have_count(1)
    expect(page.locator(".movers-panel")).to_contain_text("BTC-PERP")
    assert said == []
    page.context.close()


def test_a_session_of_ten_instruments_is_compared_searched_and_sorted(session: Any, browser: Browser) -> None:
    page, said = opened(browser, session, "/?symbol=SKL-USD&timeframe=1s")
    chart_equals_api(page, "SKL-USD", "1s")
    assert len(fetch(page, "/api/v1/tickers")["data"]) == 10
    page.keyboard.press("Control+k")
    page.keyboard.type("nmr")
    page.keyboard.press("Enter")
    expect(page.locator("#chart-symbol")).to_have_text("NMR-EUR")
    chart_equals_api(page, "NMR-EUR", "1s")
    for card in page.locator("#cards .card").all():
        stored = fetch(page, f"/api/v1/tickers/{card.get_attribute('data-symbol')}")["data"]
        expect(card.locator(".price")).to_contain_text(f"{stored['price']:,}".split(".")[0])
    open_tab(page, "trades")
    told = fetch(page, "/api/v1/tickers/NMR-EUR/ticks?limit=5000")["data"]
    page.wait_for_function("async (count) => (await window.tickboard.trades()).length === count", arg=len(told))
    page.context.close()
    page, said_then = opened(browser, session, "/?symbol=SKL-USD&timeframe=1s&compare=SKL-BTC,NMR-EUR")
    compared(page, "indexed")
    assert said + said_then == []
    page.context.close()


def test_ten_instruments_of_a_session_fill_the_market_page_and_say_what_there_is_not(
    session: Any, browser: Browser
) -> None:
    page, said = opened(browser, session)
    page.locator(".pages a", has_text="Market").click()
    expect(page.locator(".heat-map a.tile")).to_have_count(10)
    for panel in ("movers", "breadth", "correlation"):
        expect(page.locator(f"#market-{panel}-panel")).to_contain_text(re.compile(r"\w{4}"))
    expect(page.locator(".panel-failed.panel-message:visible")).to_have_count(0)
    page.locator(".heat-map a.tile[data-symbol='NU-GBP']").click()
    expect(page.locator("#chart-symbol")).to_have_text("NU-GBP")
    state_is(page, "live")
    open_tab(page, "statistics")
    expect(page.locator("#statistics-panel")).to_contain_text("not enough data")
    assert said == []
    page.context.close()
