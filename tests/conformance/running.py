"""Runs cases against a server, and starts the echo server to run them against."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import httpx

from tests.conformance.cases import Case, close
from tests.conformance.peer import Heard, Peer
from tests.conftest import take_port

ROOT = Path(__file__).resolve().parents[2]
GUNICORN = ("-m", "gunicorn", "-c", "infra/gunicorn.conf.py", "tests.conformance.echo:server")
COMMANDS = {
    "gthread": GUNICORN,
    "stock": (*GUNICORN[:-1], "-k", "gthread", GUNICORN[-1]),
    "sync": (*GUNICORN[:-1], "-k", "sync", GUNICORN[-1]),
    "werkzeug": ("-m", "tests.conformance.echo"),
}


def run(case: Case, connect: Callable[[], Peer]) -> Heard:
    """One case on a connection of its own."""
    peer = connect()
    for write in case.sent:
        peer.send(write, case.chop)
    if case.code is None:
        peer.listen(len(case.expected))
        peer.send(close())
    return peer.end()


def complaint(case: Case, heard: Heard, matter: Callable[[tuple[int, bytes]], bool] = lambda _: True) -> str | None:
    """What is wrong with what was heard, or None; events that do not `matter` are passed over."""
    events = [event for event in heard.events if matter(event)]
    expected = [event for event in case.expected if matter(event)]
    code = 1000 if case.code is None else case.code
    if events == expected and heard.code == code and heard.clean:
        return None
    shown = [(opcode, payload[:40]) for opcode, payload in events]
    return f"{case.number} {case.what}: got {shown}, close {heard.code}, {heard.ended}; expected close {code}"


def complaints(
    cases: Iterable[Case], connect: Callable[[], Peer], matter: Callable[[tuple[int, bytes]], bool] = lambda _: True
) -> list[str]:
    """What is wrong with each of the cases that fail."""
    found = (complaint(case, run(case, connect), matter) for case in cases)
    return [each for each in found if each is not None]


class EchoServer:
    """The echo server in a process of its own; `port` on loopback."""

    def __init__(self, kind: str, **environment: str) -> None:
        self.kind, self.port = kind, take_port()
        self.url = f"http://127.0.0.1:{self.port}"
        clean = {name: value for name, value in os.environ.items() if not name.startswith("DASHBOARD_")}
        # A file and no pipe: a pipe that nobody reads stops the server.
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the server
        self.process = subprocess.Popen(
            [sys.executable, *COMMANDS[kind]],
            cwd=ROOT,
            env=clean | {"DASHBOARD_PORT": str(self.port), "PYTHONUNBUFFERED": "1"} | environment,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        until = time.monotonic() + 60
        while time.monotonic() < until and self.process.poll() is None:
            with contextlib.suppress(httpx.HTTPError):
                self.state()
                return
            time.sleep(0.05)
        raise AssertionError(f"{kind} did not start: {self.stop()}")

    def state(self) -> dict[str, Any]:
        """What the server says of itself."""
        state: dict[str, Any] = httpx.get(f"{self.url}/state", timeout=20, trust_env=False).json()
        return state

    def connect(self, offer: str | None = None) -> Peer:
        """A connection whose handshake was answered 101."""
        peer = Peer(self.port, offer=offer)
        assert peer.status == 101
        return peer

    def stop(self) -> str:
        """SIGTERM, and what it has written."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._log.seek(0)
        written = self._log.read().decode()
        self._log.close()
        return written


@contextlib.contextmanager
def echoing(kind: str, **environment: str) -> Iterator[EchoServer]:
    """An echo server that ends with the `with`."""
    server = EchoServer(kind, **environment)
    try:
        yield server
    finally:
        server.stop()
