"""What tests of streamed exports share: a store with more ticks than a piece has, and the pieces of an answer."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dashboard.market.ticks import TickBatch
from tests.house import House


def many(house: House, count: int, symbols: tuple[int, ...] = (0,)) -> None:
    """Give the store a lot of ticks at once."""
    house.clock.advance(1_000)
    now = house.clock.now_ms()
    price = 100.0 + np.arange(count) / 64
    nothing = np.full(count, np.nan)
    who = np.resize(np.array(symbols, dtype=np.int64), count)
    stamps = np.full(count, int(now), dtype=np.int64)
    house.runtime.intake.ticks(TickBatch(who, stamps, np.full(count, now), price, np.ones(count), nothing, nothing))


def streamed(house: House, form: str = "csv", symbol: str = "AAPL", timeframe: str = "tick") -> Iterator[bytes]:
    """The pieces of an export, as the server would send them."""
    answer = house.enter("ada").get(f"/api/v1/export/{symbol}.{form}?timeframe={timeframe}", buffered=False)
    assert answer.status_code == 200
    assert answer.headers.get("Content-Length") is None, "a stream does not know its length"
    return iter(answer.response)
