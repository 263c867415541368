"""The chart of a share over Thanksgiving: bars side by side, an outage left open, older bars, drawings, the strip."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from dashboard.market.bars import Flag
from tests.browser.drawing.board import drawn, place, saved, take
from tests.browser.test_chart_types import opened
from tests.browser.test_done_when import LONG_MS, fetch
from tests.browser.waits import FRAMES, TOASTS_STAY, until

MINUTE = 60_000
#: The sessions of the file: Thanksgiving 2025 is the 27th, the day after it ends at 13:00 in New York.
FIRST, LAST = datetime(2025, 11, 14), datetime(2025, 12, 1)
HOLIDAY, HALF_DAY = datetime(2025, 11, 27), datetime(2025, 11, 28)
#: An hour of Wednesday that the file does not have.
OUTAGE = (datetime(2025, 11, 26, 16, tzinfo=UTC), datetime(2025, 11, 26, 17, tzinfo=UTC))
WEEK = "/?symbol=ACME&timeframe=5m&start=20251126T140000Z&end=20251201T183000Z"
#: Where the candles are on the screen, as Plotly drew them: [left, right] in the order that it has them.
CANDLES = """() => [...document.querySelectorAll("#chart .boxlayer path.box")]
  .map((path) => path.getBoundingClientRect()).map(({ left, right }) => [left, right])"""
#: Where bars are on the time axis, px of the pane.
PX = """(starts) => {
  const { plot, overlay } = window.tickboard.chart, { x } = overlay.panes();
  return starts.map((start) => x.l2p(plot.x(start)));
}"""


def sessions() -> list[int]:
    """The starts of the file's bars of ACME, a minute each, UTC ms."""
    zone, made = ZoneInfo("America/New_York"), []
    for day in range((LAST - FIRST).days + 1):
        on = FIRST + timedelta(days=day)
        if on.weekday() > 4 or on == HOLIDAY:
            continue
        opens = on.replace(hour=9, minute=30, tzinfo=zone)
        closes = on.replace(hour=13 if on == HALF_DAY else 16, tzinfo=zone)
        made += range(int(opens.timestamp()) * 1000, int(closes.timestamp()) * 1000, MINUTE)
    gone = [int(edge.timestamp() * 1000) for edge in OUTAGE]
    return [start for start in made if not gone[0] <= start < gone[1]]


def write(file: Path) -> None:
    """The bars of ACME, and of COIN, which trades around the clock, in one file by time."""
    lines = [(start, "ACME") for start in sessions()]
    around = int(LAST.replace(tzinfo=UTC).timestamp()) * 1000
    lines += [(around + at * MINUTE, "COIN") for at in range(1200)]
    rows = []
    for number, (start, symbol) in enumerate(sorted(lines)):
        price = 100 + 3 * ((number * 7919) % 101) / 101
        rows.append(
            f"{start},{symbol},{price:.2f},{price + 0.6:.2f},{price - 0.5:.2f},{price + 0.2:.2f},{100 + number % 50}"
        )
    file.write_text("timestamp,symbol,open,high,low,close,volume\n" + "\n".join(rows) + "\n")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A replay of the file, at its end already."""
    from tests.conftest import Product

    folder = tmp_path_factory.mktemp("sessions")
    write(folder / "week.csv")
    settings = {"FEED": f"replay:{folder / 'week.csv'}", "REPLAY_SPEED": "max", "REPLAY_TIMES": "original"}
    made = Product(folder, "app", settings).start()
    yield made
    made.stop()


def shown(browser: Browser, product: Any, path: str, **context: Any) -> Page:
    """The page with all that the file has of the symbol up to its last bar."""
    page, said = opened(browser, product, path, **{"timezone_id": "UTC", **context})
    expect(page.locator("#feed-note")).to_have_text("feed ended", timeout=LONG_MS)
    page.wait_for_function("() => window.tickboard?.chart.plot.series.rows.length > 200")
    page.evaluate(FRAMES)
    page.faults = said  # type: ignore[attr-defined]
    return page


def toggle(page: Page, name: str) -> None:
    """Turn a switch of the time axis' menu by keyboard."""
    page.focus("#axis-button")
    page.keyboard.press("Enter")
    expect(page.locator("#axis-menu")).to_be_visible()
    page.locator(f"#axis-menu input[name={name}]").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Escape")
    expect(page.locator("#axis-menu")).to_be_hidden()
    expect(page.locator("#axis-button")).to_be_focused()
    page.evaluate(FRAMES)


def test_no_candle_is_hidden_or_overlapped_over_a_holiday_and_a_half_day(running: Any, browser: Browser) -> None:
    page = shown(browser, running, WEEK)
    page.wait_for_function(f"() => ({CANDLES})().length === tickboard.chart.plot.window().length")
    starts: list[int] = page.evaluate("tickboard.chart.plot.window().map((bar) => bar[0])")
    candles = page.evaluate(CANDLES)
    # Every bar of the window has its candle, each beside the one before it and as wide as that.
    assert len(candles) == len(starts) > 150
    assert all(b[0] > a[1] for a, b in pairwise(candles))
    widths = [right - left for left, right in candles]
    assert min(widths) > 1
    assert max(widths) - min(widths) < 0.5
    px = page.evaluate(PX, starts)
    steps = [round((b - a) / (px[1] - px[0]), 1) for a, b in pairwise(px)]
    outage = starts.index(int(OUTAGE[1].timestamp() * 1000))
    assert steps == [13.0 if at + 1 == outage else 1.0 for at in range(len(steps))]

    # Ticks are days and times that there are; the address keeps what was asked for.
    labels = page.locator("#chart .xtick text").all_text_contents()
    assert any("28 Nov" in label for label in labels)
    assert any("1 Dec" in label for label in labels)
    assert not any(re.search(r"\b(27|29|30) Nov", label) for label in labels)
    page.evaluate("() => dispatchEvent(new Event('pagehide'))")
    expect(page).to_have_url(re.compile("start=20251126T140000Z&end=20251201T183000Z"))

    # The pointer on the half day's last bar and on Monday's first reads those.
    friday = int(datetime(2025, 11, 28, 17, 55, tzinfo=UTC).timestamp() * 1000)
    at = starts.index(friday)
    for start, said in ((friday, "28 Nov 17:55"), (starts[at + 1], "1 Dec 14:30")):
        left, top = place(page, 0, 0.5)
        for off in (-0.4, 0.4):
            page.mouse.move(left + px[starts.index(start)] + off * (px[1] - px[0]), top)
            until(lambda: page.evaluate("tickboard.chart.overlay.at?.when"), said)

    # What is in view is exported by its times.
    seen = page.evaluate(
        "tickboard.chart.plot.series.between(tickboard.chart.plot.from, tickboard.chart.plot.to).length"
    )
    rows = fetch(
        page, "/api/v1/tickers/ACME/bars?timeframe=5m&start=2025-11-26T14:00:00Z&end=2025-12-01T18:30:00Z&limit=5000"
    )
    assert len(rows["data"]) == seen

    # With the gaps open the same times are in view, and the nights are as long as they were; the address says so.
    toggle(page, "gaps")
    expect(page).to_have_url(re.compile("gaps=open"))
    assert page.evaluate("[tickboard.chart.plot.from, tickboard.chart.plot.to]") == [
        int(datetime(2025, 11, 26, 14, tzinfo=UTC).timestamp() * 1000),
        int(datetime(2025, 12, 1, 18, 30, tzinfo=UTC).timestamp() * 1000),
    ]
    apart = page.evaluate(PX, [friday, starts[at + 1]])
    assert (apart[1] - apart[0]) / (page.evaluate(PX, [friday + 5 * MINUTE])[0] - apart[0]) == pytest.approx(
        823, rel=0.01
    )
    page.reload()
    page.wait_for_function("() => window.tickboard?.chart.plot.series.rows.length > 200")
    page.wait_for_function("() => !tickboard.chart.plot.axis.closing")
    toggle(page, "gaps")
    expect(page).not_to_have_url(re.compile("gaps"))
    until(lambda: page.evaluate(PX, starts), pytest.approx(px, abs=0.5))
    assert page.faults == []  # type: ignore[attr-defined]
    page.context.close()


def test_older_sessions_come_as_one_pans_and_what_is_seen_stays_where_it_is(running: Any, browser: Browser) -> None:
    page = shown(browser, running, "/?symbol=ACME&timeframe=1m")
    held = page.evaluate("tickboard.chart.series().map((bar) => bar[0])")
    assert len(held) == 1000
    waiting: list[Route] = []
    released: list[bool] = []
    page.route(
        re.compile(r"/api/v1/tickers/ACME/bars"),
        lambda route: route.continue_() if released else waiting.append(route),
    )
    page.focus("#chart")
    page.keyboard.press("Home")
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    while not waiting:
        page.wait_for_timeout(50)
    watched = held[:60]
    where = page.evaluate("tickboard.chart.plot.left")
    before = page.evaluate(PX, watched)
    released.append(True)
    for route in waiting:
        route.continue_()
    page.wait_for_function("() => window.tickboard.chart.series().length > 2000")
    page.evaluate(FRAMES)
    assert page.evaluate("tickboard.chart.plot.left") == where
    assert page.evaluate(PX, watched) == pytest.approx(before, abs=1e-6)
    rows = page.evaluate("tickboard.chart.series().map((bar) => bar[0])")
    assert rows[-1000:] == held
    assert rows == sessions()[-len(rows) :]
    # What came in front stands beside them, night or not.
    px = page.evaluate(PX, rows[-1200:])
    assert sorted({round((b - a) / (px[1] - px[0])) for a, b in pairwise(px)}) in ([1], [1, 61])
    assert page.faults == []  # type: ignore[attr-defined]
    page.context.close()


def test_drawings_over_the_weekend_keep_their_times(running: Any, browser: Browser) -> None:
    page = shown(browser, running, WEEK)
    page.wait_for_function("() => window.tickboard.drawing.board.kept?.loaded")
    starts: list[int] = page.evaluate("tickboard.chart.plot.window().map((bar) => bar[0])")
    px = page.evaluate(PX, starts)
    friday, monday = (
        starts.index(int(datetime(*at, tzinfo=UTC).timestamp() * 1000))
        for at in ((2025, 11, 28, 16), (2025, 12, 1, 15))
    )
    take(page, "line")
    for at, height in ((friday, 0.6), (monday, 0.3)):
        left, top = place(page, 0, height)
        page.mouse.click(left + px[at], top)
    (line,) = saved(page, 1, "ACME")
    assert [ms for ms, _price in line["points"]] == [starts[friday], starts[monday]]
    toggle(page, "gaps")
    (same,) = drawn(page)
    assert same["points"] == line["points"]
    toggle(page, "gaps")
    # Moved by as many bars as the hand goes, each of its points.
    left, top = place(page, 0, 0.45)
    middle = left + (px[friday] + px[monday]) / 2
    page.mouse.move(middle, top)
    page.mouse.down()
    page.mouse.move(middle - 4 * (px[1] - px[0]), top, steps=4)
    page.mouse.up()
    (moved,) = saved(page, 1, "ACME")
    assert [ms for ms, _price in moved["points"]] == [starts[friday - 4], starts[monday - 4]]
    page.reload()
    page.wait_for_function("() => window.tickboard?.drawing.board.drawings.length === 1")
    assert drawn(page) == [moved]
    assert page.faults == []  # type: ignore[attr-defined]
    page.context.close()


def test_the_strip_says_how_each_bar_was_made_and_can_be_hidden(running: Any, browser: Browser) -> None:
    page = shown(browser, running, WEEK)
    strip = page.locator("canvas.made-strip")
    expect(strip).to_have_attribute("aria-label", re.compile(r"How the bars in view were made: \d+ whole$"))
    starts = page.evaluate(
        "(({ plot }) => plot.series.between(plot.from, plot.to).map((bar) => bar[0]))(tickboard.chart)"
    )
    of = {-40: Flag.GAP, -30: Flag.PARTIAL, -20: Flag.CORRECTED, -10: Flag.FILLED}
    flags = {starts[at + more]: flag for at, flag in of.items() for more in range(4)}
    page.evaluate(
        """(flags) => {
        const { series } = window.tickboard.chart.plot, { listeners } = window.tickboard.market;
        const rows = series.rows.filter((bar) => bar[0] in flags).map((bar) => [...bar.slice(0, 7), 1 | flags[bar[0]]]);
        for (const each of listeners.get("bars")) each({ symbol: "ACME", timeframe: "5m", rows, whole: true });
      }""",
        {str(start): int(flag) for start, flag in flags.items()},
    )
    expect(strip).to_have_attribute(
        "aria-label", re.compile("4 gap, 4 partial, 4 corrected, 4 filled in, [0-9]+ whole$")
    )
    words = {Flag.GAP: "gap:", Flag.PARTIAL: "partial:", Flag.CORRECTED: "corrected", Flag.FILLED: "filled in"}
    legend = page.locator("#chart-legend")
    for start, said in [*((start, words[flag]) for start, flag in flags.items()), (starts[-5], "whole")]:
        left, top = place(page, 0, 0.5)
        page.mouse.move(left + page.evaluate(PX, [start])[0], top)
        expect(legend).to_contain_text(said)
    # Forms differ, not colours alone: how much of each bar's part has ink.
    ink = page.evaluate(
        """(starts) => {
        const { plot, overlay } = window.tickboard.chart, { x } = overlay.panes();
        const canvas = document.querySelector("canvas.made-strip");
        const scale = canvas.width / parseFloat(canvas.style.width);
        return starts.map((start) => {
          const half = (x.l2p(plot.series.ms) - x.l2p(0)) / 2, middle = x.l2p(plot.x(start));
          const [left, wide] = [Math.round(middle - half + 1) * scale, Math.floor(8 * half - 2) * scale];
          const { data } = canvas.getContext("2d").getImageData(left, 0, wide, canvas.height);
          return data.filter((value, at) => at % 4 === 3 && value > 100).length / (data.length / 4);
        });
      }""",
        [*(starts[at] for at in of), starts[-5]],
    )
    gap, partial, corrected, filled, whole = ink
    assert gap > 0.8
    assert all(0.05 < part < gap for part in (partial, corrected, filled, whole)), ink
    toggle(page, "strip")
    expect(strip).to_be_hidden()
    expect(page).to_have_url(re.compile("strip=off"))
    page.reload()
    page.wait_for_function("() => window.tickboard?.chart.plot.figure")
    expect(strip).to_be_hidden()
    toggle(page, "strip")
    expect(strip).to_be_visible()
    page.click("#axis-button")
    expect(page.locator("#axis-menu .made-key li")).to_have_count(5)
    page.keyboard.press("Escape")

    # What trades around the clock has no sessions to close, whatever its class.
    page.evaluate("tickboard.view.set({ symbol: 'COIN', timeframe: '1m' })")
    page.wait_for_function("() => window.tickboard.chart.plot.figure.symbol === 'COIN'")
    page.click("#axis-button")
    expect(page.locator("#axis-menu input[name=gaps]")).to_be_disabled()
    expect(page.locator("#axis-menu")).to_contain_text("around the clock")
    assert page.faults == []  # type: ignore[attr-defined]
    page.context.close()


def test_an_address_with_switches_that_there_are_not_says_so(running: Any, browser: Browser) -> None:
    page = shown(browser, running, "/?symbol=ACME&timeframe=5m&gaps=maybe&strip=off", script=TOASTS_STAY)
    expect(page.locator("#toasts")).to_contain_text('gaps must be "open" or left out, not "maybe"')
    until(lambda: page.evaluate("[tickboard.chart.plot.axis.closing, tickboard.chart.plot.under]"), [True, 0])
    page.context.close()
