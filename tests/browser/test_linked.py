"""The Compare page walked as an analyst would: charts by mouse and keyboard, links, address, layouts, saved pages."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_done_when import LONG_MS, state_is

NINE = "AAPL:1m,MSFT:5m,TSLA:1s,NVDA:15m,GOLD:1h,OIL:1d,BTC-USD:1m,ETH-USD:5s,JPM:1m"
#: What a chart shows: from, to, and the newest bar, by symbol; the crosshair's moment.
CHARTS = """() => window.tickboardCompare.cells.map((cell) => ({
  symbol: cell.symbol, timeframe: cell.timeframe, from: cell.plot.from, to: cell.plot.to, ms: cell.series.ms,
  bars: cell.series.rows.length, newest: cell.series.newest, drawn: cell.place._fullLayout?.width ?? 0,
  first: cell.series.rows[0]?.[0], crossed: cell.overlay.at?.bar?.[0] ?? null, moved: cell.plot.moved,
}))"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One product for the whole file."""
    from tests.conftest import Product

    made = Product(tmp_path_factory.mktemp("compare"), "app", {"TICK_MS": "250", "SEED": "5"}).start()
    yield made
    made.stop()


@pytest.fixture
def said() -> list[str]:
    """What a page's console says in errors and warnings."""
    return []


@pytest.fixture
def enter(running: Any, browser: Browser, said: list[str]) -> Iterator[Callable[..., Page]]:
    """Pages of profiles of their own, logged in, showing a path; closed with the test."""
    made: list[Page] = []

    def open_page(path: str, wait: str = ".cell .js-plotly-plot", **context: Any) -> Page:
        page = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **context}).new_page()
        made.append(page)
        page.on("console", lambda line: said.append(line.text) if line.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(running.url + path)
        page.fill("input[name=username]", "root")
        page.fill("input[name=password]", "123456")
        page.click("button[type=submit]")
        page.wait_for_selector(wait, timeout=LONG_MS)
        return page

    yield open_page
    for page in made:
        page.context.close()


def charts(page: Page) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.evaluate(CHARTS)
    return found


def cell(page: Page, at: int) -> Any:
    return page.locator(".cell").nth(at)


def until(page: Page, true: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
    """The charts as soon as they are so."""
    end = time.monotonic() + LONG_MS / 1000
    while not true(found := charts(page)) and time.monotonic() < end:
        page.wait_for_timeout(100)
    assert true(found), found
    return found


def one(found: list[dict[str, Any]], *names: str) -> bool:
    """Whether all charts have the same of these."""
    return len({tuple(each[name] for name in names) for each in found}) == 1


def drag(page: Page, at: int, by: int) -> None:
    """Pan a chart by px."""
    box = cell(page, at).locator(".nsewdrag").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + by / 2, y, steps=4)
    page.mouse.move(x + by, y, steps=4)
    page.mouse.up()
    page.mouse.move(2, 2)


def test_from_the_dashboard_to_charts_that_move_together_and_back(enter: Callable[..., Page], said: list[str]) -> None:
    page = enter("/", wait="#chart.js-plotly-plot")
    state_is(page, "live")
    opened: list[str] = []
    page.on("websocket", lambda socket: opened.append(socket.url))
    link = page.locator(".pages a", has_text="Compare")
    link.click()
    expect(page.locator(".cell .js-plotly-plot")).to_have_count(4)
    expect(page).to_have_url(re.compile(r"/compare\?layout=4&charts=AAPL:1m,MSFT:1m,"))
    expect(link).to_have_attribute("aria-current", "page")
    expect(page).to_have_title(re.compile("^Compare · Tickboard"))

    # The charts fill the window, and their last bars live.
    before = until(page, lambda found: all(each["drawn"] for each in found))
    boxes = [cell(page, at).bounding_box() for at in range(4)]
    assert max(box["x"] + box["width"] for box in boxes) > 1420
    assert 860 < max(box["y"] + box["height"] for box in boxes) <= 900
    until(page, lambda found: all(one["newest"] != other["newest"] for one, other in zip(before, found, strict=True)))

    # Panned by the pointer: every chart shows the same time, and the address says which.
    drag(page, 1, 200)
    now = until(page, lambda found: all(each["moved"] for each in found) and one(found, "from", "to"))
    assert now[0]["to"] < before[0]["to"]
    expect(page).to_have_url(re.compile(r"range=\d{8}T\d{6}Z/\d{8}T\d{6}Z$"))
    page.click("#compare-live")
    until(page, lambda found: not any(each["moved"] for each in found))
    expect(page).not_to_have_url(re.compile("range="))

    # The crosshair is at one moment in all of them; parted, in one alone.
    page.mouse.move(*middle(page, 0))
    until(page, lambda found: all(each["crossed"] for each in found) and one(found, "crossed"))
    expect(cell(page, 2).locator(".legend span")).to_have_text(re.compile(r"^O [\d.,]+ H "))
    page.click("#compare-cross")
    page.mouse.move(*middle(page, 3))
    until(page, lambda found: [bool(each["crossed"]) for each in found] == [False, False, False, True])

    # Parted ranges: one chart alone is moved, by the keyboard.
    page.click("#compare-range")
    cell(page, 2).locator(".cell-chart").focus()
    for key in ("ArrowLeft", "-"):
        page.keyboard.press(key)
    until(page, lambda found: [each["moved"] for each in found] == [False, False, True, False])
    expect(page).to_have_url(re.compile(r"link=none&range=,,\d{8}T"))
    page.keyboard.press("End")
    until(page, lambda found: not any(each["moved"] for each in found))

    cell(page, 1).get_by_role("button", name="MSFT on the dashboard").click()
    expect(page.locator("#chart-symbol")).to_have_text("MSFT")
    page.go_back()
    expect(cell(page, 1)).to_be_visible()
    assert opened == []
    assert said == []


def middle(page: Page, at: int) -> tuple[float, float]:
    box = cell(page, at).locator(".nsewdrag").first.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_charts_are_added_replaced_and_removed_by_mouse_and_by_keyboard(
    enter: Callable[..., Page], said: list[str]
) -> None:
    page = enter("/compare?charts=AAPL:1m,MSFT:1m")
    expect(page.locator(".cell")).to_have_count(2)
    page.click("#compare-add")
    expect(page.locator(".cell-symbol").nth(2)).to_be_focused()
    page.keyboard.type("btc-usd")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"layout=3&charts=AAPL:1m,MSFT:1m,BTC-USD:1m$"))
    expect(cell(page, 2).locator(".cell-chart")).to_be_focused()

    # By keys alone: to the chart beside it, another timeframe, another instrument by a part of its name, and away.
    page.keyboard.press("Alt+ArrowLeft")
    expect(cell(page, 1).locator(".cell-chart")).to_be_focused()
    page.keyboard.press("5")
    expect(page).to_have_url(re.compile("MSFT:5m"))
    page.keyboard.press("Enter")
    page.keyboard.type("tesla")
    page.keyboard.press("Enter")
    now = until(page, lambda found: found[1]["symbol"] == "TSLA" and found[1]["bars"] > 100)
    assert [each["timeframe"] for each in now] == ["1m", "5m", "1m"]
    page.keyboard.press("Enter")
    page.keyboard.type("nonsense")
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("There is no instrument nonsense")
    expect(page.locator(".cell-symbol").nth(1)).to_have_value("TSLA")
    page.keyboard.press("Delete")
    expect(page.locator(".cell")).to_have_count(2)
    expect(page.locator(".cell-empty")).to_have_count(1)
    expect(cell(page, 1).locator(".cell-chart")).to_be_focused()

    # A larger layout is filled, a smaller one puts away what has no room, and brings it back.
    page.select_option("#compare-layout", "9")
    expect(page.locator(".cell")).to_have_count(9)
    filled = [each["symbol"] for each in until(page, lambda found: len(found) == 9)]
    assert len(set(filled)) == 9
    page.select_option("#compare-layout", "1")
    expect(page.locator(".cell")).to_have_count(1)
    expect(page.locator(".cell-head button").last).to_be_disabled()
    page.select_option("#compare-layout", "9")
    assert [each["symbol"] for each in until(page, lambda found: len(found) == 9)] == filled
    expect(page.locator("#compare-add")).to_be_disabled()

    # One timeframe for all, and each its own again.
    page.select_option("#compare-one", "15m")
    until(page, lambda found: all(each["timeframe"] == "15m" and each["bars"] for each in found))
    page.select_option("#compare-one", "")
    assert {each["timeframe"] for each in until(page, lambda found: found[0]["timeframe"] == "1m")} == {"1m"}
    page.select_option("#compare-type", "line")
    page.wait_for_function("() => window.tickboardCompare.cells.every(({ plot }) => plot.figure.type === 'line')")
    page.go_back()
    expect(page.locator("#compare-type")).to_have_value("candles")
    assert said == []


def test_a_page_is_kept_as_a_view_and_opened_from_the_dashboard_or_by_a_link(
    running: Any, enter: Callable[..., Page], said: list[str]
) -> None:
    page = enter(f"/compare?layout=9&charts={NINE}&type=line&link=cross")
    until(page, lambda found: len(found) == 9 and all(each["drawn"] for each in found))
    cell(page, 0).locator(".cell-chart").focus()
    page.keyboard.press("v")
    dialog = page.locator("#views-dialog")
    dialog.locator("#view-name").fill("Nine")
    page.keyboard.press("Enter")
    expect(dialog.locator(".dialog-done")).to_have_text('"Nine" is kept.')
    expect(dialog.locator(".view-row")).to_contain_text("Compare · AAPL 1m, MSFT 5m, ")
    dialog.get_by_role("button", name="Default: Nine").click()
    expect(dialog.locator(".dialog-done")).to_contain_text("at the next login too")
    page.keyboard.press("Escape")
    page.locator(".pages a", has_text="Dashboard").click()
    page.wait_for_selector("#chart.js-plotly-plot")
    page.locator("#chart").focus()
    page.keyboard.press("v")
    dialog.locator(".view-open").click()
    expect(page).to_have_url(re.compile(re.escape(f"/compare?layout=9&charts={NINE}&type=line&link=cross") + "$"))
    nine = NINE.split(",")
    until(page, lambda found: [f"{each['symbol']}:{each['timeframe']}" for each in found] == nine)

    # Who logs in without an address gets the view to open with, which is another page's.
    other = enter("/", wait=".cell .js-plotly-plot")
    expect(other).to_have_url(re.compile(r"/compare\?layout=9"))
    expect(other.locator("#compare-type")).to_have_value("line")
    other.keyboard.press("v")
    for name in ("Delete", "Really"):
        other.locator(".view-row").get_by_role("button", name=re.compile(f"^{name}")).click()
    expect(other.locator("#views-dialog .dialog-done")).to_have_text('"Nine" is deleted.')
    assert said == []


def test_what_the_address_asks_for_in_vain_is_told_and_the_rest_is_shown(enter: Callable[..., Page]) -> None:
    page = enter("/compare?charts=AAPL:1m,NOPE:1m,MSFT:7m&layout=5&type=pie")
    message = page.locator("#compare-message")
    expect(message.locator("p")).to_have_text(
        [
            "There is no instrument NOPE; its chart is left out.",
            re.compile(r"^There is no timeframe 7m, of which .* are accepted; MSFT is shown in 1m\.$"),
            "There is no layout 5; there are 1, 2, 3, 4, 6, 9.",
            re.compile(r"^There is no type pie; there are candles, "),
        ]
    )
    expect(page).to_have_url(re.compile(r"/compare\?layout=2&charts=AAPL:1m,MSFT:1m$"))
    message.get_by_role("button", name="Dismiss").click()
    expect(message).not_to_be_visible()


def test_on_a_telephone_charts_stack_and_only_those_in_view_are_drawn(
    enter: Callable[..., Page], said: list[str]
) -> None:
    page = enter(f"/compare?charts={NINE}", viewport={"width": 390, "height": 844})
    now = until(page, lambda found: all(each["bars"] for each in found))
    assert len(now) == 9
    assert {round(cell(page, at).bounding_box()["x"]) for at in range(9)} == {8}
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    until(page, lambda found: all(each["drawn"] for each in found[:2]))
    page.wait_for_timeout(1_000)
    assert not charts(page)[-1]["drawn"]
    cell(page, 8).scroll_into_view_if_needed()
    until(page, lambda found: bool(found[8]["drawn"]))
    assert said == []


def test_a_chart_fails_alone_with_a_sentence_and_a_retry(enter: Callable[..., Page]) -> None:
    page = enter("/compare?charts=AAPL:1m,MSFT:1m,TSLA:1m")
    until(page, lambda found: all(each["drawn"] for each in found))
    # The server's answer about one instrument is a refusal, whatever the others are.
    refusing = """(refused) => {
      const { asker } = window.tickboardCompare;
      const take = asker.take.bind(asker);
      const error = "The server could not read these bars; its log has the reason.";
      const charts = (all) => all.map((series) => (series.symbol === refused ? { error } : series));
      asker.take = (answer) => take({ ...answer, charts: charts(answer.charts) });
      window.heal = () => { asker.take = take; };
    }"""
    page.evaluate(refusing, "MSFT")
    page.select_option("#compare-one", "5m")
    message = cell(page, 1).locator(".cell-message")
    expect(message).to_contain_text("The server could not read these bars")
    until(page, lambda found: all(found[at]["ms"] == 300_000 for at in (0, 2)))
    for at in (0, 2):
        expect(cell(page, at).locator(".cell-message")).not_to_be_visible()
    page.evaluate("window.heal()")
    message.get_by_role("button", name="Try again").click()
    expect(message).not_to_be_visible()
    until(page, lambda found: found[1]["ms"] == 300_000)
