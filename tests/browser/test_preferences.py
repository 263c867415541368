"""Settings: shown at once, kept on the server, there before the first paint at the next login on any machine."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_address import opened
from tests.browser.test_done_when import fetch, log_in
from tests.browser.test_page import chart
from tests.browser.waits import at_work, until

TOKYO = ZoneInfo("Asia/Tokyo")
#: Every change of <html> from the first line on.
WATCHING = """
window.looks = [];
new MutationObserver((changes) => changes.forEach(({ attributeName }) => window.looks.push(attributeName)))
  .observe(document, { attributes: true, subtree: false });
new MutationObserver((changes, watcher) => {
  if (!document.documentElement || window.watched) return;
  window.watched = true;
  window.first = { ...document.documentElement.dataset };
  new MutationObserver((more) => more.forEach(({ attributeName }) => window.looks.push(attributeName)))
    .observe(document.documentElement, { attributes: true });
}).observe(document, { childList: true });
"""
FORBIDDEN = """
for (const name of ["localStorage", "sessionStorage"]) {
  Object.defineProperty(window, name, { get() { throw new DOMException("forbidden", "SecurityError"); } });
}
"""
#: A clock that is seven hours fast.
WRONG = """
const Right = Date;
window.Date = class extends Right {
  constructor(...given) { given.length ? super(...given) : super(Right.now() + 25_200_000); }
  static now() { return Right.now() + 25_200_000; }
};
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One product for the whole file."""
    from tests.conftest import Product

    made = Product(tmp_path_factory.mktemp("settings"), "app", {"TICK_MS": "200", "SEED": "4"}).start()
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def usual(running: Any) -> None:
    """Nobody has any settings."""
    with sqlite3.connect(running.folder / "test.db", timeout=30) as raw:
        raw.execute("DELETE FROM preferences")


def settings(page: Page) -> Any:
    page.locator("#chart").focus()
    page.keyboard.press(",")
    found = page.locator("#settings-dialog")
    expect(found).to_be_visible()
    return found


def choose(page: Page, field: str, value: str) -> None:
    page.locator(f'[data-setting="{field}"] [data-value="{value}"]').click()


def colours(page: Page) -> list[str]:
    found: list[str] = page.evaluate(
        """["--up", "--down", "--bg"]
        .map((name) => getComputedStyle(document.documentElement).getPropertyValue(name))"""
    )
    return found


def kept(page: Page) -> Any:
    return fetch(page, "/api/v1/preferences")


def settled(page: Page, **wanted: object) -> None:
    """Until the server has them; at the end of a test too, or the next one's would be overwritten."""
    until(lambda: {name: kept(page)[name] for name in wanted}, wanted, seconds=30)


def test_settings_are_found_on_another_machine_before_the_first_paint(running: Any, browser: Browser) -> None:
    page = opened(browser, running)
    settings(page)
    for field, value in (
        ("theme", "dark"),
        ("palette", "colour-blind"),
        ("direction", "red-up"),
        ("density", "compact"),
        ("motion", "reduced"),
    ):
        choose(page, field, value)
        expect(page.locator(f'[data-setting="{field}"] [data-value="{value}"]')).to_have_attribute(
            "aria-pressed", "true"
        )
    page.select_option("#setting-zone", "Asia/Tokyo")
    settled(page, theme="dark", density="compact", time_zone="Asia/Tokyo")
    here = colours(page)

    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light")
    other = context.new_page()
    other.add_init_script(WATCHING)
    other.goto(running.url)
    other.fill("input[name=username]", "root")
    other.fill("input[name=password]", "123456")
    with other.expect_response(running.url + "/") as answer:
        other.click("button[type=submit]")
    line = re.search(r"<html [^>]*>", answer.value.text())
    assert line
    for part in ("theme", "palette", "direction", "density", "motion"):
        assert f"data-{part}=" in line[0]
    other.wait_for_selector("#chart.js-plotly-plot")
    assert other.evaluate("window.first")["theme"] == "dark"
    assert [name for name in other.evaluate("window.looks") if name in ("data-theme", "data-palette")] == []
    assert colours(other) == here
    expect(other.locator("#clock")).to_contain_text("UTC+9")
    assert other.evaluate("Object.keys(localStorage).filter((key) => key !== 'tickboard.theme')") == []
    other.context.close()
    page.context.close()


def test_with_storage_forbidden_everything_works_and_is_kept(running: Any, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.add_init_script(FORBIDDEN)
    page = context.new_page()
    heard: list[str] = []
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.goto(running.url)
    page.fill("input[name=username]", "root")
    page.fill("input[name=password]", "123456")
    page.click("button[type=submit]")
    at_work(page)
    settings(page)
    choose(page, "theme", "dark")
    choose(page, "palette", "colour-blind")
    settled(page, theme="dark", palette="colour-blind")
    page.reload()
    at_work(page)
    assert (
        page.evaluate("({ ...document.documentElement.dataset })").items()
        >= {
            "theme": "dark",
            "palette": "colour-blind",
        }.items()
    )
    assert heard == []
    context.close()


def test_a_zone_is_on_axis_legend_lists_and_clock_though_the_browsers_clock_is_wrong(
    running: Any, browser: Browser
) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, timezone_id="America/New_York")
    context.add_init_script(WRONG)
    page = context.new_page()
    page.goto(running.url + "/?timeframe=1m")
    page.fill("input[name=username]", "root")
    page.fill("input[name=password]", "123456")
    page.click("button[type=submit]")
    at_work(page)
    assert abs(page.evaluate("Date.now()") - time.time() * 1000 - 25_200_000) < 60_000
    expect(page.locator(".chart-zone")).to_have_text(re.compile(r"^UTC−[45]$"))
    settings(page)
    page.select_option("#setting-zone", "Asia/Tokyo")
    page.keyboard.press("Escape")
    expect(page.locator(".chart-zone")).to_have_text("UTC+9")
    until(lambda: chart(page, "plot.shift"), 9 * 3_600_000)

    def newest_in_tokyo() -> bool:
        axis, newest = page.evaluate(
            "(({ plot, series }) => [plot.place._fullLayout.xaxis.range, series().at(-1)[0]])(window.tickboard.chart)"
        )
        left, right = (datetime.fromisoformat(text.replace(" ", "T")) for text in axis)
        return left < datetime.fromtimestamp(newest / 1000, TOKYO).replace(tzinfo=None) < right

    until(newest_in_tokyo)
    # The crosshair's own words, near to the newest bar.
    box = page.locator("#chart").bounding_box()
    assert box
    right_edge = page.evaluate("window.tickboard.chart.plot.place._fullLayout.xaxis._length")
    page.mouse.move(box["x"] + right_edge * 0.93, box["y"] + 120)
    page.wait_for_function("() => window.tickboard.chart.overlay.at?.when")
    when, starts = page.evaluate(
        "(({ overlay, series }) => [overlay.at.when, series().slice(-20).map(([start]) => start)])"
        "(window.tickboard.chart)"
    )
    assert when in {datetime.fromtimestamp(start / 1000, TOKYO).strftime("%-d %b %H:%M") for start in starts}
    # The header's clock is the server's.
    told = page.locator("#clock").inner_text()
    there = datetime.now(UTC).astimezone(TOKYO)
    clock, zone = told.split(" ")
    said = datetime.strptime(clock, "%H:%M:%S").replace(year=there.year, month=there.month, day=there.day)
    assert zone == "UTC+9"
    # Midnight may lie between the two, and a slow machine's clock is late.
    apart = (said - there.replace(tzinfo=None)).total_seconds()
    assert abs((apart + 43_200) % 86_400 - 43_200) < 60
    # Countdown and ages.
    page.wait_for_function("() => /^(0:[0-5]\\d|1:00)$/.test(window.tickboard.chart.overlay.left)")
    assert page.evaluate("window.tickboard.market.get('AAPL').age_ms") < 600_000, "not seven hours"
    # The list of fired alerts: of today, so without a day.
    page.evaluate("window.tickboard.view.set({ symbol: 'BTC-USD' })")
    fired = page.locator("#alerts-fired li").first
    for _ in range(6):
        # A random walk may go the other way for long: then another alert, a little above the price of then.
        price = page.evaluate("window.tickboard.market.get('BTC-USD').price")
        page.locator("#chart").focus()
        page.keyboard.press("a")
        page.fill("#alert-form [name=level]", f"{price * 1.00001:.2f}")
        page.keyboard.press("Enter")
        expect(page.locator("#alert-form")).not_to_be_visible()
        try:
            expect(fired).to_be_visible(timeout=20_000)
            break
        except AssertionError:
            continue
    expect(fired).to_be_visible()
    now = datetime.now(UTC).astimezone(TOKYO)
    settled(page, time_zone="Asia/Tokyo")
    assert fired.inner_text().startswith((f"{now:%H:%M}", f"{now - timedelta(minutes=1):%H:%M}"))
    context.close()


def test_a_change_shows_in_the_other_tab_at_once(running: Any, browser: Browser) -> None:
    page = opened(browser, running)
    other = page.context.new_page()
    other.goto(running.url)
    at_work(other)
    settings(page)
    choose(page, "theme", "dark")
    expect(other.locator("html")).to_have_attribute("data-theme", "dark")
    settled(page, theme="dark")
    page.context.close()


def test_what_was_changed_on_another_machine_meanwhile_is_told_and_not_overwritten(
    running: Any, browser: Browser
) -> None:
    page, other = opened(browser, running), opened(browser, running)
    settings(other)
    choose(other, "palette", "colour-blind")
    settled(other, palette="colour-blind")
    settings(page)
    choose(page, "density", "compact")
    expect(page.locator("#toasts")).to_contain_text("Settings were changed elsewhere meanwhile")
    settled(page, palette="colour-blind", density="compact")
    expect(page.locator("html")).to_have_attribute("data-palette", "colour-blind")
    page.context.close()
    other.context.close()


def test_a_setting_that_can_not_be_kept_is_shown_and_told(running: Any, browser: Browser) -> None:
    page = opened(browser, running)
    page.route("**/api/v1/preferences", lambda route: route.abort())
    page.locator("#chart").focus()
    page.keyboard.press("t")
    expect(page.locator("#toasts")).to_contain_text("The setting is not kept")
    assert page.evaluate("document.documentElement.dataset.theme") in ("dark", "light")
    page.unroute("**/api/v1/preferences")
    page.locator("#chart").focus()
    page.keyboard.press("t")
    settled(page, theme="light")
    page.context.close()


def luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    """WCAG 2.2, 1.4.3."""
    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_palettes_and_directions_have_contrast_and_differ(running: Any, browser: Browser, theme: str) -> None:
    page = opened(browser, running)
    settings(page)
    choose(page, "theme", theme)
    seen = {}
    for palette in ("default", "colour-blind"):
        for direction in ("green-up", "red-up"):
            choose(page, "palette", palette)
            choose(page, "direction", direction)
            up, down, soft_up, soft_down, surface = page.evaluate(
                """["--up", "--down", "--up-soft", "--down-soft", "--surface"]
                .map((name) => getComputedStyle(document.documentElement).getPropertyValue(name))"""
            )
            seen[palette, direction] = (up, down)
            for colour, soft in ((up, soft_up), (down, soft_down)):
                assert contrast(colour, surface) >= 4.5, (palette, direction, colour)
                assert contrast(colour, soft) >= 4.5, (palette, direction, colour)
    assert seen["default", "green-up"] == seen["default", "red-up"][::-1]
    assert seen["colour-blind", "green-up"] == seen["colour-blind", "red-up"][::-1]
    assert set(seen["default", "green-up"]).isdisjoint(seen["colour-blind", "green-up"])
    # The chart and the buttons follow.
    expect(page.locator('[data-setting="direction"] [aria-pressed="true"]')).to_have_text("Orange")
    page.wait_for_function(
        """() => window.tickboard.chart.plot.place._fullData[0].increasing.line.color
        === getComputedStyle(document.documentElement).getPropertyValue('--up')"""
    )
    settled(page, theme=theme, palette="colour-blind", direction="red-up")
    page.context.close()


def test_density_makes_room_for_more_rows_and_reduced_motion_stops_flashes(running: Any, browser: Browser) -> None:
    page = opened(browser, running)
    rows = page.locator("#watchlist .ag-row:not(.ag-full-width-row)").first
    tall = rows.evaluate("(row) => row.offsetHeight")
    settings(page)
    choose(page, "density", "compact")
    page.wait_for_function(
        f"document.querySelector('#watchlist .ag-row:not(.ag-full-width-row)')?.offsetHeight < {tall}"
    )
    choose(page, "motion", "reduced")
    page.keyboard.press("Escape")
    shown = page.evaluate(
        """() => {
        const price = document.querySelector("#cards .price");
        price.classList.add("flash-up");
        const { backgroundColor, boxShadow } = getComputedStyle(price);
        return [backgroundColor, boxShadow];
      }"""
    )
    assert shown == ["rgba(0, 0, 0, 0)", "none"]
    settled(page, density="compact", motion="reduced")
    page.context.close()


def test_as_usual_again_takes_back_every_setting_but_the_default_view(running: Any, browser: Browser) -> None:
    page = opened(browser, running)
    page.request.put(
        f"{running.url}/api/v1/preferences",
        data={"theme": "dark", "density": "compact", "default_view": 77},
        headers={"If-Match": "*"},
    )
    page.reload()
    at_work(page)
    box = settings(page)
    expect(page.locator("html")).to_have_attribute("data-density", "compact")
    box.get_by_role("button", name="As usual again").click()
    settled(page, theme="system", density="comfortable", default_view=77)
    expect(page.locator("html")).not_to_have_attribute("data-density", "compact")
    page.context.close()


def test_the_login_page_has_the_theme_that_was_shown_last_here(running: Any, browser: Browser) -> None:
    page = log_in(browser, running.url)
    at_work(page)
    settings(page)
    choose(page, "theme", "dark")
    settled(page, theme="dark")
    page.context.clear_cookies()
    page.goto(f"{running.url}/login")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.context.close()
