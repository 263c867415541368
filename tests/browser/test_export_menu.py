"""What the export menu offers beside the bars: ticks, watchlists, indicators of the view; how far an export is."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.test_done_when import fetch, log_in, state_is
from tests.browser.test_exporting import body, choose, of_view, saved
from tests.browser.waits import at_work

#: Bytes a second of a line on which a file of half a megabyte takes its time.
SLOW = 20_000


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One product for the whole file."""
    from tests.conftest import Product

    made = Product(tmp_path_factory.mktemp("menu"), "app", {"TICK_MS": "500", "SEED": "5"}).start()
    yield made
    made.stop()


@pytest.fixture
def page(running: Any, browser: Browser) -> Iterator[Page]:
    made = log_in(browser, running.url)
    state_is(made, "live")
    made.wait_for_selector("#export-menu", state="attached")
    at_work(made)
    yield made
    made.context.close()


def records(text: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(text.decode().splitlines()))


def test_every_tick_that_is_kept(page: Page) -> None:
    choose(page, "ticks", "csv")
    expect(page.locator("#export-menu")).to_contain_text("Everything that is kept of AAPL, tick by tick.")
    expect(page.locator("#export-menu input[value=png]")).to_be_disabled()
    file = saved(page)
    rows = records(body(file))
    kept = fetch(page, "/api/v1/tickers/AAPL/ticks?after_seq=0&limit=50000")["data"]
    assert file.suggested_filename.startswith("simulated_AAPL_tick_")
    assert 0 < len(rows) <= len(kept)
    assert [int(row["seq"]) for row in rows] == [tick[0] for tick in kept][: len(rows)]


def test_a_watchlist_as_it_is_kept_or_every_instrument(page: Page) -> None:
    menu = page.locator("#export-menu")
    choose(page, "watchlist", "csv")
    for form in ("parquet", "json", "png", "svg"):
        expect(menu.locator(f"input[value={form}]")).to_be_disabled()
    for name in ("receipt", "local"):
        expect(menu.locator(f"input[name={name}]")).to_be_disabled()
    every = saved(page)
    assert re.fullmatch(r"simulated_watchlist_\d{8}T\d{6}Z\.csv", every.suggested_filename)
    symbols = [quote["symbol"] for quote in fetch(page, "/api/v1/tickers")["data"]]
    assert [row["symbol"] for row in records(body(every))] == symbols
    made = page.evaluate(
        """async (list) => (await fetch('/api/v1/watchlists',
        {method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify(list)})).status""",
        {"name": "Mine <b>", "symbols": ["MSFT", "AAPL"], "columns": ["symbol", "price"]},
    )
    assert made == 201
    page.keyboard.press("Escape")
    page.click("#export-button")
    menu.get_by_label("Watchlist", exact=True).select_option("Mine <b>")
    mine = saved(page)
    assert "watchlist_Mine" in mine.suggested_filename
    rows = records(body(mine))
    assert [row["symbol"] for row in rows] == ["MSFT", "AAPL"]
    assert list(rows[0]) == ["symbol", "price"]
    # What the page shows is what is offered, until something else is chosen.
    for shown, offered in (
        ("All instruments", "Mine <b>"),
        ("Mine <b>", "Mine <b>"),
        ("All instruments", "Every instrument"),
    ):
        page.keyboard.press("Escape")
        page.click("#list-button")
        page.locator("#list-menu .lists button", has_text=shown).click()
        page.click("#export-button")
        expect(menu.locator("select[name=list] option:checked")).to_have_text(offered)


def test_a_watchlist_that_has_gone_meanwhile_is_said(page: Page) -> None:
    answer = {
        "status": 200,
        "json": {"data": [{"id": 987654, "name": "Gone"}, {"id": 1, "name": "x", "refused": "newer"}]},
    }
    page.route("**/api/v1/watchlists", lambda route: route.fulfill(**answer))
    choose(page, "watchlist", "csv")
    choice = page.locator("#export-menu").get_by_label("Watchlist", exact=True)
    expect(choice.locator("option")).to_have_text(["Every instrument", "Gone"])
    choice.select_option("Gone")
    page.click("#export-menu button[type=submit]")
    expect(page.locator("#export-menu [role=status]")).to_contain_text("There is no watchlist")


def test_indicators_of_the_view_come_beside_the_bars(page: Page) -> None:
    page.evaluate(
        """() => {
        const { view } = window.tickboard, shown = view.shown.bind(view);
        view.shown = () => ({ ...shown(), indicators: 'sma:20,rsi:14,sma:20' });
      }"""
    )
    choose(page, "view", "csv")
    expect(page.locator("#export-menu")).to_contain_text("of AAPL, 1m with sma:20, rsi:14.")
    file, seen = of_view(page, "csv")
    rows = records(body(file))
    assert list(rows[0])[-2:] == ["sma_20", "rsi_14"]
    assert all(row["sma_20"] and row["rsi_14"] for row in rows), "warmed up on the bars before"
    assert len(rows) == len(seen)
    choose(page, "ticks", "json")
    assert "sma_20" not in json.loads(body(saved(page)))["columns"]


@pytest.mark.parametrize("form", ["csv", "json"])
def test_how_far_an_export_is_and_its_end_before_that(page: Page, form: str) -> None:
    page.keyboard.press("1")
    expect(page.locator("#timeframe label:has(input:checked)")).to_have_text("1s")
    choose(page, "series", form)
    session = page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": SLOW, "uploadThroughput": SLOW}
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", slow)
    page.click("#export-menu button[type=submit]")
    bar = page.locator("#export-menu progress")
    further = "was => document.querySelector('#export-menu progress').value > was"
    page.wait_for_function(further, arg=0.05, timeout=60_000)
    first = bar.evaluate("bar => bar.value")
    expect(page.locator("#export-menu .export-far")).to_have_text(re.compile(r"\d+ %, \d\.\d MB"))
    page.wait_for_function(
        "was => document.querySelector('#export-menu progress').value > was", arg=first, timeout=60_000
    )
    assert bar.evaluate("bar => bar.value") <= 1
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#export-menu [role=status]")).to_have_text("Cancelled; nothing was saved.")
    expect(page.locator("#export-menu .export-far")).to_have_text("")
    session.send("Network.emulateNetworkConditions", slow | {"downloadThroughput": -1, "uploadThroughput": -1})
    whole = body(saved(page))
    assert whole.rstrip().endswith(b"]}") if form == "json" else whole.endswith(b"\n")


def test_a_receipt_that_can_not_be_had_does_not_hide_that_the_file_is_saved(page: Page) -> None:
    def lost(route: Route) -> None:
        route.abort()

    page.route("**/api/v1/receipts/**", lost)
    choose(page, "view", "csv")
    page.check("#export-menu input[name=receipt]")
    name = saved(page).suggested_filename
    expect(page.locator("#export-menu [role=status]")).to_have_text(
        f"{name} is saved, its receipt could not be had: the line was lost."
    )
