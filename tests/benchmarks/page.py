"""The page in Chromium: tick to paint, how busy its main thread is, its first paint with data, Lighthouse's score.

A page that is logged in, on loopback, with cards, list and chart at ten ticks a second.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.benchmarks.chart import busy_s
from tests.benchmarks.nine import opening
from tests.benchmarks.node import node, packages
from tests.benchmarks.table import Line
from tests.conftest import CHROMIUM_FLAGS, ROOT, Product, chromium, take_port

WIDE = {"width": 1440, "height": 900}
BUSY_S, BUSY_ROUNDS, TRACED_S, LOADS = 20, 3, 20, 7
LIVELY = {"TICK_MS": "100", "SEED": "1"}
QUIET = {"TICK_MS": "20000", "SEED": "1"}
MANY = {"SYMBOLS": "catalogue:2000", "STORE_MB": "512"}
#: When cards, the first candle and the first row are in the page, ms after the navigation began.
WATCH = """
window.firsts = {};
new MutationObserver(() => {
  const now = performance.now(), firsts = window.firsts;
  if (!firsts.cards && document.querySelector('#cards .card')?.textContent) firsts.cards = now;
  if (!firsts.candle && document.querySelector('.boxlayer path.box')) firsts.candle = now;
  if (!firsts.row && document.querySelector('.ag-row .ag-cell:nth-child(2)')?.textContent) firsts.row = now;
}).observe(document, { childList: true, subtree: true, characterData: true });
"""
#: A mark in the trace for each message of ticks, and how old its tick was then by the page's clock.
MARK = """() => {
  const { market } = window.tickboard;
  window.ages = [];
  market.on('received', (received) => { performance.mark('tick'); window.ages.push(market.now() - received); });
}"""
TRACED = ["devtools.timeline", "blink.user_timing", "cc", "viz", "benchmark"]


def lines() -> Iterator[Line]:
    """The lines of the page."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        try:
            with served(QUIET) as quiet, served(LIVELY) as lively:
                pages = [opened(browser, quiet), opened(browser, lively)]
                yield from tick_to_pixel(browser, pages[1])
                yield busy_line("15 instruments at 10 Hz, cards, list and chart", pages, 15)
                # What is opened from here on has the machine for itself, as its baseline has.
                cookies = pages[1].context.cookies()
                for page in pages:
                    page.context.close()
                yield from first_paint(browser, lively, cookies)
                yield from opening(browser, lively, cookies)
                yield from lighthouse(lively, cookies)
            with served(QUIET | MANY) as quiet, served(LIVELY | MANY) as lively:
                yield busy_line("2,000 rows at 10 Hz", [opened(browser, quiet), opened(browser, lively)], 25)
        finally:
            browser.close()


@contextmanager
def served(settings: dict[str, str]) -> Iterator[Product]:
    """A running product behind gunicorn."""
    with tempfile.TemporaryDirectory() as folder:
        running = Product(Path(folder), "gunicorn", settings).start()
        try:
            yield running
        finally:
            running.stop()


def opened(browser: Browser, running: Product) -> Page:
    """A page of its own profile, logged in, with the chart drawn."""
    page = browser.new_context(viewport=WIDE).new_page()
    page.goto(running.url)
    page.fill("input[name=username]", "root")
    page.fill("input[name=password]", "123456")
    page.click("button[type=submit]")
    page.wait_for_selector("#chart.js-plotly-plot", timeout=60_000)
    page.wait_for_selector(".ag-row .live", timeout=60_000)
    page.wait_for_timeout(3000)
    return page


def tick_to_pixel(browser: Browser, page: Page) -> Iterator[Line]:
    """By the page's own figure, and by Chromium's trace of frames that were shown."""
    page.bring_to_front()
    page.wait_for_timeout(62_000)
    own = page.evaluate("Number(document.getElementById('latency').dataset.p95)")
    yield Line(
        "tick to the end of the frame that draws it, p95, 15 instruments at 10 Hz",
        own,
        "ms",
        limit=25,
        note="#latency: from the receipt by the server, clock offset by ping and pong",
    )
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        browser.start_tracing(page=page, path=file.name, categories=TRACED)
        page.evaluate(MARK)
        page.wait_for_timeout(TRACED_S * 1000)
        ages = page.evaluate("window.ages")
        browser.stop_tracing()
        taken = shown_after(json.loads(Path(file.name).read_bytes())["traceEvents"], ages)
    yield Line("the same to the frame that is displayed, p95, by Chromium's trace", at(taken, 0.95), "ms", limit=42)


def shown_after(events: list[dict[str, Any]], ages: list[float]) -> list[float]:
    """Milliseconds from the receipt of each tick to the display of the frame that shows it.

    A tick's mark is followed by the animation frame that draws it, that by its commit, and that by the display.
    """

    def times(name: str) -> list[float]:
        return sorted(event["ts"] for event in events if event["name"] == name and event["ph"] in "XIR")

    marks = times("tick")
    steps = [times(name) for name in ("FireAnimationFrame", "ProxyImpl::Commit", "Display::FrameDisplayed")]
    found = []
    for mark, age in zip(marks, ages, strict=False):
        then = mark
        for step in steps:
            next_one = bisect_left(step, then)
            if next_one == len(step):
                break
            then = step[next_one]
        else:
            found.append(age + (then - mark) / 1000)
    assert len(found) > len(marks) / 2 > 10, f"{len(found)} of {len(marks)} ticks were seen on the screen"
    return found


def at(taken: list[float], part: float) -> float:
    ordered = sorted(taken)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def busy_line(what: str, pages: list[Page], limit: float) -> Line:
    """Percent of the main thread of the lively page, beside the same page over a market that hardly moves."""
    found: list[list[float]] = [[], []]
    sessions: list[Any] = []
    for page in pages:
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")
        sessions.append(session)
    for _ in range(BUSY_ROUNDS):
        for page, session, percents in zip(pages, sessions, found, strict=True):
            page.bring_to_front()
            page.wait_for_timeout(500)
            busy, began = busy_s(session), time.monotonic()
            page.wait_for_timeout(BUSY_S * 1000)
            percents.append((busy_s(session) - busy) / (time.monotonic() - began) * 100)
    quiet, lively = (statistics.median(percents) for percents in found)
    return Line(f"main thread busy, {what}", lively, "%", "the same page, a tick every 20 s", quiet, limit=limit)


def first_paint(browser: Browser, running: Product, cookies: Any) -> Iterator[Line]:
    """Navigation to the first candle (cards stand before it) and to the first row; cold cache, logged in."""
    port = take_port()
    bare = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.bare", str(port)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        time.sleep(5)
        ours: list[dict[str, float]] = []
        theirs: list[dict[str, float]] = []
        for _ in range(LOADS):
            ours.append(load(browser, running.url, cookies))
            theirs.append(load(browser, f"http://127.0.0.1:{port}", []))
    finally:
        bare.kill()
        bare.wait()
    for name, what in (("candle", "cards and the first candle"), ("row", "the first row of the list")):
        yield Line(
            f"navigation to {what} in the page, cold cache",
            statistics.median(each[name] for each in ours) / 1000,
            "s",
            "a bare Dash page with as many bars and rows",
            statistics.median(each[name] for each in theirs) / 1000,
            limit=1 if name == "candle" else None,
        )


def load(browser: Browser, url: str, cookies: Any) -> dict[str, float]:
    """One navigation in a profile of its own: ms to `cards`, `candle` and `row`."""
    context = browser.new_context(viewport=WIDE)
    try:
        context.add_init_script(WATCH)
        if cookies:
            context.add_cookies(cookies)
        page = context.new_page()
        page.goto(url, wait_until="commit")
        for _ in range(600):
            found: dict[str, float] = page.evaluate("window.firsts || {}")
            if len(found) == 3:
                return found
            page.wait_for_timeout(50)
        raise AssertionError(f"{url} has only {found}")
    finally:
        context.close()


def lighthouse(running: Product, cookies: Any) -> Iterator[Line]:
    """Lighthouse's score for performance, logged in, as an analyst's screen and as its slow telephone."""
    cookie = "; ".join(f"{each['name']}={each['value']}" for each in cookies)
    for preset in ("desktop", "mobile"):
        report = audit(running.url, cookie, preset)
        score = report["categories"]["performance"]["score"] * 100
        audits = report["audits"]
        names = ("first-contentful-paint", "largest-contentful-paint", "total-blocking-time", "cumulative-layout-shift")
        said = ", ".join(
            f"{''.join(w[0] for w in name.split('-')).upper()} {audits[name]['displayValue']}" for name in names
        )
        # Less is better in this table: what is missing to 100.
        yield Line(
            f"Lighthouse performance, {preset}: points short of 100",
            100 - score,
            "",
            limit=10 if preset == "desktop" else None,
            note=said.replace("\xa0", " "),
        )


def audit(url: str, cookie: str, preset: str) -> dict[str, Any]:
    """Run Lighthouse's command line on a page that needs a cookie."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "report.json"
        command = [
            node(),
            str(packages() / "lighthouse" / "cli" / "index.js"),
            url,
            "--only-categories=performance",
            "--output=json",
            f"--output-path={out}",
            f"--extra-headers={json.dumps({'Cookie': cookie})}",
            f"--chrome-flags=--headless=new {' '.join(CHROMIUM_FLAGS)}",
            "--no-enable-error-reporting",
            "--quiet",
            *(["--preset=desktop"] if preset == "desktop" else []),
        ]
        run = subprocess.run(
            command,
            env=os.environ | {"CHROME_PATH": chromium()},
            check=False,
            timeout=300,
            capture_output=True,
            text=True,
        )
        if run.returncode:
            raise RuntimeError(f"Lighthouse ended with {run.returncode}: {run.stderr.strip()[-300:]}")
        report: dict[str, Any] = json.loads(out.read_bytes())
        return report
