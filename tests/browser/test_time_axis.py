"""The time axis says the day wherever one looks, and turns no label, in every timeframe and width."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from dashboard.market.bars import TIMEFRAMES
from tests.browser.test_chart_types import opened
from tests.browser.waits import settled, tried

#: Of each label that is seen: its lines, how it is turned, and where it begins and ends beside the plot, px.
LABELS = """() => {
  const home = document.getElementById("chart").getBoundingClientRect();
  return [...document.querySelectorAll("#chart .xtick text")].filter((text) => getComputedStyle(text).opacity !== "0"
    && text.checkVisibility() && text.textContent).map((text) => {
      const box = text.getBoundingClientRect();
      const lines = [...text.querySelectorAll("tspan")].map((line) => line.textContent);
      return { lines: lines.length ? lines : [text.textContent], turned: text.getAttribute("transform") ?? "",
        left: box.left - home.left, right: box.right - home.left };
    }).filter(({ right, left }) => right > 0 && left < home.width);
}"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One product for the whole file."""
    from tests.conftest import Product

    made = Product(tmp_path_factory.mktemp("axis"), "app", {"TICK_MS": "500", "SEED": "4"}).start()
    yield made
    made.stop()


@pytest.mark.parametrize("width", [1440, 390])
def test_the_first_label_has_the_date_and_none_is_turned_or_meets_another(
    running: Any, browser: Browser, width: int
) -> None:
    page, said = opened(browser, running)
    page.set_viewport_size({"width": width, "height": 860})
    for key, timeframe in enumerate(TIMEFRAMES, 1):
        page.locator("#chart").focus()
        page.keyboard.press(str(key))
        settled(page, timeframe=timeframe.name)

        def looked() -> None:
            labels = sorted(page.evaluate(LABELS), key=lambda label: label["left"])
            assert len(labels) >= 2
            assert not [label for label in labels if re.search(r"rotate\((?!0[,)])", label["turned"])]
            assert all(one["right"] <= other["left"] for one, other in itertools.pairwise(labels))
            # A date of its own, or one that has begun with a month or a year.
            assert any(re.search(r"\d{4}", line) for label in labels for line in label["lines"]), labels

        tried(looked)
    assert said == []
    page.context.close()


def test_where_there_is_no_bar_the_times_are_there_too(running: Any, browser: Browser) -> None:
    page, said = opened(browser, running, "/?symbol=BTC-USD")
    settled(page, symbol="BTC-USD")
    # An hour after noon to come: of one of the next days, and of another year.
    for hours in (3, 24 * 400):
        page.evaluate(
            """(hours) => {
            const { chart } = window.tickboard, { plot } = chart, newest = plot.series.newest[0];
            const noon = Math.ceil((newest + hours * 3600e3) / 864e5) * 864e5 + 12 * 3600e3 + 5e3;
            plot.moved = true;
            plot.look(noon, noon + 3600e3);
            plot.draw();
          }""",
            hours,
        )

        def looked() -> None:
            labels = page.evaluate(LABELS)
            assert len(labels) >= 2, labels
            assert any(re.search(r"\d{4}", line) for label in labels for line in label["lines"]), labels
            # No day begins in it.
            assert all(re.match(r"\d\d:\d\d", label["lines"][0]) for label in labels), labels

        tried(looked)
    assert said == []
    page.context.close()


def test_keys_zoom_in_to_a_few_bars_and_no_further(running: Any, browser: Browser) -> None:
    page, said = opened(browser, running, "/?symbol=BTC-USD")
    settled(page, symbol="BTC-USD")
    page.locator("#chart").focus()
    for _ in range(40):
        page.keyboard.press("+")

    def looked() -> None:
        span, ms = page.evaluate(
            "(({ left, right, series }) => [right - left, series.ms])(window.tickboard.chart.plot)"
        )
        assert span == pytest.approx(8 * ms, rel=1e-6)
        assert len(page.evaluate(LABELS)) >= 2

    tried(looked)
    # The view that a link has is the one that is seen.
    tried(lambda: _shows_again(page))
    # As far out as it goes, by keys and by the wheel, there are bars still.
    page.locator("#chart").focus()
    for _ in range(45):
        page.keyboard.press("-")
    page.locator("#chart").hover()
    for _ in range(10):
        page.mouse.wheel(0, 600)

    def wide() -> None:
        span, ms, seen = page.evaluate(
            """(({ left, right, series, from, to }) => [right - left, series.ms,
            series.rows.filter(([start]) => start >= from && start < to).length])(window.tickboard.chart.plot)"""
        )
        assert span == pytest.approx(100_000 * ms, rel=0.01)
        assert seen > 100

    tried(wide)
    assert said == []
    page.context.close()


def _shows_again(page: Any) -> None:
    seen = "(({ from, to }) => [from, to])(window.tickboard.chart.plot)"
    before = page.evaluate(seen)
    assert "start=" in page.url
    page.reload()
    settled(page, symbol="BTC-USD")
    assert page.evaluate(seen) == pytest.approx(before, abs=1_000)
