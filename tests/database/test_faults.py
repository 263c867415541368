"""A disk that is full, a disk with errors and a locked database under the running product.

The stream never stops, readiness says so, and every alert that fired meanwhile is recorded afterwards, exactly once.
"""

from __future__ import annotations

import os
import resource
import sqlite3
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from dashboard.accounts.sessions import COOKIE
from tests.conftest import Product, Scale
from tests.stream.wire import Wire, text

SYMBOL = "AAPL"
#: Rules on each side of the price, a cent apart.
RULES = 12
#: Seconds without a tick that the short form forgives a busy machine; ticks come every 20 ms.
SILENCE_S = 5.0
#: The promises: readiness fails and recovers within, s; the stream's p99 beside the one before. Judged in full.
NOTICED_S, CAUGHT_UP_S, P99_RATIO = 5.0, 30.0, 1.2

Fault = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[tuple[Path, bool]]:
    """(a folder, whether it is a small disk of its own): without the right to mount it is no disk to fill."""
    folder = tmp_path / "disk"
    folder.mkdir()
    order = ["mount", "-t", "tmpfs", "-o", "size=24m", "tickboard", str(folder)]
    try:
        own = subprocess.run(order, capture_output=True, check=False).returncode == 0
    except OSError:
        own = False
    yield folder, own
    if own:
        subprocess.run(["umount", "-l", str(folder)], check=False)


@contextmanager
def full(folder: Path) -> Iterator[None]:
    """ENOSPC: another program has taken the last byte."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (65_536, 4_096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    try:
        yield
    finally:
        ballast.unlink()


@contextmanager
def failing(pid: int) -> Iterator[None]:
    """EFBIG at every write to a file: SQLite calls it a disk I/O error."""
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Another program holds the database for itself."""
    lock = sqlite3.connect(file, isolation_level=None, timeout=30)
    lock.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        lock.rollback()
        lock.close()


class Watcher:
    """A client of ticks and alerts that reads everything."""

    def __init__(self, product: Product, cookie: str, *, after_id: int | None = None) -> None:
        self.ticks: list[tuple[int, float]] = []
        self.alerts: list[tuple[int, int]] = []
        self.delays: list[tuple[float, float]] = []
        self.fault: BaseException | None = None
        self.wire = Wire(product.port, user=None, extra=f"Cookie: {COOKIE}={cookie}\r\n")
        if after_id is None:
            self.wire.send(text({"op": "subscribe", "channel": "ticks", "symbols": [SYMBOL]}))
            self.wire.send(text({"op": "subscribe", "channel": "alerts"}))
        else:
            self.wire.send(text({"op": "subscribe", "channel": "alerts", "after_id": after_id}))
        threading.Thread(target=self._run, daemon=True).start()

    @property
    def seq(self) -> int:
        return self.ticks[-1][0] if self.ticks else 0

    def _run(self) -> None:
        try:
            while True:
                message = self.wire.message("ticks", "alert", "gap")
                assert message["type"] != "gap", message
                if message["type"] == "alert":
                    self.alerts.append((message["event"]["alert_id"], message["event"]["seq"]))
                    continue
                self.delays.append((time.monotonic(), time.time() * 1000 - message["sent"]))
                self.ticks += [(row[0], row[1]) for row in message["data"].get(SYMBOL, [])]
        except BaseException as error:
            self.fault = error


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as the test knows it; it counts from `since` on, where it certainly was in force."""

    direction: str
    level: float
    since: int


def make_rules(client: httpx.Client, watcher: Watcher, rules: dict[int, Rule]) -> None:
    """Add rules around the present price to `rules`, and wait until they are in force."""
    price = watcher.ticks[-1][1]
    answer: httpx.Response | None = None
    for step in range(-RULES, RULES + 1):
        level = round(price + step / 100, 2)
        command = {"op": "create", "symbol": SYMBOL, "direction": "below" if step % 2 else "above", "level": str(level)}
        answer = client.post(
            "/_dash-update-component",
            json={
                "output": "alerts.data",
                "outputs": {"id": "alerts", "property": "data"},
                "inputs": [{"id": "alert-command", "property": "data", "value": command}],
                "changedPropIds": ["alert-command.data"],
            },
        )
        assert answer.status_code == 200, answer.text
    assert answer is not None
    since = watcher.seq + 50
    for made in answer.json()["response"]["alerts"]["data"]["rules"]:
        rules.setdefault(made["id"], Rule(made["direction"], made["level"], since))
    wait_for(lambda: watcher.seq > since, 20, "ticks behind the rules")


def fired(rules: dict[int, Rule], ticks: list[tuple[int, float]], since: int = 0) -> Counter[tuple[int, int]]:
    """(alert, seq) of every crossing behind `since`: a tick past the level whose predecessor was not."""
    found: Counter[tuple[int, int]] = Counter()
    for number, rule in rules.items():
        before: bool | None = None
        for seq, price in ticks:
            past = price >= rule.level if rule.direction == "above" else price <= rule.level
            if past and before is False and seq > max(since, rule.since):
                found[number, seq] += 1
            before = past
    return found


def ready(product: Product) -> int:
    return httpx.get(f"{product.url}/health/ready", timeout=10, trust_env=False).status_code


def wait_for(true: Callable[[], bool], seconds: float, what: str) -> float:
    """How long it took until something was so."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, f"{what}: not within {seconds:g} s"
        time.sleep(0.05)
    return time.monotonic() - began


def calm(seconds: float) -> tuple[float, float]:
    """(beginning, end) of a time without a fault."""
    began = time.monotonic()
    time.sleep(seconds)
    return began, time.monotonic()


def p99(delays: list[tuple[float, float]], *windows: tuple[float, float]) -> float:
    """Of the delays of messages that arrived in one of the windows, ms."""
    found = sorted(delay for at, delay in delays if any(since <= at <= until for since, until in windows))
    return found[int(len(found) * 0.99)] if found else float("inf")


@pytest.mark.soak
def test_what_fires_during_a_fault_of_the_disk_is_recorded_after_it_and_the_stream_goes_on(
    scale: Scale, product: Callable[..., Product], disk: tuple[Path, bool]
) -> None:
    folder, own = disk
    running = product(TICK_MS="20", SYMBOLS=f"{SYMBOL},MSFT", DATABASE_URL=f"sqlite:///{folder}/test.db", SEED="4")
    client = running.client()
    cookie = client.cookies[COOKIE]
    watcher = Watcher(running, cookie)
    wait_for(lambda: len(watcher.ticks) > 10, 20, "ticks")
    rules: dict[int, Rule] = {}
    assert running.process is not None
    pid = running.process.pid
    faults: dict[str, Fault] = {"I/O error": lambda: failing(pid), "locked": lambda: locked(folder / "test.db")}
    if own:
        faults["full"] = lambda: full(folder)
    lasts = float(scale.of(2, 30))
    windows = [calm(lasts if scale.full else 0.3)]
    slowest: list[tuple[str, float, float]] = []
    for name, fault in faults.items():
        make_rules(client, watcher, rules)
        began, first = time.monotonic(), watcher.seq
        with fault():
            noticed = wait_for(lambda: ready(running) == 503, 30, f"{name}: readiness 503")
            while time.monotonic() < began + lasts:
                time.sleep(0.1)
                assert time.monotonic() - watcher.delays[-1][0] < SILENCE_S, f"{name}: the stream has stopped"
            meanwhile = began, time.monotonic()
            count = sum(fired(rules, list(watcher.ticks), first).values())
        recovered = wait_for(lambda: ready(running) == 200, 60, f"{name}: readiness 200")
        windows.append(calm(lasts if scale.full else 0.3))
        # The quiet time on both sides of it: what else the machine does changes from minute to minute.
        usual = p99(watcher.delays, windows[-2], windows[-1])
        slowest.append((name, p99(watcher.delays, meanwhile), usual))
        said = f"{name}: 503 after {noticed:.1f} s, 200 {recovered:.1f} s after it, {count} alerts meanwhile, "
        print(f"{said}p99 {slowest[-1][1]:.1f} ms beside {usual:.1f} ms")
        assert count, f"{name}: nothing fired, which shows nothing"
        if scale.full:
            assert noticed <= NOTICED_S, said
            assert recovered <= CAUGHT_UP_S, said
    until = watcher.seq
    expected = fired(rules, list(watcher.ticks))
    expected = Counter({event: count for event, count in expected.items() if event[1] <= until})

    def between(events: list[tuple[int, int]]) -> Counter[tuple[int, int]]:
        return Counter(event for event in events if rules[event[0]].since < event[1] <= until)

    stored = Watcher(running, cookie, after_id=0)
    wait_for(lambda: sum(between(stored.alerts).values()) >= sum(expected.values()), CAUGHT_UP_S, "every event")
    wait_for(lambda: sum(between(watcher.alerts).values()) >= sum(expected.values()), CAUGHT_UP_S, "every alert told")
    assert between(stored.alerts) == expected, "recorded: each exactly once"
    assert between(watcher.alerts) == expected, "told: each exactly once"
    assert watcher.fault is None
    seqs = [seq for seq, _ in watcher.ticks]
    assert seqs == sorted(set(seqs)), "a tick twice"
    assert "Traceback" not in running.log
    running.stop()
    with sqlite3.connect(folder / "test.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    print(f"{sum(expected.values())} events, disk {'of its own' if own else 'shared: not filled'}, user {os.getuid()}")
    if scale.full:
        for name, meanwhile_ms, usual_ms in slowest:
            assert meanwhile_ms <= P99_RATIO * max(usual_ms, 1.0), (
                f"{name}: p99 {meanwhile_ms:.2f} ms beside {usual_ms:.2f} ms"
            )
