"""The page's modules by themselves, in a browser without a server: what they compute, and what they ask for when."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route

ASSETS = Path(__file__).parents[2] / "assets"
#: Modules that the code of a test finds by name, and what it asks Dash for.
READY = """
window.asked = [];
window.dash_clientside = { set_props: (id, props) => window.asked.push([id, props]) };
const [series, plot, figures, values, connection, socket, sparks] = await Promise.all([
  "chart/series", "chart/plot", "chart/figures", "live/values", "live/connection", "live/socket", "page/sparks",
].map((name) => import(`/${name}.mjs`)));
"""


@pytest.fixture
def blank(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()

    def answer(route: Route) -> None:
        path = ASSETS / route.request.url.split("/", 3)[3]
        if path.suffix == ".mjs":
            route.fulfill(body=path.read_text("utf-8"), content_type="text/javascript")
        else:
            route.fulfill(body="<!doctype html>", content_type="text/html", status=426 if "ws/" in str(path) else 200)

    page.route("**/*", answer)
    page.goto("http://localhost/")
    yield page
    page.close()


def run(page: Page, code: str) -> Any:
    return page.evaluate(f"async () => {{{READY}{code}}}")


@pytest.mark.parametrize(("held", "shown"), [(4000, 240), (4000, 100), (60, 60), (4000, 3)])
def test_no_bar_in_view_is_left_out_of_what_plotly_draws(blank: Page, held: int, shown: int) -> None:
    """Also panned to the left, where as many bars again lie at the right of the view."""
    drawn, opened, last = run(
        blank,
        f"""
        const held = new series.Series();
        held.load({{ symbol: "A", timeframe: "1s", ms: 1000, bars: Array.from({{ length: {held} }},
          (_, at) => [1e12 + at * 1000, at, at + 0.5, at - 0.5, at, 1, 1, 1]) }});
        const made = new plot.Plot(null, {{}}, held);
        made.from = 1e12;
        made.to = 1e12 + {shown} * 1000;
        const bars = made.window();
        const inView = bars.filter((bar) => bar[0] >= made.from && bar[0] < made.to);
        return [bars.length, inView[0][1], inView.at(-1)[1]];
        """,
    )
    assert opened == 0
    assert last == min(shown, held - 1) - 1
    assert drawn <= 3 * max(shown, 80)


def test_a_question_asked_again_keeps_its_number_and_any_answer_to_it_counts(blank: Page) -> None:
    numbers, shown = run(
        blank,
        """
        const listeners = {};
        const market = { on: (kind, heard) => (listeners[kind] = heard), epoch: "e", feed: {}, symbols: [] };
        const view = { on() {}, shown: () => ({ symbol: "A", timeframe: "1m", type: "line" }) };
        const made = new figures.Figures({ watchBars() {} }, view, market);
        const shown = [];
        made.begin({ show: (figure) => shown.push(figure.symbol), state: { wait() {}, done() {} } }, null);
        for (const state of ["reconnecting", "polling", "reconnecting", "live", "live"]) listeners.state({ state });
        const numbers = window.asked.map(([, props]) => props.data.number);
        made.take({ symbol: "A", timeframe: "1m", seq: 1, epoch: "e", number: numbers[0] });
        return [numbers, shown];
        """,
    )
    assert numbers == [1, 1, 1]
    assert shown == ["A"]


def test_closes_are_asked_for_again_after_a_break_of_more_than_a_minute(blank: Page) -> None:
    short, long = run(
        blank,
        """
        const listeners = {};
        const market = { on: (kind, heard) => (listeners[kind] = heard), epoch: "e", feed: {}, symbols: [] };
        const shown = { symbol: "A", timeframe: "1m", type: "line", epoch: "e", seq: 1 };
        const view = { ...shown, on() {}, shown: () => shown };
        const made = new figures.Figures({ watchBars() {} }, view, market);
        made.begin({ show() {}, state: { wait() {}, done() {} } }, shown);
        const real = performance.now.bind(performance);
        const pass = (ms) => {
          listeners.state({ state: "offline" });
          const began = real();
          performance.now = () => began + ms;
          listeners.state({ state: "live" });
          performance.now = real;
          return window.asked.splice(0).map(([, props]) => props.data.epoch);
        };
        return [pass(30_000), pass(61_000)];
        """,
    )
    assert (short, long) == ([], [None])


def test_prices_grow_old_though_the_browsers_clock_is_set_back(blank: Page) -> None:
    stale = run(
        blank,
        """
        const { market } = values;
        const record = { symbol: "A", price: 1, ts: 1, age_ms: 100 };
        const paint = { instruments: [{ symbol: "A" }], feed: { stale_after_ms: 200 }, epoch: "e", tickers: [record] };
        market.load({ now: Date.now(), ...paint });
        const set = Date.now() - 3_600_000;
        Date.now = () => set;
        await new Promise((resolve) => setTimeout(resolve, 300));
        return market.get("A").stale;
        """,
    )
    assert stale is True


def test_a_clock_that_jumps_asks_the_server_for_its_own(blank: Page) -> None:
    """A machine that slept: the page's own clock stood still meanwhile, so that ages lack the sleep until the pong."""
    pinged = run(
        blank,
        """
        const said = [];
        const { stream } = socket;
        stream.socket = { readyState: WebSocket.OPEN, send: (text) => said.push(JSON.parse(text).op), close() {} };
        stream.open = true;
        stream.heard = stream.pinged = stream.openedAt = performance.now();
        stream.bestTrip = 1;
        stream.watch();
        const real = Date.now.bind(Date);
        Date.now = () => real() + 60_000;
        stream.watch();
        return [said, stream.bestTrip === Infinity];
        """,
    )
    assert pinged == [["ping"], True]


def test_a_login_that_ended_for_another_one_is_no_reason_to_leave(blank: Page) -> None:
    """Another tab of the browser set a new password: the cookie is a new one, and the upgrade's route answers 426."""
    retry = run(
        blank,
        """
        const { stream } = socket;
        stream.socket = { close() {} };
        stream.open = true;
        await stream.lost(stream.socket, 4401, true);
        return stream.retryAt !== null;
        """,
    )
    assert retry is True
    assert blank.url == "http://localhost/"


def test_a_snapshot_with_a_newer_price_makes_it_young_again(blank: Page) -> None:
    ages = run(
        blank,
        """
        const { market } = values;
        const now = Date.now();
        const record = { symbol: "A", price: 1, ts: now - 600_000, age_ms: 600_000 };
        const paint = { instruments: [{ symbol: "A" }], feed: { stale_after_ms: 3000 }, epoch: "e", tickers: [record] };
        market.load({ now, ...paint });
        market.snapshot({ sent: now, data: { A: { price: 1, ts: now - 600_000, open: 2 } } });
        const old = market.get("A").age_ms;
        market.snapshot({ sent: now, data: { A: { price: 2, ts: now - 500, open: 2 } } });
        return [old > 500_000, market.get("A").age_ms < 5_000, market.get("A").stale];
        """,
    )
    assert ages == [True, True, False]


def test_a_market_that_is_closed_is_no_silent_feed(blank: Page) -> None:
    well, ill = run(
        blank,
        """
        const { market } = values;
        const record = { symbol: "A", price: 1, ts: 1, age_ms: 7_200_000 };
        const feed = { stale_after_ms: 3000, silence_is_stale: true, healthy: true, health: "ok 1.0 s" };
        market.load({ now: Date.now(), instruments: [{ symbol: "A" }], feed, epoch: "e", tickers: [record] });
        market.state = { state: "live", retryAt: null, reason: "" };
        const well = connection.feedWords();
        market.aliveAt = market.now() - 60_000;
        return [well, connection.feedWords()];
        """,
    )
    assert well == ["", ""]
    assert ill == ["feed silent", " 7200 s"]


def test_sparklines_of_a_replay_go_by_its_own_time(blank: Page) -> None:
    closes = run(
        blank,
        """
        const minute = 60_000, then = 26_000_000 * minute;
        const made = new sparks.Sparks({ A: [1, 2] }, () => then);
        made.follow("A", 3, then + 1);
        made.follow("A", 4, then + minute);
        const first = [...made.of("A")];
        made.replace("A", [7, 8]);
        made.follow("A", 9, then + 5 * minute);
        made.follow("A", 10, then + 6 * minute);
        return [first, made.of("A")];
        """,
    )
    assert closes == [[1, 3, 4], [7, 9, 10]]
