"""What is there for who hears the page: bars one by one, the range as a table, the line's state; never prices."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.test_done_when import fetch, line_to, over_a_line, state_is
from tests.browser.waits import at_work, until

__all__ = ["line_to"]
SAID = "#bar-said"
#: Every text that a screen reader is told, in order.
LISTEN = """() => {
  window.heard = [];
  new MutationObserver((changes) => {
    for (const { target } of changes) {
      const node = target.nodeType === 1 ? target : target.parentElement;
      const place = node?.closest("[role=status], [role=alert], [aria-live]");
      if (place && place.checkVisibility()) window.heard.push(place.textContent);
    }
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


def studied(page: Page, count: int) -> None:
    """Wait until so many indicators are drawn."""
    page.wait_for_function("(count) => window.tickboard.chart.plot.studies.shown.length === count", arg=count)


def bar_of(page: Page, sentence: str) -> list[float]:
    """The bar that a sentence tells of: open, high, low, close."""
    found = re.search(r"open ([\d,.]+), high ([\d,.]+), low ([\d,.]+), close ([\d,.]+)", sentence)
    assert found, sentence
    return [float(one.replace(",", "")) for one in found.groups()]


def test_the_arrows_walk_the_bars_and_each_is_a_sentence(enter: Callable[..., Page]) -> None:
    page = enter("/?symbol=AAPL&timeframe=5m&indicators=ema:20,bbands:20:2,rsi:14")
    state_is(page, "live")
    studied(page, 3)
    chart = page.locator("#chart")
    assert chart.get_attribute("role") == "application"
    chart.focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(SAID)).to_contain_text("still forming")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(SAID)).not_to_contain_text("still forming")
    said = page.locator(SAID).inner_text()
    # The one before the newest, or one further back where another has begun since the key.
    at, newest = page.evaluate(
        "(({ overlay, series }) => [overlay.at.bar, series().slice(-3)])(window.tickboard.chart)"
    )
    (before,) = [bar for bar in newest[:2] if bar[0] == at]
    assert bar_of(page, said) == [round(value, 2) for value in before[1:5]]
    assert f"volume {before[5]:,.8f}".rstrip("0").rstrip(".") in said
    for name in ("EMA 20 ", "BB 20 2 ", "RSI 14 "):
        assert name in said, said
    # It is the bar of the legend and of the crosshair too.
    page.wait_for_function("(ms) => window.tickboard.chart.overlay.at.ms === ms", arg=before[0])
    expect(page.locator("#chart-legend canvas span").first).to_contain_text(f"C {before[4]:,.2f}")
    # Where the view ends it follows, and the first bar says that it is the first.
    shown = page.evaluate("window.tickboard.chart.plot.from")
    for _ in range(130):
        page.keyboard.press("ArrowLeft")
    page.wait_for_function("(before) => window.tickboard.chart.plot.from < before", arg=shown)
    page.wait_for_function("(({ overlay, plot }) => plot.from <= overlay.at.bar)(window.tickboard.chart)")
    page.keyboard.press("End")
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    expect(page.locator(SAID)).to_have_text("")
    page.wait_for_function("window.tickboard.chart.overlay.at === null")


def test_the_range_in_view_is_a_table(enter: Callable[..., Page]) -> None:
    page = enter("/?symbol=MSFT&timeframe=5m&indicators=sma:20")
    state_is(page, "live")
    studied(page, 1)
    page.locator("#chart").focus()
    page.keyboard.press("b")
    dialog = page.locator("#bars-dialog")
    expect(dialog).to_be_visible()
    expect(dialog.locator(".bars-scroller")).to_be_focused()
    caption = dialog.locator("caption").inner_text()
    found = re.search(r"5m: (\d+) bars in view", caption)
    assert found, caption
    expect(dialog.locator("tbody tr")).to_have_count(int(found.group(1)))
    heads = dialog.locator("thead th[scope=col]").all_inner_texts()
    assert heads == ["Time", "Open", "High", "Low", "Close", "Change", "Volume", "SMA 20", "Made"]
    expect(dialog.locator("tbody th[scope=row]")).to_have_count(int(found.group(1)))
    # What was read is not of now; it is read again on demand, and the focus goes back where it was.
    again = dialog.get_by_role("button", name="Read again")
    again.click()
    # Read once more and looked at in one go: a bar may begin at any moment.
    reading = """(again) => {
      again.click();
      const cells = [...document.querySelectorAll("#bars-dialog tbody tr:nth-child(2) td")].map((one) => one.innerText);
      return [cells.slice(0, 4), window.tickboard.chart.series().at(-2)];
    }"""

    def same() -> bool:
        cells, closed = again.evaluate(reading)
        stored = fetch(page, "/api/v1/tickers/MSFT/bars?timeframe=5m&limit=2&indicators=sma:20")["data"]
        return bool(cells == [f"{value:,.2f}" for value in closed[1:5]] and stored[0][0] == closed[0])

    until(same)
    page.keyboard.press("Escape")
    expect(dialog).not_to_be_visible()
    expect(page.locator("#chart")).to_be_focused()
    # A long range is cut, and says so.
    page.evaluate("window.tickboard.chart.show(500)")
    page.wait_for_function("window.tickboard.chart.series().length > 300")
    button = page.locator("#bars-button")
    button.focus()
    expect(button).to_have_css("opacity", "1")
    page.keyboard.press("Enter")
    expect(dialog.locator("tbody tr")).to_have_count(300)
    expect(dialog).to_contain_text(re.compile(r"The newest 300 of \d+ bars"))
    dialog.get_by_role("button", name="Close").click()
    expect(button).to_be_focused()


def test_a_lost_line_and_its_return_are_said_once_and_prices_never(
    product: Any, browser: Any, line_to: Callable[..., Any]
) -> None:
    line, page = over_a_line(product, browser, line_to)
    at_work(page)
    page.evaluate(LISTEN)
    page.wait_for_timeout(3000)
    assert page.evaluate("window.heard") == [], "prices, ages and clocks are not announced"
    line.cut()
    expect(page.locator("#connection")).not_to_have_attribute("data-state", "live", timeout=30_000)
    page.wait_for_timeout(2000)
    line.mend()
    state_is(page, "live")
    page.wait_for_function("window.heard.includes('Live')")
    page.wait_for_timeout(500)
    heard = [text for text in page.evaluate("window.heard") if text in ("Live", "Reconnecting", "Polling", "Offline")]
    assert heard[0] in ("Reconnecting", "Offline")
    assert heard[-1] == "Live"
    assert len(heard) <= 4, heard
    page.context.close()


def test_an_alert_is_said_politely(enter: Callable[..., Page]) -> None:
    page = enter("/?symbol=AAPL")
    state_is(page, "live")
    place = page.locator("#toasts")
    assert place.get_attribute("aria-live") == "polite"
    page.evaluate(
        """() => {
          const fired = { alert_id: 1, symbol: "AAPL", direction: "above", level: 200, price: 201, ts: Date.now() };
          window.tickboard.market.tell("alert", fired);
        }"""
    )
    expect(place).to_contain_text("AAPL above 200.00")
