"""The store's panel: the newest bars of many instruments are those that each instrument has by itself."""

from __future__ import annotations

import numpy as np
import pytest

from dashboard.market.bars import CLOSE, HIGH, LOW, NEVER, START, TRADES, VOLUME
from dashboard.store import memory
from dashboard.store.memory import MemoryStore
from tests.store.making import SECOND, give, store_of


@pytest.fixture
def store() -> MemoryStore:
    """Uneven instruments: one has lapped its ring, one has a few bars, one has none."""
    made = store_of("AAPL,MSFT,V", budget_mb=16)
    for low in range(0, 20_000, 500):
        give(made, *((0, turn * 1000, 100 + turn % 7, 2.0) for turn in range(low, low + 500)))
    for turn in range(5):
        give(made, (1, turn * 3000, 50 + turn, 1.0))
    return made


@pytest.mark.parametrize("count", [1, 7, 64, 100_000])
@pytest.mark.parametrize("who", [[0, 1, 2], [2, 0], [1]])
def test_each_row_has_the_bars_of_its_instrument(store: MemoryStore, count: int, who: list[int]) -> None:
    panel = store.panel(np.array(who), SECOND, count)
    assert panel.start.shape[1] == min(count, store.kept_bars[SECOND])
    assert int(store.bars(0, SECOND).rows[0, START]) > store.bars(1, SECOND).rows[0, START], "the ring has lapped"
    for row, instrument in enumerate(who):
        bars = store.bars(instrument, SECOND, limit=count).rows
        there = panel.start[row] != NEVER
        assert there.tolist() == [False] * (len(there) - len(bars)) + [True] * len(bars)
        for name, field in (
            ("start", START), ("high", HIGH), ("low", LOW), ("close", CLOSE), ("volume", VOLUME), ("trades", TRADES),
        ):  # fmt: skip
            column = getattr(panel, name)[row]
            assert column[there].tolist() == bars[:, field].tolist()
            assert name == "start" or np.isnan(column[~there]).all()


def test_many_instruments_are_read_in_steps_with_the_same_result(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = store.panel(np.arange(3), SECOND, 50)
    monkeypatch.setattr(memory, "PANEL_STEP", 1)
    parts = store.panel(np.arange(3), SECOND, 50)
    for name in type(whole).__slots__:
        np.testing.assert_array_equal(getattr(whole, name), getattr(parts, name))


def test_a_panel_is_of_one_epoch(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "PANEL_STEP", 1)
    real, calls = memory.panel_of, []

    def once_reset(*given: object) -> object:
        calls.append(given)
        if len(calls) == 2:
            store.reset()
            give(store, (0, 0, 1.0))
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(memory, "panel_of", once_reset)
    panel = store.panel(np.arange(3), SECOND, 5)
    assert panel.close[0, -1] == 1.0
    assert np.isnan(panel.close[1:]).all()


def test_a_panel_of_nobody_is_empty(store: MemoryStore) -> None:
    assert store.panel(np.zeros(0, dtype=np.int64), SECOND, 5).close.shape[0] == 0
