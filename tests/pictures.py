"""`make pictures`: the README's pictures of the page, in `docs/`, of the product as it runs."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Literal

from playwright.sync_api import sync_playwright

from tests.conftest import CHROMIUM_FLAGS, Product, chromium

DOCS = Path(__file__).parents[1] / "docs"
WIDE, PHONE = (1440, 900), (390, 844)
LINKED = "/compare?layout=4&charts=AAPL:5m,MSFT:5m,BTC-USD:1m,GOLD:15m"
COMPARED = "/?symbol=AAPL&timeframe=15m&type=line&compare=MSFT,GOOGL,BTC-USD&correlation=50"
STUDIED = "/?symbol=BTC-USD&timeframe=5m&type=candles&indicators=ema:20,bbands:20:2,rsi:14,macd&side=trades"
#: By name: the address, something that is there once the page is whole, the size in px, the theme.
PICTURES: dict[str, tuple[str, str, tuple[int, int], Literal["light", "dark"]]] = {
    "dashboard": ("/?symbol=AAPL&timeframe=1m&type=candles", ".js-plotly-plot", WIDE, "light"),
    "indicators": (STUDIED, ".js-plotly-plot", WIDE, "dark"),
    "market": ("/market", ".heat-map [data-symbol]", WIDE, "light"),
    "compare": (LINKED, ".cell:nth-child(4) .js-plotly-plot", WIDE, "dark"),
    "compared": (COMPARED, ".js-plotly-plot", WIDE, "light"),
    "phone": (STUDIED, ".js-plotly-plot", PHONE, "dark"),
}
#: How long prices, trades and panels have to come, ms.
SETTLED_MS = 8_000


def main(names: list[str]) -> int:
    """Take the pictures that are named, or all."""
    unknown = [name for name in names if name not in PICTURES]
    if unknown:
        print(f"there is no picture {unknown[0]!r}; pictures are {', '.join(PICTURES)}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        running = Product(Path(folder), "app", {"SEED": "11"}).start()
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        try:
            for name in names or PICTURES:
                address, sign, (width, height), theme = PICTURES[name]
                page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=theme)
                page.goto(running.url)
                page.fill("#username", "root")
                page.fill("#password", "123456")
                page.click("button[type=submit]")
                page.wait_for_selector(".js-plotly-plot")
                page.goto(running.url + address)
                page.wait_for_selector(sign)
                page.wait_for_timeout(SETTLED_MS)
                page.screenshot(path=DOCS / f"{name}.png")
                page.close()
        finally:
            browser.close()
            running.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
