"""One life of the hub on a virtual clock, drawn from a seed: several clients, each with a ledger, and an oracle."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np

from dashboard.market.ticks import TickBatch
from tests.soak.ledger import MS, Key, Ledger, Row, Series, missing
from tests.stream.oracle import Oracle
from tests.stream.virtual import SYMBOLS, VirtualClient, World

#: Ticks an instrument that a small store keeps, so that resumes come too late.
FEW_TICKS = 8


class Life:
    """A client that is cut off and comes back; its ledger outlives the connections."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.ledger = Ledger(SYMBOLS, keeps_all=not run.small, on_row=self._judge)
        self.ledger.on_segment = self._ended
        self.texts: list[bytes] = []
        self.cuts = self.gaps = 0
        self.client: VirtualClient | None = None

    def connect(self) -> None:
        """A new connection, and a resume of everything."""
        self.client = self.run.world.client()
        self.client.line.read(float("inf"))
        self.ledger.connected()
        self.hear()
        for message in self.ledger.come_back():
            self.say(message)

    @property
    def open(self) -> bool:
        """Whether a message would be heard."""
        return self.client is not None and not self.client.gone and self.client.close_code is None

    def say(self, message: dict[str, Any] | str) -> None:
        if self.open and self.client is not None:
            self.client.send(message)
            self.hear()

    def hear(self) -> None:
        """Judge what has come."""
        if self.client is None:
            return
        texts = self.client.texts
        messages = self.client.new()
        for text, message in zip(texts[len(texts) - len(messages) :], messages, strict=True):
            self.texts.append(text)
            self.ledger.take(message, len(text))
        if self.client.gone:
            self.client = None
            self.cuts += 1

    def cut(self) -> None:
        if self.client is not None:
            self.hear()
        if self.client is not None:
            self.client.drop()
            self.client = None
            self.cuts += 1

    def _judge(self, kind: str, symbol: str, timeframe: str, seq: int, row: Row, known: Series) -> None:
        judge_row(self.run.oracles[self.ledger.epoch or ""], kind, symbol, timeframe, seq, row, known)

    def _ended(self, key: Key, known: Series) -> None:
        """A subscription, or an epoch, has ended: what was told so far had no hole."""
        self.gaps += len(known.gaps)
        if key[0] == "ticks" and known.last is not None:
            oracle = self.run.oracles[self.ledger.epoch or ""]
            wrong = missing(known, oracle.ticks[key[2]], known.last)
            assert wrong is None, f"{key}: {wrong}"


class Run:
    """A world drawn from `seed`; `live` lets it happen and raises AssertionError where a promise is broken."""

    def __init__(self, seed: int) -> None:
        self.chance = chance = random.Random(seed)
        # The hub draws each connection's first beat from the module's own source.
        random.seed(seed)
        self.small = chance.random() < 0.3
        self.world = World(
            frame_ms=chance.choice([0, 5, 20, 50]),
            buffer_kb=chance.choice([4, 16, 64, 256]),
            messages_per_s=1000,
            working=random.Random(seed) if seed % 2 else None,
        )
        self.oracles: dict[str, Oracle] = {}
        self.epochs: list[str] = []
        if self.small:
            self.world.store._kept_ticks = FEW_TICKS
            self.world.store.reset()
            self.world.run(0)
        self._begin_epoch()
        self.now = 0.0
        self.price = dict.fromkeys(SYMBOLS, 100.0)
        self.events = 0
        self.clients = [Life(self) for _ in range(chance.randrange(1, 5))]

    @property
    def oracle(self) -> Oracle:
        return self.oracles[self.world.store.epoch]

    def live(self) -> None:
        chance = self.chance
        chooses: list[tuple[int, Callable[[], None]]] = [
            (30, self.ticks),
            (22, self.time),
            (6, self.clock_closes),
            (16, self.subscribe),
            (4, self.unsubscribe),
            (8, self.narrow),
            (6, self.widen),
            (6, self.cut),
            (12, self.connect),
            (3, self.nonsense),
            (1, self.next_day),
            (1, self.reset),
        ]
        weights = [weight for weight, _ in chooses]
        for client in self.clients:
            client.connect()
        for _ in range(chance.randrange(30, 120)):
            self.events += 1
            (event,) = chance.choices([event for _, event in chooses], weights)
            event()
            for client in self.clients:
                client.hear()
        self.settle()

    # -- events --------------------------------------------------------------------------------------------------

    def ticks(self) -> None:
        """A batch: some instruments, some of them several times, now and then late, quotes without a size."""
        chance, now = self.chance, int(self.world.clock.now_ms())
        batch = []
        for _ in range(chance.choice([1, 1, 2, 5, 20, 60])):
            symbol = chance.choice(SYMBOLS)
            late = chance.choice([0, 0, 0, 0, 1, 900, 1_500, 30_000, 59_000])
            # The intake lets nothing pass that is over a minute older than its instrument's newest.
            ts = max(now - late, self.oracle.latest[symbol] - 60_000)
            self.price[symbol] = price = round(self.price[symbol] * chance.uniform(0.99, 1.01), 2)
            size = float(chance.randrange(1, 50)) if chance.random() < 0.8 else math.nan
            quoted = chance.random() < 0.9
            bid, ask = (price - 0.01, price + 0.01) if quoted else (math.nan, math.nan)
            batch.append((symbol, ts, price, size, bid, ask))
        if chance.random() < 0.5:
            batch = list({one[0]: one for one in batch}.values())
        columns = list(zip(*batch, strict=True))
        self.oracle.append(batch)
        self.world.store.append(
            TickBatch(
                np.array([SYMBOLS.index(symbol) for symbol in columns[0]], dtype=np.int64),
                np.array(columns[1], dtype=np.int64),
                np.full(len(batch), float(now)),
                *(np.array(column, dtype=np.float64) for column in columns[2:]),
            )
        )
        self.world.run(chance.choice([0, 0, 0, 0.001]))

    def time(self) -> None:
        self.world.run(self.chance.choice([0, 0.001, 0.004, 0.02, 0.02, 0.05, 0.3, 1.1, 6.0]))

    def next_day(self) -> None:
        """The machine slept; every connection that could not answer is given up."""
        self.world.clock.advance(self.chance.choice([60_000, 3_600_000, 86_400_000]))
        self.world.run(0)

    def clock_closes(self) -> None:
        now = self.world.clock.now_ms()
        self.oracle.close_due(now)
        self.world.store.close_due(now)
        self.world.run(0)

    def reset(self) -> None:
        self.world.store.reset()
        self._begin_epoch()
        self.world.run(self.chance.choice([0, 0.01]))

    def subscribe(self) -> None:
        client, channel, timeframe, symbols = self._topic()
        if client.open and client.ledger.epoch == self.world.store.epoch:
            client.say(client.ledger.subscribe(channel, symbols, timeframe))

    def unsubscribe(self) -> None:
        client, channel, timeframe, symbols = self._topic()
        if client.open and client.ledger.epoch == self.world.store.epoch:
            client.say(client.ledger.unsubscribe(channel, symbols, timeframe))

    def narrow(self) -> None:
        client = self.chance.choice(self.clients)
        if client.client is not None:
            client.client.line.read(self.chance.choice([0, 0, 100, 2_000, 20_000]))

    def widen(self) -> None:
        client = self.chance.choice(self.clients)
        if client.client is not None and not client.client.gone:
            client.client.line.read(float("inf"))
            self.world.run(0)

    def cut(self) -> None:
        self.chance.choice(self.clients).cut()

    def connect(self) -> None:
        away = [client for client in self.clients if client.client is None]
        if away:
            self.chance.choice(away).connect()

    def nonsense(self) -> None:
        """Malformed, unknown, or a ping: it is answered and changes nothing."""
        said = ["x", '{"op":"subscribe"}', '{"op":"ping","id":1}', '{"op":"subscribe","channel":"bars","symbols":[]}']
        self.chance.choice(self.clients).say(self.chance.choice(said))

    def settle(self) -> None:
        """Everybody reads, comes back where cut off, and then holds what the store has."""
        for client in self.clients:
            if client.client is not None:
                client.client.line.read(float("inf"))
        # A server that says goodbye waits up to 2 s for the answer before it cuts the line.
        self.world.run(2.5)
        for client in self.clients:
            client.hear()
            if client.client is None:
                client.connect()
        self.world.run(1.5)
        self.ticks()
        self.world.run(6.0)
        for client in self.clients:
            client.hear()
            assert client.client is not None, "cut although it reads and answers"
            assert client.ledger.settled, "not everything has been answered"
            self.compare(client)

    def _topic(self) -> tuple[Life, str, str, list[str]]:
        chance = self.chance
        channel = chance.choice(["ticker", "ticks", "ticks", "bars", "bars"])
        timeframe = chance.choice(["1s", "5s", "1m", "1d"]) if channel == "bars" else ""
        symbols = list(SYMBOLS) if chance.random() < 0.3 else chance.sample(SYMBOLS, chance.randrange(1, 4))
        return chance.choice(self.clients), channel, timeframe, symbols

    def _begin_epoch(self) -> None:
        epoch = self.world.store.epoch
        self.epochs.append(epoch)
        self.oracles[epoch] = Oracle(SYMBOLS)

    # -- judging -------------------------------------------------------------------------------------------------

    def compare(self, client: Life) -> None:
        """The client's book and the oracle's, at the end; the store has to agree too."""
        oracle, store = self.oracle, self.world.store
        assert not client.ledger.series or client.ledger.epoch == store.epoch
        for key, known in client.ledger.series.items():
            channel, timeframe, symbol = key
            at = SYMBOLS.index(symbol)
            if channel == "ticks":
                client.gaps += len(known.gaps)
                wrong = missing(known, oracle.ticks[symbol], store.seq)
                assert wrong is None, f"{key}: {wrong}"
            elif channel == "ticker":
                said = oracle.ticker(symbol, store.seq)
                assert known.recent[-1][1] == (said[0] if said else [None] * 8), f"{key} at the end"
                if said:
                    assert store.last().price[at] == said[0][0]
            else:
                frame = list(MS).index(timeframe)
                kept = [[*map(float, row)] for row in store.bars(at, frame, limit=50_000).rows.tolist()]
                for bar in kept:
                    truth = oracle.bars[symbol, timeframe][int(bar[0])]
                    assert bar == truth.row(), f"{key}: the store has {bar}, not {truth.row()}"
                    if known.since is not None and truth.states[-1][0] > known.since:
                        assert known.bars.get(truth.start) == truth.row(), f"{key}: {truth.row()} is not the last told"
                if kept:
                    assert known.bars, f"{key}: no bars at all"


def judge_row(oracle: Oracle, kind: str, symbol: str, timeframe: str, seq: int, row: Row, known: Series) -> None:
    """Every single row is what the oracle says for its seq."""
    if kind == "bars":
        bar = oracle.bars[symbol, timeframe].get(row[0])
        assert bar is not None and row in bar.at(seq), (
            f"{symbol} {timeframe} at {seq}: {row}, not {bar and bar.at(seq)}"
        )
    elif kind == "ticks":
        truth = next(one for one in reversed(oracle.ticks[symbol]) if one[0] == row[0])
        assert row == truth, f"{symbol}: {row}, not {truth}"
    else:
        said = oracle.ticker(symbol, seq)
        if said is None:
            assert row == [None] * 8, f"{symbol} at {seq}: {row} before its first tick"
            return
        assert row == said[0], f"{symbol} at {seq}: {row}, not {said[0]}"
        assert known.reference == said[1], f"{symbol} at {seq}: day {known.reference}, not {said[1]}"
