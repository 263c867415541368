"""What the product's store has, asked by the API as anybody may ask it, and a client's ledger held against that."""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from pathlib import Path
from typing import Any

import httpx

from tests.soak.ledger import MS, Key, Ledger, Row, Series, missing

#: Rows a page; small enough that paging is always a part of the test.
PAGE = 2_000


class Truth:
    """One epoch, known up to `upto`. Ticks are asked for in pages, from the last one known on."""

    def __init__(self, client: httpx.Client, symbols: list[str]) -> None:
        self.client, self.symbols = client, symbols
        self.epoch = str(self._get("/tickers")["epoch"])
        #: Ticks are known up to here; the newest seq that any answer had.
        self.upto = self.newest = 0
        self.ticks: dict[str, list[Row]] = {symbol: [] for symbol in symbols}
        self.quotes: dict[str, dict[str, Any]] = {}
        self.quotes_seq = 0
        self.bars: dict[tuple[str, str], tuple[int, list[Row]]] = {}

    def update(self, symbols: set[str], bars: set[tuple[str, str]]) -> None:
        """Ask for the ticks of `symbols` since the last time, the quotes, and `bars` (timeframe, symbol)."""
        reached = []
        for symbol in symbols:
            rows = self.ticks[symbol]
            after: int | None = rows[-1][0] if rows else 0
            while after is not None:
                page = self._get(
                    f"/tickers/{symbol}/ticks?epoch={self.epoch}&after_seq={after}&limit={PAGE}", epoch=self.epoch
                )
                assert page["oldest_seq"] == 1, "this test needs a store that keeps everything"
                assert all(row[0] > after for row in page["data"])
                rows.extend(page["data"])
                after = page["next_after_seq"]
            reached.append(page["seq"])
        self.upto = min(reached, default=self.upto)
        for timeframe, symbol in bars:
            found = self._get(f"/tickers/{symbol}/bars?timeframe={timeframe}&limit=50000", epoch=self.epoch)
            self.bars[timeframe, symbol] = found["seq"], found["data"]
        found = self._get("/tickers", epoch=self.epoch)
        self.quotes_seq, self.quotes = found["seq"], {quote["symbol"]: quote for quote in found["data"]}
        self.newest = self.quotes_seq

    def _get(self, path: str, epoch: str | None = None) -> Any:
        answer = self.client.get("/api/v1" + path)
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert epoch is None or found["epoch"] == epoch, "the market began anew under the comparison"
        return found

    # -- holding a client's book against it ----------------------------------------------------------------------

    def judge(self, ledger: Ledger) -> int:
        """Everything that `ledger` knows up to now is what the store has; how many rows were compared."""
        assert ledger.epoch == self.epoch
        bare = [key for key, known in ledger.series.items() if key[0] == "bars" and not known.bars]
        assert not bare, f"no bars at all: {bare}"
        return sum(self.judge_series(key, known) for key, known in ledger.series.items())

    def judge_series(self, key: Key, known: Series) -> int:
        channel, timeframe, symbol = key
        if channel == "ticks":
            wrong = missing(known, self.ticks[symbol], min(self.upto, self.upto if known.last is None else known.last))
            assert wrong is None, f"{key}: {wrong}"
            return len(known.rows)
        if channel == "ticker":
            return self._judge_ticker(symbol, known)
        return self._judge_bars(timeframe, symbol, known) if (timeframe, symbol) in self.bars else 0

    def _judge_ticker(self, symbol: str, known: Series) -> int:
        """Every row told is the last tick of its seq; where a row has the seq of the quotes, all of it is the same."""
        seqs = [row[0] for row in self.ticks[symbol]]
        count = 0
        for seq, row in known.recent:
            at = bisect_right(seqs, seq)
            if seq > self.upto or not at:
                continue
            _, price, size, bid, ask, ts = self.ticks[symbol][at - 1]
            assert row[:4] + row[7:] == [price, bid, ask, size, ts], f"{symbol} at {seq}: {row}, not {seqs[at - 1]}"
            if seq == self.quotes_seq:
                quote = self.quotes[symbol]
                assert row[4:7] == [quote["volume"], quote["high"], quote["low"]], f"{symbol} at {seq}: {row}"
                assert known.reference == (quote["open"], quote["previous_close"]), (
                    f"{symbol}: {known.reference}, not {quote}"
                )
                count += 1
            count += 1
        return count

    def _judge_bars(self, timeframe: str, symbol: str, known: Series) -> int:
        """Every bar since the first that was told is there; closed ones are equal, the newest at an equal seq."""
        seq, rows = self.bars[timeframe, symbol]
        if not known.bars or known.since is None:
            return 0  # cut off before its first snapshot was whole
        first, count = min(known.bars), 0
        # An hour is closed for good a second after its end; what closes just now may still be on its way.
        settled = rows[-1][0] - 2 * MS[timeframe]
        states = {(of, row[0]): row for of, row in known.recent}
        for row in rows:
            if row[0] < first:
                continue
            if row[0] <= settled:
                assert known.bars.get(row[0]) == row, f"{symbol} {timeframe}: {known.bars.get(row[0])}, not {row}"
                count += 1
            elif (seq, row[0]) in states:
                told = states[seq, row[0]]
                # The clock may close a bar at a seq that has been told already.
                assert told[:7] == row[:7] and told[7] | 1 == row[7] | 1, f"{symbol} {timeframe}: {told}, not {row}"
                count += 1
        starts = {row[0] for row in rows}
        invented = [start for start in known.bars if start <= rows[-1][0] and start not in starts]
        assert not invented, f"{symbol} {timeframe}: the store never had {invented[:3]} of {len(known.bars)}"
        return count


def alert_ids(database: Path) -> list[int]:
    """The events that the product has recorded (everybody here is the same user)."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        return [row[0] for row in connection.execute("select id from alert_events order by id")]


def bars_of_ticks(ticks: list[Row], ms: int) -> dict[int, list[float]]:
    """Open, high, low, close, trades of whole intervals, made of ticks in the plainest way."""
    made: dict[int, list[float]] = {}
    for _, price, size, _bid, _ask, ts in ticks:
        start = ts - ts % ms
        bar = made.setdefault(start, [price, price, price, price, 0])
        bar[1], bar[2], bar[3] = max(bar[1], price), min(bar[2], price), price
        bar[4] += size is not None
    for edge in (min(made, default=0), max(made, default=0)):
        made.pop(edge, None)
    return made
