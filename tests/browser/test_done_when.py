"""The promises of the page, walked in a real browser as an analyst would: live, cut, restarted, refused, silenced."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.waits import until
from tests.line import Line

SHARED = Path(__file__).parents[2].parent / "shared" / "market-data"
LONG_MS = 45_000
#: Cookies of a session by the address of its product.
SESSIONS: dict[str, list[Any]] = {}


@pytest.fixture
def line_to() -> Iterator[Callable[[int], Line]]:
    """A factory of cuttable lines to a port; closed at the end."""
    made: list[Line] = []

    def make(port: int) -> Line:
        made.append(Line(port))
        return made[-1]

    yield make
    for line in made:
        line.close()


def log_in(
    browser: Browser, base: str, path: str = "/", *, anew: bool = False, script: str = "", **context: Any
) -> Page:
    """A page of its own profile, logged in with the demonstration user, showing `path`.

    The form is filled in once a product: its cookies do for later profiles, unless one wants a session of its own.
    `script` runs before each page's own.
    """
    kept = [] if anew else SESSIONS.get(base, [])
    state = {"cookies": kept, "origins": []}
    page = browser.new_context(viewport={"width": 1440, "height": 900}, storage_state=state, **context).new_page()
    if script:
        page.add_init_script(script)
    page.goto(base + path)
    if page.locator("input[name=username]").count():
        page.fill("input[name=username]", "root")
        page.fill("input[name=password]", "123456")
        page.click("button[type=submit]")
        SESSIONS[base] = page.context.cookies()
    page.wait_for_selector("#chart .js-plotly-plot, #chart.js-plotly-plot", timeout=LONG_MS)
    page.wait_for_function("() => window.tickboard", timeout=LONG_MS)
    return page


def state_is(page: Page, state: str, timeout: float = LONG_MS) -> None:
    expect(page.locator("#connection")).to_have_attribute("data-state", state, timeout=timeout)


def over_a_line(product: Any, browser: Browser, line_to: Callable[[int], Line], path: str = "/") -> tuple[Line, Page]:
    """A lively product, and a page that reaches it over a line that can be cut; live already."""
    line = line_to(product(TICK_MS="200").port)
    page = log_in(browser, f"http://127.0.0.1:{line.port}", path)
    state_is(page, "live")
    return line, page


def fetch(page: Page, path: str) -> Any:
    return page.evaluate("async path => (await fetch(path)).json()", path)


def series(page: Page) -> list[list[float]]:
    """The bars that the chart holds, the forming one included."""
    rows: list[list[float]] = page.evaluate("window.tickboard.chart.series()")
    return rows


def chart_equals_api(page: Page, symbol: str, timeframe: str) -> None:
    """Every closed bar on the chart is the API's, and no bar between the first and the last is missing."""
    until = time.monotonic() + 40
    path = f"/api/v1/tickers/{symbol}/bars?timeframe={timeframe}&limit=50000&start="
    while True:
        # The chart goes on while the API is asked: it is read right after the answer, and may have newer bars by then.
        first, answer, rows = page.evaluate(
            """async (path) => {
              const { chart } = window.tickboard, [first] = chart.series()[0];
              return [first, await (await fetch(path + first)).json(), chart.series()];
            }""",
            path,
        )
        newest = max(row[0] for row in answer["data"])
        shown = {row[0]: row[1:6] for row in rows if first <= row[0] <= newest}
        closed = {row[0]: row[1:6] for row in answer["data"] if int(row[7]) & 1}
        settled = {start: row for start, row in closed.items() if start < max(closed)}
        if settled and all(shown.get(start) == row for start, row in settled.items()):
            assert set(shown) <= {row[0] for row in answer["data"]}
            return
        if time.monotonic() > until:
            wrong = {start: (shown.get(start), row) for start, row in settled.items() if shown.get(start) != row}
            raise AssertionError(f"{len(wrong)} bars differ from the API, among them {dict(list(wrong.items())[:3])}")
        time.sleep(0.5)


def test_prices_move_by_websocket_and_no_callback_carries_them(product: Any, browser: Browser) -> None:
    running = product(TICK_MS="200")
    page = log_in(browser, running.url)
    state_is(page, "live")
    callbacks: list[str] = []
    page.on("request", lambda request: callbacks.append(request.url) if "_dash-update" in request.url else None)
    for _ in range(10):  # those that the page begins with
        callbacks.clear()
        page.wait_for_timeout(2000)
        if not callbacks:
            break
    prices = page.locator("#cards .card .price")
    seen = set()
    for _ in range(20):
        seen.add(tuple(prices.all_inner_texts()))
        page.wait_for_timeout(250)
    until(lambda: seen.add(tuple(prices.all_inner_texts())) or len(seen) >= 10, True)
    assert callbacks == []
    expect(page.locator("#latency")).to_have_text(re.compile(r"\d+\s*ms"))
    expect(page.locator("#feed-kind")).to_have_text("SIMULATED")
    assert "(simulated)" in page.title()


def test_after_a_cut_of_twenty_seconds_the_chart_has_no_hole(
    product: Any, browser: Browser, line_to: Callable[[int], Line]
) -> None:
    line, page = over_a_line(product, browser, line_to, "/?symbol=BTC-USD&timeframe=1s")
    page.wait_for_timeout(3000)
    line.cut()
    expect(page.locator("#connection")).not_to_have_attribute("data-state", "live", timeout=LONG_MS)
    page.wait_for_timeout(20_000)
    line.mend()
    state_is(page, "live")
    page.wait_for_timeout(2500)
    chart_equals_api(page, "BTC-USD", "1s")


def test_a_tab_that_wakes_up_asks_at_once_whether_the_line_still_lives(
    product: Any, browser: Browser, line_to: Callable[[int], Line]
) -> None:
    line, page = over_a_line(product, browser, line_to, "/?symbol=BTC-USD&timeframe=1s")
    page.evaluate(
        """() => {
          window.states = [];
          window.tickboard.market.on('state', (news) => window.states.push([news.state, performance.now()]));
        }"""
    )
    line.stall()
    woken = page.evaluate("document.dispatchEvent(new Event('visibilitychange')) && performance.now()")
    page.wait_for_function("() => window.states.length > 1 && window.states.at(-1)[0] === 'live'", timeout=LONG_MS)
    state, at = page.evaluate("window.states[0]")
    assert state == "reconnecting"
    # The heartbeat's own silence would take 8 s to be noticed.
    assert at - woken < 7_000
    page.wait_for_timeout(1500)
    chart_equals_api(page, "BTC-USD", "1s")


def test_after_a_restart_the_page_comes_back_logged_in_with_the_new_epochs_chart(
    product: Any, browser: Browser
) -> None:
    running = product(TICK_MS="200")
    page = log_in(browser, running.url, "/?symbol=AAPL&timeframe=1s")
    state_is(page, "live")
    before = fetch(page, "/api/v1/tickers")["epoch"]
    running.restart()
    state_is(page, "live")
    assert fetch(page, "/api/v1/tickers")["epoch"] != before
    assert page.url.startswith(running.url) and "/login" not in page.url
    page.wait_for_timeout(3000)
    chart_equals_api(page, "AAPL", "1s")


def test_without_the_websocket_the_page_polls_and_returns_when_it_may(
    product: Any, browser: Browser, line_to: Callable[[int], Line]
) -> None:
    line, page = over_a_line(product, browser, line_to)
    line.drop_streams()
    state_is(page, "polling")
    price = page.locator("#cards .card .price").first
    before = price.inner_text()
    expect(price).not_to_have_text(before, timeout=LONG_MS)
    line.mend()
    state_is(page, "live", timeout=2 * LONG_MS)


def test_a_feed_that_falls_silent_makes_prices_look_stale_and_the_header_say_so(
    product: Any, browser: Browser, tmp_path: Path
) -> None:
    pipe = tmp_path / "ACME.csv"
    os.mkfifo(pipe)
    go_on, done = threading.Event(), threading.Event()

    def write() -> None:
        with open(pipe, "w", buffering=1) as out:
            out.write("timestamp,price,quantity\n")
            began = int(time.time() * 1000)
            for number in range(2000):
                out.write(f"{began + number * 100},{100 + number / 100:.2f},1\n")
                if go_on.wait(0.1):
                    break
            done.wait(60)

    threading.Thread(target=write, daemon=True).start()
    running = product(FEED=f"replay:{pipe}", REPLAY_TIMES="original")
    page = log_in(browser, running.url)
    state_is(page, "live")
    card = page.locator("#cards .card[data-symbol=ACME]")
    expect(card).not_to_have_class(re.compile("stale"))
    expect(page.locator("#feed-kind")).to_have_text("REPLAY")
    go_on.set()
    expect(card).to_have_class(re.compile("stale"), timeout=LONG_MS)
    expect(page.locator("header").first).to_contain_text(re.compile("silent|stale", re.IGNORECASE), timeout=LONG_MS)
    done.set()


def test_the_exported_csv_equals_what_the_chart_holds(product: Any, browser: Browser) -> None:
    running = product(TICK_MS="200")
    page = log_in(browser, running.url, "/?symbol=GOLD&timeframe=1m")
    state_is(page, "live")
    page.wait_for_timeout(1500)
    with page.expect_download() as caught:
        page.click("#export-csv")
    assert re.fullmatch(r"simulated_GOLD_1m_\d{8}T\d{6}Z_\d{8}T\d{6}Z\.csv", caught.value.suggested_filename)
    rows = list(csv.DictReader(io.StringIO(Path(caught.value.path()).read_text())))
    shown = series(page)
    assert rows[0]["time"] == page.evaluate("ms => new Date(ms).toISOString()", shown[0][0])
    columns = ("open", "high", "low", "close", "volume")
    exported = [[float(row[column]) for column in columns] for row in rows if int(row["flags"]) & 1]
    held = [row[1:6] for row in shown if int(row[7]) & 1]
    common = min(len(exported), len(held))
    assert common > 100
    assert exported[:common] == held[:common]


def test_an_alert_a_little_above_the_price_fires_in_two_browsers_at_once(product: Any, browser: Browser) -> None:
    running = product(TICK_MS="100")
    pages = [log_in(browser, running.url, "/?symbol=BTC-USD&timeframe=1s") for _ in range(2)]
    for page in pages:
        state_is(page, "live")
    first = pages[0]
    for _ in range(6):
        # A random walk may go the other way for long: then another alert, a little above the price of then.
        price = fetch(first, "/api/v1/tickers/BTC-USD")["data"]["price"]
        first.keyboard.press("a")
        form = first.locator("#alert-form")
        expect(form).to_be_visible()
        form.locator("[name=level]").fill(f"{price * 1.00005:.2f}")
        form.locator("[name=direction]").select_option("above")
        form.locator("button[type=submit]").click()
        expect(form).not_to_be_visible()
        toast = first.locator(".toast.alert", has_text="BTC-USD above")
        try:
            expect(toast.first).to_be_visible(timeout=20_000)
        except AssertionError:
            continue
        expect(pages[1].locator(".toast.alert", has_text="BTC-USD above").first).to_be_visible(timeout=10_000)
        return
    raise AssertionError("no alert has fired")


def test_a_replay_shows_the_real_trades(product: Any, browser: Browser) -> None:
    file = SHARED / "binance-btcusdt-trades-2021-01-08.csv"
    if not file.exists():
        pytest.skip("the recorded market data is not beside this checkout")
    running = product(FEED=f"replay:{file}", REPLAY_SPEED="max")
    page = log_in(browser, running.url)
    state_is(page, "live")
    expect(page.locator("#feed-kind")).to_have_text("REPLAY")
    expect(page.locator("#cards .card[data-symbol=BTCUSDT] .price")).to_contain_text("39,")
    answer = fetch(page, "/api/v1/tickers/BTCUSDT/ticks?limit=50000")
    assert len(answer["data"]) == 2001
    assert json.dumps(answer["data"][0][1]) == "39432.48"
