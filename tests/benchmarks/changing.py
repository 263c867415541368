"""Another instrument or timeframe on a chart of 5,000 bars and four indicators, and the bytes that a bar takes."""

from __future__ import annotations

import itertools
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

import orjson
from playwright.sync_api import Page, sync_playwright

from tests.benchmarks.lengthy import LengthyProduct
from tests.benchmarks.load import callback_body
from tests.benchmarks.moving import STUDIES, enter
from tests.benchmarks.page import at
from tests.benchmarks.table import Line
from tests.conftest import CHROMIUM_FLAGS, Product, chromium

BARS, CHANGES, REDRAWN, LIMIT_MS, LIMIT_BYTES = 5000, 48, 5, 150, 60
#: Days of minutes that are more than 5,000 bars of five minutes too.
DAYS = 18
SYMBOLS = ("MSFT", "TSLA", "NVDA", "BTC-USD", "GOLD", "AAPL")
#: From the act to the end of the frame that shows it: the first frame that began after the chart was drawn.
CHANGE = """async ([patch, symbol, timeframe]) => {
  const { view, chart } = window.tickboard, { plot } = chart;
  const began = performance.now();
  view.set(patch);
  await new Promise((done) => {
    const frame = () => {
      const shown = plot.figure.symbol === symbol && plot.figure.timeframe === timeframe && plot.drawnAt > began;
      if (!shown) return requestAnimationFrame(frame);
      const channel = new MessageChannel();
      channel.port1.onmessage = done;
      channel.port2.postMessage(null);
    };
    requestAnimationFrame(frame);
  });
  const taken = performance.now() - began;
  const seen = chart.series().filter((bar) => bar[0] >= plot.from).length;
  return [taken, seen, plot.studies.shown.length];
}"""
#: Plotly's own drawing of the same bars and lines, all of them, in a place as large.
REDRAW = """async () => {
  const { plot } = window.tickboard.chart, { series, studies } = plot;
  const place = (window.redrawn ??= document.body.appendChild(document.createElement("div")));
  Object.assign(place.style, { position: "fixed", inset: "0 auto auto 0", width: "820px", height: "640px" });
  const rows = series.rows.slice(-5000), x = rows.map((bar) => new Date(bar[0]).toISOString());
  const column = (field) => rows.map((bar) => bar[field] * (1 + Math.random() * 1e-6));
  const line = (values) => ({ type: "scatter", mode: "lines", x, y: values.slice(-5000) });
  const lines = studies.shown.flatMap(({ study }) => study.values.map(line));
  const traces = [
    { type: "candlestick", x, open: column(1), high: column(2), low: column(3), close: column(4) },
    { type: "bar", x, y: column(5), yaxis: "y2" },
    ...lines,
  ];
  const axes = { xaxis: { rangeslider: { visible: false } }, yaxis: { domain: [0.3, 1] } };
  const layout = { width: 820, height: 640, ...axes, yaxis2: { domain: [0, 0.2] } };
  const began = performance.now();
  await plot.Plotly.react(place, traces, layout);
  await new Promise((done) => requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = done;
    channel.port2.postMessage(null);
  }));
  const taken = performance.now() - began;
  plot.Plotly.purge(place);
  return taken;
}"""


def lines() -> Iterator[Line]:
    """Milliseconds of a change, and bytes of its answer."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        running = LengthyProduct(Path(folder), DAYS, {"TICK_MS": "1000", "SEED": "1"}).start()
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        try:
            page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
            enter(page, running, f"symbol=AAPL&timeframe=1m&indicators={STUDIES}")
            widen(page)
            symbols = changes(page, [({"symbol": symbol}, symbol, "1m") for symbol in SYMBOLS])
            redrawn = [page.evaluate(REDRAW) for _ in range(REDRAWN)]
            frames = changes(page, [({"timeframe": frame}, SYMBOLS[-1], frame) for frame in ("5m", "1m")])
            yield from painted(symbols, frames, redrawn)
            yield payload(running)
        finally:
            browser.close()
            running.stop()


def widen(page: Page) -> None:
    """Have 5,000 bars in view, the newest at the right."""
    page.evaluate(
        """(bars) => {
          const { plot } = window.tickboard.chart, end = plot.axis.place(plot.series.newest[0]);
          plot.look(end - bars * 60000, end + 60000);
          plot.moved = true;
          plot.heard("moved");
        }""",
        BARS,
    )
    page.wait_for_function("(bars) => window.tickboard.chart.series().length > bars", arg=BARS)
    page.wait_for_timeout(3000)


def changes(page: Page, asked: list[tuple[dict[str, str], str, str]]) -> list[float]:
    """Milliseconds of each change, one after the other in turn."""
    found = []
    for number, (patch, symbol, timeframe) in enumerate(itertools.cycle(asked)):
        if number == CHANGES + len(asked):
            return found
        taken, seen, studied = page.evaluate(CHANGE, [patch, symbol, timeframe])
        assert studied == len(STUDIES.split(",")), f"{studied} indicators of {symbol} are shown"
        assert seen > BARS * 0.95, f"{seen} bars of {symbol} {timeframe} are in view"
        if number >= len(asked):  # the first of each warm up
            found.append(taken)
        page.wait_for_timeout(400)
    raise AssertionError


def painted(symbols: list[float], frames: list[float], redrawn: list[float]) -> Iterator[Line]:
    for what, found in (("instrument", symbols), ("timeframe", frames)):
        for part, named in ((statistics.median, "p50"), (lambda each: at(each, 0.95), "p95")):
            yield Line(
                f"another {what}, {BARS:,} bars and four indicators shown: act to the end of its frame, {named}",
                part(found),
                "ms",
                "Plotly.react of those bars and lines, without asking for them",
                part(redrawn),
                limit=LIMIT_MS if named == "p95" else None,
            )


def payload(running: Product) -> Line:
    """Bytes a bar of the callback's whole answer, less than what it says of no bar."""
    body = orjson.loads(callback_body("AAPL", BARS))
    body["inputs"][0]["value"]["indicators"] = STUDIES
    client = running.client()
    try:

        def size(bars: int) -> int:
            body["inputs"][0]["value"]["bars"] = bars
            answer = client.post(
                "/_dash-update-component",
                content=orjson.dumps(body),
                headers={"content-type": "application/json", "accept-encoding": "identity"},
            )
            return len(answer.content)

        whole, few = size(BARS), size(1)
        rows = client.get(
            f"/api/v1/tickers/AAPL/bars?timeframe=1m&limit={BARS}", headers={"accept-encoding": "identity"}
        )
    finally:
        client.close()
    return Line(
        f"the answer that a chart of {BARS:,} bars and four indicators is drawn from, a bar, before compression",
        whole / BARS,
        "bytes",
        "the same bars as rows of the API",
        len(rows.content) / BARS,
        limit=LIMIT_BYTES,
        note=f"{few:,} bytes of the {whole:,} are there without a bar: layout, traces, states of indicators",
    )
