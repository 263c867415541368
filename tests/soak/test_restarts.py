"""gunicorn reloaded, ended, its worker killed, under many clients: all are told or cut at once, all come back by
themselves, and no request that was accepted is answered with an error."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.conftest import Product, Scale
from tests.soak.product import kill, loaded, reload

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]
#: What a page asks for, short and long.
PATHS = ("/api/v1/tickers", "/api/v1/tickers/AAPL/bars?timeframe=1s&limit=3000", "/api/v1/export/AAPL.csv?timeframe=1m")


class Requests:
    """Some threads that ask on and on, each time on a new connection, and count how they were answered."""

    def __init__(self, running: Product, threads: int = 4) -> None:
        with_login = running.client()
        self.cookies = dict(with_login.cookies)
        with_login.close()
        self.url = running.url
        self.seen: Counter[str] = Counter()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(number,)) for number in range(threads)]

    def __enter__(self) -> Counter[str]:
        for thread in self._threads:
            thread.start()
        return self.seen

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, number: int) -> None:
        while not self._stop.is_set():
            self.seen[self._answer(PATHS[number % len(PATHS)])] += 1
            time.sleep(0.02)

    def _answer(self, path: str) -> str:
        try:
            with (
                httpx.Client(base_url=self.url, cookies=self.cookies, trust_env=False, timeout=30) as client,
                client.stream("GET", path) as answer,
            ):
                try:
                    body = answer.read()
                except httpx.HTTPError:
                    return "cut in the middle"
                return "answered" if answer.status_code == 200 and body else f"status {answer.status_code}"
        except httpx.ConnectError:
            return "refused"
        except httpx.HTTPError:
            return "cut before an answer"


#: How it is done, and what may happen to a request: a reload keeps the listening socket, so nothing at all.
DOINGS: dict[str, tuple[Callable[[Product], None], set[str]]] = {
    "HUP": (reload, set()),
    "TERM": (Product.restart, {"refused", "cut before an answer"}),
    "KILL": (kill, {"refused", "cut before an answer", "cut in the middle"}),
}


@pytest.mark.parametrize("how", DOINGS)
def test_everybody_is_told_or_cut_and_comes_back(product: Any, scale: Scale, how: str) -> None:
    doing, allowed = DOINGS[how]
    running: Product = product(server="gunicorn", TICK_MS="100", STREAM_CONNECTIONS_PER_USER="5000")
    size, rounds = scale.of(50, 500), scale.of(1, 5)
    took = []
    with loaded(running) as clients:
        clients.open("good", size)
        for _ in range(rounds):
            with Requests(running) as seen:
                time.sleep(0.5)
                doing(running)
                took.append(clients.do("wait", seconds=60)["seconds"])
                time.sleep(0.5)
            assert seen["answered"] > 0
            assert set(seen) - {"answered"} <= allowed, f"{how}: {seen}"
        state = clients.do("state")
    told = state["closed"]["good"]
    assert told == ({} if how == "KILL" else {"1001": size * rounds}), told
    assert state["live"] == {"good": size}
    print(f"{how}: {size} clients live again {max(took):.2f} s after the server at the latest; {dict(seen)}")
    if scale.full:
        # The page's own delays: it is back within 30 s of the server's return, most of it waiting.
        assert max(took) < 30, took
