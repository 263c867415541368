"""The 52-week range, against a plain fold over the ticks themselves."""

from __future__ import annotations

import numpy as np
import pytest

from dashboard.market.bars import NEVER
from dashboard.market.yearly import BARS, YearRanges, year_ranges
from dashboard.store.memory import MemoryStore
from tests.market.making import MIDNIGHT
from tests.store.making import DAY, DAY_MS, give, store_of

#: (instrument, ms after MIDNIGHT, price)
Tick = tuple[int, int, float]


def ranges(store: MemoryStore) -> YearRanges:
    return year_ranges(store.panel(np.arange(len(store.catalogue)), DAY, BARS))


def folded(ticks: list[Tick], who: int) -> tuple[float, float, int, bool]:
    """(low, high, first day, whether it goes back 52 weeks) by walking the ticks."""
    mine = [(at // DAY_MS, price) for one, at, price in ticks if one == who]
    today = max(day for day, _price in mine)
    first = today - 363
    inside = [(day, price) for day, price in mine if day >= first]
    prices = [price for _day, price in inside]
    begins = min(day for day, _price in inside)
    return min(prices), max(prices), MIDNIGHT + begins * DAY_MS, min(day for day, _price in mine) <= first


@pytest.mark.parametrize("seed", range(6))
def test_a_range_is_the_fold_of_the_last_364_days(seed: int) -> None:
    """Three instruments with days missing at random, over far less, about and far more than a year."""
    random = np.random.default_rng(seed)
    ticks: list[Tick] = []
    for who, days in enumerate((40, int(random.integers(360, 369)), 700)):
        price = 100.0
        for day in range(days):
            if random.random() < 0.3:
                continue
            for part in range(3):
                price *= float(np.exp(random.normal(0, 0.02)))
                ticks.append((who, day * DAY_MS + part * 1000, price))
    store = store_of()
    for low in range(0, len(ticks), 200):
        give(store, *ticks[low : low + 200])
    found = ranges(store)
    for who in range(3):
        given = (found.low[who], found.high[who], found.since[who], found.whole[who])
        assert given == folded(ticks, who), who
    assert found.whole[2]
    assert not found.whole[0]


def test_the_364th_day_counts_and_the_365th_does_not() -> None:
    store = store_of()
    newest = 500 * DAY_MS
    give(store, (0, newest - 364 * DAY_MS, 1.0), (0, newest - 363 * DAY_MS, 5.0), (0, newest, 7.0))
    give(store, (1, newest - 363 * DAY_MS, 5.0), (1, newest, 7.0))
    give(store, (2, newest - 362 * DAY_MS, 5.0), (2, newest, 7.0))
    found = ranges(store)
    assert found.low.tolist() == [5.0] * 3
    assert found.high.tolist() == [7.0] * 3
    assert found.whole.tolist() == [True, True, False]
    assert found.since.tolist() == [MIDNIGHT + newest - days * DAY_MS for days in (363, 363, 362)]


def test_one_bar_is_a_range_of_its_own_a_price_that_stands_still_too_and_none_is_none() -> None:
    store = store_of()
    give(store, (0, 0, 5.0), (0, 1000, 4.0))
    for day in range(3):
        give(store, (1, day * DAY_MS, 9.0))
    found = ranges(store)
    assert (found.low[0], found.high[0], found.since[0], found.whole[0]) == (4.0, 5.0, MIDNIGHT, False)
    assert (found.low[1], found.high[1]) == (9.0, 9.0)
    assert np.isnan([found.low[2], found.high[2]]).all()
    assert (found.since[2], found.whole[2]) == (NEVER, False)


def test_a_market_without_instruments_or_bars_has_no_ranges() -> None:
    store = store_of()
    assert np.isnan(ranges(store).low).all()
    nobody = year_ranges(store.panel(np.zeros(0, dtype=np.int64), DAY, BARS))
    assert len(nobody.low) == len(nobody.whole) == 0


def test_where_less_is_kept_than_a_year_the_range_says_since_when() -> None:
    store = store_of(budget_mb=8)
    kept = store.kept_bars[DAY]
    assert kept < 364
    for low in range(0, 400, 100):
        give(store, *((0, day * DAY_MS, 100.0 + day) for day in range(low, low + 100)))
    found = ranges(store)
    assert (found.low[0], found.high[0]) == (100.0 + 400 - kept, 499.0)
    assert (found.since[0], found.whole[0]) == (MIDNIGHT + (400 - kept) * DAY_MS, False)
