"""Drawing on the running page, tool by tool: by mouse, finger and keys, on every price scale, kept over a reload."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from dashboard.workbench.drawings import POINTS
from dashboard.workbench.views import SCALES
from tests.browser.test_chart_types import opened
from tests.browser.test_done_when import fetch

#: So far from where a drawing must be there may be no ink of it, px.
NEAR = 3


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One product for the whole file."""
    from tests.conftest import Product

    made = Product(tmp_path_factory.mktemp("drawings"), "app", {"TICK_MS": "300", "SEED": "7"}).start()
    yield made
    made.stop()


@pytest.fixture
def page(running: Any, browser: Browser) -> Iterator[Page]:
    """A page in a zone that is not UTC, on which nothing is drawn yet."""
    with closing(running.client()) as client:
        for row in client.get("/api/v1/drawings").json()["data"]:
            client.delete(f"/api/v1/drawings/{row['symbol']}", headers={"If-Match": "*"})
    made, said = opened(browser, running, timezone_id="Asia/Kolkata")
    made.wait_for_function("() => window.tickboard.drawing.board.kept?.loaded")
    yield made
    made.context.close()
    assert said == []


def drawn(page: Page) -> list[dict[str, Any]]:
    """The drawings as the page shows them."""
    rows: list[dict[str, Any]] = page.evaluate("window.tickboard.drawing.board.drawings")
    return rows


def saved(page: Page, count: int, symbol: str = "AAPL") -> list[dict[str, Any]]:
    """The drawings as the server has them, as soon as they are those shown."""
    page.wait_for_function("() => !window.tickboard.drawing.board.kept.unsaved", timeout=10_000)
    rows: list[dict[str, Any]] = fetch(page, f"/api/v1/drawings/{symbol}")["drawings"]
    assert rows == drawn(page)
    assert len(rows) == count
    return rows


def place(page: Page, x: float, y: float) -> tuple[float, float]:
    """A place on the screen by parts of the price pane."""
    left, top, width, height = page.evaluate(
        """() => {
        const { price } = window.tickboard.chart.overlay.panes();
        const home = document.getElementById("chart").getBoundingClientRect();
        return [home.left + price.left, home.top + price.top, price.width, price.height];
      }"""
    )
    return left + x * width, top + y * height


def take(page: Page, tool: str) -> None:
    page.click(f".drawing-rail [data-tool={tool}]")


def drag(page: Page, start: tuple[float, float], end: tuple[float, float], steps: int = 4) -> None:
    """Drag from a place to another, by parts of the price pane."""
    page.mouse.move(*place(page, *start))
    page.mouse.down()
    page.mouse.move(*place(page, *end), steps=steps)
    page.mouse.up()


#: Where the points of each drawing are in the market, whether there is ink of drawings near to them on the screen.
INK = """async ([points, near]) => {
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  const { plot, overlay } = window.tickboard.chart, { x, y, price } = overlay.panes();
  const home = plot.place.getBoundingClientRect(), sheet = document.querySelector("canvas.drawings");
  const at = sheet.getBoundingClientRect(), brush = sheet.getContext("2d");
  return points.map(([ms, level]) => {
    const left = home.left + price.left + x.l2p(ms + plot.shift) - at.left;
    const top = home.top + price.top + y.d2p(level) - at.top;
    if (!(left > 0 && left < price.width && top > 0 && top < price.height)) return null;
    const square = brush.getImageData(Math.round(left - near), Math.round(top - near), 2 * near + 1, 2 * near + 1).data;
    return square.some((value, n) => n % 4 === 3 && value > 100);
  });
}"""


def inked(page: Page, points: list[list[float]]) -> list[bool | None]:
    found: list[bool | None] = page.evaluate(INK, [points, NEAR])
    return found


WHERE = {"line": ((0.2, 0.7), (0.5, 0.3)), "horizontal": ((0.4, 0.2), (0.4, 0.2)), "text": ((0.6, 0.6), (0.6, 0.6))}


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("kind", POINTS)
def test_each_tool_draws_where_it_was_told_and_the_drawing_is_there_after_a_reload(
    page: Page, kind: str, scale: str
) -> None:
    page.select_option("#chart-scale", scale)
    page.wait_for_timeout(400)
    start, end = WHERE.get(kind, ((0.25, 0.75), (0.45, 0.35)))
    take(page, kind)
    expect(page.locator(".drawing-hint")).to_be_visible()
    if POINTS[kind] == 2:
        drag(page, start, end)
    else:
        page.mouse.click(*place(page, *start))
    if kind == "text":
        page.keyboard.type("the <b>break</b>")
        page.keyboard.press("Enter")
    expect(page.locator(".drawing-hint")).not_to_be_visible()
    (made,) = saved(page, 1)
    assert (made["kind"], len(made["points"])) == (kind, POINTS[kind])
    assert made["text"] == ("the <b>break</b>" if kind == "text" else "")
    read = page.evaluate(
        """(places) => {
        const { plot, overlay } = window.tickboard.chart, { x, y, price } = overlay.panes();
        const home = plot.place.getBoundingClientRect();
        return places.map(([left, top]) => {
          const ms = x.p2l(left - home.left - price.left) - plot.shift;
          return [plot.series.nearest(ms)[0], y.p2d(top - home.top - price.top)];
        });
      }""",
        [place(page, *start), place(page, *end)][: POINTS[kind]],
    )
    for (ms, price), (wanted_ms, wanted_price) in zip(made["points"], read, strict=True):
        assert ms == wanted_ms
        assert price == pytest.approx(wanted_price, abs=0.0051)
    page.mouse.move(*place(page, 0.9, 0.95))
    page.locator("#chart").press("Escape")  # without the handles of what is selected
    corner = [made["points"][0]] if kind != "text" else [[made["points"][0][0] + 300_000, made["points"][0][1] - 0.001]]
    if kind != "text":
        assert inked(page, corner) == [True]
    page.reload()
    page.wait_for_selector("#chart.js-plotly-plot")
    page.wait_for_function("() => window.tickboard?.drawing?.board.drawings.length === 1")
    assert drawn(page) == [made]
    if kind != "text":
        assert inked(page, corner) == [True]
    assert page.evaluate("document.querySelector('.plot b')") is None


def test_a_drawing_keeps_its_place_in_the_market_over_timeframes_pan_zoom_scales_and_older_bars(page: Page) -> None:
    take(page, "line")
    drag(page, (0.3, 0.7), (0.6, 0.35))
    (made,) = saved(page, 1)
    page.locator("#chart").press("Escape")
    for timeframe in ("5m", "15s", "1m"):
        page.locator("#timeframe label", has_text=re.compile(f"^{timeframe}$")).click()
        page.wait_for_function("t => window.tickboard.chart.plot.figure.timeframe === t", arg=timeframe)
        page.evaluate(
            """([from, to]) => {
            const { plot } = window.tickboard.chart;
            [plot.from, plot.to] = [from - 1.2e6, to + 1.2e6];
            plot.heard("moved");
          }""",
            [made["points"][0][0], made["points"][1][0]],
        )
        page.wait_for_timeout(500)
        assert inked(page, made["points"]) == [True, True], timeframe
    for scale in SCALES:
        page.select_option("#chart-scale", scale)
        page.wait_for_timeout(400)
        assert inked(page, made["points"]) == [True, True], scale
    page.mouse.move(*place(page, 0.5, 0.9))
    page.mouse.down()
    page.mouse.move(*place(page, 0.62, 0.9), steps=5)
    assert inked(page, made["points"]) == [True, True], "while the view is dragged"
    page.mouse.up()
    page.wait_for_timeout(300)
    page.mouse.wheel(0, 240)
    page.wait_for_timeout(600)
    assert inked(page, made["points"]) == [True, True], "after a turn of the wheel"
    first = page.evaluate("window.tickboard.chart.series()[0][0]")
    page.locator("#chart").focus()
    for _ in range(60):
        page.keyboard.press("-")
        if page.evaluate("window.tickboard.chart.series()[0][0]") < first:
            break
        page.wait_for_timeout(100)
    assert page.evaluate("window.tickboard.chart.series()[0][0]") < first
    page.evaluate(
        "([a, b]) => { const { plot } = tickboard.chart; [plot.from, plot.to] = [a - 9e5, b + 9e5];"
        " plot.heard('moved'); }",
        [made["points"][0][0], made["points"][1][0]],
    )
    page.wait_for_timeout(400)
    assert inked(page, made["points"]) == [True, True]
    assert drawn(page) == [made]


def test_selected_moved_by_a_point_recoloured_deleted_undone_and_redone(page: Page) -> None:
    take(page, "line")
    drag(page, (0.3, 0.7), (0.5, 0.4))
    (first,) = saved(page, 1)
    drag(page, (0.4, 0.55), (0.6, 0.55))  # its middle: the whole of it moves
    (whole,) = saved(page, 1)
    lengths = [at["points"][1][0] - at["points"][0][0] for at in (first, whole)]
    assert lengths[0] == lengths[1]
    assert whole["points"][0][0] > first["points"][0][0]
    drag(page, (0.7, 0.4), (0.8, 0.2))  # its second point alone
    (bent,) = saved(page, 1)
    assert bent["points"][0] == whole["points"][0]
    assert bent["points"][1][0] > whole["points"][1][0]
    assert bent["points"][1][1] > whole["points"][1][1]
    take(page, "style")
    page.click(".drawing-style [data-value=down]")
    page.click(".drawing-style [data-value='3']")
    page.click(".drawing-style [data-value=dash]")
    page.keyboard.press("Escape")
    (red,) = saved(page, 1)
    assert red["style"] == {"color": "down", "width": 3, "dash": "dash"}
    take(page, "delete")
    saved(page, 0)
    expect(page.locator(".drawing-rail [data-tool=delete]")).to_be_disabled()
    for count in range(6):
        page.keyboard.press("Control+z")
        assert len(drawn(page)) == 1, count
    assert drawn(page) == [first]
    page.keyboard.press("Control+z")
    assert saved(page, 0) == []
    expect(page.locator(".drawing-rail [data-tool=undo]")).to_be_disabled()
    for _ in range(6):
        page.keyboard.press("Control+Shift+z")
    assert saved(page, 1) == [red]
    take(page, "redo")
    saved(page, 0)
    expect(page.locator(".drawing-rail [data-tool=redo]")).to_be_disabled()


def test_two_clicks_do_as_well_as_a_drag_and_the_eraser_takes_away_what_it_meets(page: Page) -> None:
    take(page, "rectangle")
    page.keyboard.press("Escape")  # the focus is at the tool
    expect(page.locator(".drawing-hint")).not_to_be_visible()
    take(page, "rectangle")
    page.mouse.click(*place(page, 0.2, 0.2))
    expect(page.locator(".drawing-hint")).to_contain_text("opposite corner")
    page.mouse.move(*place(page, 0.3, 0.5))
    page.mouse.click(*place(page, 0.4, 0.6))
    take(page, "horizontal")
    page.mouse.click(*place(page, 0.7, 0.8))
    saved(page, 2)
    take(page, "eraser")
    page.mouse.click(*place(page, 0.3, 0.4))  # within the rectangle is not on it
    assert len(drawn(page)) == 2
    page.mouse.click(*place(page, 0.2, 0.4))
    page.mouse.click(*place(page, 0.5, 0.8))
    saved(page, 0)
    page.keyboard.press("Escape")
    expect(page.locator(".drawing-hint")).not_to_be_visible()


def test_ctrl_takes_the_bars_own_prices_and_a_double_click_writes_a_note(page: Page) -> None:
    page.select_option("#chart-scale", "log")
    page.wait_for_timeout(400)
    take(page, "line")
    page.keyboard.down("Control")
    drag(page, (0.3, 0.6), (0.5, 0.4))
    page.keyboard.up("Control")
    (made,) = saved(page, 1)
    bars = {row[0]: row[1:5] for row in page.evaluate("window.tickboard.chart.series()")}
    for start, price in made["points"]:
        assert price in bars[start]
    middle = page.evaluate(
        """([[a, before], [b, after]]) => {
        const { x, y } = window.tickboard.drawing.painter.ground(), { price } = tickboard.chart.overlay.panes();
        return [(x(a) + x(b)) / 2 / price.width, (y(before) + y(after)) / 2 / price.height];
      }""",
        made["points"],
    )
    page.mouse.dblclick(*place(page, *middle))
    field = page.locator(".drawing-write textarea")
    expect(field).to_be_focused()
    page.keyboard.type("one")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("two")
    page.keyboard.press("Enter")
    expect(field).not_to_be_visible()
    assert saved(page, 1) == [{**made, "text": "one\ntwo"}]
    page.mouse.dblclick(*place(page, *middle))
    page.keyboard.type(" and more")
    page.keyboard.press("Escape")
    assert drawn(page)[0]["text"] == "one\ntwo"


def test_a_press_beside_the_drawings_is_the_charts_own(page: Page) -> None:
    take(page, "line")
    drag(page, (0.3, 0.7), (0.5, 0.4))
    (made,) = saved(page, 1)
    before = page.evaluate("window.tickboard.chart.plot.from")
    drag(page, (0.7, 0.2), (0.8, 0.2))
    page.wait_for_timeout(400)
    assert page.evaluate("window.tickboard.chart.plot.from") < before
    assert page.evaluate("window.tickboard.drawing.board.selected") == ""
    assert drawn(page) == [made]


def test_everything_is_done_by_keys(page: Page) -> None:
    page.keyboard.press("d")
    expect(page.locator(".drawing-opener")).to_be_focused()
    page.keyboard.press("d")
    expect(page.locator(".drawing-rail [data-tool=select]")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator(".drawing-rail [data-tool=line]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#chart")).to_be_focused()
    page.keyboard.press("Enter")
    for key in ("Shift+ArrowRight", "Shift+ArrowUp", "Shift+ArrowUp", "ArrowRight"):
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    (made,) = saved(page, 1)
    (start, low), (end, high) = made["points"]
    assert end - start == 11 * 60_000
    assert high > low
    page.keyboard.press("ArrowLeft")
    (left,) = saved(page, 1)
    assert [at - 60_000 for at in (start, end)] == [point[0] for point in left["points"]]
    assert [low, high] == [point[1] for point in left["points"]]
    page.keyboard.press("Space")  # the first point
    page.keyboard.press("Space")  # the second
    page.keyboard.press("Shift+ArrowDown")
    (bent,) = saved(page, 1)
    assert bent["points"][0] == left["points"][0]
    assert bent["points"][1][0] == left["points"][1][0]
    assert bent["points"][1][1] < left["points"][1][1]
    page.keyboard.press("Enter")
    page.keyboard.type("a note")
    page.keyboard.press("Enter")
    assert saved(page, 1)[0]["text"] == "a note"
    page.keyboard.press("Escape")
    page.keyboard.press("m")
    expect(page.locator(".drawing-hint")).to_contain_text("Measure")
    page.keyboard.press("Escape")
    page.keyboard.press("PageDown")
    expect(page.locator(".plot > .read-only-to-readers")).to_have_text(re.compile("^Line at .*a note, 1 of 1$"))
    page.keyboard.press("Delete")
    saved(page, 0)
    page.keyboard.press("Control+z")
    saved(page, 1)
    page.keyboard.press("PageUp")
    page.keyboard.press("Shift+Tab")
    for _ in range(20):
        if page.evaluate("document.activeElement.dataset.tool") == "style":
            break
        page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert saved(page, 1)[0]["style"]["color"] == "up"
    page.keyboard.press("Escape")
    expect(page.locator(".drawing-rail [data-tool=style]")).to_be_focused()
    page.locator("#chart").focus()
    # What is not drawing is the chart's.
    before = page.evaluate("window.tickboard.chart.plot.from")
    page.keyboard.press("Escape")
    page.keyboard.press("Shift+ArrowLeft")
    assert page.evaluate("window.tickboard.chart.plot.from") < before


def test_shift_and_drag_measures_and_keeps_nothing(page: Page) -> None:
    page.keyboard.down("Shift")
    page.mouse.move(*place(page, 0.3, 0.7))
    page.mouse.down()
    page.mouse.move(*place(page, 0.6, 0.3), steps=4)
    page.mouse.up()
    page.keyboard.up("Shift")
    (a, before), (b, after) = page.evaluate("window.tickboard.drawing.board.ruler")
    words = page.locator(".plot > .read-only-to-readers").inner_text().split(", ")
    assert words[0] == f"+{after - before:.2f} (+{(after / before - 1) * 100:.2f}%)"
    rows = page.evaluate("window.tickboard.chart.series().map((bar) => bar[0])")
    assert words[1].startswith(f"{sum(a < start <= b for start in rows)} bars · ")
    assert inked(page, [[a, before]]) == [True]
    page.mouse.click(*place(page, 0.9, 0.9))
    assert page.evaluate("window.tickboard.drawing.board.ruler") is None
    assert drawn(page) == []


def test_live_prices_draw_the_drawings_anew_only_when_the_scales_move(page: Page) -> None:
    take(page, "line")
    drag(page, (0.3, 0.7), (0.5, 0.4))
    saved(page, 1)
    asked, painted = page.evaluate(
        """async () => {
        const { painter } = window.tickboard.drawing, { sheet } = painter, { chart } = window.tickboard;
        let asked = 0, painted = 0;
        const cover = sheet.cover.bind(sheet), draw = painter.draw.bind(painter);
        sheet.cover = (...given) => { asked++; cover(...given); };
        painter.draw = (...given) => { painted++; draw(...given); };
        await new Promise((done) => setTimeout(done, 5000));
        return [asked, painted];
      }"""
    )
    assert asked >= 6
    assert painted <= asked / 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_finger_draws_and_moves_at_390_px(running: Any, browser: Browser, page: Page, scheme: str) -> None:
    phone, said = opened(browser, running, has_touch=True, color_scheme=scheme)
    phone.set_viewport_size({"width": 390, "height": 844})
    phone.wait_for_function("() => window.tickboard.drawing.board.kept?.loaded")
    expect(phone.locator(".drawing-rail")).not_to_be_visible()
    phone.tap(".drawing-opener")
    phone.wait_for_timeout(500)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    for one in phone.locator(".drawing-rail button").all():
        box = one.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 36
    phone.tap(".drawing-rail [data-tool=line]")
    for x, y in ((0.3, 0.7), (0.7, 0.4)):
        phone.touchscreen.tap(*place(phone, x, y))
    (made,) = saved(phone, 1)
    finger = phone.context.new_cdp_session(phone)

    def touch(kind: str, *at: float) -> None:
        points = [{"x": at[0], "y": at[1]}] if at else []
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    before = phone.evaluate("window.tickboard.chart.plot.from")
    touch("touchStart", *place(phone, 0.5, 0.55))
    for step in range(1, 5):
        touch("touchMove", *place(phone, 0.5, 0.55 + 0.05 * step))
    touch("touchEnd")
    (lower,) = saved(phone, 1)
    assert all(new[1] < old[1] for new, old in zip(lower["points"], made["points"], strict=True))
    assert phone.evaluate("window.tickboard.chart.plot.from") == pytest.approx(before, abs=120_000)
    phone.tap(".drawing-rail [data-tool=select]")
    touch("touchStart", *place(phone, 0.2, 0.1))
    for step in range(1, 5):
        touch("touchMove", *place(phone, 0.2 + 0.1 * step, 0.1))
    touch("touchEnd")
    phone.wait_for_timeout(400)
    assert phone.evaluate("window.tickboard.chart.plot.from") < before - 300_000
    assert said == []
    phone.context.close()


@pytest.mark.parametrize("scale", SCALES)
def test_a_picture_of_the_chart_has_the_drawings_where_they_are(page: Page, scale: str) -> None:
    page.select_option("#chart-scale", scale)
    page.wait_for_timeout(400)
    take(page, "line")
    drag(page, (0.3, 0.7), (0.5, 0.4))
    take(page, "text")
    page.mouse.click(*place(page, 0.6, 0.6))
    page.keyboard.type("a < b")
    page.keyboard.press("Enter")
    line, text = saved(page, 2)
    with page.expect_download():  # of nothing: only what Plotly was asked for matters
        layout = page.evaluate(
            """async () => {
            const { plot } = window.tickboard.chart, { Plotly } = plot;
            const asked = await new Promise((resolve) => {
              plot.Plotly = { ...Plotly, toImage: async (figure) => (resolve(figure.layout), "data:,") };
              document.getElementById("export-png").click();
            });
            plot.Plotly = Plotly;
            return { shapes: asked.shapes, words: asked.annotations, x: [plot.from, plot.to], y: asked.yaxis.range };
          }"""
        )
    (made, last) = layout["shapes"]
    assert (made["type"], made["xref"], made["yref"]) == ("line", "x domain", "y domain")
    assert last["xref"] == "paper"
    (left, right), (low, high) = layout["x"], layout["y"]
    for (ms, price), at in zip(line["points"], ("0", "1"), strict=True):
        height = math.log10(price) if scale == "log" else price
        assert left + made[f"x{at}"] * (right - left) == pytest.approx(ms, abs=1)
        assert low + made[f"y{at}"] * (high - low) == pytest.approx(height, rel=1e-9)
    words, price = (each["text"] for each in layout["words"])
    assert words == "a &lt; b"
    assert re.match(r"[+−]?[\d.,]+%?<br>\d", price)
    assert text["text"] == "a < b"
    with page.expect_download() as caught:
        page.click("#export-png")
    assert Path(caught.value.path()).read_bytes().startswith(b"\x89PNG")
