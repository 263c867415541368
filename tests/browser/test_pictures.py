"""A picture of the chart is what is seen of it: bars, size, last price, alerts, marks; its title says what it is of."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.test_done_when import log_in, state_is
from tests.browser.test_exporting import choose
from tests.browser.test_session_axis import toggle
from tests.browser.waits import settled

SVG = "{http://www.w3.org/2000/svg}"
#: The level of an alert in view, a mark under five bars of a gap; then the picture begins, all in one turn of the page.
TAKEN = """() => {
  const { plot, overlay } = window.tickboard.chart;
  const seen = plot.series.rows.filter((bar) => bar[0] > plot.from && bar[0] < plot.to);
  for (const bar of seen.slice(10, 15)) bar[7] |= plot.figure.marks.gap;
  overlay.alerts = [{ id: 1, level: (plot.low + plot.high) / 2 }, { id: 2, level: plot.high * 2 }];
  document.getElementById('export-menu').requestSubmit();
  const newest = plot.series.newest;
  const drawn = plot.rows.filter((bar) => bar[0] + plot.series.ms > plot.from - plot.series.ms && bar[0] < plot.to);
  return {
    width: plot.place.clientWidth, height: plot.place.clientHeight, bars: drawn.length, last: plot.words(newest[4]),
    alert: plot.words(overlay.alerts[0].level), far: plot.words(overlay.alerts[1].level),
    bar: plot.place._fullLayout.xaxis.l2p(plot.series.ms) - plot.place._fullLayout.xaxis.l2p(0),
    ticks: plot.place._fullLayout.yaxis._vals.map((one) => one.text),
  };
}"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One product for the whole file."""
    from tests.conftest import Product

    made = Product(tmp_path_factory.mktemp("pictures"), "app", {"TICK_MS": "500", "SEED": "5"}).start()
    yield made
    made.stop()


@pytest.fixture
def page(running: Any, browser: Browser) -> Iterator[Page]:
    made = log_in(browser, running.url, timezone_id="Asia/Kolkata")
    state_is(made, "live")
    made.wait_for_selector("#export-menu", state="attached")
    yield made
    made.context.close()


def taken(page: Page) -> tuple[dict[str, Any], ET.Element]:
    """(what was on the screen, the picture) of the chart as SVG."""
    choose(page, "view", "svg")
    with page.expect_download() as caught:
        seen = page.evaluate(TAKEN)
    return seen, ET.fromstring(Path(caught.value.path()).read_text("utf-8"))


def texts(picture: ET.Element) -> list[str]:
    """Every text in it, a line each."""
    found = []
    for text in picture.iter(f"{SVG}text"):
        lines = [line for line in text.iter(f"{SVG}tspan") if line.text]
        found += ["".join(line.itertext()) for line in lines] if lines else ["".join(text.itertext())]
    return found


@pytest.mark.parametrize("scale", ["linear", "log", "percent"])
def test_it_has_what_is_seen_in_the_same_size(page: Page, scale: str) -> None:
    page.select_option("#chart-scale", scale)
    settled(page, scale=scale)
    seen, picture = taken(page)
    said = texts(picture)
    assert float(picture.get("width", "0")) == seen["width"]
    head = float(picture.get("height", "0")) - seen["height"]
    assert 30 <= head <= 100, "the title's room alone is added"
    bars = [node for node in picture.iter(f"{SVG}g") if node.get("class") == "point"]
    assert len(bars) == seen["bars"], "volume has a bar for each, the forming one too"
    assert seen["last"] in said
    assert seen["alert"] in said
    assert seen["far"] not in said, "a level that the pane does not reach"
    assert set(seen["ticks"]) <= set(said), "the same price axis"


def test_its_title_says_symbol_timeframe_zone_and_that_it_is_simulated(page: Page) -> None:
    _seen, picture = taken(page)
    title = next(text for text in texts(picture) if "AAPL" in text)
    dates = page.evaluate(
        """() => {
        const { plot } = window.tickboard.chart, day = (ms) => new Date(ms + plot.shift).toISOString().slice(0, 10);
        return [day(plot.from), day(plot.series.newest[0])];
      }"""
    )
    days = " to ".join(dict.fromkeys(dates))
    assert re.fullmatch(rf".+ · AAPL · 1m · {days} · UTC\+5:30 \(simulated\)", title), title
    page.keyboard.press("Escape")
    page.keyboard.press("8")
    settled(page, timeframe="1d")
    _seen, picture = taken(page)
    assert any(re.search(r"AAPL · 1d · \d{4}-\d\d-\d\d to .* · UTC \(simulated\)$", text) for text in texts(picture))


def test_bars_of_a_gap_are_marked_as_one_strip(page: Page) -> None:
    seen, picture = taken(page)
    warn = page.evaluate(
        """() => {
        const probe = document.createElement('i');
        probe.style.color = 'var(--warn)';
        document.body.append(probe);
        return getComputedStyle(probe).color;
      }"""
    )
    strips = [node for node in picture.iter(f"{SVG}path") if f"fill: {warn}" in node.get("style", "")]
    assert len(strips) == 1
    across = [float(x) for x in re.findall(r"[MHL](-?[\d.]+)", strips[0].get("d", ""))]
    # Four bars and three quarters, of those that share the pane.
    assert max(across) - min(across) == pytest.approx(4.75 * seen["bar"], rel=0.02)


def test_a_name_of_markup_is_shown_as_it_is(page: Page) -> None:
    page.evaluate("window.tickboard.chart.plot.figure.name = 'A<b>B</b> &amp; \"C\"'")
    _seen, picture = taken(page)
    title = next(text for text in texts(picture) if "AAPL" in text)
    assert title.startswith('A<b>B</b> &amp; "C" · AAPL · 1m'), json.dumps(title)


def test_a_title_too_long_for_a_phone_takes_more_lines(running: Any, browser: Browser) -> None:
    page = log_in(browser, running.url)
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_selector("#export-menu", state="attached")
    page.click("#more-button")
    settled(page)
    page.evaluate("window.tickboard.chart.plot.figure.name = 'A name of many words that fill a line of a phone alone'")
    seen, picture = taken(page)
    assert float(picture.get("width", "0")) == seen["width"] <= 390
    lines = [text for text in texts(picture) if "A name of" in text or "AAPL" in text]
    assert len(lines) == 2
    ET.register_namespace("", SVG[1:-1])
    shown = page.context.new_page()
    shown.set_content(f"<body style='margin: 0'>{ET.tostring(picture, encoding='unicode')}")
    boxes = shown.locator("tspan").evaluate_all(
        "(all, lines) => all.filter((one) => lines.includes(one.textContent))"
        ".map((one) => one.getBoundingClientRect())",
        lines,
    )
    assert len(boxes) == 2
    assert all(box["left"] >= 8 and box["top"] >= 4 for box in boxes), "the whole of it is in the picture"
    page.context.close()


def test_it_has_the_strip_of_how_its_bars_were_made_where_it_is_shown(page: Page) -> None:
    seen, picture = taken(page)
    (strip,) = picture.iter(f"{SVG}image")
    assert float(strip.get("height", "0")) == pytest.approx(6, abs=0.1)
    panes = page.evaluate("window.tickboard.chart.overlay.panes()")
    head = float(picture.get("height", "0")) - seen["height"]
    assert float(strip.get("width", "0")) == pytest.approx(panes["price"]["width"], abs=1)
    assert float(strip.get("y", "0")) == pytest.approx(head + panes["bottom"] + 2, abs=1)
    toggle(page, "strip")
    _seen, without = taken(page)
    assert list(without.iter(f"{SVG}image")) == []
