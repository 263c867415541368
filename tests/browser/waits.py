"""How the browser's tests wait: for what is to come, however slow the machine, and not for so many milliseconds."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Error, Locator, Page, Route

#: A machine that does other things too takes its time.
PATIENCE_MS = 20_000

#: Frames in which everything is drawn.
FRAMES = "() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))"
#: Toasts leave by themselves: for who comes late they stay, as under the pointer.
TOASTS_STAY = """const wait = window.setTimeout.bind(window);
window.setTimeout = (run, ms, ...given) => wait(run, ms === 12000 ? 600000 : ms, ...given);"""


def until(found: Callable[[], Any], wanted: Any = True, seconds: float = PATIENCE_MS / 1000) -> None:
    """Wait until something is as wanted: what is on the page is so a moment later."""
    end = time.monotonic() + seconds
    while (now := found()) != wanted and time.monotonic() < end:
        time.sleep(0.05)
    assert now == wanted


def tried(look: Callable[[], None], seconds: float = PATIENCE_MS / 1000) -> None:
    """Look again where something that moves has come between two that are compared."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            return look()
        except AssertionError:
            time.sleep(0.2)
    return look()


def settled(page: Page, **figure: str) -> None:
    """Wait until the chart is drawn in the size that it has, of such a symbol, timeframe, type or scale."""
    page.wait_for_function(
        """(wanted) => {
        const plot = window.tickboard?.chart.plot, { place, figure } = plot ?? {}, full = place?._fullLayout;
        const now = { ...figure, scale: plot?.scale };
        return figure && full && full.width === place.clientWidth && full.height === place.clientHeight
          && Object.entries(wanted).every(([name, value]) => now[name] === value);
      }""",
        arg=figure,
    )
    page.evaluate(FRAMES)


def at_work(page: Page) -> None:
    """Wait until every part of the page listens and the chart has drawn."""
    page.wait_for_function("() => window.tickboard?.chart.plot.figure")


def try_again(page: Page, panel: Locator, path: str) -> None:
    """Press a panel's "Try again" where `path` has failed until then: what the panel asks by its own clock before the
    press is not answered sooner, so that nothing else can have mended it. No request is met otherwise afterwards."""
    held: list[Route] = []
    pressed = False

    def wait(route: Route) -> None:
        if pressed:
            route.continue_()
        else:
            held.append(route)

    page.route(path, wait)
    panel.get_by_role("button", name="Try again").click()
    pressed = True
    for route in held:
        with contextlib.suppress(Error):  # the page may have given it up
            route.continue_()
    page.unroute_all()
