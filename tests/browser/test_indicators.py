"""Indicators on the running page: chosen, set, hidden and removed by hand and keyboard, kept in the address; panes."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_chart_types import TOKEN, opened
from tests.browser.test_done_when import state_is
from tests.browser.waits import TOASTS_STAY, settled, until

#: The page's values by column, as the API names them, and its rows.
VALUES = """() => {
  const { plot } = window.tickboard.chart, { rows } = plot.series;
  const columns = {};
  for (const { text, study, chosen } of plot.studies.shown) {
    for (const [at, output] of chosen.about.outputs.entries()) {
      const name = text.replaceAll(":", "_") + (output ? `_${output}` : "");
      columns[name] = plot.studies.column(study, at, rows).map((value) => (Number.isNaN(value) ? null : value));
    }
  }
  return { columns, rows: rows.map((row) => row.slice()), missing: plot.studies.missing };
}"""
WHOLE = "() => window.tickboard?.chart.plot.studies.missing.length === 0 && window.tickboard.chart.plot.figure !== null"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One lively product for the whole file."""
    from tests.conftest import Product

    made = Product(tmp_path_factory.mktemp("indicators"), "app", {"TICK_MS": "200", "SEED": "11"}).start()
    yield made
    made.stop()


def add(page: Page, title: str) -> None:
    """Add an indicator by its title, with the menu open."""
    page.get_by_label("Indicator to add").select_option(label=title)
    page.get_by_role("button", name="Add", exact=True).click()


def whole(page: Page) -> None:
    page.wait_for_function(WHOLE)
    settled(page)


#: What the API says, and each state of the forming bar that the page had around then, with its values.
BESIDE = """async (path) => {
  const { market, chart: { plot } } = window.tickboard, seen = [];
  const look = () => {
    const { rows } = plot.series, last = rows.length - 1;
    seen.push([rows[last].slice(0, 7), plot.studies.shown.flatMap(({ study }) => study.at(rows, last))]);
  };
  look();
  const end = market.on("bars", look);
  const answer = await (await fetch(path)).json(), told = answer.data.at(-1).slice(0, 7).join();
  for (let left = 100; left && !seen.some(([row]) => row.join() === told); left--) {
    await new Promise((done) => setTimeout(done, 100));
  }
  end();
  return { columns: answer.columns, data: answer.data, seen };
}"""


def equal(page: Page, texts: str, timeframe: str, symbol: str = "AAPL", least: int = 100) -> None:
    """The page's values are the API's, those of the forming bar in the same state among them."""
    path = f"/api/v1/tickers/{symbol}/bars?timeframe={timeframe}&limit=50000&indicators={texts}"
    for _ in range(3):  # of two ticks that the page hears of at once it never has the first
        beside = page.evaluate(BESIDE, path)
        forming = [values for row, values in beside["seen"] if row == beside["data"][-1][:7]]
        if forming:
            break
    found = page.evaluate(VALUES)
    names = beside["columns"][8:]
    assert sorted(found["columns"]) == sorted(names)
    assert forming, "the page never had the API's forming bar"
    near(names, forming[-1], beside["data"][-1][8:])
    told = {row[0]: row for row in beside["data"][:-1]}
    compared = 0
    for at, row in enumerate(found["rows"]):
        known = told.get(row[0])
        if known is None or known[:7] != row[:7]:
            continue
        compared += 1
        near(names, [found["columns"][name][at] for name in names], known[8:])
    assert compared >= least


def near(names: list[str], mine: list[float | None], theirs: list[float | None]) -> None:
    """The same values; what counts from the oldest kept bar on, which another has become meanwhile, is passed over."""
    for name, one, other in zip(names, mine, theirs, strict=True):
        if name in ("obv", "vwap"):
            assert one is not None
        elif one is None or other is None:
            assert one is other is None, name
        else:
            assert one == pytest.approx(other, rel=1e-7, abs=1e-7), name


def test_one_is_added_set_hidden_and_removed_by_keyboard_alone(running: Any, browser: Browser) -> None:
    page, said = opened(browser, running)
    page.keyboard.press("i")
    panel = page.get_by_role("dialog", name="Indicators")
    expect(panel).to_be_visible()
    expect(page.get_by_label("Indicator to add")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # the first: SMA
    expect(page).to_have_url(re.compile(r"indicators=sma:20(&|$)"))
    field = page.get_by_label("SMA 20: period")
    field.focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("50")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"indicators=sma:50(&|$)"))
    expect(page.get_by_label("SMA 50: period")).to_be_focused()
    whole(page)
    assert "sma_50" in page.evaluate(VALUES)["columns"]
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_label("Remove SMA 50")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"looks=h(&|$)"))
    page.wait_for_function("() => window.tickboard.chart.plot.studies.shown.length === 0")
    expect(page.get_by_label("Show SMA 50")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page).not_to_have_url(re.compile("indicators|looks"))
    expect(page.get_by_label("Indicator to add")).to_be_focused()
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(page.locator("#indicators")).to_be_focused()
    assert said == []
    page.context.close()


@pytest.mark.parametrize(
    ("title", "field", "value", "sentence"),
    [
        ("Simple moving average", "SMA 20: period", "0", "Period is a whole number from 1 to 1000, not 0."),
        ("Relative strength index", "RSI 14: period", "1000000000", "Period is a whole number from 2 to 1000"),
        ("Bollinger bands", "BB 20 2: deviations", "many", "Deviations is a number from 0.1 to 20"),
        ("Moving average convergence/divergence", "MACD 12 26 9: fast", "26", "Fast is below slow."),
        ("Average true range", "ATR 14: period", "", "Period is a whole number from 1 to 1000."),
    ],
)
def test_a_bad_parameter_is_told_beside_its_field_and_changes_nothing(
    running: Any, browser: Browser, title: str, field: str, value: str, sentence: str
) -> None:
    page, _said = opened(browser, running)
    page.click("#indicators")
    add(page, title)
    expect(page).to_have_url(re.compile("indicators="))
    before = page.url
    page.get_by_label(field).fill(value)
    page.get_by_label(field).press("Tab")
    row = page.locator(".indicator-row").first
    expect(row.locator(".indicator-fault")).to_contain_text(sentence)
    expect(page.get_by_label(field)).to_have_attribute("aria-invalid", "true")
    assert page.url == before
    page.get_by_label(field).fill("11")
    page.get_by_label(field).press("Enter")
    expect(row.locator(".indicator-fault")).to_have_text("")
    expect(page).to_have_url(re.compile(r":11\b"))
    page.context.close()


def test_the_same_twice_and_an_eleventh_are_refused_in_words(running: Any, browser: Browser) -> None:
    page, _said = opened(browser, running, "/?indicators=sma:20,sma:50,vwap")
    page.click("#indicators")
    page.get_by_label("SMA 50: period").fill("20")
    page.get_by_label("SMA 50: period").press("Enter")
    expect(page.locator(".indicator-row").nth(1).locator(".indicator-fault")).to_have_text("SMA 20 is there already.")
    add(page, "Volume-weighted average price")
    expect(page.locator(".indicator-panel > .indicator-fault")).to_contain_text("VWAP is there already")
    for _ in range(7):
        add(page, "Exponential moving average")
    expect(page.locator(".indicator-row")).to_have_count(10)
    expect(page.locator(".indicator-panel > .indicator-fault")).to_contain_text("10 indicators at most")
    expect(page.get_by_role("button", name="Add", exact=True)).to_be_disabled()
    page.context.close()


def test_a_link_and_a_reload_show_the_same_and_what_there_is_not_is_said_and_left_out(
    running: Any, browser: Browser
) -> None:
    path = "/?indicators=sma:9,nonsense,rsi:1,rsi:7,macd&looks=4,,,6h,2"
    page, said = opened(browser, running, path, script=TOASTS_STAY)
    toast = page.locator(".toast", has_text="left out")
    expect(toast).to_contain_text("2 indicators of the address are left out")
    expect(toast).to_contain_text("There is no indicator nonsense")
    expect(toast).to_contain_text("rsi:1: period is a whole number from 2 to 1000")
    expect(page).to_have_url(re.compile(r"indicators=sma:9,rsi:7,macd:12:26:9&looks=4,6h,2"))
    kept = page.url
    page.reload()
    page.wait_for_selector("#chart.js-plotly-plot")
    state_is(page, "live")
    whole(page)
    assert page.url == kept
    expect(page.locator(".toast", has_text="left out")).to_have_count(0)
    expect(page.locator("#indicators")).to_have_text("Indicators 3")
    shown = "() => window.tickboard.chart.plot.studies.shown.map(({ text, chosen }) => [text, chosen.colour])"
    until(lambda: page.evaluate(shown), [["sma:9", 4], ["macd:12:26:9", 2]])
    page.click('#cards .card[data-symbol="MSFT"]')
    page.wait_for_function("() => window.tickboard.chart.plot.figure.symbol === 'MSFT'")
    page.keyboard.press("5")
    page.wait_for_function("() => window.tickboard.chart.plot.figure.timeframe === '5m'")
    until(lambda: page.evaluate(shown), [["sma:9", 4], ["macd:12:26:9", 2]])
    page.click("#indicators")
    page.get_by_label("Show RSI 7").click()
    whole(page)
    equal(page, "sma:9,rsi:7,macd", "5m", "MSFT")
    page.go_back()
    page.wait_for_function("() => window.tickboard.chart.plot.studies.shown.length === 2")
    assert said == []
    page.context.close()


def test_a_line_has_the_colour_that_is_chosen_in_both_themes(running: Any, browser: Browser) -> None:
    page, _said = opened(browser, running, "/?indicators=sma:20,rsi:14")
    page.click("#indicators")
    page.get_by_label("Colour of RSI 14").select_option(label="Rose")
    expect(page).to_have_url(re.compile("looks=,5"))
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.evaluate("document.dispatchEvent(new CustomEvent('tickboard:theme', { detail: {} }))")
        lines = """() => {
          const probe = document.createElement("i");
          document.body.append(probe);
          const plain = (colour) => ((probe.style.color = colour), getComputedStyle(probe).color);
          const traces = window.tickboard.chart.plot.place.data.filter(({ name }) => /sma|rsi/.test(name));
          const made = traces.map(({ line }) => plain(line.color));
          probe.remove();
          return made;
        }"""
        tokens = [page.evaluate(TOKEN, "--study-1"), page.evaluate(TOKEN, "--study-5")]
        until(lambda lines=lines: page.evaluate(lines), tokens)
    page.context.close()


PANES = """() => {
  const { overlay, plot } = window.tickboard.chart, panes = overlay.panes();
  const place = ({ top, height, left, width }) => ({ top, height, left, width });
  return {
    price: place(panes.price), volume: place(panes.volume), own: panes.own.map(place), bottom: panes.bottom,
    ticks: panes.own.map(({ axis }) => axis.tickvals ?? null), ranges: panes.own.map(({ axis }) => axis.range),
    anchor: plot.place._fullLayout.xaxis.anchor, height: plot.place.clientHeight,
  };
}"""


def test_each_oscillator_has_a_pane_with_its_guides_that_can_be_sized_and_closed(
    running: Any, browser: Browser
) -> None:
    page, said = opened(browser, running, "/?indicators=rsi:14,stoch,sma:20")
    whole(page)
    found = page.evaluate(PANES)
    stack = [found["price"], found["volume"], *found["own"]]
    assert len(stack) == 4
    for above, below in itertools.pairwise(stack):
        assert above["top"] + above["height"] <= below["top"] + 0.5
        assert (above["left"], above["width"]) == (below["left"], below["width"])
    assert all(pane["height"] >= 40 for pane in stack)
    assert found["ticks"] == [[30, 70], [20, 80]]
    assert found["ranges"] == [[0, 100], [0, 100]]
    assert found["anchor"] == "y4"
    assert found["bottom"] < found["height"] - 20
    edge = page.get_by_role("separator", name="Height of RSI 14")
    edge.focus()
    # Faster than the picture: none of the keys is lost.
    edge.evaluate(
        "(edge) => [1, 2, 3].forEach(() => edge.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowUp' })))"
    )
    page.wait_for_function(f"({PANES})().own[0].height > {found['own'][0]['height'] + 30}")
    higher = page.evaluate(PANES)["own"][0]["height"]
    assert higher == pytest.approx(round(found["own"][0]["height"]) + 36, abs=2)
    box = edge.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 200, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 45, steps=4)
    page.mouse.up()
    until(lambda: page.evaluate(PANES)["own"][0]["height"], pytest.approx(higher - 40, abs=4))
    settled(page)
    lower = page.evaluate(PANES)["own"][0]["height"]
    page.reload()
    page.wait_for_selector("#chart.js-plotly-plot")
    state_is(page, "live")
    whole(page)
    assert page.evaluate(PANES)["own"][0]["height"] == pytest.approx(lower, abs=2)
    page.get_by_role("button", name="Remove RSI 14").click()
    expect(page).to_have_url(re.compile(r"indicators=stoch:14:3:3,sma:20"))
    until(lambda: len(page.evaluate(PANES)["own"]), 1)
    expect(page.locator(".pane-head")).to_have_count(1)
    assert said == []
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_has_the_whole_menu_and_every_pane(running: Any, browser: Browser, scheme: Any) -> None:
    page, said = opened(browser, running, "/?indicators=sma:20,rsi:14,macd", color_scheme=scheme)
    page.set_viewport_size({"width": 390, "height": 844})
    whole(page)
    page.click("#indicators")
    panel = page.get_by_role("dialog", name="Indicators")
    expect(panel).to_be_visible()
    outside = page.evaluate(
        """() => [...document.querySelectorAll(".indicator-panel *")].filter((one) => {
        const { left, right, width } = one.getBoundingClientRect();
        return width && (left < -0.5 || right > innerWidth + 0.5);
      }).map((one) => one.outerHTML.slice(0, 80))"""
    )
    assert outside == []
    add(page, "Average true range")
    expect(page.locator(".indicator-row")).to_have_count(4)
    panel.get_by_label("Close", exact=True).click()
    expect(panel).to_be_hidden()
    until(lambda: len(page.evaluate(PANES)["own"]), 3)
    whole(page)
    found = page.evaluate(PANES)
    assert found["price"]["height"] > 100
    assert all(pane["height"] >= 24 for pane in found["own"])
    assert found["bottom"] <= found["height"]
    assert said == []
    page.context.close()
