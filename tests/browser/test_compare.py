"""Comparing on the running page: chosen by keyboard, indexed anew without a question, live, a spread, a correlation, a
file, the address; and what can't be compared."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.browser.test_chart_types import opened
from tests.browser.test_done_when import fetch
from tests.browser.test_exporting import body, choose, saved_with_receipt
from tests.browser.waits import TOASTS_STAY, tried, until

#: By what is shown, its values at the bars in view as the API's columns are, and the starts of those bars.
VALUES = """() => {
  const { plot } = window.tickboard.chart, { rows } = plot.series;
  const seen = rows.map((row, at) => at).filter((at) => rows[at][0] >= plot.from && rows[at][0] < plot.to);
  const columns = {};
  for (const { text, study } of plot.studies.beside()) {
    const name = text.split(" ")[1];
    columns[name] = study.values.map((column) => seen.map((at) => (Number.isNaN(column[at]) ? null : column[at])));
  }
  return { columns, starts: seen.map((at) => rows[at][0]), closes: seen.map((at) => rows[at][4]), base: plot.base };
}"""
LEGEND = "() => document.querySelector('#chart-legend').textContent"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One lively product for the whole file."""
    from tests.conftest import Product

    made = Product(tmp_path_factory.mktemp("compare"), "app", {"TICK_MS": "200", "SEED": "11"}).start()
    yield made
    made.stop()


def drawn(page: Page, *names: str) -> None:
    """Wait until all of these are on the chart with values."""
    page.wait_for_function(
        """(names) => window.tickboard && window.tickboard.chart.plot.figure && names.every((name) =>
          window.tickboard.chart.plot.studies.beside().some(({ text, study }) => text.split(" ")[1] === name
            && study.values.length && study.values.every((column) => column.some(Number.isFinite))))""",
        arg=list(names),
    )


def equal(page: Page, query: str, part: str, columns: list[str]) -> None:
    """What the page shows of a part is what the API says of the same bars, but for the last two, which still change."""
    # A view that a new bar has moved is indexed anew with the next drawing.
    tried(lambda: equals(page, query, part, columns))


def equals(page: Page, query: str, part: str, columns: list[str]) -> None:
    found = page.evaluate(VALUES)
    start, end = found["starts"][0], found["starts"][-1]
    path = f"/api/v1/tickers/AAPL/comparison?timeframe=1m&start={start}&end={end + 1}&{query}"
    told = page.evaluate("async path => (await fetch(path)).json()", path)
    assert [row[0] for row in told["data"]] == found["starts"]
    scale = 100 / found["base"] if part == "indexed" else 1.0
    for mine, name in zip(found["columns"][part], columns, strict=True):
        theirs = [row[told["columns"].index(name)] for row in told["data"]]
        assert sum(value is not None for value in theirs) > 20
        for one, other in list(zip(mine, theirs, strict=True))[:-2]:
            assert (one is None) == (other is None)
            assert one is None or one * scale == pytest.approx(other, rel=1e-9)


def test_an_analyst_compares_by_keyboard_and_all_of_it_stays(running: Any, browser: Browser) -> None:
    page, said = opened(browser, running, "/?symbol=AAPL")
    page.keyboard.press("c")
    panel = page.get_by_role("dialog", name="Compare")
    expect(panel).to_be_visible()
    expect(page.get_by_role("combobox", name="Add an instrument")).to_be_focused()
    page.keyboard.type("micros")
    expect(panel.get_by_role("option", name=re.compile("MSFT"))).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"compare=MSFT(&|$)"))
    page.keyboard.type("GOOGL")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"compare=MSFT,GOOGL(&|$)"))
    page.keyboard.type("nothing such")
    page.keyboard.press("Enter")
    expect(panel.get_by_text("There is no instrument NOTHING SUCH.")).to_be_visible()
    page.keyboard.press("Escape")
    drawn(page, "indexed")
    expect(panel.get_by_role("listitem").filter(has_text="Microsoft")).to_be_visible()
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(page.locator("#compare-button")).to_be_focused()

    equal(page, "compare=MSFT,GOOGL", "indexed", ["index_MSFT", "index_GOOGL"])
    legend = r"MSFT [\d,.]+ [+−]?[\d.]+% GOOGL [\d,.]+ [+−]?[\d.]+%"
    until(lambda: bool(re.search(legend, page.evaluate(LEGEND))), True)
    base = page.evaluate(VALUES)["base"]

    # Another range is indexed anew from what is held.
    asked: list[str] = []

    def hear(request: Request) -> None:
        if "/bars" in request.url or "comparison" in request.url or "figure" in (request.post_data or ""):
            asked.append(request.url)

    page.on("request", hear)
    page.locator("#chart").focus()
    page.keyboard.press("+")
    page.keyboard.press("+")
    page.wait_for_function("base => window.tickboard.chart.plot.base !== base", arg=base)
    page.wait_for_timeout(300)
    assert asked == []
    page.remove_listener("request", hear)
    equal(page, "compare=MSFT,GOOGL", "indexed", ["index_MSFT", "index_GOOGL"])

    # A spread with a factor, and a correlation.
    page.keyboard.press("c")
    page.get_by_role("radio", name="Spread").check()
    expect(page).to_have_url(re.compile(r"comparemode=spread"))
    page.get_by_label("Factor of the other").fill("0")
    page.keyboard.press("Enter")
    expect(panel.get_by_text("The factor of a spread is a number other than 0")).to_be_visible()
    page.get_by_label("Factor of the other").fill("0.5")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"comparefactor=0\.5"))
    page.get_by_role("checkbox", name="Rolling correlation").check()
    page.get_by_label("Returns in the correlation").fill("20")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"correlation=20"))
    drawn(page, "spread", "correlation")
    query = "compare=MSFT,GOOGL&mode=spread&factor=0.5&correlation=20"
    equal(page, query, "spread", ["spread_AAPL_MSFT"])
    equal(page, query, "correlation", ["correlation_AAPL_MSFT_20"])
    expect(page.get_by_role("group", name="AAPL − 0.5 × MSFT")).to_be_visible()

    seen = {len(page.evaluate(VALUES)["starts"])}
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV of what is in view").click()
    head, *lines = csv.reader(download.value.path().read_text("utf-8").splitlines())
    closes = ["time", "close_AAPL", "close_MSFT", "close_GOOGL", "spread_AAPL_MSFT"]
    assert head == [*closes, "correlation_AAPL_MSFT_20", "correlation_AAPL_GOOGL_20"]
    assert len(lines) in seen | {len(page.evaluate(VALUES)["starts"])}
    assert download.value.suggested_filename.startswith("simulated_AAPL_MSFT_GOOGL_1m_spread_")

    page.reload()
    drawn(page, "spread", "correlation")
    expect(page.get_by_role("group", name="Correlation 20")).to_be_visible()
    page.get_by_role("button", name="Remove Correlation 20").click()
    expect(page).not_to_have_url(re.compile("correlation"))
    page.keyboard.press("c")
    page.get_by_role("button", name="Remove MSFT").press("Enter")
    expect(page.get_by_role("button", name="Remove GOOGL")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).not_to_have_url(re.compile("compare"))
    assert said == []
    page.context.close()


def test_what_is_compared_follows_every_tick_and_plotly_draws_nothing_for_it(running: Any, browser: Browser) -> None:
    page, said = opened(browser, running, "/?symbol=AAPL&timeframe=1h&compare=BTC-USD,MSFT")
    drawn(page, "indexed")
    seen = page.evaluate(
        """async () => {
          const { chart: { plot } } = window.tickboard, lasts = [[], []];
          await new Promise((done) => setTimeout(done, 2500));
          let drawings = 0;
          plot.place.on("plotly_afterplot", () => { drawings += 1; });
          const look = () => {
            const [{ study }] = plot.studies.beside(), { rows } = plot.series;
            const values = study.at(rows, rows.length - 1);
            for (const [at, value] of values.entries()) lasts[at].push(value / plot.base * 100);
          };
          const timer = setInterval(look, 15), began = performance.now();
          await new Promise((done) => setTimeout(done, 2000));
          const start = plot.series.rows.find((row) => row[0] >= plot.baseFrom)[0];
          const path = `/api/v1/tickers/AAPL/comparison?timeframe=1h&compare=BTC-USD,MSFT&start=${start}`;
          let told = [];
          const near = (one, other) => Math.abs(one - other) < 1e-12 * Math.abs(other);
          const had = () => told.every((value, at) => lasts[at].some((one) => near(one, value)));
          // Of two ticks that the page hears of at once it never has the first.
          for (let left = 8; left && !(told.length && had()); left--) {
            const { columns, data } = await (await fetch(path)).json();
            told = ["index_BTC-USD", "index_MSFT"].map((name) => data.at(-1)[columns.indexOf(name)]);
            await new Promise((done) => setTimeout(done, 1500));
          }
          const drawn = drawings, seconds = (performance.now() - began) / 1000;
          // A share may hardly move for seconds.
          const still = () => lasts.some((values) => new Set(values).size <= 5);
          for (let left = 80; left && still(); left--) await new Promise((done) => setTimeout(done, 250));
          clearInterval(timer);
          return { drawings: drawn, seconds, lasts, told };
        }"""
    )
    for values, told in zip(seen["lasts"], seen["told"], strict=True):
        assert len(set(values)) > 5
        assert any(value == pytest.approx(told, rel=1e-12) for value in values), (
            "the page never had the API's last value"
        )
    assert seen["drawings"] <= max(2, seen["seconds"] / 2), "Plotly is given closed bars every 5 s at most"
    assert said == []
    page.context.close()


def test_what_is_compared_is_saved_as_it_is_seen_and_verified(running: Any, browser: Browser, tmp_path: Path) -> None:
    page, said = opened(browser, running, "/?symbol=AAPL&compare=MSFT,GOOGL&correlation=20")
    drawn(page, "indexed", "correlation")
    menu = page.locator("#export-menu")
    page.wait_for_selector("#export-menu", state="attached")
    choose(page, "compared", "csv")
    for form in ("png", "svg"):
        expect(menu.locator(f"input[value={form}]")).to_be_disabled()
    expect(menu).to_contain_text(
        re.compile(
            r"\d+ bars of AAPL beside MSFT, GOOGL, 1m: closes and indices, 100 at the first of them; correlations of 20"
        )
    )
    page.get_by_label("Local time as a column").check()
    file, receipt = saved_with_receipt(page)
    for each in (file, receipt):
        each.save_as(tmp_path / each.suggested_filename)
    asked = json.loads(body(receipt))["asked"]
    assert (asked["compare"], asked["mode"], asked["correlation"]) == ("MSFT,GOOGL", "indexed", 20)
    rows = list(csv.DictReader(body(file).decode().splitlines()))
    query = "&".join(f"{name}={value}" for name, value in asked.items() if value is not None)
    told = fetch(page, f"/api/v1/tickers/AAPL/comparison?timeframe=1m&{query}")
    assert list(rows[0]) == ["time", *told["columns"][1:], "local_time"]
    mine = [[float(row[name]) if row[name] else None for name in told["columns"][1:]] for row in rows]
    assert len(mine) > 20
    assert mine[:-2] == [line[1:] for line in told["data"]][: len(mine) - 2], "but for the last two, which still change"
    verified = running.run("verify", str(tmp_path / file.suggested_filename), "--closed")
    assert verified.stdout.startswith("equal: "), verified.stdout + verified.stderr
    # The choice of the last time is there again, and gone with what was compared.
    page.keyboard.press("Escape")
    page.click("#export-button")
    expect(menu.locator("input[value=compared]")).to_be_checked()
    page.keyboard.press("Escape")
    page.click("#compare-button")
    page.get_by_role("button", name="Compare nothing").click()
    page.keyboard.press("Escape")
    page.click("#export-button")
    expect(menu.locator("input[value=compared]")).to_be_hidden()
    expect(menu.locator("input[value=view]")).to_be_checked()
    expect(menu).to_contain_text(re.compile(r"\d+ bars of AAPL, 1m\."))
    assert said == []
    page.context.close()


def test_a_link_with_what_can_not_be_compared_says_so_and_shows_the_rest(running: Any, browser: Browser) -> None:
    path = "/?symbol=AAPL&compare=MSFT,NOPE,MSFT,AAPL&comparemode=sum&correlation=3"
    page, said = opened(browser, running, path, script=TOASTS_STAY)
    toast = page.locator(".toast").filter(has_text="A part of the view is left out")
    expect(toast).to_contain_text("There is no instrument NOPE. MSFT is compared already. AAPL is the chart's own")
    drawn(page, "indexed")
    expect(page).to_have_url(re.compile(r"compare=MSFT(&|$)"), timeout=15_000)
    # The chart goes over to what was compared: the two change places.
    page.locator("#search-field").fill("MSFT")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"symbol=MSFT.*compare=AAPL(&|$)"))
    drawn(page, "indexed")
    page.go_back()
    expect(page.locator("#chart-symbol")).to_have_text("AAPL")
    expect(page).to_have_url(re.compile(r"compare=MSFT(&|$)"))
    drawn(page, "indexed")
    assert said == []
    page.context.close()
