"""Drawing on the running page, tool by tool: by mouse and keys, on every price scale, kept over a reload."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from dashboard.workbench.drawings import POINTS
from dashboard.workbench.views import SCALES
from tests.browser.drawing.board import drag, drawn, hold, lies_at, place, saved, take
from tests.browser.waits import settled

WHERE = {"line": ((0.2, 0.7), (0.5, 0.3)), "horizontal": ((0.4, 0.2), (0.4, 0.2)), "text": ((0.6, 0.6), (0.6, 0.6))}


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("kind", POINTS)
def test_each_tool_draws_where_it_was_told_and_the_drawing_is_there_after_a_reload(
    page: Page, kind: str, scale: str
) -> None:
    page.select_option("#chart-scale", scale)
    settled(page, scale=scale)
    hold(page)
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
        lies_at(page, corner)
    page.reload()
    page.wait_for_selector("#chart.js-plotly-plot")
    page.wait_for_function("() => window.tickboard?.drawing?.board.drawings.length === 1")
    assert drawn(page) == [made]
    settled(page, scale=scale)
    if kind != "text":
        lies_at(page, corner)
    assert page.evaluate("document.querySelector('.plot b')") is None


def test_a_drawing_keeps_its_place_in_the_market_over_timeframes_pan_zoom_scales_and_older_bars(page: Page) -> None:
    take(page, "line")
    drag(page, (0.3, 0.7), (0.6, 0.35))
    (made,) = saved(page, 1)
    page.locator("#chart").press("Escape")
    # The same part of the market each time: its prices reach as far as those that it was drawn among.
    view = page.evaluate("(({ from, to }) => [from, to])(window.tickboard.chart.plot)")
    for timeframe in ("5m", "15s", "1m"):
        page.locator("#timeframe label", has_text=re.compile(f"^{timeframe}$")).click()
        page.wait_for_function("t => window.tickboard.chart.plot.figure.timeframe === t", arg=timeframe)
        page.evaluate(
            """(view) => {
            const { plot } = window.tickboard.chart;
            [plot.from, plot.to] = view;
            plot.heard("moved");
          }""",
            view,
        )
        lies_at(page, made["points"], timeframe)
    for scale in SCALES:
        page.select_option("#chart-scale", scale)
        settled(page, scale=scale)
        lies_at(page, made["points"], scale)
    page.mouse.move(*place(page, 0.5, 0.9))
    page.mouse.down()
    page.mouse.move(*place(page, 0.62, 0.9), steps=5)
    lies_at(page, made["points"], "while the view is dragged")
    page.mouse.up()
    page.wait_for_timeout(300)
    page.mouse.wheel(0, 240)
    page.wait_for_timeout(600)
    lies_at(page, made["points"], "after a turn of the wheel")
    first = page.evaluate("window.tickboard.chart.series()[0][0]")
    page.locator("#chart").focus()
    for _ in range(60):
        page.keyboard.press("-")
        if page.evaluate("window.tickboard.chart.series()[0][0]") < first:
            break
        page.wait_for_timeout(100)
    page.wait_for_function("first => window.tickboard.chart.series()[0][0] < first", arg=first)
    page.evaluate(
        "(view) => { const { plot } = tickboard.chart; [plot.from, plot.to] = view; plot.heard('moved'); }", view
    )
    lies_at(page, made["points"])
    assert drawn(page) == [made]


def test_selected_moved_by_a_point_recoloured_deleted_undone_and_redone(page: Page) -> None:
    hold(page)
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
    hold(page)
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
    settled(page, scale="log")
    hold(page)
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
    hold(page)
    take(page, "line")
    drag(page, (0.3, 0.7), (0.5, 0.4))
    (made,) = saved(page, 1)
    before = page.evaluate("window.tickboard.chart.plot.from")
    drag(page, (0.7, 0.2), (0.8, 0.2))
    page.wait_for_function("before => window.tickboard.chart.plot.from < before", arg=before)
    assert page.evaluate("window.tickboard.drawing.board.selected") == ""
    assert drawn(page) == [made]


def test_everything_is_done_by_keys(page: Page) -> None:
    hold(page)
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
    expect(page.locator(".plot > span.read-only-to-readers")).to_have_text(re.compile("^Line at .*a note, 1 of 1$"))
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
    page.wait_for_function("before => window.tickboard.chart.plot.from < before", arg=before)


def test_shift_and_drag_measures_and_keeps_nothing(page: Page) -> None:
    hold(page)
    page.keyboard.down("Shift")
    page.mouse.move(*place(page, 0.3, 0.7))
    page.mouse.down()
    page.mouse.move(*place(page, 0.6, 0.3), steps=4)
    page.mouse.up()
    page.keyboard.up("Shift")
    (a, before), (b, after) = page.evaluate("window.tickboard.drawing.board.ruler")
    words = page.locator(".plot > span.read-only-to-readers").inner_text().split(", ")
    assert words[0] == f"+{after - before:.2f} (+{(after / before - 1) * 100:.2f}%)"
    rows = page.evaluate("window.tickboard.chart.series().map((bar) => bar[0])")
    assert words[1].startswith(f"{sum(a < start <= b for start in rows)} bars · ")
    lies_at(page, [[a, before]])
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
        for (let left = 300; left && asked < 12; left--) await new Promise((done) => setTimeout(done, 100));
        return [asked, painted];
      }"""
    )
    assert asked >= 6
    assert painted <= asked / 3
