"""Saved views as an analyst would use them: names, the one to open with, tokens and links, two tabs, newer versions."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from playwright.sync_api import TimeoutError as TooLong

from tests.browser.test_address import CHECKED, opened, running, shown
from tests.browser.test_done_when import fetch, state_is
from tests.browser.waits import at_work, until

__all__ = ["running"]


@pytest.fixture
def page(running: Any, browser: Browser) -> Iterator[Page]:
    with sqlite3.connect(running.folder / "test.db", timeout=30) as raw:
        raw.execute("DELETE FROM views")
        raw.execute("DELETE FROM preferences")
    made = opened(browser, running)
    yield made
    made.context.close()


def dialog(page: Page) -> Any:
    page.locator("#chart").focus()
    page.keyboard.press("v")
    expect(page.locator("#views-dialog")).to_be_visible()
    # The list has come: what it says when it does is nobody else's.
    expect(page.locator("#views-dialog")).not_to_have_attribute("aria-busy", "true")
    return page.locator("#views-dialog")


def save(page: Page, name: str) -> None:
    box = dialog(page)
    box.locator("#view-name").fill(name)
    box.get_by_role("button", name="Save this view").click()
    expect(box.locator(".dialog-done")).to_have_text(f'"{name}" is kept.')
    page.keyboard.press("Escape")
    expect(box).not_to_be_visible()


def row(page: Page, name: str) -> Any:
    return page.locator(".view-row", has=page.locator("b", has_text=re.compile(f"^{name}$")))


def delete(page: Page, name: str) -> None:
    """Press twice: the second time within four seconds, which a slow machine may take for itself."""
    for _ in range(5):
        row(page, name).get_by_role("button", name=f"Delete: {name}").click()
        try:
            row(page, name).get_by_role("button", name="Really").click(timeout=3_000)
            return
        except TooLong:
            continue
    raise AssertionError(f"{name} can't be deleted")


def test_a_view_is_saved_opened_overwritten_renamed_and_deleted(page: Page) -> None:
    page.click('#cards .card[data-symbol="TSLA"], #cards .card[data-symbol="META"]')
    expect(page.locator("#chart-symbol")).to_have_text(re.compile("TSLA|META"))
    symbol = page.locator("#chart-symbol").inner_text()
    page.keyboard.press("5")
    page.select_option("#chart-scale", "log")
    save(page, "Morning")
    page.click('#cards .card[data-symbol="AAPL"]')
    page.locator("#chart").focus()
    page.keyboard.press("1")
    page.select_option("#chart-scale", "linear")
    dialog(page)
    expect(row(page, "Morning")).to_contain_text("open, changed since")
    row(page, "Morning").locator(".view-open").click()
    expect(page.locator("#chart-symbol")).to_have_text(symbol)
    expect(page.locator(CHECKED)).to_have_text("5m")
    expect(page.locator("#chart-scale")).to_have_value("log")
    expect(page.locator("#views-dialog")).not_to_be_visible()

    page.select_option("#chart-type", "area")
    dialog(page)
    row(page, "Morning").get_by_role("button", name="Overwrite").click()
    expect(page.locator(".dialog-done")).to_contain_text("is now what the page shows")
    row(page, "Morning").get_by_role("button", name="Rename").click()
    page.locator(".view-row .field").fill("Evening")
    page.keyboard.press("Enter")
    expect(row(page, "Evening")).to_contain_text("area · log")
    (kept,) = fetch(page, "/api/v1/views")["data"]
    assert (kept["name"], kept["view"]["type"], kept["version"]) == ("Evening", "area", 3)

    row(page, "Evening").get_by_role("button", name="Delete").click()
    assert len(fetch(page, "/api/v1/views")["data"]) == 1
    until(lambda: row(page, "Evening").get_by_role("button", name="Really").count(), 0)
    delete(page, "Evening")
    expect(page.locator(".dialog-done")).to_have_text('"Evening" is deleted.')
    assert fetch(page, "/api/v1/views")["data"] == []


def test_a_name_that_is_taken_or_none_is_refused_in_a_sentence(page: Page) -> None:
    save(page, "Morning")
    box = dialog(page)
    box.locator("#view-name").fill("Morning")
    page.keyboard.press("Enter")
    expect(box.locator(".dialog-message")).to_have_text("There is a view 'Morning' already; choose another name.")
    box.locator("#view-name").fill("  ")
    page.keyboard.press("Enter")
    expect(box.locator(".dialog-message")).to_contain_text("a text of 1 to 80 characters")
    assert len(fetch(page, "/api/v1/views")["data"]) == 1


def test_of_two_tabs_the_second_is_told_and_overwrites_nothing_unseen(
    running: Any, browser: Browser, page: Page
) -> None:
    save(page, "Shared")
    other = opened(browser, running)
    dialog(other)
    row(other, "Shared").locator(".view-open").click()
    other.select_option("#chart-type", "line")
    dialog(other)
    row(other, "Shared").get_by_role("button", name="Overwrite").click()
    expect(other.locator(".dialog-done")).to_contain_text("is now what the page shows")

    page.select_option("#chart-type", "ohlc")
    dialog(page)
    expect(row(page, "Shared")).to_contain_text("changed elsewhere since you opened it")
    row(page, "Shared").get_by_role("button", name="Overwrite").click()
    expect(page.locator(".dialog-message")).to_contain_text("nothing was overwritten")
    assert fetch(page, "/api/v1/views")["data"][0]["view"]["type"] == "line"
    row(page, "Shared").get_by_role("button", name="Overwrite").click()
    expect(page.locator(".dialog-done")).to_contain_text("is now what the page shows")
    assert fetch(page, "/api/v1/views")["data"][0]["view"]["type"] == "ohlc"

    delete(page, "Shared")
    expect(page.locator(".dialog-done")).to_contain_text("is deleted")
    row(other, "Shared").get_by_role("button", name="Overwrite").click()
    expect(other.locator(".dialog-message")).to_contain_text("has been deleted in another tab or browser")
    expect(row(other, "Shared")).to_have_count(0)
    other.context.close()


def test_the_default_view_is_restored_at_the_next_login(running: Any, browser: Browser, page: Page) -> None:
    page.click('#cards .card[data-symbol="MSFT"]')
    page.locator("#chart").focus()
    page.keyboard.press("7")
    page.select_option("#chart-type", "heikin-ashi")
    page.locator('#watchlist .ag-header-cell[col-id="change_percent"]').click()
    expect(page).to_have_url(re.compile("sort="))
    save(page, "Home")
    dialog(page)
    row(page, "Home").get_by_role("button", name="Default").click()
    expect(page.locator(".dialog-done")).to_contain_text('The page opens with "Home"')

    other = opened(browser, running)
    expect(other.locator("#chart-symbol")).to_have_text("MSFT")
    expect(other.locator(CHECKED)).to_have_text("1h")
    expect(other.locator("#chart-type")).to_have_value("heikin-ashi")
    expect(other).to_have_url(re.compile("symbol=MSFT&timeframe=1h&type=heikin-ashi&sort=change_percent:desc"))
    other.wait_for_function("() => window.tickboard.chart.plot.figure?.type === 'heikin-ashi'")
    dialog(other)
    expect(row(other, "Home")).to_have_attribute("aria-current", "true")
    other.goto(f"{running.url}/?symbol=AAPL")
    other.wait_for_function("() => window.tickboard?.chart.plot.figure?.symbol === 'AAPL'")
    other.context.close()

    row(page, "Home").get_by_role("button", name="Default").click()
    expect(page.locator(".dialog-done")).to_have_text("The page opens as usual.")
    page.goto(running.url)
    page.wait_for_function("() => window.tickboard?.chart.plot.figure?.symbol === 'AAPL'")


def test_a_token_and_a_link_bring_the_whole_view_back_elsewhere(running: Any, browser: Browser, page: Page) -> None:
    page.add_init_script("navigator.clipboard.writeText = async (text) => { window.copied = text; };")
    page.reload()
    at_work(page)
    page.click('#cards .card[data-symbol="MSFT"]')
    page.wait_for_function("() => window.tickboard.chart.plot.figure?.symbol === 'MSFT'")
    page.select_option("#chart-type", "baseline")
    page.wait_for_function("() => window.tickboard.chart.plot.figure?.type === 'baseline'")
    page.select_option("#chart-scale", "percent")
    page.locator("#chart").focus()
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Shift+ArrowLeft")
    wanted = shown(page)
    box = dialog(page)
    copied = []
    for name in ("token", "link"):
        box.get_by_role("button", name=f"Copy {name}").click()
        expect(box.locator(".dialog-done")).to_have_text(f"The {name} is in the clipboard.")
        copied.append(page.evaluate("window.copied"))
    assert re.fullmatch(r"1\.[A-Za-z0-9_-]+", copied[0])
    assert copied[1].startswith(f"{running.url}/?symbol=MSFT")
    for text in copied:
        other = opened(browser, running)
        box = dialog(other)
        box.locator("#view-token").fill(f" {text} ")
        other.keyboard.press("Enter")
        expect(box).not_to_be_visible()
        expect(other.locator("#chart-symbol")).to_have_text("MSFT")
        expect(other.locator("#chart-type")).to_have_value("baseline")
        expect(other.locator("#chart-scale")).to_have_value("percent")
        other.wait_for_function("() => window.tickboard.chart.plot.moved")
        until(lambda at=other: shown(at)[:2], [pytest.approx(at, abs=1000) for at in wanted[:2]])
        other.context.close()


def test_without_a_clipboard_the_text_is_there_to_be_copied_by_hand(running: Any, browser: Browser, page: Page) -> None:
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('refused')); }")
    box = dialog(page)
    box.get_by_role("button", name="Copy link").click()
    field = box.get_by_label("Text to copy")
    expect(field).to_be_focused()
    expect(field).to_have_value(re.compile(re.escape(running.url) + r"/\?symbol="))
    assert page.evaluate("getSelection().toString()").startswith(running.url)


def test_what_is_no_token_a_damaged_one_and_a_newer_one_are_told(running: Any, page: Page) -> None:
    posted = page.request.post(f"{running.url}/api/v1/views/token", data={"symbol": "GONE", "timeframe": "5m"})
    good = posted.json()["token"]
    box = dialog(page)
    before = page.url
    for text, sentence in (
        ("hello", "a token of a view as this program makes them"),
        (good[:-3] + "AAA", "whole and unchanged"),
        ("7" + good[1:], "a newer version of this program"),
        ("", "Paste a token or a link first."),
    ):
        box.locator("#view-token").fill(text)
        box.get_by_role("button", name="Open it").click()
        expect(box.locator(".dialog-message")).to_contain_text(sentence)
        assert page.url == before
    # One of another market: the rest is shown.
    box.locator("#view-token").fill(good)
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("There is no instrument GONE")
    expect(page.locator(CHECKED)).to_have_text("5m")


def test_a_view_of_a_newer_version_is_told_left_alone_and_can_be_deleted(running: Any, page: Page) -> None:
    save(page, "Old")
    save(page, "New")
    with sqlite3.connect(running.folder / "test.db", timeout=30) as raw:
        raw.execute("UPDATE views SET format = 2 WHERE name = 'New'")
    dialog(page)
    expect(row(page, "New")).to_contain_text("a newer version of this program has made")
    expect(row(page, "New").locator(".view-open")).to_be_disabled()
    expect(row(page, "Old").locator(".view-open")).to_be_enabled()
    delete(page, "New")
    expect(page.locator(".dialog-done")).to_have_text('"New" is deleted.')


def test_a_server_that_does_not_answer_is_told_in_the_dialog(page: Page) -> None:
    save(page, "Morning")
    page.route("**/api/v1/views**", lambda route: route.abort())
    box = dialog(page)
    expect(box.locator(".dialog-message")).to_have_text("The server could not be reached.")
    expect(row(page, "Morning")).to_be_visible()


def test_a_list_that_comes_late_has_what_was_kept_meanwhile(page: Page) -> None:
    """The server reads the list before it keeps the view, and its answer is under way until after."""
    late: list[Any] = []

    def hold(route: Any) -> None:
        if route.request.method == "GET" and not late:
            late.append((route, route.fetch()))
        else:
            route.continue_()

    page.route("**/api/v1/views", hold)
    page.locator("#chart").focus()
    page.keyboard.press("v")
    box = page.locator("#views-dialog")
    expect(box).to_be_visible()
    until(lambda: page.evaluate("1") and bool(late))
    box.locator("#view-name").fill("Morning")
    box.get_by_role("button", name="Save this view").click()
    expect(box.locator(".dialog-done")).to_have_text('"Morning" is kept.')
    route, answer = late[0]
    with page.expect_response("**/api/v1/views"):
        route.fulfill(response=answer)
    page.wait_for_timeout(500)
    expect(row(page, "Morning")).to_have_count(1)
    expect(row(page, "Morning").locator(".view-told")).to_have_text("open")


def test_the_view_restored_at_login_is_told_unchanged_whatever_this_browser_was_left_with(
    running: Any, page: Page
) -> None:
    """A view names neither the usual order nor the usual tab; the browser keeps its own of both."""
    save(page, "Home")
    dialog(page)
    row(page, "Home").get_by_role("button", name="Default").click()
    expect(page.locator(".dialog-done")).to_contain_text('The page opens with "Home"')
    page.keyboard.press("Escape")
    header = page.locator('#watchlist .ag-header-cell[col-id="change_percent"]')
    header.click()
    page.get_by_role("tab", name="Trades").click()
    expect(page).to_have_url(re.compile("sort=.*side=trades"))
    page.goto(running.url)
    page.wait_for_function("() => window.tickboard?.chart.plot.figure")
    expect(header).to_have_attribute("aria-sort", "none")
    expect(page.get_by_role("tab", name="Alerts")).to_have_attribute("aria-selected", "true")
    dialog(page)
    expect(row(page, "Home").locator(".view-told")).to_have_text("open")
    page.keyboard.press("Escape")
    page.select_option("#chart-type", "line")
    dialog(page)
    expect(row(page, "Home").locator(".view-told")).to_have_text("open, changed since")


def test_what_of_the_open_view_there_is_not_is_no_change_of_it(running: Any, page: Page) -> None:
    view = {"symbol": "MSFT", "timeframe": "5m", "start": 978_307_200_000, "end": 978_310_800_000}
    view |= {"compare": ["GONE", "AAPL"], "settings": {"sort": "beauty:desc"}}
    posted = page.request.post(f"{running.url}/api/v1/views", data={"name": "Home", "view": view})
    page.request.put(
        f"{running.url}/api/v1/preferences", data={"default_view": posted.json()["id"]}, headers={"If-Match": "*"}
    )
    page.request.post(f"{running.url}/api/v1/views", data={"name": "Gone", "view": {**view, "symbol": "GONE"}})
    page.goto(running.url)
    toasts = page.locator("#toasts")
    # In the order in which they come: each leaves by itself.
    for sentence in ("GONE", "The list can't be sorted by", "No bar of MSFT is kept between"):
        expect(toasts).to_contain_text(sentence)
    expect(page).not_to_have_url(re.compile("start=|beauty|GONE"))
    dialog(page)
    expect(row(page, "Home").locator(".view-told")).to_have_text("open")
    row(page, "Gone").locator(".view-open").click()
    expect(toasts).to_contain_text("There is no instrument GONE")
    expect(page).not_to_have_url(re.compile("start="))
    dialog(page)
    expect(row(page, "Gone").locator(".view-told")).to_have_text("open")


def test_an_exported_configuration_is_loaded_elsewhere_and_what_is_wrong_with_a_file_told(
    running: Any, browser: Browser, page: Page, tmp_path: Path
) -> None:
    page.goto(f"{running.url}/?symbol=MSFT&timeframe=5m&type=baseline&indicators=sma:20&compare=GOOGL&sort=last:desc")
    page.wait_for_function("() => window.tickboard?.chart.plot.figure?.symbol === 'MSFT'")
    page.locator("#chart").focus()
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Shift+ArrowLeft")
    wanted = shown(page)
    page.click("#export-button")
    page.check("#export-menu input[name=what][value=configuration]")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download").click()
    good = tmp_path / "good.json"
    saved.value.save_as(good)
    said = json.loads(good.read_text("utf-8"))

    other = opened(browser, running)
    box = dialog(other)
    load = box.get_by_role("button", name="Load a file…")
    before = other.url

    def choose(content: bytes) -> None:
        with other.expect_file_chooser() as chooser:
            load.focus()
            other.keyboard.press("Enter")
        chooser.value.set_files({"name": "mine.json", "mimeType": "application/json", "buffer": content})

    for content, sentence in (
        (b"hello", "mine.json is not JSON"),
        (b'{"symbol": "MSFT"}', "mine.json is not a view"),
        (json.dumps({**said, "tickboard_view": 2}).encode(), "which a newer version of this program has made"),
        (json.dumps({**said, "timeframe": "7m"}).encode(), "mine.json can't be shown: Timeframe must be one of 1s"),
        (b" " * 70_000, "a view 64 KB at most; it was not read."),
    ):
        choose(content)
        expect(box.locator(".dialog-message")).to_contain_text(sentence)
        assert other.url == before
    expect(load).to_be_focused()

    choose(good.read_bytes())
    expect(box).not_to_be_visible()
    expect(other.locator("#chart")).to_be_focused()
    expect(other.locator("#chart-symbol")).to_have_text("MSFT")
    expect(other.locator(CHECKED)).to_have_text("5m")
    expect(other).to_have_url(re.compile("type=baseline.*indicators=sma:20.*compare=GOOGL"))
    expect(other).to_have_url(re.compile("sort=last:desc"))
    other.wait_for_function("() => window.tickboard.chart.plot.moved")
    until(lambda: shown(other)[:2], [pytest.approx(at, abs=1000) for at in wanted[:2]])
    assert fetch(other, "/api/v1/views")["data"] == []

    # What there is not here is left out, as of a link; a phone's and the Compare page's dialog load too.
    other.goto(f"{running.url}/compare")
    state_is(other, "live")
    other.locator("#compare-views").click()
    other.set_viewport_size({"width": 390, "height": 844})
    choose(json.dumps({**said, "symbol": "GONE", "indicators": "nope:1,rsi:14", "following": True}).encode())
    expect(other.locator("#toasts")).to_contain_text("There is no instrument GONE")
    expect(other.locator("#toasts")).to_contain_text("There is no indicator nope:1")
    expect(other).to_have_url(re.compile(r"/\?symbol=.*indicators=rsi:14"))
    other.context.close()
