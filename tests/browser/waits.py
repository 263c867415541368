"""How the browser's tests wait: for what is to come, however slow the machine, and not for so many milliseconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

#: A machine that does other things too takes its time.
PATIENCE_MS = 20_000
expect.set_options(timeout=PATIENCE_MS)

#: Frames in which everything is drawn.
FRAMES = "() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))"
#: Toasts leave by themselves: for who comes late they stay, as under the pointer.
TOASTS_STAY = """const wait = window.setTimeout.bind(window);
window.setTimeout = (run, ms, ...given) => wait(run, ms === 12000 ? 600000 : ms, ...given);"""


def until(found: Callable[[], Any], wanted: Any, seconds: float = PATIENCE_MS / 1000) -> None:
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
