"""Every chart type and price scale on the running page: live bars, folded in once, where Plotly draws them."""

from __future__ import annotations

import csv
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from dashboard.ui.figures import TYPES
from dashboard.workbench.views import SCALES
from tests.browser.test_done_when import fetch, log_in, series, state_is
from tests.browser.test_page import rows_of
from tests.browser.waits import FRAMES, TOASTS_STAY, settled, until

CHECKED = "#timeframe label:has(input:checked)"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One lively product for the whole file."""
    from tests.conftest import Product

    made = Product(tmp_path_factory.mktemp("types"), "app", {"TICK_MS": "100", "SEED": "7"}).start()
    yield made
    made.stop()


def opened(browser: Browser, product: Any, path: str = "/", **context: Any) -> tuple[Page, list[str]]:
    """A page, and what its console says in errors and warnings."""
    said: list[str] = []
    page = log_in(browser, product.url, path, **context)

    def hear(line: ConsoleMessage) -> None:
        # That tests read the canvas is no fault of the page.
        if line.type in ("error", "warning") and "getImageData" not in line.text:
            said.append(line.text)

    page.on("console", hear)
    page.on("pageerror", lambda error: said.append(str(error)))
    state_is(page, "live")
    return page, said


@pytest.fixture(scope="module")
def lively(running: Any, browser: Browser) -> Iterator[tuple[Page, list[str]]]:
    """One page for all types, as somebody who tries them would have it."""
    made = opened(browser, running, "/?timeframe=1s")
    yield made
    made[0].context.close()


@pytest.fixture(scope="module")
def still(running: Any, browser: Browser) -> Iterator[tuple[Page, list[str]]]:
    """A page whose chart hears of no bars but those that a test tells it."""
    page, said = opened(browser, running)
    page.evaluate(
        """() => {
        const { listeners } = window.tickboard.market, heard = [...listeners.get("bars")];
        listeners.set("bars", new Set());
        window.tellBars = (news) => heard.forEach((each) => each(news));
      }"""
    )
    yield page, said
    page.context.close()


#: What Plotly has of the series, as times, what the overlay draws, and whether it has drawn.
FOLDED = """async (type) => {
  const { plot } = window.tickboard.chart;
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  const data = plot.place.data, volume = [...data.at(-1).x], prices = data.slice(0, -1);
  const sides = prices.filter((trace) => !/ground|base/.test(trace.name));
  const each = type === "ohlc" ? 7 : 1; // points of a bar, of which the second is at its start
  const times = sides.flatMap((trace) => trace.x.filter((_, at) => at % each === Math.min(1, each - 1)));
  const text = (bar) => new Date(bar[0] + plot.shift).toISOString().slice(0, 23);
  const pending = plot.pending(), sheet = document.querySelector("canvas.forming");
  const { rows } = plot, after = rows.findIndex((bar) => bar[0] > plot.drawnTo);
  return {
    type: plot.figure.type, volume, times: times.sort(), pending: pending.map(text), rest: rows.slice(after).map(text),
    newest: text(plot.series.newest), drawnTo: plot.drawnTo,
    painted: sheet.getContext("2d").getImageData(0, 0, sheet.width, sheet.height).data.some(Boolean),
  };
}"""


@pytest.mark.parametrize("type_", TYPES)
def test_the_forming_bar_is_the_overlays_and_a_closed_one_is_folded_in_once(
    lively: tuple[Page, list[str]], type_: str
) -> None:
    page, said = lively
    page.select_option("#chart-type", type_)
    page.wait_for_function("type => window.tickboard.chart.plot.figure.type === type", arg=type_)
    drawn: set[float] = set()
    end = time.monotonic() + 60
    while len(drawn) < 2 and time.monotonic() < end:
        found = page.evaluate(FOLDED, type_)
        assert found["type"] == type_
        assert found["pending"] == found["rest"]
        assert found["pending"][-1] == found["newest"] not in found["volume"]
        assert len(set(found["volume"])) == len(found["volume"])
        assert not set(found["volume"]) & set(found["pending"])
        if type_ == "baseline":  # besides the bars there are the places where the line crosses its base
            assert set(found["volume"]) <= set(found["times"])
        else:
            assert found["times"] == found["volume"]
        assert found["painted"]
        drawn.add(found["drawnTo"])
        page.wait_for_timeout(300)
    assert len(drawn) >= 2, "no bar that closed was folded in"
    assert said == []


#: A forming bar by its open and close against the close before; where the overlay and where Plotly draws it.
PLACED = """async ([type, scale, opens, closes]) => {
  const { view, chart: { plot, overlay } } = window.tickboard;
  const frames = () => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  view.set({ type, scale });
  while (plot.figure.type !== type || plot.scale !== scale) await new Promise((done) => setTimeout(done, 30));
  await frames();
  const { series } = plot, rows = series.rows, before = rows.at(-2)[4], bar = rows.at(-1).slice();
  const across = 2 * plot.base - before + (plot.base - before || 1); // the line crosses its base
  [bar[1], bar[4]] = [before * opens, type === "baseline" ? across : before * closes];
  [bar[2], bar[3], bar[7]] = [Math.max(bar[1], bar[4]) * 1.002, Math.min(bar[1], bar[4]) * 0.998, 0];
  window.tellBars({ symbol: series.symbol, timeframe: series.timeframe, rows: [bar], whole: true });
  plot.draw();
  overlay.draw();
  await frames();
  const sheet = document.querySelector("canvas.forming"), at = sheet.getBoundingClientRect();
  const { width, height } = sheet, { data } = sheet.getContext("2d").getImageData(0, 0, width, height);
  const pane = overlay.panes().price, home = plot.place.getBoundingClientRect();
  const floor = home.top + pane.top + pane.height;
  const box = { left: Infinity, right: -Infinity, top: Infinity, bottom: -Infinity };
  const colours = new Set();
  for (let n = 0; n < width * height; n++) {
    const [x, y] = [at.left + (n % width), at.top + Math.floor(n / width)];
    if (data[4 * n + 3] < 60 || y >= floor) continue;
    box.left = Math.min(box.left, x + 0.5); box.right = Math.max(box.right, x + 0.5);
    box.top = Math.min(box.top, y + 0.5); box.bottom = Math.max(box.bottom, y + 0.5);
    if (data[4 * n + 3] > 150) colours.add([...data.slice(4 * n, 4 * n + 3)].join(", "));
  }
  const panes = overlay.panes(), shown = plot.rows.at(-1);
  const x = home.left + panes.x.l2p(shown[0] + plot.shift) + pane.left;
  const y = home.top + panes.y.d2p(Math.sqrt(shown[1] * shown[4])) + pane.top;
  const pixel = (Math.round(y - at.top) * width + Math.round(x - at.left)) * 4;
  const filled = data[pixel + 3] === 255;

  const lines = ["line", "area", "baseline"].includes(type), candle = !lines && type !== "ohlc";
  const mine = plot.window;
  plot.window = () => plot.rows.slice(candle ? -30 : lines ? -2 : -1);
  plot.draw();
  plot.window = mine;
  const paths = [...plot.place.querySelectorAll(candle ? ".boxlayer path.box" : ".scatterlayer .trace path.js-line")];
  // Not the dotted base, nor the ground's line of no width.
  const boxes = paths.map((path) => ({ at: path.getBoundingClientRect(), style: getComputedStyle(path) }))
    .filter(({ at, style }) => at.width + at.height > 0 && !style.strokeDasharray.includes(","))
    .filter(({ style }) => parseFloat(style.strokeWidth) > 0);
  const right = Math.max(...boxes.map(({ at }) => at.right));
  const theirs = candle ? boxes.filter(({ at }) => at.right > right - 1) : boxes;
  const edge = (side, pick) => pick(...theirs.map(({ at }) => at[side]));
  const result = {
    overlay: box, filled, colours: [...colours],
    plotly: {
      left: edge("left", Math.min), right: edge("right", Math.max),
      top: edge("top", Math.min), bottom: edge("bottom", Math.max),
    },
    strokes: theirs.map(({ style }) => style.stroke), fills: theirs.map(({ style }) => [style.fill, style.fillOpacity]),
  };
  plot.draw();
  return result;
}"""
TOKEN = """name => {
  const probe = document.createElement("i");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}"""


def numbers(colour: str) -> list[float]:
    """`11, 125, 77` as numbers; a pixel that a line covers in part has lost a little."""
    return [float(part) for part in colour.split(",")]


BODIES = {
    "rose_hollow": (0.999, 1.002),
    "rose_filled": (1.004, 1.001),
    "fell_hollow": (0.996, 0.999),
    "fell_filled": (1.001, 0.998),
}


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("type_", TYPES)
def test_the_overlay_draws_a_bar_as_plotly_would(still: tuple[Page, list[str]], type_: str, scale: str) -> None:
    """Place to a pixel, colours, and whether its body is filled."""
    page, said = still
    for name, (opens, closes) in BODIES.items():
        found = page.evaluate(PLACED, [type_, scale, opens, closes])
        for side in ("left", "right", "top", "bottom"):
            assert found["overlay"][side] == pytest.approx(found["plotly"][side], abs=1.3), (name, side, found)
        strokes = {stroke.removeprefix("rgb(").removesuffix(")") for stroke in found["strokes"]}
        drawn = [numbers(colour) for colour in found["colours"]]
        for stroke in strokes:
            assert any(numbers(stroke) == pytest.approx(colour, abs=6) for colour in drawn), (name, found)
        if type_ in ("candles", "hollow", "heikin-ashi"):
            (fill,) = found["fills"]
            theirs = fill[0] not in ("none", "rgba(0, 0, 0, 0)") and float(fill[1]) > 0
            assert found["filled"] is theirs, (name, found)
        if type_ == "hollow":
            assert found["filled"] is name.endswith("filled")
            token = page.evaluate(TOKEN, "--up" if name.startswith("rose") else "--down")
            assert strokes == {token.removeprefix("rgb(").removesuffix(")")}
        if type_ == "baseline":
            assert len(strokes) == 2
    assert said == []


def test_type_and_scale_stay_over_another_symbol_another_timeframe_and_a_reload(running: Any, browser: Browser) -> None:
    page, said = opened(browser, running)
    page.select_option("#chart-type", "heikin-ashi")
    expect(page).not_to_have_url(re.compile("scale="))
    page.select_option("#chart-scale", "percent")
    expect(page).to_have_url(re.compile(r"type=heikin-ashi.*scale=percent"))
    page.click('#cards .card[data-symbol="MSFT"]')
    page.locator("#timeframe label", has_text=re.compile("^5m$")).click()
    page.wait_for_function("() => window.tickboard.chart.plot.figure.timeframe === '5m'")
    page.reload()
    page.wait_for_selector("#chart.js-plotly-plot")
    state_is(page, "live")
    expect(page.locator("#chart-symbol")).to_have_text("MSFT")
    expect(page.locator(CHECKED)).to_have_text("5m")
    expect(page.locator("#chart-type")).to_have_value("heikin-ashi")
    expect(page.locator("#chart-scale")).to_have_value("percent")
    settled(page, type="heikin-ashi", scale="percent")
    page.select_option("#chart-scale", "linear")
    expect(page).not_to_have_url(re.compile("scale="))
    page.go_back()
    expect(page.locator("#chart-scale")).to_have_value("percent")
    settled(page, scale="percent")
    assert said == []
    page.context.close()


def test_a_link_with_what_there_is_not_says_so_and_shows_the_usual(running: Any, browser: Browser) -> None:
    page, said = opened(browser, running, "/?type=pie&scale=cubic&timeframe=2m", script=TOASTS_STAY)
    toasts = page.locator(".toast")
    expect(toasts).to_have_count(3)
    expect(toasts.nth(1)).to_contain_text("There is no chart type pie")
    expect(toasts.nth(2)).to_contain_text("There is no price scale cubic")
    expect(toasts.nth(2)).to_contain_text("linear, log, percent")
    expect(page.locator("#chart-type")).to_have_value("candles")
    expect(page.locator("#chart-scale")).to_have_value("linear")
    expect(page).not_to_have_url(re.compile("pie|cubic"))
    assert said == []
    page.context.close()


def test_the_keys_go_through_types_and_scales(running: Any, browser: Browser) -> None:
    page, said = opened(browser, running)
    for type_ in [*list(TYPES)[1:], "candles"]:
        page.keyboard.press("y")
        expect(page.locator("#chart-type")).to_have_value(type_)
    for scale in ("log", "percent", "linear"):
        page.keyboard.press("l")
        expect(page.locator("#chart-scale")).to_have_value(scale)
    page.locator("#chart-type").focus()
    page.keyboard.press("Tab")
    expect(page.locator("#chart-scale")).to_be_focused()
    expect(page.get_by_label("Chart type", exact=True)).to_have_count(1)
    expect(page.get_by_label("Price scale", exact=True)).to_have_count(1)
    assert said == []
    page.context.close()


@pytest.mark.parametrize("scale", SCALES)
def test_labels_of_the_axis_follow_its_scale(still: tuple[Page, list[str]], scale: str) -> None:
    """Ticks, the crosshair's label and the alerts' say the same of the same height."""
    page, said = still
    page.evaluate("scale => window.tickboard.view.set({ type: 'candles', scale })", scale)
    settled(page, type="candles", scale=scale)
    box = page.locator("#chart").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 300, box["y"] + 200)
    page.wait_for_function("() => tickboard.chart.overlay.at && document.querySelector('.level-label.pointer text')")
    page.evaluate(FRAMES)
    label, price, base, ticks, last = page.evaluate(
        """() => {
        const { plot, overlay } = window.tickboard.chart, { y, price } = overlay.panes();
        const label = document.querySelector(".level-label.pointer text").textContent;
        const ticks = [...plot.place.querySelectorAll(".ytick text")].map((text) => text.textContent);
        return [label, y.p2d(overlay.at.y - price.top), plot.base, ticks, y.d2p(plot.series.newest[4])];
      }"""
    )
    said_number = float(label.rstrip("%").replace(",", "").replace("−", "-"))
    if scale == "percent":
        assert label.endswith("%")
        assert said_number == pytest.approx((price / base - 1) * 100, abs=0.0051)
        first = page.evaluate("(({ plot }) => plot.series.rows.find((bar) => bar[0] >= plot.from)[4])(tickboard.chart)")
        assert base == first
    else:
        assert said_number == pytest.approx(price, abs=0.0051)
    assert len(ticks) >= 3
    assert all(text.endswith("%") == (scale == "percent") for text in ticks)
    assert 0 < last < box["height"]
    offered = page.evaluate("document.querySelector('#chart-legend').textContent")
    assert ("0% is" in offered) is (scale == "percent")
    assert said == []


def test_heikin_ashi_says_so_and_legend_and_csv_keep_the_true_bars(running: Any, browser: Browser) -> None:
    page, _said = opened(browser, running, "/?type=heikin-ashi&timeframe=5s")
    # A tick may come between a frame and the reading of it: what one frame drew of one bar is waited for.
    words, bar, drawn = page.wait_for_function(
        """() => {
        const { plot } = window.tickboard.chart;
        const words = document.querySelector("#chart-legend").textContent;
        const bar = plot.series.newest;
        const told = (price) => price.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
        const all = "OHLC".split("").every((name, index) => words.includes(`${name} ${told(bar[index + 1])}`));
        return all && [words, bar, plot.rows.at(-1)];
      }"""
    ).json_value()
    assert "Heikin-Ashi" in words
    assert drawn[4] == pytest.approx(sum(bar[1:5]) / 4)
    with page.expect_download() as caught:
        page.click("#export-csv")
    rows = list(csv.DictReader(Path(caught.value.path()).read_text().splitlines()))
    answer = fetch(page, f"/api/v1/tickers/AAPL/bars?timeframe=5s&start={int(series(page)[0][0])}&limit=50000")
    closed = [row for row in answer["data"] if int(row[7]) & 1][: len(rows) - 2]
    assert len(closed) > 100
    for row, told in zip(closed, rows, strict=False):
        assert [float(told[name]) for name in ("open", "high", "low", "close")] == row[1:5]
    page.context.close()


def test_the_countdown_runs_to_the_bars_end(running: Any, browser: Browser) -> None:
    page, _said = opened(browser, running, "/?timeframe=1m")
    page.wait_for_function("() => /^0:[0-9][0-9]$|^1:00$/.test(window.tickboard.chart.overlay.left)")
    # What is said is of the last frame, which may be late: right at four different seconds it runs.
    right: set[str] = set()

    def runs() -> bool:
        left, end, now = page.evaluate(
            """(({ chart: { overlay, plot }, market }) =>
              [overlay.left, plot.series.newest[0] + 60000, market.now()])(window.tickboard)"""
        )
        minutes, seconds = left.split(":") if left else (0, -60)
        if abs(int(minutes) * 60 + int(seconds) - (end - now) / 1000) < 1.6:
            right.add(left)
        return len(right) >= 4

    until(runs, True, 40)
    page.keyboard.press("1")
    page.wait_for_function(
        "() => window.tickboard.chart.plot.figure.timeframe === '1s' && window.tickboard.chart.overlay.left === ''"
    )
    page.context.close()


def test_a_replays_countdown_runs_at_its_speed_and_ends_with_the_feed(
    product: Any, browser: Browser, tmp_path: Path
) -> None:
    file = tmp_path / "ACME.csv"
    file.write_text(rows_of(800))  # 200 s, in 40
    page = log_in(browser, product(FEED=f"replay:{file}", REPLAY_SPEED="5").url, "/?timeframe=1m")
    page.wait_for_function("() => /^[0-9]:[0-9][0-9]$/.test(window.tickboard.chart.overlay.left)")
    measure = """async () => {
        const { overlay, plot } = window.tickboard.chart;
        const seconds = () => overlay.left.split(":").reduce((sum, part) => 60 * sum + Number(part), 0);
        const ends = () => plot.series.newest[0] / 1000 + 60;
        const wait = (ms) => new Promise((done) => setTimeout(done, ms));
        const passed = ends() - seconds(), began = performance.now();
        await wait(2500);
        return (ends() - seconds() - passed) / ((performance.now() - began) / 1000);
      }"""
    # A frame that is late at either end takes of it or adds to it.
    until(lambda: 3.5 < page.evaluate(measure) < 6.5, True)
    expect(page.locator("#feed-note")).to_have_text("feed ended", timeout=90_000)
    page.wait_for_function("() => window.tickboard.chart.overlay.left === ''")
    page.context.close()


@pytest.mark.parametrize("width", [1440, 1024, 390])
@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_the_toolbar_fits_and_its_choices_read(still: tuple[Page, list[str]], width: int, scheme: str) -> None:
    page, _said = still
    page.set_viewport_size({"width": width, "height": 844})
    page.emulate_media(color_scheme=scheme)
    page.evaluate("window.tickboard.view.set({ symbol: 'BTC-USD' })")
    settled(page, symbol="BTC-USD")
    fits = """() => {
      const bar = document.querySelector(".toolbar"), right = bar.getBoundingClientRect().right;
      const all = [...bar.querySelectorAll(".toolbar-part > *")];
      const outside = all.filter((one) => one.getBoundingClientRect().right > right + 0.5);
      return [bar.scrollWidth <= bar.clientWidth, outside.map((one) => one.id)];
    }"""
    until(lambda: page.evaluate(fits), [True, []])
    if width == 390:
        page.click("#more-button")
    for name in ("#chart-type", "#chart-scale"):
        size = page.locator(name).bounding_box()
        assert size is not None
        assert size["width"] >= 64
    if width == 390:
        page.click("#more-button")
