"""The page open for long: nothing throws, nothing grows. `make soak` watches for 30 minutes and judges the heap."""

from __future__ import annotations

import statistics
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.test_done_when import log_in, state_is
from tests.conftest import Scale

#: What a page may grow by: bars of half an hour, alerts' lines, the engine's own caches.
ROOM_BYTES = 4_000_000


@pytest.mark.soak
def test_a_page_that_is_open_for_long_does_not_grow(product: Any, browser: Browser, scale: Scale) -> None:
    running = product(TICK_MS="100", SEED="11")
    page = log_in(browser, running.url, "/?symbol=BTC-USD&timeframe=1s")
    state_is(page, "live")
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda line: said.append(line.text) if line.type in ("error", "warning") else None)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    session.send("HeapProfiler.enable")
    found: list[dict[str, float]] = []
    for _ in range(scale.of(5, 60)):
        page.wait_for_timeout(scale.of(2_000, 30_000))
        session.send("HeapProfiler.collectGarbage")
        metrics = session.send("Performance.getMetrics")["metrics"]
        found.append({metric["name"]: metric["value"] for metric in metrics})
    assert said == []
    state_is(page, "live")
    first, last = found[0], found[-1]
    # The chart's redraws come and go; what is left behind would grow with every one of them.
    assert last["Nodes"] <= first["Nodes"] * 1.5 + 1000, f"{first['Nodes']:.0f} nodes became {last['Nodes']:.0f}"
    assert last["JSEventListeners"] <= first["JSEventListeners"] * 1.2 + 50
    assert last["Documents"] <= first["Documents"] + 1
    if scale.full:
        third = len(found) // 3
        heap = [sample["JSHeapUsedSize"] for sample in found]
        early, late = statistics.median(heap[:third]), statistics.median(heap[-third:])
        assert late <= early + ROOM_BYTES, f"{early / 1e6:.1f} MB became {late / 1e6:.1f} MB in 30 minutes"
    page.context.close()
