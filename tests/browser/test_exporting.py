"""The export menu as it is used: what is in view, all of it, the configuration; every kind of file; the receipt."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from playwright.sync_api import Browser, Download, Page, Route, expect

from tests.browser.test_done_when import log_in, state_is
from tests.browser.waits import at_work, until


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One product for the whole file."""
    from tests.conftest import Product

    made = Product(tmp_path_factory.mktemp("exporting"), "app", {"TICK_MS": "500", "SEED": "5"}).start()
    yield made
    made.stop()


@pytest.fixture
def page(running: Any, browser: Browser) -> Iterator[Page]:
    made = log_in(browser, running.url)
    state_is(made, "live")
    made.wait_for_selector("#export-menu", state="attached")
    at_work(made)
    yield made
    made.context.close()


def choose(page: Page, what: str, form: str) -> None:
    """Open the menu where it is closed, and choose."""
    if not page.locator("#export-menu").is_visible():
        page.click("#export-button")
    page.check(f"#export-menu input[name=what][value={what}]")
    page.check(f"#export-menu input[name=form][value={form}]")


def saved(page: Page) -> Download:
    with page.expect_download() as caught:
        page.click("#export-menu button[type=submit]")
    return caught.value


def saved_with_receipt(page: Page) -> list[Download]:
    """The file that is chosen, and its receipt."""
    page.check("#export-menu input[name=receipt]")
    came: list[Download] = []

    def heard(download: Download) -> None:
        came.append(download)

    page.on("download", heard)
    page.click("#export-menu button[type=submit]")
    expect(page.locator("#export-menu [role=status]")).to_contain_text("and its receipt")
    until(lambda: page.wait_for_timeout(50) or len(came), 2)
    return came


def body(download: Download) -> bytes:
    return Path(download.path()).read_bytes()


def in_view(page: Page) -> list[float]:
    """Starts of the bars that are seen."""
    return page.evaluate(
        """() => {
        const { plot } = window.tickboard.chart, ms = plot.series.ms;
        return plot.series.rows.filter((bar) => bar[0] + ms > plot.from && bar[0] < plot.to).map((bar) => bar[0]);
      }"""
    )


def of_view(page: Page, form: str) -> tuple[Download, list[float]]:
    """A file of what is in view, and the starts of the bars that were; once more where a bar began meanwhile."""
    while True:
        if page.locator("#export-menu").is_visible():
            page.click("#export-button")
        seen = in_view(page)
        choose(page, "view", form)
        file = saved(page)
        if in_view(page) == seen:
            return file, seen


def starts(text: bytes) -> list[int]:
    from datetime import datetime

    rows = list(csv.DictReader(text.decode().splitlines()))
    return [round(datetime.fromisoformat(row["time"]).timestamp() * 1000) for row in rows]


def test_what_is_in_view_is_exactly_the_bars_that_are_seen(page: Page) -> None:
    page.keyboard.press("5")
    expect(page.locator("#timeframe label:has(input:checked)")).to_have_text("5m")
    page.wait_for_function("() => window.tickboard.chart.plot.figure?.timeframe === '5m'")
    file, seen = of_view(page, "csv")
    expect(page.locator("#export-menu")).to_contain_text(f"{len(seen)} bars of AAPL, 5m")
    assert file.suggested_filename.startswith("simulated_AAPL_5m_")
    assert starts(body(file)) == seen
    expect(page.locator("#export-menu [role=status]")).to_have_text(f"Saved {file.suggested_filename}.")


def test_all_of_the_series_is_more_than_the_page_has_loaded(page: Page) -> None:
    choose(page, "series", "json")
    whole = json.loads(body(saved(page)))
    loaded = page.evaluate("window.tickboard.chart.series().map((bar) => bar[0])")
    kept = [row[0] for row in whole["data"]]
    assert len(kept) > len(loaded)
    assert set(loaded) - set(kept) <= {loaded[-1]}, "at most a bar that began meanwhile"


def test_parquet_has_its_receipt_inside(page: Page) -> None:
    choose(page, "view", "parquet")
    expect(page.locator("#export-menu input[name=receipt]")).to_be_disabled()
    expect(page.locator("#export-menu")).to_contain_text("The receipt is in the file.")
    file = saved(page)
    said = json.loads(pyarrow.parquet.read_metadata(file.path()).metadata[b"receipt"])
    assert said["file"] == file.suggested_filename
    assert said["rows"] == pyarrow.parquet.read_table(file.path()).num_rows


def test_the_receipt_comes_beside_the_csv_verify_takes_it_and_the_choice_is_remembered(
    running: Any, page: Page, tmp_path: Path
) -> None:
    choose(page, "view", "csv")
    came = saved_with_receipt(page)
    file, receipt = came
    assert receipt.suggested_filename == f"{file.suggested_filename}.receipt.json"
    assert json.loads(body(receipt))["sha256"] == hashlib.sha256(body(file)).hexdigest()
    for each in came:
        each.save_as(tmp_path / each.suggested_filename)
    verified = running.run("verify", str(tmp_path / file.suggested_filename), "--closed")
    assert verified.stdout.startswith("equal: "), verified.stdout + verified.stderr
    assert verified.returncode == 0
    page.reload()
    page.wait_for_selector("#export-menu", state="attached", timeout=45_000)
    page.click("#export-button")
    expect(page.locator("#export-menu input[name=receipt]")).to_be_checked()


def test_the_local_time_is_a_column_when_it_is_wanted(running: Any, browser: Browser) -> None:
    page = log_in(browser, running.url, timezone_id="Asia/Tokyo")
    page.wait_for_selector("#export-menu", state="attached")
    choose(page, "view", "csv")
    page.get_by_label("Local time as a column (Asia/Tokyo)").check()
    header, first, *_rest = body(saved(page)).decode().splitlines()
    assert header.endswith(",local_time")
    assert first.endswith("+09:00")
    page.context.close()


def test_the_configuration_is_the_view_and_no_prices(page: Page) -> None:
    page.click('#cards .card[data-symbol="MSFT"]')
    expect(page.locator("#chart-symbol")).to_have_text("MSFT")
    page.click("#export-button")
    page.check("#export-menu input[name=what][value=configuration]")
    expect(page.locator("#export-menu input[name=form][value=json]")).to_be_checked()
    for form in ("csv", "parquet", "png", "svg"):
        expect(page.locator(f"#export-menu input[name=form][value={form}]")).to_be_disabled()
    file = saved(page)
    said = json.loads(body(file))
    assert file.suggested_filename == "simulated_MSFT_1m_view.json"
    assert (said["tickboard_view"], said["symbol"], said["timeframe"], said["feed"]) == (1, "MSFT", "1m", "SIMULATED")
    assert said["type"] == "candles"
    assert said["start"] < said["end"]
    assert "symbol=MSFT" in said["address"]


@pytest.mark.parametrize(("form", "begins"), [("png", b"\x89PNG"), ("svg", b"<svg")])
def test_the_chart_as_it_is_shown(page: Page, form: str, begins: bytes) -> None:
    choose(page, "view", form)
    file = saved(page)
    assert re.fullmatch(rf"simulated_AAPL_1m_\d{{8}}T\d{{6}}Z_\d{{8}}T\d{{6}}Z\.{form}", file.suggested_filename)
    assert body(file).startswith(begins)
    if form == "svg":
        assert b"(simulated)" in body(file)


def test_by_keyboard_alone(page: Page) -> None:
    menu = page.locator("#export-menu")
    page.keyboard.press("e")
    expect(menu).to_be_visible()
    expect(page.locator("#export-button")).to_have_attribute("aria-expanded", "true")
    expect(menu.locator("input[value=view]")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(menu.locator("input[value=series]")).to_be_checked()
    expect(menu.locator("input[value=png]")).to_be_disabled()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    expect(menu.locator("input[value=parquet]")).to_be_checked()
    with page.expect_download() as caught:
        page.keyboard.press("Enter")
    assert caught.value.suggested_filename.endswith(".parquet")
    expect(menu.locator("button[type=submit]")).to_be_focused()
    page.keyboard.press("Escape")
    expect(menu).not_to_be_visible()
    expect(page.locator("#export-button")).to_be_focused()


def hold(route: Route) -> None:
    """A request that is never answered."""


def test_a_long_export_shows_that_it_runs_and_can_be_cancelled(page: Page) -> None:
    page.route("**/api/v1/export/**", hold)
    choose(page, "series", "csv")
    page.click("#export-menu button[type=submit]")
    menu = page.locator("#export-menu")
    expect(menu.get_by_role("progressbar")).to_be_visible()
    expect(menu.locator("button[type=submit]")).to_be_disabled()
    expect(menu.locator("[role=status]")).to_have_text("Exporting…")
    cancel = menu.get_by_role("button", name="Cancel")
    expect(cancel).to_be_focused()
    page.keyboard.press("Enter")
    expect(menu.locator("[role=status]")).to_have_text("Cancelled; nothing was saved.")
    expect(menu.get_by_role("progressbar")).not_to_be_visible()
    expect(menu.locator("button[type=submit]")).to_be_focused()
    page.unroute("**/api/v1/export/**")
    assert saved(page).suggested_filename.endswith(".csv")


def test_a_refusal_is_said_in_its_own_words_and_a_broken_line_too(page: Page) -> None:
    problem = {"status": 503, "detail": "3 exports of yours are under way, that is all there may be"}
    answer = {"status": 503, "content_type": "application/problem+json", "body": json.dumps(problem)}
    page.route("**/api/v1/export/**", lambda route: route.fulfill(**answer))
    choose(page, "series", "csv")
    page.click("#export-menu button[type=submit]")
    status = page.locator("#export-menu [role=status]")
    expect(status).to_have_text("3 exports of yours are under way, that is all there may be.")
    page.unroute("**/api/v1/export/**")
    page.route("**/api/v1/export/**", lambda route: route.abort())
    page.click("#export-menu button[type=submit]")
    expect(status).to_contain_text("broke off before its end")


def test_the_buttons_beside_it_still_work_with_one_click(page: Page) -> None:
    with page.expect_download() as caught:
        page.click("#export-csv")
    assert caught.value.suggested_filename.endswith(".csv")
    with page.expect_download() as caught:
        page.click("#export-png")
    assert caught.value.suggested_filename.endswith(".png")


def test_a_choice_that_was_kept_by_somebody_else_is_none(page: Page) -> None:
    for kept in ("{", "7", '{"what":"<b>","form":[],"receipt":"yes"}'):
        page.evaluate("(kept) => localStorage.setItem('tickboard.export', kept)", kept)
        page.reload()
        page.wait_for_selector("#export-menu", state="attached", timeout=45_000)
        page.click("#export-button")
        expect(page.locator("#export-menu input[value=view]")).to_be_checked()
        expect(page.locator("#export-menu input[value=csv]")).to_be_checked()
        expect(page.locator("#export-menu input[name=receipt]")).not_to_be_checked()


@pytest.mark.parametrize("width", [1440, 1024, 390])
@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_the_menu_fits_and_lies_on_top(running: Any, browser: Browser, width: int, scheme: str, tmp_path: Path) -> None:
    page = log_in(browser, running.url)
    page.set_viewport_size({"width": width, "height": 844 if width < 700 else 768})
    page.emulate_media(color_scheme=scheme)
    page.wait_for_selector("#export-menu", state="attached")
    if width == 390:
        page.click("#more-button")
    page.click("#export-button")
    page.wait_for_timeout(400)
    until(lambda: page.evaluate("document.documentElement.scrollWidth") <= width)
    hidden = """() => {
        const menu = document.getElementById('export-menu'), outside = [], covered = [];
        for (const one of menu.querySelectorAll('label, legend, button[type=submit], p')) {
          const { left, right, top, bottom, width } = one.getBoundingClientRect();
          if (!width || !one.textContent) continue;
          if (left < 0 || right > innerWidth || top < 0 || bottom > innerHeight) outside.push(one.textContent);
          const above = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
          if (!menu.contains(above)) covered.push(one.textContent);
        }
        return [outside, covered];
      }"""
    until(lambda: page.evaluate(hidden), [[], []])
    unlabelled = page.evaluate(
        "[...document.querySelectorAll('#export-menu input')].filter((one) => !one.labels.length).length"
    )
    assert unlabelled == 0
    page.screenshot(path=tmp_path / f"{width}-{scheme}.png")
    page.context.close()
