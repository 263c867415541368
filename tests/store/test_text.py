"""Rows as text: every float comes back as the same float, from the shortest text; whole numbers stay whole."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hn

from dashboard.store import text
from dashboard.store.change import BAR_COLUMNS
from dashboard.store.tables import TICK_COLUMNS

FLOATS = hn.arrays(np.float64, st.tuples(st.integers(1, 30), st.just(4)), elements=st.floats(width=64))


def with_whole(values: np.ndarray) -> np.ndarray:
    """Rows of ticks with these prices, sizes, bids and asks."""
    count = len(values)
    seq = 2.0**53 - np.arange(count, 0, -1)
    ts = np.linspace(0, 253_402_300_799_999, count).round()
    return np.column_stack((seq, values, ts))


def digits(number: str) -> tuple[int, ...]:
    """Those that count: Python's own text of a float has as few as can be."""
    return Decimal(number).normalize().as_tuple().digits


@settings(max_examples=60, deadline=None)
@given(FLOATS)
def test_every_float_survives_csv(values: np.ndarray) -> None:
    rows = with_whole(values)
    lines = list(csv.reader(io.StringIO(text.csv(rows, TICK_COLUMNS, ("ts", *TICK_COLUMNS[:-1])).decode())))
    back = np.array([[float(cell) if cell else np.nan for cell in line[2:]] for line in lines])
    np.testing.assert_array_equal(back.view(np.int64), np.where(np.isnan(values), np.nan, values).view(np.int64))
    assert [int(line[1]) for line in lines] == rows[:, 0].tolist()
    shown = [np.datetime64(line[0].removesuffix("Z"), "ms").astype(np.int64) for line in lines]
    assert shown == rows[:, 5].tolist()
    assert all(digits(cell) == digits(repr(float(cell))) for line in lines for cell in line[2:] if cell[-1:].isdigit())


@settings(max_examples=60, deadline=None)
@given(FLOATS)
def test_every_float_survives_json_and_what_is_none_is_null(values: np.ndarray) -> None:
    rows = with_whole(values)

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    back = json.loads(b"[" + text.json(rows, TICK_COLUMNS) + b"]", parse_constant=refuse)
    finite = np.where(np.isfinite(values), values, np.nan)
    found = np.array([[np.nan if cell is None else cell for cell in row[1:5]] for row in back])
    np.testing.assert_array_equal(found.view(np.int64), finite.view(np.int64))
    assert [[row[0], row[5]] for row in back] == rows[:, (0, 5)].tolist()
    assert all(type(row[0]) is type(row[5]) is int for row in back)


def test_no_rows_are_no_text() -> None:
    assert text.json(np.zeros((0, 8)), BAR_COLUMNS) == b""
    assert text.csv(np.zeros((0, 8)), BAR_COLUMNS, BAR_COLUMNS) == b""


def test_one_row_is_one_array() -> None:
    row = np.array([[60_000.0, 1.5, 2.0, 1.0, 1.25, np.nan, 3.0, 1.0]])
    assert text.json(row, BAR_COLUMNS) == b"[60000,1.5,2.0,1.0,1.25,null,3,1]"
    assert text.csv(row, BAR_COLUMNS, BAR_COLUMNS) == b"1970-01-01T00:01:00.000Z,1.5,2.0,1.0,1.25,,3,1\n"


THREADS = """
import os, threading
import numpy as np
from dashboard.store import text
from dashboard.store.tables import TICK_COLUMNS

def spent():
    # By thread: (priority, nanoseconds on a core). One that was ending has ended.
    found = {}
    for one in map(int, os.listdir("/proc/self/task")):
        try:
            with open(f"/proc/self/task/{one}/schedstat") as file:
                found[one] = os.getpriority(os.PRIO_PROCESS, one), int(file.read().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found

rows = np.random.default_rng(1).random((30_000, 6))
text.begin()
before = spent()
for _ in range(10):
    text.json(rows, TICK_COLUMNS)
after = spent()
own = threading.get_native_id()
assert after[own][0] == 0
low = high = 0
for one, (priority, used) in after.items():
    more = used - before.get(one, (0, 0))[1]
    if priority:
        low += more
    elif one != own:
        high += more
print(low, high)
"""


@pytest.mark.skipif(
    not Path("/proc/self/schedstat").is_file(), reason="a thread's time on a core is told by Linux alone"
)
def test_the_threads_that_format_stand_behind_all_others() -> None:
    """By their work, not their names: polars and its allocator start others that format nothing, when they like."""
    done = subprocess.run([sys.executable, "-c", THREADS], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    low, high = map(int, done.stdout.split())
    assert low > 20_000_000, "ten times 30,000 rows cost more than that"
    assert high < low / 10
