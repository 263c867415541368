"""Starts `market_app` under a real server in a process of its own, and opens sockets to it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

from tests.conftest import take_port

ROOT = Path.cwd()
SERVERS = ("werkzeug", "gthread", "sync")


class Server:
    """A running one; `port` on loopback."""

    def __init__(self, kind: str, port: int, **environment: str) -> None:
        self.kind, self.port = kind, port
        # A file and no pipe: a pipe that nobody reads stops the server.
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the server
        commands = {
            "werkzeug": [sys.executable, "-m", "tests.stream.market_app", str(port)],
            "gthread": _gunicorn(port, "--worker-class=gthread", "--threads=8"),
            "sync": _gunicorn(port, "--worker-class=sync"),
        }
        self.process = subprocess.Popen(
            commands[kind],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        for _ in range(300):
            try:
                self.state()
                return
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.1)
        raise AssertionError(f"{kind} did not start: {self.stop()}")

    def get(self, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
        """(status, headers, body) of a request."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method, headers=named)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers), error.read()

    def state(self) -> dict[str, float]:
        state: dict[str, float] = orjson.loads(self.get("/state")[2])
        return state

    def stop(self) -> str:
        """SIGTERM, and what it has written."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.written() + "\nhad to be killed"
        return self.written()

    def written(self) -> str:
        """Its output so far."""
        self._log.seek(0)
        return self._log.read().decode()


def _gunicorn(port: int, *options: str) -> list[str]:
    return [
        sys.executable,
        "-m",
        "gunicorn",
        f"--bind=127.0.0.1:{port}",
        "--config=tests/stream/gunicorn_conf.py",
        "--access-logfile=-",
        *options,
        "tests.stream.market_app:create()",
    ]


@contextmanager
def serving(kind: str, **environment: str) -> Iterator[Server]:
    """A server on a free port."""
    server = Server(kind, take_port(), **environment)
    try:
        yield server
    finally:
        server.stop()
