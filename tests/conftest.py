"""The real product as a subprocess, and a real browser."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[1]
START_S = 60.0


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="the long form of tests marked soak or fuzz")


@dataclass(frozen=True, slots=True)
class Scale:
    """How much of a test to run. Milliseconds, tails and ratios are judged where `full` is, never in `make test`."""

    full: bool

    def of(self, short: int, full: int) -> int:
        """`short` rounds in `make test`, `full` ones in `make soak` and `make fuzz`."""
        return full if self.full else short


@pytest.fixture
def scale(request: pytest.FixtureRequest) -> Scale:
    """Whether the test runs in its short or its full form."""
    return Scale(bool(request.config.getoption("--full")))


def take_port() -> int:
    """A port that is free just now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class Product:
    """A running product: `url`, `port`, its log, and ways to talk to it."""

    def __init__(self, folder: Path, server: str, settings: dict[str, str]) -> None:
        self.folder, self.server = folder, server
        self.port = take_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.settings = {
            "DATABASE_URL": f"sqlite:///{folder}/test.db",
            "PORT": str(self.port),
            "STORE_MB": "64",
            **settings,
        }
        self.lines: list[str] = []
        self.process: subprocess.Popen[str] | None = None

    @property
    def environment(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("DASHBOARD_")}
        return clean | {f"DASHBOARD_{name}": value for name, value in self.settings.items()} | {"PYTHONUNBUFFERED": "1"}

    @property
    def command(self) -> list[str]:
        if self.server == "app":
            return [sys.executable, "app.py"]
        gunicorn = [sys.executable, "-m", "gunicorn", "--no-control-socket"]
        if self.server == "plain":
            return [*gunicorn, "-b", f"127.0.0.1:{self.port}", "--threads", "8", "app:server"]
        if self.server == "sync":
            return [*gunicorn, "-c", "infra/gunicorn.conf.py", "-k", "sync", "app:server"]
        return [*gunicorn, "-c", "infra/gunicorn.conf.py", "app:server"]

    @property
    def log(self) -> str:
        return "".join(self.lines)

    def start(self, *, wait: bool = True) -> Product:
        """Start it and, unless told otherwise, wait until it is ready."""
        self.process = subprocess.Popen(
            self.command,
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._read, args=(self.process,), daemon=True).start()
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self) -> None:
        assert self.process is not None
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            assert self.process.poll() is None, f"ended with {self.process.returncode}:\n{self.log}"
            try:
                if httpx.get(f"{self.url}/health/ready", timeout=5, trust_env=False).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
        self.process.kill()
        self.process.wait()
        raise AssertionError(f"not ready in {START_S} s:\n{self.log}")

    def stop(self, signum: int = signal.SIGTERM) -> int:
        """End it; gives its status."""
        process = self.process
        assert process is not None
        if process.poll() is None:
            process.send_signal(signum)
        try:
            return process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"did not end:\n{self.log}") from None

    def restart(self) -> None:
        """End it and start it again on the same port, with the same database."""
        self.stop()
        self.start()

    def client(self, name: str = "root", password: str = "123456", **options: Any) -> httpx.Client:
        """A client that is logged in."""
        client = httpx.Client(base_url=self.url, trust_env=False, timeout=30, **options)
        answer = client.post("/login", data={"username": name, "password": password})
        assert answer.status_code == 302, answer.text
        return client

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run `python -m dashboard` with the same settings."""
        return subprocess.run(
            [sys.executable, "-m", "dashboard", *arguments],
            cwd=ROOT,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.lines.append(line)


CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def chromium() -> str:
    """Where the system's Chromium is."""
    path = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")
    assert path, "Chromium is needed: make test installs it"
    return path


@pytest.fixture
def free_port() -> int:
    """A port that is free just now."""
    return take_port()


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Callable[..., Product]]:
    """A factory of running products: `product(TICK_MS="100", server="gunicorn")`; ended with the test."""
    made: list[Product] = []

    def start(*, server: str = "app", wait: bool = True, begin: bool = True, **settings: str) -> Product:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(Product(folder, server, settings))
        return made[-1].start(wait=wait) if begin else made[-1]

    yield start
    for each in made:
        if each.process is not None and each.process.poll() is None:
            each.process.terminate()
    for each in made:
        if each.process is not None:
            try:
                each.process.wait(10)
            except subprocess.TimeoutExpired:
                each.process.kill()
                each.process.wait()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Debian's Chromium, headless; every context has a profile of its own."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        yield launched
        launched.close()


@pytest.fixture(autouse=True)
def _pages_end_with_their_test(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a test opened and left is closed: a page paints for ever, or asks a server that has gone."""
    if "browser" not in request.fixturenames:
        yield
        return
    opened = request.getfixturevalue("browser")
    before = set(opened.contexts)
    yield
    for context in set(opened.contexts) - before:
        context.close()
