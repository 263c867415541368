"""The book that a client keeps of all it is told: every message is held against the protocol's promises as it comes.

A `Ledger` outlives its connections. It knows what to say after a cut (`come_back`), and what it holds is compared with
the store at the end. It reads parsed messages and knows neither sockets nor the product's code, so that the same one
judges the hub on a virtual clock and the product behind gunicorn.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

Row = list[Any]
#: Channel, timeframe ("" but for bars), symbol.
Key = tuple[str, str, str]
LARGEST_BYTES = 131_072
MS = {"1s": 1_000, "5s": 5_000, "15s": 15_000, "1m": 60_000, "5m": 300_000, "15m": 900_000, "1h": 3_600_000}
MS["1d"] = 86_400_000
TICKER = ("price", "bid", "ask", "size", "volume", "high", "low", "ts")
#: Newest states of bars that are kept with their seq, for each symbol and timeframe.
RECENT = 128


@dataclass(slots=True)
class Wish:
    """A subscribe under way."""

    channel: str
    timeframe: str
    symbols: list[str]
    after: int | None
    epoch: str | None


@dataclass(slots=True)
class Series:
    """What is known of one symbol on one channel (bars: a timeframe)."""

    #: The last seq of a message with it, or of a heartbeat: what a resume goes on from. None before the first.
    last: int | None = None
    #: Live rows come with a seq above this one.
    floor: int = -1
    #: Ticks are whole after this seq; bars that changed after it are known.
    since: int | None = None
    rows: list[Row] = field(default_factory=list)
    gaps: list[tuple[int, int]] = field(default_factory=list)
    bars: dict[int, Row] = field(default_factory=dict)
    recent: deque[tuple[int, Row]] = field(default_factory=lambda: deque(maxlen=RECENT))
    #: Open and previous close by the last snapshot.
    reference: tuple[Any, Any] | None = None


class Ledger:
    """`symbols` is the whole catalogue. With `keeps_all` the store never drops anything, so that a `gap` or a
    `resumed: false` within an epoch is a fault. `on_row(kind, symbol, timeframe, seq, row, series)` sees each row."""

    def __init__(
        self,
        symbols: Sequence[str],
        *,
        keeps_all: bool = True,
        on_row: Callable[[str, str, str, int, Row, Series], None] | None = None,
    ) -> None:
        self.symbols, self.keeps_all = list(symbols), keeps_all
        self.on_row = on_row or (lambda *_: None)
        self.epoch: str | None = None
        self.epochs = 0
        self.series: dict[Key, Series] = {}
        self.wanted: dict[Key, None] = {}
        self.alerts_wanted = False
        self.alert_ids: list[int] = []
        self.alert_epoch_ids: set[int] = set()
        self.messages = 0
        self.resumed = self.refused = 0
        self.errors = 0
        self.on_segment: Callable[[Key, Series], None] = lambda _key, _series: None
        self._ids = 0
        self._reset_connection()

    # -- what it says --------------------------------------------------------------------------------------------

    def connected(self) -> None:
        """A new connection: the next message has to be `welcome`."""
        self._reset_connection()
        for key in [key for key in self.series if key not in self.wanted]:
            self._end(key)  # the answer to its unsubscribe was lost with the line

    def subscribe(self, channel: str, symbols: Iterable[str], timeframe: str = "") -> dict[str, Any]:
        """A subscribe without a seq."""
        return self._wish(channel, list(symbols), timeframe, None)

    def unsubscribe(self, channel: str, symbols: Iterable[str], timeframe: str = "") -> dict[str, Any]:
        """The message; what was known is judged, and forgotten, when it is answered."""
        self._ids += 1
        named = list(symbols)
        for symbol in named:
            self.wanted.pop((channel, timeframe, symbol), None)
        self._leaving[self._ids] = (channel, timeframe, named)
        return {"op": "unsubscribe", "id": self._ids, **self._topic(channel, named, timeframe)}

    def watch_alerts(self) -> dict[str, Any]:
        """A subscribe to alerts, from the last one known on."""
        self.alerts_wanted = True
        self.alert_epoch_ids = set()
        self._ids += 1
        after = self.alert_ids[-1] if self.alert_ids else 0
        self._alerts_id = self._ids
        return {"op": "subscribe", "id": self._ids, "channel": "alerts", "after_id": after}

    def come_back(self) -> list[dict[str, Any]]:
        """After a welcome: everything wanted again, each symbol from the last seq it is whole up to."""
        said = []
        groups: dict[tuple[str, str, int | None], list[str]] = {}
        for channel, timeframe, symbol in self.wanted:
            groups.setdefault((channel, timeframe, self.after((channel, timeframe, symbol))), []).append(symbol)
        for (channel, timeframe, after), symbols in groups.items():
            said.append(self._wish(channel, symbols, timeframe, after))
        if self.alerts_wanted:
            said.append(self.watch_alerts())
        return said

    def after(self, key: Key) -> int | None:
        """The seq that a resume of `key` goes on from."""
        known = self.series.get(key)
        return known.last if known is not None else None

    def _wish(self, channel: str, symbols: list[str], timeframe: str, after: int | None) -> dict[str, Any]:
        self._ids += 1
        message = {"op": "subscribe", "id": self._ids, **self._topic(channel, symbols, timeframe)}
        if after is not None:
            message |= {"epoch": self._known_epoch, "after_seq": after}
        self._wishes[self._ids] = Wish(channel, timeframe, symbols, after, self._known_epoch)
        for symbol in symbols:
            self.wanted[channel, timeframe, symbol] = None
        return message

    def _topic(self, channel: str, symbols: list[str], timeframe: str) -> dict[str, Any]:
        everything = len(symbols) == len(self.symbols)
        topic: dict[str, Any] = {"channel": channel, "symbols": "*" if everything else symbols}
        return topic | ({"timeframe": timeframe} if timeframe else {})

    # -- what it is told -----------------------------------------------------------------------------------------

    def take(self, message: dict[str, Any], size: int) -> None:
        """Judge a message and enter it. Raises AssertionError that names the promise it breaks."""
        self.messages += 1
        kind = message["type"]
        assert size <= LARGEST_BYTES, f"a {kind} of {size} bytes"
        assert (kind == "welcome") == (not self._welcomed), f"{kind} came {'twice' if self._welcomed else 'first'}"
        getattr(self, f"_{kind}")(message)

    def _welcome(self, message: dict[str, Any]) -> None:
        assert message["version"] == 1 and message["oldest_seq"] <= message["seq"] + 1, message
        self._welcomed = True
        self._oldest = message["oldest_seq"]
        # The epoch that its seqs count in: resumes name it, even where the server has another one by now.
        self._known_epoch = self.epoch or message["epoch"]
        self._server_epoch = message["epoch"]
        if self.epoch is None:
            self.epoch = message["epoch"]
            self.epochs += 1

    def _begin_epoch(self) -> None:
        """Nothing that was known counts any more."""
        for key in list(self.series):
            self._end(key)
        self.epoch = self._known_epoch = self._server_epoch
        self.epochs += 1

    def _end(self, key: Key) -> None:
        known = self.series.pop(key, None)
        if known is not None:
            self.on_segment(key, known)

    def _subscribed(self, message: dict[str, Any]) -> None:
        if message["channel"] == "alerts":
            assert message["id"] == self._alerts_id
            return
        wish = self._wishes.pop(message["id"])
        assert (message["channel"], message.get("timeframe", "")) == (wish.channel, wish.timeframe), message
        everything = len(wish.symbols) == len(self.symbols)
        assert message["symbols"] == ("*" if everything else wish.symbols) and message["unknown"] == [], message
        resumed = message.get("resumed")
        assert (resumed is None) == (wish.after is None), f"resumed {resumed} for after_seq {wish.after}"
        if resumed is not None:
            self._resumes(wish, resumed)
        if self.epoch != self._server_epoch:
            self._begin_epoch()
        for symbol in wish.symbols:
            self._begin((wish.channel, wish.timeframe, symbol), wish, resumed)
        if wish.channel == "bars":
            self._answers.setdefault(wish.timeframe, []).append(set(wish.symbols))

    def _resumes(self, wish: Wish, resumed: bool) -> None:
        """`resumed` is true when, and with a store that keeps everything only when, that can be proven."""
        assert wish.after is not None
        same = wish.epoch == self._server_epoch
        assert not resumed or (same and wish.after >= self._oldest - 1), f"resumed from another life: {wish}"
        assert resumed or not same or not self.keeps_all, f"not resumed although everything is kept: {wish}"
        self.resumed += resumed
        self.refused += not resumed

    def _begin(self, key: Key, wish: Wish, resumed: bool | None) -> None:
        known = self.series.setdefault(key, Series())
        if key[0] == "ticks":
            if wish.after is not None:
                same = wish.epoch == self.epoch
                known.floor = wish.after if same else 0
                if known.since is None:
                    known.since = known.floor
                if known.last is None:
                    # Cut off before the first tick, it goes on from here.
                    known.last = known.floor
        else:
            if key[0] == "bars" and resumed is False:
                # What closed meanwhile has to be asked for elsewhere: from the snapshot on it is whole again.
                known.since, known.bars = None, {}
                known.recent.clear()
            self._awaited.add(key)

    def _snapshot(self, message: dict[str, Any]) -> None:
        channel, timeframe, seq = message["channel"], message.get("timeframe", ""), message["seq"]
        for symbol, data in message["data"].items():
            key = (channel, timeframe, symbol)
            known = self._known(key, message)
            assert known.last is None or seq >= known.last, f"{key} went back from {known.last} to {seq}"
            if channel == "ticker":
                known.reference = (data["open"], data["previous_close"])
                row = [data[name] for name in TICKER]
                known.recent.append((seq, row))
                known.floor = max(known.floor, seq - 1)
                self.on_row("snapshot", symbol, "", seq, row, known)
            else:
                self._enter_bars(key, known, seq, data)
            if channel == "ticker" or not message.get("more"):
                # Of bars in several messages the last one makes them whole.
                known.last = seq
                self._awaited.discard(key)
        if channel == "bars":
            self._answered(timeframe, message)

    def _answered(self, timeframe: str, message: dict[str, Any]) -> None:
        """The last message of an answer: whoever is not in it has no bars yet, and is not awaited any more."""
        answers = self._answers.get(timeframe, [])
        if message.get("more") or not answers:
            return
        done = next((one for one in answers if set(message["data"]) <= one), answers[0])
        answers.remove(done)
        # A message without a row does not say which of several answers it ends.
        clear = bool(message["data"]) or not answers
        for symbol in done if clear else done.union(*answers):
            key = ("bars", timeframe, symbol)
            self._awaited.discard(key)
            known = self.series.get(key)
            if known is not None and clear:
                known.since = message["seq"] if known.since is None else known.since
                known.last = max(message["seq"], -1 if known.last is None else known.last)

    def _ticker(self, message: dict[str, Any]) -> None:
        seq = message["seq"]
        for symbol, row in message["data"].items():
            key = ("ticker", "", symbol)
            known = self._known(key, message)
            assert key not in self._awaited, f"{key} before its snapshot"
            assert seq > known.floor, f"{key} at {seq} after {known.floor}: twice, back, or a heartbeat that led"
            assert known.reference is not None
            known.recent.append((seq, row))
            known.last = known.floor = seq
            self.on_row("ticker", symbol, "", seq, row, known)

    def _ticks(self, message: dict[str, Any]) -> None:
        seq = message["seq"]
        for symbol, rows in message["data"].items():
            key = ("ticks", "", symbol)
            known = self._known(key, message)
            assert rows, f"{key} without a row"
            for row in rows:
                number = row[0]
                assert number > known.floor, f"{key}: tick {number} after {known.floor}: twice, back, or led"
                known.floor = number
                if known.since is None:
                    known.since = number - 1
                if known.rows and number <= known.rows[-1][0]:
                    continue  # asked for again; it is compared with the others at the end
                known.rows.append(row)
                self.on_row("ticks", symbol, "", seq, row, known)
            assert known.floor <= seq, f"{key}: tick {known.floor} in a message of {seq}"
            known.last = known.floor = seq

    def _bars(self, message: dict[str, Any]) -> None:
        timeframe, seq = message["timeframe"], message["seq"]
        for symbol, rows in message["data"].items():
            key = ("bars", timeframe, symbol)
            known = self._known(key, message)
            assert key not in self._awaited, f"{key} before its snapshot"
            assert known.last is None or seq >= known.last, f"{key} went back from {known.last} to {seq}"
            self._enter_bars(key, known, seq, rows)
            if not message.get("more"):
                known.last = seq

    def _enter_bars(self, key: Key, known: Series, seq: int, rows: list[Row]) -> None:
        for row in rows:
            start, opened, high, low, close, volume, trades, _flags = row
            assert start % MS[key[1]] == 0 and low <= opened <= high and low <= close <= high, f"{key}: {row}"
            assert volume >= 0 and trades >= 0, f"{key}: {row}"
            known.bars[start] = row
            known.recent.append((seq, row))
            self.on_row("bars", key[2], key[1], seq, row, known)

    def _gap(self, message: dict[str, Any]) -> None:
        known = self._known(("ticks", "", message["symbol"]), message)
        first, last = message["from_seq"], message["to_seq"]
        assert not self.keeps_all, f"a gap although everything is kept: {message}"
        assert known.floor < first <= last, f"{message} after {known.floor}"
        known.gaps.append((first, last))
        known.last = known.floor = last

    def _heartbeat(self, message: dict[str, Any]) -> None:
        seq = message["seq"]
        self.heartbeat = seq
        for key, known in self.series.items():
            if key in self.wanted and key not in self._awaited and self._is_answered(key):
                # It says that everything up to `seq` is here: whatever came later would be found out by its floor.
                known.last = max(seq, -1 if known.last is None else known.last)
                if key[0] != "bars":
                    known.floor = max(known.floor, seq)

    def _is_answered(self, key: Key) -> bool:
        under_way = (wish for wish in self._wishes.values() if wish.channel == key[0] and wish.timeframe == key[1])
        return not any(key[2] in wish.symbols for wish in under_way)

    def _unsubscribed(self, message: dict[str, Any]) -> None:
        channel, timeframe, symbols = self._leaving.pop(message["id"])
        for symbol in symbols:
            # Answers come in order: a subscribe that was sent since, and keeps it wanted, is answered later.
            self._awaited.discard((channel, timeframe, symbol))
            self._end((channel, timeframe, symbol))

    def _alert(self, message: dict[str, Any]) -> None:
        number = message["event"]["id"]
        assert self.alerts_wanted
        assert number not in self.alert_epoch_ids, f"alert {number} twice"
        self.alert_epoch_ids.add(number)
        assert not self.alert_ids or number > self.alert_ids[-1], f"alert {number} after {self.alert_ids[-1]}"
        self.alert_ids.append(number)

    def _pong(self, message: dict[str, Any]) -> None:
        assert message["sent"] > 0

    def _error(self, message: dict[str, Any]) -> None:
        self.errors += 1
        assert message["code"] and message["message"], message

    def _known(self, key: Key, message: dict[str, Any]) -> Series:
        known = self.series.get(key)
        assert known is not None, f"nobody asked for {key}: {str(message)[:200]}"
        return known

    def _reset_connection(self) -> None:
        self._welcomed = False
        self._wishes: dict[int, Wish] = {}
        self._leaving: dict[int, tuple[str, str, list[str]]] = {}
        self._awaited: set[Key] = set()
        self._answers: dict[str, list[set[str]]] = {}
        self._alerts_id = 0
        self._oldest = 0
        self._server_epoch = self._known_epoch = self.epoch
        self.heartbeat = -1

    @property
    def settled(self) -> bool:
        """Whether everything asked for has been answered to the end."""
        return self._welcomed and not self._wishes and not self._awaited and not self._leaving


def missing(known: Series, truth: Iterable[Row], upto: int) -> str | None:
    """What is wrong with the ticks of a series up to `upto`, held against the store's; None for nothing."""
    if known.since is None:
        return None
    told = {row[0]: row for row in known.rows if row[0] <= upto}
    for row in truth:
        number = row[0]
        if not known.since < number <= upto:
            continue
        if number in told:
            if told.pop(number) != row:
                return f"tick {number} differs from the store's {row}"
        elif not any(first <= number <= last for first, last in known.gaps):
            near = [number for number in sorted(told) if number <= upto][:3]
            return f"a hole: tick {number} never came and no gap names it; whole since {known.since}, then {near}"
    if known.gaps:
        return None  # the store may have dropped since what came then
    left = [number for number in told if number > known.since]
    return f"ticks that the store never had: {left[:5]}" if left else None
