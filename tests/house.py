"""The whole application in one process over a database in a folder: a clock that a test moves, ticks that it gives."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from flask import Flask
from flask.testing import FlaskClient

from dashboard.accounts.sessions import COOKIE
from dashboard.accounts.users import Users
from dashboard.clock import ManualClock
from dashboard.config import load_settings
from dashboard.market.ticks import TickBatch
from dashboard.runtime import Runtime
from dashboard.web import create_server

ROOT = Path(__file__).resolve().parents[1]
#: 2026-11-23T10:00:00Z, a Monday.
NOW_MS = 1_795_428_000_000
PASSWORD = "correct horse 7"
SECOND, DAY = 1_000.0, 86_400_000.0
#: One tick: symbol, price, and where it matters size, ms before the clock, bid and ask.
Given = tuple[Any, ...]


@dataclass
class House:
    """A product whose simulator is asleep, and the ways a test has to it."""

    runtime: Runtime
    clock: ManualClock
    folder: Path
    made: list[Flask] = field(default_factory=list)

    @property
    def server(self) -> Flask:
        return self.made[0]

    def stranger(self) -> FlaskClient:
        """A browser that is not logged in."""
        return self.server.test_client()

    def enter(self, name: str, password: str = PASSWORD, **form: str) -> FlaskClient:
        """A browser that is logged in."""
        client = self.stranger()
        answer = client.post("/login", data={"username": name, "password": password, **form})
        assert answer.status_code == 302, answer.text
        return client

    def bearing(self, cookie: str) -> FlaskClient:
        """A browser to which a session cookie was copied."""
        client = self.stranger()
        client.set_cookie(COOKIE, cookie)
        return client

    def users(self) -> Users:
        return Users(self.runtime.database, self.clock)

    def notice(self) -> None:
        """Let the time pass within which a process has to notice what another one did."""
        self.clock.advance(SECOND)

    def tick(self, *given: Given) -> None:
        """Give the store ticks as one batch, through every check, as a feed does."""
        usual = (10.0, 0.0, np.nan, np.nan)
        full = [(symbol, price, *rest, *usual[len(rest) :]) for symbol, price, *rest in given]
        self.runtime.intake.ticks(batch_of(self, full))


def batch_of(house: House, rows: Sequence[Given]) -> TickBatch:
    """Rows of symbol, price, size, ms before the clock, bid and ask as a feed reports them."""
    now = house.clock.now_ms()
    find = house.runtime.store.catalogue.index
    who = [find(row[0]) for row in rows]
    return TickBatch(
        np.array([-1 if at is None else at for at in who], dtype=np.int64),
        np.array([now - row[3] for row in rows], dtype=np.int64),
        np.full(len(rows), now),
        np.array([row[1] for row in rows], dtype=np.float64),
        np.array([row[2] for row in rows], dtype=np.float64),
        np.array([row[4] for row in rows], dtype=np.float64),
        np.array([row[5] for row in rows], dtype=np.float64),
    )


@contextmanager
def open_house(
    folder: Path, people: dict[str, str] | None = None, now_ms: float = NOW_MS, **settings: str
) -> Iterator[House]:
    """A product with `people` (name: role, all with PASSWORD) that ends with the `with`; settings without prefix."""
    given = {
        "DATABASE_URL": f"sqlite:///{folder}/test.db",
        "SEED": "1",
        "STORE_MB": "64",
        "TICK_MS": "60000",
        "SYMBOLS": "AAPL,MSFT,BTC-USD",
        **settings,
    }
    clock = ManualClock(now_ms)
    runtime = Runtime(
        load_settings({f"DASHBOARD_{name}": value for name, value in given.items()}, env_file=None), clock
    )
    house = House(runtime, clock, folder)
    try:
        if people:
            runtime.database.migrate()
            known = {person.name for person in house.users().every()}
            for name, role in people.items():
                if name not in known:
                    house.users().add(name, PASSWORD, role)
        house.made.append(create_server(runtime))
        runtime.start()
        yield house
    finally:
        runtime.stop()
        runtime.database.close()


def cookie_of(client: FlaskClient) -> str:
    """The session cookie that a browser holds."""
    found = client.get_cookie(COOKIE)
    assert found is not None
    return found.value


def is_in(client: FlaskClient, **options: Any) -> bool:
    """Whether the product takes this browser for one that is logged in."""
    status = client.get("/api/v1/tickers", **options).status_code
    assert status in (200, 401), status
    return status == 200


def command(folder: Path, *arguments: str, stdin: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m dashboard` as a process of its own on the database in `folder`."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DASHBOARD_")}
    given = {"DATABASE_URL": f"sqlite:///{folder}/test.db", **settings}
    return subprocess.run(
        [sys.executable, "-m", "dashboard", *arguments],
        cwd=ROOT,
        env=clean | {f"DASHBOARD_{name}": value for name, value in given.items()},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
