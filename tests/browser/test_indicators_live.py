"""Values of indicators on the running page: the API's, live, over older history, in legends, overlay and CSV."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser import test_indicators
from tests.browser.test_chart_types import opened
from tests.browser.test_done_when import series
from tests.browser.test_indicators import PANES, VALUES, equal, whole
from tests.browser.waits import FRAMES, until

running = test_indicators.running
EVERY = "sma:20,ema:50,wma:10,vwap,bbands:20:2,keltner:20:2:10,donchian:20"
OSCILLATORS = "rsi:14,macd:12:26:9,stoch:14:3:3,atr:14,obv,adx:14"


@pytest.mark.parametrize("texts", [EVERY, OSCILLATORS])
@pytest.mark.parametrize("timeframe", ["1s", "1m", "1d"])
def test_values_on_the_page_are_the_apis(running: Any, browser: Browser, texts: str, timeframe: str) -> None:
    page, said = opened(browser, running, f"/?timeframe={timeframe}&indicators={texts}")
    whole(page)
    page.wait_for_timeout(2500)
    equal(page, texts, timeframe)
    assert said == []
    page.context.close()


def test_legends_and_crosshair_tell_of_the_bar_under_the_pointer_in_every_pane(running: Any, browser: Browser) -> None:
    page, said = opened(browser, running, "/?timeframe=5m&indicators=sma:20,bbands:20:2,rsi:14,macd")
    whole(page)
    box = page.locator("#chart").bounding_box()
    assert box is not None
    found = page.evaluate(PANES)
    for pane in (found["price"], found["own"][0], found["own"][1]):
        page.mouse.move(box["x"] + 300, box["y"] + pane["top"] + pane["height"] / 2)
        page.wait_for_function(
            "y => Math.abs((tickboard.chart.overlay.at?.y ?? -9) - y) < 2", arg=pane["top"] + pane["height"] / 2
        )
        page.evaluate(FRAMES)
        told = page.evaluate(
            """() => {
            const { plot, overlay } = window.tickboard.chart, { rows } = plot.series;
            const bar = plot.series.nearest(overlay.at.ms), index = rows.indexOf(bar);
            const { shown } = plot.studies;
            const values = Object.fromEntries(shown.map(({ text, study }) => [text, study.at(rows, index)]));
            const cross = document.querySelectorAll(".level.pointer");
            const label = document.querySelector(".level-label.pointer text").textContent;
            const across = cross[1].tagName === "line" ? cross[1] : cross[0];
            return {
              values, legend: document.querySelector("#chart-legend").textContent, label,
              heads: [...document.querySelectorAll(".pane-legend")].map((head) => head.textContent),
              from: Number(across.getAttribute("y1")), to: Number(across.getAttribute("y2")), pointed: overlay.at.y,
            };
          }"""
        )
        assert f"SMA 20 {told['values']['sma:20'][0]:,.2f}" in told["legend"]
        upper, middle, lower = told["values"]["bbands:20:2"]
        assert f"BB 20 2 {upper:,.2f} {middle:,.2f} {lower:,.2f}" in told["legend"]
        assert told["heads"][0] == f"RSI 14 {told['values']['rsi:14'][0]:.2f}"
        assert told["heads"][1].startswith("MACD 12 26 9 ")
        assert "signal" in told["heads"][1]
        assert (told["from"], told["to"]) == (pytest.approx(found["price"]["top"]), pytest.approx(found["bottom"]))
        number = float(told["label"].replace(",", "").replace("−", "-"))
        if pane is found["own"][0]:
            assert 45 < number < 55
        elif pane is found["price"]:
            assert number > 60
    page.mouse.move(5, 5)
    page.wait_for_function(
        """() => {
        const { plot, overlay } = window.tickboard.chart, { rows } = plot.series;
        const { study } = plot.studies.shown.find(({ text }) => text === "rsi:14");
        const shown = document.querySelector(".pane-legend").textContent.split(" ").at(-1);
        return !overlay.at && Math.abs(study.at(rows, rows.length - 1)[0] - Number(shown)) < 1.5;
      }"""
    )
    assert said == []
    page.context.close()


def test_older_history_comes_with_its_values_and_none_behind_the_seam_changes(running: Any, browser: Browser) -> None:
    texts = "sma:20,rsi:14,macd,bbands,obv"
    page, said = opened(browser, running, f"/?timeframe=5m&indicators={texts}")
    whole(page)
    before = page.evaluate(VALUES)
    assert all(column[0] is not None for column in before["columns"].values()), "warmed up on bars before the first"
    page.evaluate(
        """() => {
        const { plot } = window.tickboard.chart;
        window.seen = [];
        const { draw } = plot;
        plot.draw = (...all) => {
          draw.apply(plot, all);
          const { rows } = plot.series, { shown } = plot.studies;
          const there = shown.every(({ study }) => Number.isFinite(study.at(rows, rows.length - 2)[0]));
          window.seen.push([rows.length, shown.length, there]);
        };
      }"""
    )
    page.locator("#chart").focus()
    page.keyboard.press("Home")
    page.wait_for_function("count => window.tickboard.chart.series().length > count + 500", arg=len(before["rows"]))
    whole(page)
    after = page.evaluate(VALUES)
    more = [row[0] for row in after["rows"]].index(before["rows"][0][0])
    assert more > 500
    for name, column in after["columns"].items():
        assert column[more : more + 900] == pytest.approx(before["columns"][name][:900], rel=1e-9, abs=1e-9), name
        assert column[more - 1] is not None
    seen = page.evaluate("window.seen")
    assert all(count == 5 and finite for _rows, count, finite in seen), "none was gone meanwhile"
    equal(page, texts, "5m", least=1000)
    assert said == []
    page.context.close()


SHEET = """async (text) => {
  const { plot, overlay } = window.tickboard.chart;
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  overlay.draw();
  const { rows } = plot.series, panes = overlay.panes();
  const shown = plot.studies.shown.find((each) => each.text === text);
  const own = panes.own.find((each) => each.shown.text === text);
  const pane = own ?? panes.price, axis = own ? own.axis : panes.y;
  const sheet = document.querySelector("canvas.forming"), at = sheet.getBoundingClientRect();
  const home = plot.place.getBoundingClientRect();
  const { width, height } = sheet, { data } = sheet.getContext("2d").getImageData(0, 0, width, height);
  const painted = (bar, index) => shown.study.at(rows, index).slice(0, 1).map((value) => {
    const x = Math.round(home.left + pane.left + panes.x.l2p(bar[0] + plot.shift) - at.left);
    const y = Math.round(home.top + pane.top + axis.d2p(value) - at.top);
    let most = 0;
    for (let dx = -1; dx <= 1; dx++) for (let dy = -1; dy <= 1; dy++) {
      if (x + dx >= 0 && x + dx < width) most = Math.max(most, data[((y + dy) * width + x + dx) * 4 + 3]);
    }
    return most;
  })[0];
  const last = rows.length - 1, drawn = plot.place.data.find(({ name }) => name.startsWith(text));
  const end = drawn.x[drawn.x.length - 1], known = new Date(plot.drawnTo + plot.shift).toISOString().slice(0, 23);
  const [value] = shown.study.at(rows, rows.findIndex((row) => row[0] === plot.drawnTo));
  return [painted(rows[last], last), end === known, drawn.y[drawn.y.length - 1] === value];
}"""


@pytest.mark.parametrize("text", ["sma:5", "bbands:5:2", "rsi:5", "macd:3:6:4", "atr:5"])
def test_the_overlay_goes_on_from_where_plotly_ends_to_the_forming_bars_value(
    running: Any, browser: Browser, text: str
) -> None:
    page, _said = opened(browser, running, f"/?timeframe=5s&indicators={text}")
    whole(page)
    page.wait_for_timeout(1200)

    def goes_on() -> list[bool]:
        alpha, ends, same = page.evaluate(SHEET, text)
        return [alpha > 60, ends, same]

    for _ in range(5):
        until(goes_on, [True, True, True])  # a value that has left its pane is in it again with the next frame
        page.wait_for_timeout(400)
    page.context.close()


def test_the_csv_of_the_chart_has_its_indicators(running: Any, browser: Browser) -> None:
    page, _said = opened(browser, running, "/?timeframe=1m&indicators=sma:20,rsi:14")
    whole(page)
    with page.expect_download() as caught:
        page.click("#export-csv")
    rows = list(csv.DictReader(Path(caught.value.path()).read_text().splitlines()))
    assert list(rows[0])[-2:] == ["sma_20", "rsi_14"]
    found = page.evaluate(VALUES)
    first = series(page)[0]
    assert float(rows[0]["close"]) == first[4]
    for at in (0, 100, 900):
        assert float(rows[at]["sma_20"]) == pytest.approx(found["columns"]["sma_20"][at], rel=1e-9)
        assert float(rows[at]["rsi_14"]) == pytest.approx(found["columns"]["rsi_14"][at], rel=1e-7)
    page.context.close()
