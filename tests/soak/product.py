"""The running product from an operator's side: its worker, what that holds of the machine, and how it is ended."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psutil

from tests.conftest import Product
from tests.soak.load import Load


def worker(running: Product) -> psutil.Process:
    """gunicorn's worker: the process with the hub."""
    assert running.process is not None
    (child,) = psutil.Process(running.process.pid).children()
    return child


def cookie_of(client: Any) -> str:
    """The header of a client that is logged in."""
    return "; ".join(f"{name}={value}" for name, value in client.cookies.items())


def resident(process: psutil.Process) -> int:
    """Bytes of memory that a process holds."""
    return int(process.memory_info().rss)


def kill(running: Product) -> None:
    """The worker dies without a word; the master starts another one."""
    worker(running).kill()
    running.wait_ready()


def reload(running: Product) -> None:
    """HUP: a new worker takes over."""
    before = worker(running).pid
    assert running.process is not None
    master = psutil.Process(running.process.pid)
    running.process.send_signal(signal.SIGHUP)
    until = time.monotonic() + 30
    while before in (pids := [child.pid for child in master.children()]) or len(pids) != 1:
        assert time.monotonic() < until, f"{before} does not go: {pids}"
        time.sleep(0.05)
    running.wait_ready()


@contextmanager
def loaded(running: Product) -> Iterator[Load]:
    """A process of clients that are logged in to a running product."""
    with closing(running.client()) as client:
        load = Load(running.port, cookie_of(client))
    try:
        yield load
    finally:
        load.close()


def metric(running: Product, name: str) -> float:
    """The sum of a counter or gauge over its labels."""
    with closing(running.client()) as client:
        lines = client.get("/metrics").text.splitlines()
    found = [line.rsplit(" ", 1) for line in lines if line.startswith(name) and line[len(name)] in " {"]
    return sum(float(value) for _, value in found)


def threads_of(process: psutil.Process) -> list[str]:
    """Names of a process's threads, sorted, as the kernel has them."""
    return sorted(Path(f"/proc/{process.pid}/task/{each.id}/comm").read_text().strip() for each in process.threads())
