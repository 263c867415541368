"""What is there for who hears the page: bars one by one, the range as a table, the line's state; never prices."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.test_done_when import fetch, line_to, over_a_line, series, state_is

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


def bar_of(page: Page, sentence: str) -> list[float]:
    """The bar that a sentence tells of: open, high, low, close."""
    found = re.search(r"open ([\d,.]+), high ([\d,.]+), low ([\d,.]+), close ([\d,.]+)", sentence)
    assert found, sentence
    return [float(one.replace(",", "")) for one in found.groups()]


def test_the_arrows_walk_the_bars_and_each_is_a_sentence(enter: Callable[..., Page]) -> None:
    page = enter("/?symbol=AAPL&timeframe=5m&indicators=ema:20,bbands:20:2,rsi:14")
    state_is(page, "live")
    chart = page.locator("#chart")
    assert chart.get_attribute("role") == "application"
    chart.focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(SAID)).to_contain_text("still forming")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(SAID)).not_to_contain_text("still forming")
    said = page.locator(SAID).inner_text()
    before = series(page)[-2]
    assert bar_of(page, said) == [round(value, 2) for value in before[1:5]]
    assert f"volume {before[5]:,.8f}".rstrip("0").rstrip(".") in said
    for name in ("EMA 20 ", "BB 20 2 ", "RSI 14 "):
        assert name in said, said
    # It is the bar of the legend and of the crosshair too.
    assert page.evaluate("window.tickboard.chart.overlay.at.ms") == before[0]
    legend = page.locator("#chart-legend canvas span").first.text_content() or ""
    assert f"C {before[4]:,.2f}" in legend
    # Where the view ends it follows, and the first bar says that it is the first.
    shown = page.evaluate("window.tickboard.chart.plot.from")
    for _ in range(130):
        page.keyboard.press("ArrowLeft")
    assert page.evaluate("window.tickboard.chart.plot.from") < shown
    at = page.evaluate("(({ at }) => [at.bar, at.ms])(window.tickboard.chart.overlay)")
    assert page.evaluate("window.tickboard.chart.plot.from") <= at[0]
    page.keyboard.press("End")
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    expect(page.locator(SAID)).to_have_text("")
    assert page.evaluate("window.tickboard.chart.overlay.at") is None


def test_the_range_in_view_is_a_table(enter: Callable[..., Page]) -> None:
    page = enter("/?symbol=MSFT&timeframe=5m&indicators=sma:20")
    state_is(page, "live")
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
    rows = series(page)
    cells = dialog.locator("tbody tr").nth(1).locator("td").all_inner_texts()
    assert cells[:4] == [f"{value:,.2f}" for value in rows[-2][1:5]]
    stored = fetch(page, "/api/v1/tickers/MSFT/bars?timeframe=5m&limit=2&indicators=sma:20")["data"]
    assert stored[0][0] == rows[-2][0]
    # What was read is not of now; it is read again on demand, and the focus goes back where it was.
    dialog.get_by_role("button", name="Read again").click()
    page.keyboard.press("Escape")
    expect(dialog).not_to_be_visible()
    expect(page.locator("#chart")).to_be_focused()
    # A long range is cut, and says so.
    page.evaluate("window.tickboard.chart.show(500)")
    button = page.locator("#bars-button")
    button.focus()
    assert float(button.evaluate("(one) => getComputedStyle(one).opacity")) == 1
    page.keyboard.press("Enter")
    expect(dialog.locator("tbody tr")).to_have_count(300)
    expect(dialog).to_contain_text(re.compile(r"The newest 300 of \d+ bars"))
    dialog.get_by_role("button", name="Close").click()
    expect(button).to_be_focused()


def test_a_lost_line_and_its_return_are_said_once_and_prices_never(
    product: Any, browser: Any, line_to: Callable[..., Any]
) -> None:
    line, page = over_a_line(product, browser, line_to)
    page.evaluate(LISTEN)
    page.wait_for_timeout(3000)
    assert page.evaluate("window.heard") == [], "prices, ages and clocks are not announced"
    line.cut()
    expect(page.locator("#connection")).not_to_have_attribute("data-state", "live", timeout=15_000)
    page.wait_for_timeout(2000)
    line.mend()
    state_is(page, "live")
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
