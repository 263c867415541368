"""Drawing by finger on a telephone."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.drawing.board import hold, place, saved
from tests.browser.test_chart_types import opened
from tests.browser.waits import settled


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_finger_draws_and_moves_at_390_px(running: Any, browser: Browser, page: Page, scheme: str) -> None:
    phone, said = opened(browser, running, has_touch=True, color_scheme=scheme)
    phone.set_viewport_size({"width": 390, "height": 844})
    phone.wait_for_function("() => window.tickboard.drawing.board.kept?.loaded")
    expect(phone.locator(".drawing-rail")).not_to_be_visible()
    phone.tap(".drawing-opener")
    expect(phone.locator(".drawing-rail")).to_be_visible()
    settled(phone)
    hold(phone)
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
    phone.wait_for_function("before => window.tickboard.chart.plot.from < before - 300_000", arg=before)
    assert said == []
    phone.context.close()
