"""`Touched`: the bars that one step of a book changed, copied out of it only when somebody asks for them."""

from __future__ import annotations

import numpy as np

from dashboard.market.bars import COLUMNS, START, TIMEFRAMES
from dashboard.market.ticks import Floats, Ints


class Touched:
    """Bars that changed in one step, each once, in their state right after it.

    The newest bars of `keys` (None: of every key) lie in the book's own table `forming` until it is about to change
    again: then the book calls `freeze`, provided that anybody still holds this object. `older` are copies of the
    others: (keys, rows float64[11, m]) in the order of their changes. Not for several threads: the store asks under
    its lock.
    """

    __slots__ = ("__weakref__", "_compact", "_forming", "_instruments", "_keys", "_older")

    def __init__(self, forming: Floats, instruments: int, keys: Ints | None, older: list[tuple[Ints, Floats]]) -> None:
        self._forming, self._instruments, self._keys, self._older = forming, instruments, keys, older
        # Whether the table holds only the bars of `keys`, in their order.
        self._compact = False

    @property
    def most(self) -> int:
        """No fewer than there are: a bar that changed twice in the step counts twice."""
        newest = self._instruments * len(TIMEFRAMES) if self._keys is None else len(self._keys)
        return newest + sum(len(keys) for keys, _rows in self._older)

    def freeze(self) -> None:
        """Keep the newest bars as they are now."""
        keys = self._keys
        self._forming = self._forming[:COLUMNS].copy() if keys is None else self._newest(keys)
        self._compact = keys is not None

    def frame(self, timeframe: int) -> tuple[Ints, Floats]:
        """(instruments int64[m], rows float64[m, 8]) of a timeframe, by instrument and start."""
        low = timeframe * self._instruments
        keys, rows = self._between(low, low + self._instruments)
        return keys - low, rows

    def everything(self) -> tuple[Ints, Floats]:
        """(keys int64[m], rows float64[m, 8]) of all timeframes, by key and start."""
        return self._between(0, self._instruments * len(TIMEFRAMES))

    def _between(self, low: int, high: int) -> tuple[Ints, Floats]:
        if self._keys is None:
            key = np.arange(low, high, dtype=np.int64)
            rows = self._forming[:COLUMNS, low:high].copy()
        else:
            key = self._keys[slice(*np.searchsorted(self._keys, (low, high)))]
            rows = self._newest(key)
        parts = [(key, rows)]
        for keys, older in reversed(self._older):
            mine = (keys >= low) & (keys < high)
            if mine.any():
                parts.insert(0, (keys[mine], older[:COLUMNS, mine]))
        if len(parts) == 1:
            return key, rows.T
        key = np.concatenate([keys for keys, _rows in parts])
        rows = np.concatenate([rows for _keys, rows in parts], axis=1)
        order = np.lexsort((rows[START], key))
        key, rows = key[order], rows[:, order]
        final = np.ones(len(key), dtype=np.bool_)
        final[:-1] = (key[1:] != key[:-1]) | (rows[START, 1:] != rows[START, :-1])
        return key[final], rows[:, final].T

    def _newest(self, keys: Ints) -> Floats:
        if not self._compact:
            return self._forming[:COLUMNS, keys]
        assert self._keys is not None
        return self._forming[:COLUMNS, np.searchsorted(self._keys, keys)]
