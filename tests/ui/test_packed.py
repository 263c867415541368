"""Packed bars: exactly the values of the store, in the Python and the browser that read them, within 60 bytes a bar."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Page

from dashboard.ui.packed import packed
from tests.browser import test_modules
from tests.ui.unpacked import unpacked

blank = test_modules.blank
ODD = [0.1, 1 / 3, 1e-9, 2.0**-40, 1e15 + 0.5, -0.07, 4294967295.0, 4294967296.0, 1e308, 0.00000001, 66924.1]
STARTS = [1_795_428_000_000, 1_795_428_060_000, 1_795_687_200_000]


def bars(prices: list[float]) -> Any:
    rows = [[start, *prices[:4], prices[4], 7, 257] for start in STARTS]
    return np.array(rows, dtype=np.float64)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=64), min_size=5, max_size=5))
def test_every_value_is_the_same_after_packing(prices: list[float]) -> None:
    rows = bars(prices)
    assert unpacked(packed(rows)) == rows.tolist()


@given(st.lists(st.decimals(min_value=0, max_value=10**6, places=4), min_size=5, max_size=5))
def test_decimal_prices_take_no_more_than_half_of_a_float(prices: list[Any]) -> None:
    made = packed(bars([float(price) for price in prices]))
    for name in ("open", "high", "low", "close"):
        assert made[name]["dtype"] != "f8" or float(max(prices)) * 10**4 > 2**32 - 1


def test_the_page_reads_what_python_packs(blank: Page) -> None:
    for at in range(len(ODD) - 4):
        rows = bars(ODD[at : at + 5])
        read = blank.evaluate(
            "async (given) => (await import('/chart/packed.mjs')).unpacked(given)",
            orjson.loads(orjson.dumps(packed(rows))),
        )
        assert read == rows.tolist()
    assert (
        blank.evaluate("async (given) => (await import('/chart/packed.mjs')).unpacked(given)", packed(bars(ODD)[:0]))
        == []
    )


@pytest.mark.parametrize(("price", "decimals"), [(188.81, 2), (66_924.1, 1), (1.08734, 5)])
def test_a_bar_takes_at_most_sixty_bytes(price: float, decimals: int) -> None:
    random = np.random.default_rng(3)
    rows = np.empty((1000, 8))
    rows[:, 0] = 1_795_428_000_000 + 60_000 * np.arange(1000)
    rows[:, 1:5] = np.round(price * (1 + random.standard_normal((1000, 4)) / 100), decimals)
    rows[:, 5] = random.integers(1, 10**6, 1000) / 64
    rows[:, 6], rows[:, 7] = random.integers(1, 900, 1000), 1
    made = packed(rows)
    assert len(orjson.dumps(made)) / 1000 <= 60
    assert np.array_equal(np.array(unpacked(made)), rows)
    assert not math.isnan(rows.sum())
