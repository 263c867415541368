"""The page as it is used: keys, view in the address, theme, zoom that stays, exports, bad input, a clean console."""

from __future__ import annotations

import gzip
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_done_when import LONG_MS, fetch, log_in, series, state_is
from tests.browser.waits import settled, until


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One product for the whole file."""
    from tests.conftest import Product

    made = Product(tmp_path_factory.mktemp("page"), "app", {"TICK_MS": "200", "SEED": "5"}).start()
    yield made
    made.stop()


@pytest.fixture
def said() -> list[str]:
    """What a page's console says in errors and warnings."""
    return []


@pytest.fixture
def page(running: Any, browser: Browser, said: list[str]) -> Iterator[Page]:
    made = log_in(browser, running.url)
    made.on("console", lambda line: said.append(line.text) if line.type in ("error", "warning") else None)
    made.on("pageerror", lambda error: said.append(str(error)))
    state_is(made, "live")
    yield made
    made.context.close()


def chart(page: Page, expression: str) -> Any:
    return page.evaluate(f"window.tickboard.chart.{expression}")


def test_the_page_uses_nothing_from_elsewhere_and_its_console_is_clean(running: Any, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    heard: list[str] = []
    asked: list[str] = []
    page.on("console", lambda line: heard.append(line.text) if line.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(running.url)
    page.fill("input[name=username]", "root")
    page.fill("input[name=password]", "123456")
    page.click("button[type=submit]")
    page.wait_for_selector("#chart.js-plotly-plot")
    state_is(page, "live")
    page.wait_for_timeout(1500)
    assert heard == []
    assert [
        url for url in asked if not url.startswith((running.url, "data:", "blob:", f"ws://127.0.0.1:{running.port}"))
    ] == []
    context.close()


def test_symbol_timeframe_and_type_are_in_the_address_and_a_link_shows_the_same(
    running: Any, browser: Browser, page: Page
) -> None:
    page.click('#cards .card[data-symbol="MSFT"]')
    page.locator("#timeframe label", has_text=re.compile("^5m$")).click()
    page.select_option("#chart-type", "line")
    expect(page.locator("#chart-symbol")).to_have_text("MSFT")
    expect(page).to_have_url(re.compile(r"symbol=MSFT.*timeframe=5m.*type=line"))
    other = log_in(browser, running.url, page.url.removeprefix(running.url))
    expect(other.locator("#chart-symbol")).to_have_text("MSFT")
    expect(other.locator("#timeframe input:checked + *, #timeframe label:has(input:checked)").first).to_contain_text(
        "5m"
    )
    expect(other.locator("#chart-type")).to_have_value("line")
    page.go_back()
    expect(page.locator("#chart-type")).to_have_value("candles")
    page.go_back()
    expect(page.locator("#timeframe label:has(input:checked)")).to_have_text("1m")
    page.go_back()
    expect(page.locator("#chart-symbol")).to_have_text("AAPL")
    other.context.close()


def test_a_link_with_nonsense_shows_the_default(running: Any, browser: Browser) -> None:
    page = log_in(browser, running.url, "/?symbol=%3Cscript%3E&timeframe=2m&type=pie")
    expect(page.locator("#chart-symbol")).to_have_text("AAPL")
    state_is(page, "live")
    page.context.close()


def test_everything_works_by_keyboard(page: Page, said: list[str]) -> None:
    page.keyboard.press("/")
    page.keyboard.type("ethe")
    page.keyboard.press("Enter")
    expect(page.locator("#chart-symbol")).to_have_text("ETH-USD")
    for key, timeframe in (("1", "1s"), ("7", "1h"), ("8", "1d"), ("4", "1m")):
        page.keyboard.press(key)
        expect(page.locator("#timeframe label:has(input:checked)")).to_have_text(timeframe)
    page.keyboard.press("?")
    expect(page.locator("dialog[open]")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).not_to_be_visible()
    page.keyboard.press("a")
    expect(page.locator("#alert-form [name=level]")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#alert-form")).not_to_be_visible()
    assert said == []


def test_the_theme_is_the_users_and_is_kept_over_a_reload(page: Page) -> None:
    colour = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(colour)
    with page.expect_response(re.compile("/api/v1/preferences"), timeout=LONG_MS):
        page.click("#theme-toggle")
    after = page.evaluate(colour)
    assert after != before
    page.reload()
    page.wait_for_selector("#chart.js-plotly-plot")
    assert page.evaluate(colour) == after


def test_zoom_and_pan_stay_while_bars_close_and_there_is_a_way_back(page: Page) -> None:
    page.keyboard.press("1")
    expect(page.locator("#timeframe label:has(input:checked)")).to_have_text("1s")
    settled(page, timeframe="1s")
    box = page.locator("#chart").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 700, box["y"] + 200, steps=8)
    page.mouse.up()
    expect(page.locator("#back-to-live")).to_be_visible()
    page.wait_for_timeout(800)
    view = "(({ plot }) => [plot.from, plot.to])(window.tickboard.chart)"
    shown, newest = page.evaluate(view), series(page)[-1][0]
    page.wait_for_timeout(8000)
    page.wait_for_function("newest => window.tickboard.chart.series().at(-1)[0] > newest", arg=newest)
    assert page.evaluate(view) == shown
    page.click("#back-to-live")
    expect(page.locator("#back-to-live")).not_to_be_visible()
    page.wait_for_timeout(3000)
    start, newest, end = page.evaluate(
        "(({ plot }) => [plot.from, plot.series.newest[0], plot.to])(window.tickboard.chart)"
    )
    assert start < newest < end


def test_the_forming_bar_lies_where_plotly_would_draw_it(page: Page) -> None:
    """Plotly is given the forming bar too: its box and the overlay's have the same place, to half a pixel."""
    page.keyboard.press("5")
    settled(page, timeframe="5m")
    left, right = page.evaluate(
        """async () => {
        const { plot } = window.tickboard.chart, gd = plot.place;
        plot.draw();
        await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
        window.tickboard.chart.overlay.draw();
        const sheet = document.querySelector('canvas.forming'), at = sheet.getBoundingClientRect();
        const { width, height } = sheet, { data } = sheet.getContext('2d').getImageData(0, 0, width, height);
        const columns = [];
        // Columns that are covered by half or more: so an edge is read to half a pixel, wherever it lies between two.
        for (let n = 3; n < data.length; n += 4) if (data[n] >= 128) columns.push(((n - 3) / 4) % width);
        // The line around the box is half within and half without.
        const overlay = { left: at.left + Math.min(...columns) + 0.5, right: at.left + Math.max(...columns) + 0.5 };
        const mine = plot.window.bind(plot);
        plot.window = () => [...mine(), plot.series.newest];
        plot.draw();
        plot.window = mine;
        const boxes = gd.querySelectorAll('.boxlayer path.box');
        const theirs = boxes[boxes.length - 1].getBoundingClientRect();
        return [[overlay.left, overlay.right], [theirs.left, theirs.right]];
      }"""
    )
    assert left == pytest.approx(right, abs=0.75)


def test_the_legend_and_the_last_price_are_those_of_the_forming_bar(page: Page) -> None:
    """On the screen, and in words for who does not see it."""
    # A tick may come between a frame and the reading of it: both are looked at again until they are of one.
    look = """() => {
      const { plot } = window.tickboard.chart;
      const said = document.getElementById('chart-legend').textContent;
      const painted = [...document.querySelectorAll('canvas.legend-sheet, canvas.last-price, canvas.forming')]
        .map((sheet) => sheet.getContext('2d').getImageData(0, 0, sheet.width, sheet.height).data.some(Boolean));
      return [said, plot.series.newest[4], painted];
    }"""

    def same() -> tuple[bool, list[bool]]:
        said, close, painted = page.evaluate(look)
        return f"C {close:,.2f}" in said, painted

    until(same, (True, [True, True, True]))


def test_the_sheets_take_the_colours_of_the_other_theme(page: Page) -> None:
    colours = """() => {
      const sheet = document.querySelector('canvas.legend-sheet');
      const { data } = sheet.getContext('2d').getImageData(0, 0, sheet.width, sheet.height);
      const found = new Set();
      for (let n = 0; n < data.length; n += 4) if (data[n + 3] === 255) found.add(data.slice(n, n + 3).join());
      return [...found];
    }"""
    until(lambda: bool(page.evaluate(colours)), True)
    before = set(page.evaluate(colours))
    page.click("#theme-toggle")

    def anew() -> bool:
        after = set(page.evaluate(colours))
        return bool(after) and not before & after

    until(anew, True)


def test_older_bars_come_when_one_looks_there(page: Page) -> None:
    first = series(page)[0][0]
    page.evaluate("window.tickboard.chart.plot.heard && document.querySelector('#chart').focus()")
    for _ in range(60):
        page.keyboard.press("-")
        if series(page)[0][0] < first:
            break
        page.wait_for_timeout(100)
    page.wait_for_function("first => window.tickboard.chart.series()[0][0] < first", arg=first)
    starts = [row[0] for row in series(page)]
    assert starts == sorted(set(starts))


def test_the_png_says_what_is_inside(page: Page) -> None:
    with page.expect_download() as caught:
        page.click("#export-png")
    name = caught.value.suggested_filename
    assert re.fullmatch(r"simulated_AAPL_1m_\d{8}T\d{6}Z_\d{8}T\d{6}Z\.png", name), name
    assert Path(caught.value.path()).read_bytes().startswith(b"\x89PNG")


def test_a_bad_level_gets_one_sentence_and_a_good_one_a_rule_that_can_be_switched_off_and_deleted(page: Page) -> None:
    page.keyboard.press("a")
    form = page.locator("#alert-form")
    for bad in ("", "abc", "-3", "0", "1,5", "1e400"):
        form.locator("[name=level]").fill(bad)
        form.locator("button[type=submit]").click()
        expect(form.locator(".wrong")).not_to_have_text("")
        form.locator("[name=level]").fill("1")
        expect(form.locator(".wrong")).to_have_text("")
    form.locator("[name=level]").fill("999999")
    form.locator("button[type=submit]").click()
    rule = page.locator("#alerts-list .alert", has_text="999,999")
    expect(rule).to_contain_text("armed")
    expect(rule).to_contain_text("% away")
    rule.get_by_role("button", name=re.compile("Switch off")).click()
    expect(rule).to_contain_text("off")
    rule.get_by_role("button", name=re.compile("Delete")).click()
    expect(rule).to_have_count(0)


def test_a_rule_past_its_level_says_that_it_waits(page: Page) -> None:
    price = fetch(page, "/api/v1/tickers/AAPL")["data"]["price"]
    page.keyboard.press("a")
    page.fill("#alert-form [name=level]", f"{price / 2:.2f}")
    page.select_option("#alert-form [name=direction]", "above")
    expect(page.locator("#alert-form .hint")).to_contain_text("waits")
    page.click("#alert-form button[type=submit]")
    rule = page.locator("#alerts-list .alert").first
    expect(rule).to_contain_text("waiting")
    expect(rule).to_contain_text("waits for the price to come back below")
    rule.get_by_role("button", name=re.compile("Delete")).click()
    expect(page.locator("#alerts-list .alert")).to_have_count(0)


def test_the_right_button_offers_an_alert_at_that_price(page: Page) -> None:
    box = page.locator("#chart").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 300, box["y"] + 200, button="right")
    offer = page.locator(".chart-menu button").first
    expect(offer).to_contain_text("Alert at")
    wanted = offer.inner_text().removeprefix("Alert at ").replace(",", "")
    offer.click()
    expect(page.locator("#alert-form [name=level]")).to_have_value(wanted)


def test_logging_out_in_one_tab_ends_the_stream_of_the_other(running: Any, browser: Browser) -> None:
    page = log_in(browser, running.url)
    state_is(page, "live")
    other = page.context.new_page()
    other.goto(running.url)
    other.wait_for_selector("#chart.js-plotly-plot")
    other.click("#user-button")
    other.click("#user-list button[type=submit]")
    other.wait_for_url(re.compile("/login"))
    page.wait_for_url(re.compile("/login"), timeout=LONG_MS)
    page.context.close()


@pytest.mark.parametrize("width", [1440, 1024, 390])
@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_nothing_is_wider_than_the_screen_and_text_has_contrast(
    running: Any, browser: Browser, width: int, scheme: str
) -> None:
    page = log_in(browser, running.url)
    page.set_viewport_size({"width": width, "height": 844})
    page.emulate_media(color_scheme=scheme)
    page.wait_for_timeout(700)
    page.wait_for_function("width => document.documentElement.scrollWidth <= width", arg=width)
    for name in ("--text", "--muted", "--faint", "--up", "--down", "--accent", "--warn"):
        ratio = page.evaluate(CONTRAST, [name, "--surface"])
        assert ratio >= 4.5, f"{name} on the surface has {ratio:.2f} in {scheme}"
    page.context.close()


CONTRAST = """([front, back]) => {
  const value = (name) => {
    const probe = document.createElement('i');
    probe.style.color = `var(${name})`;
    document.body.append(probe);
    const parts = getComputedStyle(probe).color.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255);
    probe.remove();
    const [r, g, b] = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [a, b] = [value(front), value(back)].sort((x, y) => y - x);
  return (a + 0.05) / (b + 0.05);
}"""


def rows_of(count: int) -> str:
    began = int(time.time() * 1000)
    rows = "".join(f"{began + number * 250},{100 + number / 50:.2f},1\n" for number in range(count))
    return f"timestamp,price,quantity\n{rows}"


def test_a_replay_that_has_ended_says_so_and_stays_ready(product: Any, browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "ACME.csv"
    file.write_text(rows_of(40))
    page = log_in(browser, product(FEED=f"replay:{file}").url)
    expect(page.locator("#feed-note")).to_have_text("feed ended", timeout=LONG_MS)
    assert "feed ended" in page.evaluate("async () => (await fetch('/health/ready')).text()")
    page.context.close()


def test_a_feed_that_raises_is_said_on_the_page_and_fails_readiness(
    product: Any, browser: Browser, tmp_path: Path
) -> None:
    whole = gzip.compress(rows_of(4000).encode())
    file = tmp_path / "ACME.csv.gz"
    file.write_bytes(whole[: len(whole) // 2])
    running = product(FEED=f"replay:{file}", REPLAY_SPEED="max", wait=False)
    until(lambda: "feed broke off" in running.log, True, 60)
    with httpx.Client(transport=httpx.HTTPTransport(retries=8), trust_env=False, timeout=30) as client:
        client.get(f"{running.url}/login")
    page = log_in(browser, running.url)
    expect(page.locator("#feed-note")).to_contain_text("feed retrying", timeout=LONG_MS)
    expect(page.locator("#feed-note")).to_contain_text("truncated")
    expect(page.locator("#cards .card").first).to_have_class(re.compile("stale"), timeout=LONG_MS)
    assert page.evaluate("async () => (await fetch('/health/ready')).status") == 503
    page.context.close()
