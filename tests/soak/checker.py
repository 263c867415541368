"""The checker: clients that record every message, are cut off at random moments, resume, and lose nothing.

A `Checker` is one such client; a `Swarm` runs many against a running product, has an operator's doings in between
(`between`), and compares every ledger with the store before the market is given up.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.soak.ledger import Key, Ledger, Series
from tests.soak.line import Wire, dial, handshake
from tests.soak.truth import Truth, alert_ids

#: How a life ends: closed properly, reset, stalled and then reset, stalled and then read again and closed.
ENDS = ("closed", "reset", "stalled", "drained")


class Checker:
    """One client, drawn from a seed. `rounds` counts connections that were cut."""

    def __init__(self, swarm: Swarm, seed: int) -> None:
        self.swarm, self.chance = swarm, random.Random(seed)
        self.ledger = Ledger(swarm.symbols)
        self.ledger.on_segment = self._ended
        self.wire: Wire | None = None
        self.rounds = 0
        self.ends: Counter[str] = Counter()
        self.deflate = self.chance.random() < 0.2
        self.narrow = self.chance.random() < 0.3
        self._retired: list[tuple[str, Key, Series]] = []

    async def run(self) -> None:
        """Live until the swarm is done."""
        await asyncio.sleep(self.chance.random())
        while not self.swarm.done:
            self.wire = await self._connect()
            await self._stay(self.wire)
            await self._end(self.wire)
            self.wire = None
            self.rounds += 1
            if not self.swarm.holding:
                await asyncio.sleep(self.chance.choice([0, 0, 0.05, 0.3, 1.0]) * self.chance.random())

    # -- a life --------------------------------------------------------------------------------------------------

    async def _connect(self) -> Wire:
        request = handshake(self.swarm.port, self.swarm.cookie, deflate=self.deflate)
        while True:
            self.ledger.connected()
            made = await dial(self.swarm.port, lambda: Wire(request, self._told), narrow=self.narrow)
            if made is not None:
                return made
            await asyncio.sleep(self.chance.uniform(0.1, 0.4))

    def _told(self, message: dict[str, Any], size: int) -> None:
        try:
            self.ledger.take(message, size)
            if message["type"] == "welcome":
                self._begin()
        except Exception as error:
            self.swarm.fail(self, error)

    def _begin(self) -> None:
        # The wire is only handed over when the handshake is through; a welcome may come in the same piece.
        asyncio.get_running_loop().call_soon(self._resume)

    def _resume(self) -> None:
        if self.wire is None:
            asyncio.get_running_loop().call_later(0.001, self._resume)
            return
        if not self.ledger.wanted:
            for message in self._first_wishes():
                self.wire.say(message)
            return
        for message in self.ledger.come_back():
            self.wire.say(message)

    def _first_wishes(self) -> list[dict[str, Any]]:
        chance, symbols = self.chance, self.swarm.symbols
        many = symbols if chance.random() < 0.3 else chance.sample(symbols, chance.randrange(2, 6))
        said = [
            self.ledger.subscribe("ticker", many),
            self.ledger.subscribe("ticks", chance.sample(symbols, chance.randrange(1, 4))),
            self.ledger.watch_alerts(),
        ]
        for timeframe in chance.sample(["1s", "5s", "1m", "1d"], 2):
            said.append(self.ledger.subscribe("bars", chance.sample(symbols, 2), timeframe))
        return said

    async def _stay(self, wire: Wire) -> None:
        """Listen for a while, now and then with another wish; a held swarm listens on."""
        until = time.monotonic() + self.chance.expovariate(1 / self.swarm.life_s)
        while not wire.lost.is_set() and not self.swarm.done:
            left = until - time.monotonic()
            if left <= 0 and not self.swarm.holding:
                return
            await _wait(wire.lost, min(0.1, max(left, 0.02)))
            if self.chance.random() < 0.02 and not self.swarm.holding and self.ledger.settled:
                self._change_mind(wire)

    def _change_mind(self, wire: Wire) -> None:
        """Something else is looked at, or the same anew."""
        symbol = self.chance.choice(self.swarm.symbols)
        match self.chance.randrange(4):
            case 0:
                wire.say(self.ledger.subscribe("ticker", [symbol]))
            case 1:
                wire.say(self.ledger.subscribe("ticks", [symbol]))
            case 2:
                wire.say(self.ledger.subscribe("bars", [symbol], "1s"))
            case _:
                watched = [key for key in self.ledger.wanted if key[0] == "ticks"]
                if len(watched) > 1:
                    wire.say(self.ledger.unsubscribe("ticks", [self.chance.choice(watched)[2]]))

    async def _end(self, wire: Wire) -> None:
        if wire.lost.is_set():
            self.ends[f"by the server: {wire.close_code}"] += 1
            return
        end = self.chance.choice(ENDS)
        self.ends[end] += 1
        if end in ("stalled", "drained") and not self.swarm.done:
            wire.transport.pause_reading()
            await _wait(wire.lost, self.chance.uniform(0.2, 2.0))
            if end == "drained" and not wire.transport.is_closing():
                wire.transport.resume_reading()
                await _wait(wire.lost, self.chance.uniform(0.0, 0.5))
        if end in ("closed", "drained"):
            wire.goodbye()
            await _wait(wire.lost, 2.0)
        wire.reset()
        await _wait(wire.lost, 2.0)

    # -- judging -------------------------------------------------------------------------------------------------

    def _ended(self, key: Key, known: Series) -> None:
        """Kept for the next comparison with the store of its epoch."""
        self._retired.append((self.ledger.epoch or "", key, known))

    def judge(self, truth: Truth) -> int:
        """Hold what has ended since the last time, and what goes on, against the store."""
        count = 0
        for epoch, key, known in self._retired:
            if epoch in self.swarm.truths:
                count += self.swarm.truths[epoch].judge_series(key, known)
        self._retired = []
        return count + truth.judge(self.ledger)

    def is_at(self, truth: Truth) -> bool:
        """Connected, everything answered, and heard of all that the store had when it was asked."""
        ledger = self.ledger
        if self.wire is None or self.wire.lost.is_set() or not ledger.settled or ledger.epoch != truth.epoch:
            return False
        return all((known.last or 0) >= truth.newest for known in ledger.series.values())


class Swarm:
    """`size` checkers against the product at `port`; `client` asks its API, `database` has its alerts."""

    def __init__(self, client: Any, port: int, database: Path, size: int, seed: int, *, life_s: float = 0.8) -> None:
        self.client, self.port, self.database, self.life_s = client, port, database, life_s
        self.cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        self.symbols = [quote["symbol"] for quote in client.get("/api/v1/tickers").json()["data"]]
        self.truths: dict[str, Truth] = {}
        self.done = self.holding = False
        #: The loop that the checkers live on, for who does something from another thread.
        self.loop: asyncio.AbstractEventLoop | None = None
        self.fault: Exception | None = None
        self.compared = 0
        self.checkers = [Checker(self, seed * 10_000 + number) for number in range(size)]

    @property
    def rounds(self) -> int:
        return sum(checker.rounds for checker in self.checkers)

    @property
    def ends(self) -> Counter[str]:
        return sum((checker.ends for checker in self.checkers), Counter())

    def fail(self, checker: Checker, error: Exception) -> None:
        """A promise was broken: the first one is what the test tells."""
        if self.fault is None:
            number = self.checkers.index(checker)
            self.fault = AssertionError(f"checker {number} in its round {checker.rounds}: {error!r}")
            self.fault.__cause__ = error

    async def run(self, rounds: int, between: list[Callable[[], Awaitable[None]]], *, limit_s: float) -> None:
        """Live for `rounds` rounds; `between` are an operator's doings, spread evenly, a comparison before each."""
        tasks = [asyncio.create_task(checker.run()) for checker in self.checkers]
        until = time.monotonic() + limit_s
        try:
            for step, doing in enumerate([*between, None]):
                await self._reach(rounds * (step + 1) // (len(between) + 1), tasks, until)
                await self._compare(tasks)
                if doing is not None:
                    await doing()
        finally:
            self.done = True
            _, late = await asyncio.wait(tasks, timeout=20)
            for task in late:
                task.cancel()
        self._look(tasks)

    async def _reach(self, rounds: int, tasks: list[asyncio.Task[None]], until: float) -> None:
        while self.rounds < rounds:
            self._look(tasks)
            assert time.monotonic() < until, f"only {self.rounds} of {rounds} rounds"
            await asyncio.sleep(0.1)

    async def _compare(self, tasks: list[asyncio.Task[None]]) -> None:
        """Everybody stays; the store is asked; when all have heard as much, they hold what it has."""
        self.holding = True
        truth = await asyncio.to_thread(self._truth)
        known = {key for checker in self.checkers for key in checker.ledger.series}
        known |= {key for checker in self.checkers for _, key, _ in checker._retired}
        await asyncio.to_thread(
            truth.update,
            {symbol for channel, _, symbol in known if channel in ("ticks", "ticker")},
            {(timeframe, symbol) for channel, timeframe, symbol in known if channel == "bars"},
        )
        until = time.monotonic() + 60
        while late := [checker for checker in self.checkers if not checker.is_at(truth)]:
            self._look(tasks)
            assert time.monotonic() < until, f"{len(late)} are not there, one is {self._where(late[0], truth)}"
            await asyncio.sleep(0.05)
        for number, checker in enumerate(self.checkers):
            try:
                self.compared += checker.judge(truth)
            except AssertionError as error:
                raise AssertionError(f"checker {number} after {checker.rounds} rounds: {error}") from error
        await self._alerts(tasks)
        self._look(tasks)
        self.holding = False

    async def _alerts(self, tasks: list[asyncio.Task[None]]) -> None:
        """Every event that has been recorded so far has been told to everybody, once and in order."""
        recorded = await asyncio.to_thread(alert_ids, self.database)
        until = time.monotonic() + 30
        while any(checker.ledger.alert_ids[: len(recorded)] != recorded for checker in self.checkers):
            self._look(tasks)
            assert time.monotonic() < until, "alerts were recorded and not told"
            await asyncio.sleep(0.05)
        self.compared += len(recorded) * len(self.checkers)

    def _truth(self) -> Truth:
        now = Truth(self.client, self.symbols)
        return self.truths.setdefault(now.epoch, now)

    def _where(self, checker: Checker, truth: Truth) -> str:
        ledger = checker.ledger
        behind = {key: known.last for key, known in ledger.series.items() if (known.last or 0) < truth.newest}
        there = checker.wire is not None and not checker.wire.lost.is_set()
        return f"connected {there}, settled {ledger.settled}, epoch {ledger.epoch}, behind {truth.newest}: {behind}"

    def _look(self, tasks: list[asyncio.Task[None]]) -> None:
        if self.fault is not None:
            raise self.fault
        for task in tasks:
            if task.done() and not task.cancelled() and task.exception() is not None:
                raise AssertionError("a checker ended") from task.exception()


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return
