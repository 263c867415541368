"""The side panel's tabs on the real page: trades as the store has them, statistics, quality, each failing alone."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, WebSocket, expect

from tests.browser.test_done_when import SHARED, fetch, line_to, log_in, over_a_line, state_is
from tests.browser.waits import at_work, try_again, until
from tests.line import Line

__all__ = ["line_to"]
ROWS = "#trades-panel .trades-list .trade"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One product for the whole file: ten ticks a second of each instrument."""
    from tests.conftest import Product

    made = Product(tmp_path_factory.mktemp("side"), "app", {"TICK_MS": "100", "SEED": "5"}).start()
    yield made
    made.stop()


@pytest.fixture
def page(running: Any, browser: Browser) -> Iterator[Page]:
    made = log_in(browser, running.url)
    wrong: list[str] = []
    made.on("pageerror", lambda error: wrong.append(str(error)))
    state_is(made, "live")
    at_work(made)
    yield made
    made.context.close()
    assert wrong == []


def open_tab(page: Page, name: str) -> None:
    page.click(f"#side-tab-{name}")
    expect(page.locator(f"#side-of-{name}")).to_be_visible()


def tape(page: Page) -> list[list[float]]:
    """[seq, price] of every trade that the page keeps."""
    kept: list[list[float]] = page.evaluate("window.tickboard.trades()")
    return kept


def tape_equals_api(page: Page, symbol: str, least: int) -> None:
    """What the page keeps is, from its first trade on, what the store has: none missing, none twice, in order."""
    end = time.monotonic() + 60
    while True:
        kept = tape(page)
        first = kept[0][0] if kept else 1
        found = fetch(page, f"/api/v1/tickers/{symbol}/ticks?after_seq={int(first) - 1}&limit=50000")["data"]
        stored = [row[:2] for row in found]
        last = stored[-1][0] if stored else 0
        # The stream brings it later than that answer on a slow machine.
        came = time.monotonic() + 5
        while (now := tape(page)) and now[-1][0] < last and time.monotonic() < came:
            time.sleep(0.1)
        kept = [row for row in now if row[0] <= last]
        if len(stored) >= least and kept == stored:
            return
        assert time.monotonic() < end, (len(kept), len(stored), kept[:3], stored[:3], kept[-3:], stored[-3:])
        time.sleep(0.3)


def test_tabs_follow_the_arrows_and_the_choice_is_kept(page: Page) -> None:
    tabs = page.get_by_role("tab")
    expect(tabs).to_have_text(["Alerts", "Trades", "Stats", "Quality"])
    expect(page.locator("#alerts-panel")).to_be_visible()
    tabs.nth(0).focus()
    for key, name in (
        ("ArrowRight", "trades"),
        ("ArrowRight", "statistics"),
        ("End", "quality"),
        ("ArrowRight", "alerts"),
        ("ArrowLeft", "quality"),
        ("Home", "alerts"),
        ("ArrowRight", "trades"),
    ):
        page.keyboard.press(key)
        chosen = page.locator('[role=tab][aria-selected="true"]')
        expect(chosen).to_have_attribute("data-name", name)
        expect(chosen).to_be_focused()
        expect(page.locator(f"#side-of-{name}")).to_be_visible()
        expect(page.locator("[role=tabpanel]:visible")).to_have_count(1)
    assert page.locator('[role=tab][tabindex="0"]').count() == 1
    page.keyboard.press("Tab")
    expect(page.locator("#trades-least")).to_be_focused()
    page.reload()
    expect(page.locator("#side-of-trades")).to_be_visible()
    at_work(page)
    page.keyboard.press("a")
    expect(page.locator("#alert-form [name=level]")).to_be_focused()
    expect(page.locator("#side-of-alerts")).to_be_visible()


def test_without_storage_the_tabs_work_all_the_same(running: Any, browser: Browser) -> None:
    page = log_in(browser, running.url)
    page.add_init_script("Object.defineProperty(window, 'localStorage', { get() { throw new Error('no storage'); } })")
    page.reload()
    at_work(page)
    open_tab(page, "trades")
    expect(page.locator(ROWS).first).to_be_visible()
    page.context.close()


def test_trades_are_the_stores_and_the_stream_is_asked_for_them_only_while_they_are_shown(
    running: Any, browser: Browser
) -> None:
    page = log_in(browser, running.url)
    sent: list[dict[str, Any]] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framesent", lambda text: sent.append(json.loads(text)))

    page.on("websocket", listen)
    page.reload()
    state_is(page, "live")
    at_work(page)
    page.wait_for_timeout(500)

    def ticks() -> list[tuple[str, str]]:
        return [(one["op"], one["symbols"][0]) for one in sent if one.get("channel") == "ticks"]

    assert ticks() == []
    open_tab(page, "trades")
    expect(page.locator(ROWS).first).to_be_visible()
    tape_equals_api(page, "AAPL", 10)
    assert ticks()[-1] == ("subscribe", "AAPL")
    page.click('#cards .card[data-symbol="MSFT"]')
    expect(page.locator(ROWS).first).to_be_visible()
    tape_equals_api(page, "MSFT", 5)
    open_tab(page, "quality")
    left = [("unsubscribe", "AAPL"), ("unsubscribe", "MSFT")]
    until(lambda: page.wait_for_timeout(50) or [one for one in ticks() if one[0] == "unsubscribe"], left)
    page.wait_for_timeout(600)
    open_tab(page, "trades")
    tape_equals_api(page, "MSFT", 10)
    page.context.close()


def test_trades_have_no_hole_over_a_cut_line_and_go_on_by_polling(
    product: Any, browser: Browser, line_to: Callable[[int], Line]
) -> None:
    line, page = over_a_line(product, browser, line_to)
    at_work(page)
    open_tab(page, "trades")
    expect(page.locator(ROWS).first).to_be_visible()
    first = tape(page)[0]
    line.cut()
    expect(page.locator("#connection")).not_to_have_attribute("data-state", "live", timeout=30_000)
    page.wait_for_timeout(3000)
    line.mend()
    state_is(page, "live")
    tape_equals_api(page, "AAPL", 10)
    assert tape(page)[0] == first
    line.drop_streams()
    state_is(page, "polling")
    before = len(tape(page))
    page.wait_for_function("async (before) => (await window.tickboard.trades()).length > before + 3", arg=before)
    tape_equals_api(page, "AAPL", 10)
    assert tape(page)[0] == first
    page.context.close()


def test_a_reader_who_scrolls_back_is_left_in_peace_and_led_back(page: Page) -> None:
    open_tab(page, "trades")
    page.wait_for_function("async () => (await window.tickboard.trades()).length > 60")
    scroller = page.locator(".trades-scroller")
    scroller.evaluate("node => { node.scrollTop = 220; }")
    seen = "node => [...node.querySelectorAll('.trade')].map((row) => row.textContent)"
    fresh = page.locator(".trades-new")
    expect(fresh).to_have_text(re.compile(r"^\d+ new$"))  # the page has heard that its reader stands still
    before = scroller.evaluate(seen)
    page.wait_for_timeout(1200)
    page.wait_for_function("parseInt(document.querySelector('.trades-new').textContent) >= 5")
    assert scroller.evaluate(seen) == before
    fresh.click()
    expect(fresh).to_be_hidden()
    expect(scroller).to_be_focused()
    until(lambda: scroller.evaluate("node => node.scrollTop"), 0)
    until(lambda: scroller.evaluate(seen) != before)
    page.keyboard.press("PageDown")
    expect(fresh).to_be_visible()
    page.keyboard.press("Home")
    expect(fresh).to_be_hidden()


def test_the_filter_keeps_trades_of_a_size_and_refuses_what_is_no_size(page: Page) -> None:
    open_tab(page, "trades")
    expect(page.locator(ROWS).nth(10)).to_be_attached()
    rows = fetch(page, "/api/v1/tickers/AAPL/ticks?limit=1000")["data"]
    sizes = sorted(row[2] for row in rows)
    middle = sizes[len(sizes) // 2]
    page.fill("#trades-least", str(middle))
    shown = page.locator(f"{ROWS} .size")
    numbers = "all => all.map((one) => Number(one.title.replaceAll(',', '')))"
    until(lambda: min(shown.evaluate_all(numbers), default=0) >= middle)
    page.fill("#trades-least", "many")
    expect(page.locator("#trades-wrong")).to_have_text("Size must be a number from 0 on, got many.")
    page.fill("#trades-least", "1e15")
    expect(page.locator("#trades-wrong")).to_be_empty()
    expect(page.locator("#trades-panel")).to_contain_text("has this size")
    expect(page.locator(ROWS)).to_have_count(0)


def test_statistics_are_the_servers_and_follow_window_instrument_and_beta(page: Page) -> None:
    open_tab(page, "statistics")
    panel = page.locator("#statistics-panel")
    expect(panel).to_contain_text("closed bars of 5m")
    expect(panel.locator("svg[role=img] rect")).to_have_count(21)
    page.select_option("#statistics-window", "30d")
    page.select_option("#statistics-against", "MSFT")
    expect(panel).to_contain_text("closed bars of 1h")

    def as_stored(symbol: str) -> float:
        """The panel says what the server does, of two hours if one ends meanwhile; the volatility."""

        def same() -> bool:
            nonlocal stored
            stored = fetch(page, f"/api/v1/tickers/{symbol}/statistics?window=30d&against=MSFT")
            texts = f"{stored['beta']['value']:.2f}", f"{stored['volatility'] * 100:.2f} %"
            told = panel.inner_text()
            return all(text in told.replace("−", "-") for text in texts)

        stored: Any = None
        until(same, seconds=40)
        return float(stored["volatility"])

    first = as_stored("AAPL")
    expect(panel).to_contain_text("Beta to MSFT")
    page.click('#cards .card[data-symbol="GOOGL"]')
    assert as_stored("GOOGL") != first
    page.reload()
    expect(page.locator("#statistics-window")).to_have_value("30d")
    expect(page.locator("#statistics-against")).to_have_value("MSFT")


def test_data_quality_tells_age_bars_and_refused_ticks(page: Page) -> None:
    open_tab(page, "quality")
    panel = page.locator("#quality-panel")
    expect(panel).to_contain_text("Bars of 1m")
    expect(panel).to_contain_text(re.compile(r"Last report\d+ s ago"))
    expect(panel).to_contain_text("SIMULATED")
    expect(panel.locator("tbody tr")).to_have_count(8)

    def same() -> bool:
        """The panel asks each five seconds, and a bar may close between its question and ours."""
        stored = fetch(page, "/api/v1/tickers/AAPL/quality")
        return f"Whole{stored['bars']['whole']:,}" in (panel.text_content() or "")

    until(same, seconds=30)


@pytest.mark.parametrize(
    ("name", "path", "sentence"),
    [
        ("trades", "**/ticks?*", "The trades of AAPL could not be read"),
        ("statistics", "**/statistics?*", "The statistics could not be read"),
        ("quality", "**/quality", "The quality of the data could not be read"),
    ],
)
def test_a_tab_fails_alone_with_a_sentence_and_a_way_to_try_again(
    page: Page, name: str, path: str, sentence: str
) -> None:
    page.route(path, lambda route: route.fulfill(status=503, body='{"detail":"the store is away"}'))
    open_tab(page, name)
    panel = page.locator(f"#side-of-{name}")
    expect(panel.get_by_role("status").filter(has_text=sentence)).to_contain_text("the store is away")
    state_is(page, "live")
    for other in {"trades", "statistics", "quality"} - {name}:
        open_tab(page, other)
        expect(page.locator(f"#side-of-{other} .panel-failed.panel-message:visible")).to_have_count(0)
    with page.expect_response(path):  # the tab asks anew when it is shown: not in between what follows
        open_tab(page, name)
    try_again(page, panel, path)
    expect(panel.locator(".panel-failed.panel-message:visible")).to_have_count(0)
    expect(panel.locator(".trades-list .trade, .facts-list dt").first).to_be_visible()


def test_an_instrument_with_one_tick_a_still_price_or_none_says_what_there_is_not(
    product: Any, browser: Browser, tmp_path: Path
) -> None:
    lines = ["time,symbol,price,size", "2026-01-05T09:59:00Z,ONE,5,1"]
    lines += [f"2026-01-05T{10 + at // 60}:{at % 60:02}:00Z,STILL,7,2" for at in range(200)]
    lines += ["2026-01-09T10:00:00Z,STILL,7,2", "2026-01-09T10:06:00Z,STILL,7,2"]
    file = tmp_path / "rare.csv"
    file.write_text("\n".join(lines) + "\n")
    served = product(FEED=f"replay:{file}", REPLAY_SPEED="max", REPLAY_TIMES="original")
    page = log_in(browser, served.url, "/?symbol=ONE")
    state_is(page, "live")
    open_tab(page, "statistics")
    panel = page.locator("#statistics-panel")
    expect(panel).to_contain_text("From 1 closed bar of 5m")
    expect(panel.locator("dd", has_text="not enough data")).to_have_count(4)
    page.evaluate("window.tickboard.view.set({ symbol: 'STILL' })")
    expect(panel).to_contain_text("From 1 closed bar of 5m")
    page.select_option("#statistics-window", "7d")
    expect(panel.locator("dd", has_text="not enough data")).to_have_count(4)
    open_tab(page, "trades")
    expect(page.locator("#trades-panel .trade.flat").first).to_be_visible()
    expect(page.locator("#trades-panel .trade.up, #trades-panel .trade.down")).to_have_count(0)
    page.evaluate("window.tickboard.view.set({ symbol: 'ONE' })")
    expect(page.locator(ROWS)).to_have_count(1)
    open_tab(page, "quality")
    page.evaluate("window.tickboard.view.set({ symbol: 'STILL' })")
    expect(page.locator("#quality-panel")).to_contain_text("2 gaps, the longest 3 days from")
    page.context.close()


def test_a_recorded_market_fills_every_tab(product: Any, browser: Browser) -> None:
    file = SHARED / "binance-btcusdt-trades-2021-01-08.csv"
    if not file.exists():
        pytest.skip("the recorded market data is not beside this checkout")
    served = product(FEED=f"replay:{file}", REPLAY_SPEED="max")
    page = log_in(browser, served.url)
    state_is(page, "live")
    open_tab(page, "trades")
    tape_equals_api(page, "BTCUSDT", 1000)
    for direction in ("up", "down"):
        expect(page.locator(f"#trades-panel .trade.{direction}").first).to_be_attached()
    open_tab(page, "statistics")
    expect(page.locator("#statistics-panel")).to_contain_text("Volatility a year")
    open_tab(page, "quality")
    expect(page.locator("#quality-panel")).to_contain_text("REPLAY")
    page.context.close()


@pytest.mark.parametrize("name", ["trades", "statistics", "quality"])
def test_on_a_phone_each_tab_fits_and_can_be_used(running: Any, browser: Browser, name: str) -> None:
    page = log_in(browser, running.url)
    page.set_viewport_size({"width": 390, "height": 844})
    page.click('.bottom-tabs [data-tab="side"]')
    open_tab(page, name)
    expect(page.locator(f"#{name}-panel .trades-list .trade, #{name}-panel .facts-list dt").first).to_be_visible()
    page.wait_for_timeout(400)
    until(lambda: page.evaluate("document.documentElement.scrollWidth") <= 390)
    cut = """() => [...document.querySelectorAll('#side *')].filter((node) => {
          const box = node.getBoundingClientRect();
          return box.width && box.height && (box.left < -0.5 || box.right > 390.5);
        }).map((node) => node.className)"""
    until(lambda: page.evaluate(cut), [])
    page.context.close()
