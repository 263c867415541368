"""The Market page walked as an analyst would: tiles, movers, breadth, correlation, address, keys, narrow screens."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_done_when import LONG_MS, state_is
from tests.browser.waits import at_work, until


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One product for the whole file."""
    from tests.conftest import Product

    made = Product(tmp_path_factory.mktemp("market"), "app", {"TICK_MS": "500", "SEED": "5"}).start()
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

    def open_page(path: str = "/market", wait: str = ".heat-map a.tile", **context: Any) -> Page:
        page = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **context}).new_page()
        made.append(page)
        page.on("console", lambda line: said.append(line.text) if line.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(running.url + path)
        page.fill("input[name=username]", "root")
        page.fill("input[name=password]", "123456")
        page.click("button[type=submit]")
        page.wait_for_selector(wait, timeout=LONG_MS)
        if "#chart" in wait:
            at_work(page)
        return page

    yield open_page
    for page in made:
        page.context.close()


def tiles(page: Page) -> list[dict[str, Any]]:
    """Where each instrument's tile is, and what it says."""
    found: list[dict[str, Any]] = page.evaluate(
        """() => [...document.querySelectorAll(".heat-map a.tile")].map((tile) => ({
          symbol: tile.dataset.symbol, label: tile.ariaLabel, kind: tile.className, text: tile.textContent,
          x: tile.offsetLeft, y: tile.offsetTop, w: tile.offsetWidth, h: tile.offsetHeight,
        }))"""
    )
    return found


def test_one_goes_to_the_market_and_back_on_one_connection(enter: Callable[..., Page], said: list[str]) -> None:
    page = enter("/", wait="#chart.js-plotly-plot")
    state_is(page, "live")
    opened: list[str] = []
    page.on("websocket", lambda socket: opened.append(socket.url))
    link = page.locator(".pages a", has_text="Market")
    link.click()
    expect(page).to_have_url(re.compile(r"/market$"))
    expect(link).to_have_attribute("aria-current", "page")
    expect(page.locator(".heat-map a.tile")).to_have_count(15)
    expect(page.locator("#chart")).not_to_be_visible()
    expect(page).to_have_title(re.compile("^Market · Tickboard"))
    state_is(page, "live")
    page.go_back()
    expect(page.locator("#chart")).to_be_visible()
    expect(page.locator("#market")).not_to_be_visible()
    page.go_forward()
    expect(page.locator("#market")).to_be_visible()
    page.locator(".pages a", has_text="Dashboard").click()
    expect(page).to_have_url(re.compile(r"/\?symbol=AAPL"))
    price = page.locator("#cards .card .price").first
    before = price.inner_text()
    expect(price).not_to_have_text(before, timeout=30_000)
    assert opened == []
    assert said == []


def test_tiles_fill_the_map_and_say_what_they_show(enter: Callable[..., Page]) -> None:
    page = enter("/market?size=equal&window=1h")
    shown = tiles(page)
    assert len({tile["symbol"] for tile in shown}) == 15
    area = "() => { const map = document.querySelector('.heat-map'); return map.clientWidth * map.clientHeight }"

    def filled() -> bool:
        nonlocal shown
        shown = tiles(page)
        whole = page.evaluate(area)
        return bool(0.75 * whole < sum(tile["w"] * tile["h"] for tile in shown) <= whole)

    until(filled)
    sizes = sorted(tile["w"] * tile["h"] for tile in shown)
    assert sizes[-1] < 1.5 * sizes[0]
    for at, one in enumerate(shown):
        for other in shown[at + 1 :]:
            apart = (
                one["x"] + one["w"] <= other["x"] + 1
                or other["x"] + other["w"] <= one["x"] + 1
                or one["y"] + one["h"] <= other["y"] + 1
                or other["y"] + other["h"] <= one["y"] + 1
            )
            assert apart, (one, other)
    for tile in shown:
        change = re.search(r"([+−]?)\d+\.\d\d%", tile["label"])
        assert change is not None, tile
        if "shade-up" in tile["kind"]:
            assert change[1] == "+" and "▲" in tile["text"]
        if "shade-down" in tile["kind"]:
            assert change[1] == "−" and "▼" in tile["text"]
    expect(page.locator(".heat-legend .shades li")).to_have_count(8)


def test_arrows_move_between_tiles_and_enter_opens_the_chart(enter: Callable[..., Page]) -> None:
    page = enter("/market?size=equal")
    focusable = page.locator('.heat-map a.tile[tabindex="0"]')
    expect(focusable).to_have_count(1)
    focusable.focus()
    first = page.evaluate("document.activeElement.dataset.symbol")
    seen = {first}
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"):
        page.keyboard.press(key)
        seen.add(page.evaluate("document.activeElement.dataset.symbol"))
    assert len(seen) >= 3
    symbol = page.evaluate("document.activeElement.dataset.symbol")
    # The focus stays where it is while the map is drawn anew.
    page.wait_for_timeout(6000)
    assert page.evaluate("document.activeElement.dataset.symbol") == symbol
    page.keyboard.press("Enter")
    expect(page.locator("#chart-symbol")).to_have_text(symbol, timeout=LONG_MS)
    expect(page).to_have_url(re.compile(rf"/\?.*symbol={symbol}"))
    page.go_back()
    expect(page).to_have_url(re.compile(r"/market\?size=equal"))
    expect(page.locator("#market")).to_be_visible()


def test_the_same_is_there_as_a_table(enter: Callable[..., Page]) -> None:
    page = enter()
    labels = {tile["symbol"] for tile in tiles(page)}
    page.click("#market-table")
    rows = page.locator(".heat-panel tbody tr")
    expect(rows).to_have_count(15)
    assert set(page.locator(".heat-panel tbody th").all_inner_texts()) == labels
    expect(page.locator("#market-table")).to_have_attribute("aria-pressed", "true")
    expect(page).to_have_url(re.compile("view=table"))
    link = page.locator(".heat-panel tbody th a").nth(3)
    link.focus()
    symbol = page.evaluate("document.activeElement.dataset.symbol ?? document.activeElement.innerText")
    page.wait_for_timeout(6000)
    assert page.evaluate("document.activeElement.dataset.symbol") == symbol
    page.keyboard.press("Enter")
    expect(page.locator("#chart-symbol")).to_have_text(symbol, timeout=LONG_MS)


def test_movers_are_four_lists_whose_rows_lead_to_the_chart(enter: Callable[..., Page]) -> None:
    page = enter("/market?window=1h")
    lists = page.locator(".movers-list")
    expect(lists).to_have_count(4)
    texts = page.locator('[data-list="gainers"] td.up').all_inner_texts()
    gains = [float(re.sub(r"[^\d.]", "", text)) for text in texts]
    assert gains and gains == sorted(gains, reverse=True)
    # The row that was met: another may come to its place at any moment.
    page.evaluate(
        """() => {
          const hear = ({ target }) => (window.met = target.closest("tr")?.dataset.symbol);
          document.addEventListener("click", hear, { capture: true, once: true });
        }"""
    )
    page.locator('[data-list="volatile"] tbody tr').nth(1).locator("td").nth(1).click()
    symbol = str(page.evaluate("window.met"))
    expect(page.locator("#chart-symbol")).to_have_text(symbol, timeout=LONG_MS)


def test_breadth_counts_everything_once(enter: Callable[..., Page]) -> None:
    page = enter("/market?window=24h")
    rows = page.locator(".breadth-table tbody tr")
    expect(rows).to_have_count(4)
    counts = rows.evaluate_all(
        "all => all.map((row) => [...row.querySelectorAll('td.num')].map((cell) => Number(cell.innerText)))"
    )
    assert sum(counts[0]) == 15
    assert counts[0] == [sum(column) for column in zip(*counts[1:], strict=True)]
    expect(page.locator(".share")).to_have_count(4)
    expect(page.locator(".share").first).to_contain_text(re.compile(r"Over their 20-day mean\s*\d+%\s*\d+ of 15"))


def test_the_matrix_is_symmetrical_and_takes_named_instruments(enter: Callable[..., Page]) -> None:
    page = enter()
    rows = page.locator(".correlation-table tbody tr")
    expect(rows).to_have_count(15)
    cells = rows.evaluate_all("all => all.map((row) => [...row.querySelectorAll('td')].map((cell) => cell.innerText))")
    assert [line[at] for at, line in enumerate(cells)] == ["1.00"] * 15
    assert cells == [list(column) for column in zip(*cells, strict=True)]
    page.fill("#market-symbols input", "aapl, V  msft")
    page.keyboard.press("Enter")
    expect(rows).to_have_count(3)
    expect(page).to_have_url(re.compile(r"symbols=AAPL,V,MSFT"))
    page.fill("#market-symbols input", "AAPL, MSFX")
    page.keyboard.press("Enter")
    message = page.locator(".correlation-panel .panel-message")
    expect(message).to_contain_text("there is no instrument 'MSFX'; did you mean MSFT, NFLX?")
    expect(rows).to_have_count(3)
    page.fill("#market-symbols input", "")
    page.keyboard.press("Enter")
    expect(message).not_to_be_visible()
    expect(rows).to_have_count(15)


def test_what_is_chosen_is_in_the_address_and_a_link_shows_the_same(enter: Callable[..., Page]) -> None:
    page = enter()
    page.select_option("#market-window", "1mo")
    page.select_option("#market-size", "trades")
    page.select_option("#market-returns", "1d")
    expect(page).to_have_url(re.compile(r"window=1mo&size=trades&returns=1d"))
    expect(page.locator(".correlation-panel .market-about")).to_contain_text("returns of 1d")
    other = enter(page.url.removeprefix(page.url.split("/market")[0]))
    for name, value in (("window", "1mo"), ("size", "trades"), ("returns", "1d")):
        expect(other.locator(f"#market-{name}")).to_have_value(value)
    page.go_back()
    expect(page.locator("#market-returns")).to_have_value("15m")
    expect(page.locator("#market-size")).to_have_value("trades")


def test_a_link_with_nonsense_says_so_once_and_shows_the_usual(enter: Callable[..., Page]) -> None:
    page = enter("/market?window=7y&size=%3Cb%3E&symbols=AAPL", wait=".toast")  # which leaves by itself
    expect(page.locator(".toast", has_text="There is no window 7y")).to_contain_text(
        "day is shown instead; there are 15m, 1h"
    )
    expect(page.locator(".toast", has_text="There is no size <b>")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/market\?symbols=AAPL$"))
    expect(page.locator(".correlation-panel .panel-message")).to_contain_text("symbols must be 2 to 40 symbols")
    expect(page.locator("#market-window")).to_have_value("day")


def test_search_and_keys_of_the_chart_on_the_market_page(enter: Callable[..., Page]) -> None:
    page = enter("/market?window=1h")
    state_is(page, "live")  # the keys are heard before that
    page.keyboard.press("5")
    page.keyboard.press("a")
    expect(page).to_have_url(re.compile(r"/market\?window=1h$"))
    page.keyboard.press("/")
    expect(page.locator("#search-field")).to_be_focused()
    page.keyboard.type("AAPL")
    page.keyboard.press("Enter")
    expect(page.locator("#chart")).to_be_visible()
    expect(page.locator("#chart-symbol")).to_have_text("AAPL")
    expect(page.locator("#timeframe label:has(input:checked)")).to_have_text("1m")
    page.go_back()
    expect(page).to_have_url(re.compile(r"/market\?window=1h$"))
    expect(page.locator("#market")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_can_be_read_on_every_colour(enter: Callable[..., Page], theme: str) -> None:
    page = enter(color_scheme=theme)
    found = page.evaluate(
        """() => [...document.querySelectorAll(".heat-legend .shades li")].map((one) => {
          const style = getComputedStyle(one);
          return [one.className, style.color, style.backgroundColor];
        })"""
    )
    assert len({background for _name, _colour, background in found[:-1]}) == 7

    def luminance(colour: str) -> float:
        parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for name, colour, background in found[:-1]:
        low, high = sorted((luminance(colour), luminance(background)))
        assert (high + 0.05) / (low + 0.05) >= 4.5, name


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_phone_has_everything_under_each_other(enter: Callable[..., Page], theme: str, said: list[str]) -> None:
    page = enter("/", wait="#chart.js-plotly-plot", viewport={"width": 390, "height": 844}, color_scheme=theme)
    page.locator(".bottom-tabs button", has_text="More").click()
    page.locator("#user-list a", has_text="Market").click()
    expect(page.locator(".heat-map a.tile")).to_have_count(15)
    expect(page.locator("#user-list")).not_to_be_visible()
    expect(page.locator(".bottom-tabs [aria-pressed=true]")).to_have_text("More")
    until(lambda: page.evaluate("document.documentElement.scrollWidth") <= 390)
    for panel in ("heat", "movers", "breadth", "correlation"):
        box = page.locator(f"#market-{panel}-panel").bounding_box()
        assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 390
    overflowing = """() => [...document.querySelectorAll("#market .panel-head *, .movers *, .breadth-table *")]
          .filter((one) => one.getBoundingClientRect().right > 391).map((one) => one.outerHTML.slice(0, 80))"""
    until(lambda: page.evaluate(overflowing), [])
    # Where a symbol has room, lying or upright, it is said, and within its tile.
    unsaid = """() => [...document.querySelectorAll(".heat-map a.tile")].filter((tile) => {
          const [w, h, name] = [tile.clientWidth, tile.clientHeight, tile.querySelector("b")];
          const [least, most] = [Math.min(w, h), Math.max(w, h)];
          if (least < 18 || most < 8 + 8 * tile.dataset.symbol.length) return false;
          return !name.textContent || tile.scrollWidth > w || tile.scrollHeight > h;
        }).map((tile) => tile.outerHTML)"""
    until(lambda: page.evaluate(unsaid), [])
    page.locator(".bottom-tabs button", has_text="List").click()
    expect(page.locator(".list-panel")).to_be_visible()
    expect(page.locator("#market")).not_to_be_visible()
    assert said == []
