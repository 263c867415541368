"""The Market page's panels when things go wrong: slow, failing, silent, old; nothing is asked while nobody looks."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.test_market import enter, running, said, tiles
from tests.browser.waits import try_again, until

__all__ = ["enter", "running", "said"]
CALLBACK = "**/_dash-update-component*"
PANELS = ("heat", "movers", "breadth", "correlation")


def panel_of(request: Any) -> str:
    """Which panel's callback a request is of; empty for another's."""
    output = str(json.loads(request.post_data or "{}").get("output", ""))
    name = output.removeprefix("market-").removesuffix(".data")
    return name if output.startswith("market-") else ""


def meet(page: Page, panel: str, answer: Callable[[Route], None]) -> None:
    """Answer a panel's callback otherwise."""
    page.route(CALLBACK, lambda route: answer(route) if panel_of(route.request) == panel else route.continue_())


@pytest.fixture
def asked() -> list[str]:
    return []


def watch(page: Page, asked: list[str]) -> None:
    page.on("request", lambda request: "_dash-update" in request.url and asked.append(panel_of(request)))


def test_each_panel_is_asked_at_its_own_pace_and_none_when_nobody_looks(
    enter: Callable[..., Page], asked: list[str]
) -> None:
    entered = time.monotonic()
    page = enter()
    watch(page, asked)
    began = time.monotonic()
    page.wait_for_timeout(11_500)
    paces = {"heat": 5, "movers": 5, "breadth": 10}
    heard(page, lambda: asked.count("heat") >= 2 and asked.count("movers") >= 2 and asked.count("breadth") >= 1)
    took = time.monotonic() - began
    for name, pace in paces.items():
        assert asked.count(name) <= took / pace + 1, (name, took)
    assert asked.count("correlation") <= (time.monotonic() - entered) // 30
    hide(page, True)
    page.wait_for_timeout(1500)
    asked.clear()
    page.wait_for_timeout(6000)
    assert asked == []
    hide(page, False)
    heard(page, lambda: set(PANELS) <= set(asked))  # everything is brought up to date at once
    page.locator(".pages a", has_text="Dashboard").click()
    page.wait_for_timeout(1500)
    asked.clear()
    page.wait_for_timeout(6000)
    assert [name for name in asked if name] == []


def heard(page: Page, found: Callable[[], Any]) -> None:
    """Wait for requests, which are told of while the page is looked at."""
    until(lambda: page.wait_for_timeout(50) or bool(found()), seconds=30)


def hide(page: Page, hidden: bool) -> None:
    """Let the page believe that its tab is hidden, or seen again."""
    page.evaluate(
        """(hidden) => {
          Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
          document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_that_fails_says_so_alone_and_can_be_tried_again(enter: Callable[..., Page], panel: str) -> None:
    page = enter()
    meet(
        page,
        panel,
        lambda route: route.fulfill(status=200, content_type="application/json", body=refusal(panel, route)),
    )
    control = {"correlation": "returns"}.get(panel, "window")
    page.select_option(f"#market-{control}", "1h")
    message = page.locator(f"#market-{panel}-panel .panel-message")
    expect(message).to_contain_text("The server could not compute this; its log has the reason.")
    for other in set(PANELS) - {panel}:
        expect(page.locator(f"#market-{other}-panel .panel-message")).not_to_be_visible()
    # What was there before is still there, dimmed.
    opacity = f"getComputedStyle(document.querySelector('#market-{panel}-panel .market-body')).opacity"
    until(lambda: float(page.evaluate(opacity)) < 1)
    try_again(page, message, CALLBACK)
    expect(message).not_to_be_visible()
    until(lambda: float(page.evaluate(opacity)), 1)


def refusal(panel: str, route: Route) -> str:
    number = json.loads(route.request.post_data or "")["inputs"][1]["value"]["number"]
    told = {"number": number, "error": "The server could not compute this; its log has the reason."}
    return json.dumps({"multi": True, "response": {f"market-{panel}": {"data": told}}})


def test_a_server_that_breaks_without_a_word_is_told_of(enter: Callable[..., Page]) -> None:
    page = enter()
    meet(page, "movers", lambda route: route.fulfill(status=500, body="broken"))
    page.select_option("#market-window", "4h")
    message = page.locator("#market-movers-panel .panel-message")
    expect(message).to_contain_text("This could not be computed: the server answered 500.")
    expect(page.locator("#market-heat-panel .panel-message")).not_to_be_visible()
    try_again(page, message, CALLBACK)
    expect(message).not_to_be_visible()


def test_a_slow_panel_shows_its_progress_and_the_newest_question_wins(enter: Callable[..., Page]) -> None:
    page = enter()
    held: list[Route] = []
    meet(page, "heat", held.append)
    page.select_option("#market-size", "equal")
    panel = page.locator("#market-heat-panel")
    expect(panel).to_have_attribute("aria-busy", "true")
    expect(panel.locator(".market-about")).to_contain_text("computing…")
    page.select_option("#market-size", "trades")
    heard(page, lambda: of(held, "trades"))
    for route in of(held, "trades"):  # the panel's own clock may have asked the same
        route.continue_()
    expect(panel).not_to_have_attribute("aria-busy", "true")
    until(lambda: all("trades" in tile["label"] for tile in tiles(page)))
    for route in of(held, "equal"):
        route.continue_()
    page.wait_for_timeout(800)
    assert all("trades" in tile["label"] for tile in tiles(page))


def of(held: list[Route], size: str) -> list[Route]:
    """Questions about tiles of a size, of those that wait."""
    return [one for one in held if json.loads(one.request.post_data or "")["inputs"][1]["value"]["size"] == size]


def test_stale_prices_and_old_panels_are_marked(enter: Callable[..., Page]) -> None:
    page = enter()

    def aged(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        told = body["response"]["market-heat"]["data"]
        told["tiles"][0] |= {"stale": True, "age_ms": 65_000.0}
        told["sent"] -= 60_000
        route.fulfill(response=answer, json=body)

    meet(page, "heat", aged)
    page.select_option("#market-size", "equal")
    tile = page.locator(".heat-map a.tile.stale")
    expect(tile).to_have_count(1)
    assert "65 s old" in str(tile.get_attribute("aria-label"))
    expect(page.locator("#market-heat-panel .market-about")).to_contain_text(re.compile(r"\b6\d s old"))
    page.click("#market-table")
    expect(page.locator(".heat-panel tr.stale")).to_have_count(1)
    expect(page.locator(".heat-panel tr.stale th")).to_contain_text("65 s old")


def test_a_market_that_began_anew_is_asked_again(
    product: Callable[..., Any], enter: Callable[..., Page], asked: list[str]
) -> None:
    page = enter()
    watch(page, asked)
    page.evaluate("window.tickboardInbox.market.tell('epoch', 'x')")
    heard(page, lambda: set(PANELS) <= set(asked))


def test_two_thousand_instruments_are_drawn_and_read(product: Callable[..., Any], browser: Any) -> None:
    many = product(SYMBOLS="catalogue:2000", TICK_MS="1000")
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.goto(many.url + "/market?window=1h")
    page.fill("input[name=username]", "root")
    page.fill("input[name=password]", "123456")
    page.click("button[type=submit]")
    page.wait_for_selector(".heat-map a.tile", timeout=60_000)
    expect(page.locator(".heat-map a.tile")).to_have_count(300)
    others = page.locator(".heat-map div.tile")
    counted = [int(str(label).split(" ")[0]) for label in others.evaluate_all("all => all.map((one) => one.ariaLabel)")]
    assert sum(counted) == 1700
    expect(page.locator("#market-heat-panel .market-about")).to_contain_text(
        "2000 instruments, the 300 largest by name"
    )
    expect(page.locator(".movers tbody tr")).to_have_count(40)
    page.context.close()
