"""Health: one line a component, 503 when one fails, and an answer in time even where a check hangs."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from dashboard.errors import StorageError
from dashboard.ops import health
from tests.house import House, open_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path) as opened:
        yield opened


def lines(house: House, path: str) -> tuple[int, list[str]]:
    """(status, lines) that a stranger is told."""
    answer = house.stranger().get(path)
    assert answer.mimetype == "text/plain"
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.status_code, answer.text.splitlines()


def until(true: Callable[[], bool], seconds: float = 8.0) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "did not come"
        time.sleep(0.01)


def test_live_says_that_both_loops_turn(house: House) -> None:
    assert lines(house, "/health/live") == (200, ["server ok", "hub ok"])


def test_ready_has_a_line_a_component_in_the_order_of_the_contract(house: House) -> None:
    house.tick(("AAPL", 200.0))
    assert lines(house, "/health/ready") == (200, ["feed ok 0.0 s", "store ok", "bus ok", "database ok"])
    house.clock.advance(400)
    assert lines(house, "/health/live")[0] == 200
    until(lambda: lines(house, "/health/ready")[1][0] == "feed ok 0.4 s")


def test_before_the_first_report_it_is_live_but_not_ready(house: House) -> None:
    assert lines(house, "/health/live")[0] == 200
    status, said = lines(house, "/health/ready")
    assert status == 503
    assert said[0] == "feed starting"


def test_a_feed_that_is_silent_for_too_long_is_a_503_and_comes_back(house: House) -> None:
    house.tick(("AAPL", 200.0))
    house.clock.advance(179_000)
    assert lines(house, "/health/ready")[0] == 200
    house.clock.advance(2_000)
    until(lambda: lines(house, "/health/ready")[0] == 503)
    status, said = lines(house, "/health/ready")
    assert (status, said[0]) == (503, "feed silent for 181.0 s")
    assert said[1:] == ["store ok", "bus ok", "database ok"], "only what fails is said to fail"
    assert lines(house, "/health/live")[0] == 200, "a gone feed is no reason to be restarted"
    house.tick(("AAPL", 201.0))
    until(lambda: lines(house, "/health/ready")[0] == 200)


def test_how_long_a_feed_may_be_silent_is_a_setting(tmp_path: Path) -> None:
    with open_house(tmp_path, STALE_AFTER_S="15") as house:
        house.tick(("AAPL", 200.0))
        house.clock.advance(16_000)
        assert lines(house, "/health/ready") == (
            503,
            ["feed silent for 16.0 s", "store ok", "bus ok", "database ok"],
        )


def test_a_feed_that_is_gone_is_a_503(house: House) -> None:
    house.tick(("AAPL", 200.0))
    house.runtime.supervisor.stop(5)
    status, said = lines(house, "/health/ready")
    assert status == 503
    assert said[0] == "feed stopped"


def recorded(folder: Path) -> Path:
    """A file of trades to replay."""
    source = folder / "BTCUSDT.csv"
    source.write_text("time,price,size\n" + "".join(f"{1_795_428_000 + n},{100 + n},1\n" for n in range(5)))
    return source


def test_at_the_end_of_its_file_a_replay_says_so_and_stays_ready(tmp_path: Path) -> None:
    settings = {"FEED": f"replay:{recorded(tmp_path)}", "REPLAY_SPEED": "max", "SYMBOLS": "BTCUSDT"}
    with open_house(tmp_path, **settings) as house:
        until(lambda: house.runtime.supervisor.state.status == "ended")
        assert lines(house, "/health/ready") == (200, ["feed ended", "store ok", "bus ok", "database ok"])


def test_a_feed_that_breaks_off_is_a_503_that_says_why_and_it_is_tried_again(tmp_path: Path) -> None:
    source = recorded(tmp_path)
    settings = {"FEED": f"replay:{source}", "REPLAY_SPEED": "50", "REPLAY_LOOP": "true", "SYMBOLS": "BTCUSDT"}
    with open_house(tmp_path, **settings) as house:

        def ready() -> int:
            house.clock.advance(20)
            return lines(house, "/health/ready")[0]

        until(lambda: ready() == 200 and house.runtime.store.seq > 5)
        away = source.rename(tmp_path / "away.csv")
        until(lambda: ready() == 503)
        said = lines(house, "/health/ready")[1]
        assert re.match(r"feed retrying: .*BTCUSDT\.csv", said[0]), said
        assert said[1:] == ["store ok", "bus ok", "database ok"]
        away.rename(source)
        until(lambda: ready() == 200)


def test_a_database_that_is_gone_is_a_503_with_the_reason(house: House) -> None:
    house.tick(("AAPL", 200.0))
    assert lines(house, "/health/ready")[0] == 200
    house.runtime.database.close()
    for name in ("test.db", "test.db-wal", "test.db-shm"):
        (house.folder / name).unlink(missing_ok=True)
    until(lambda: lines(house, "/health/ready")[0] == 503)
    assert lines(house, "/health/ready")[1][3] == "database the database refuses: no such table: users"
    assert lines(house, "/health/live")[0] == 200


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_health_is_read_without_a_login_and_nothing_else_can_be_done_with_it(house: House, path: str) -> None:
    assert house.stranger().head(path).status_code in (200, 503)
    assert house.stranger().post(path).status_code == 405


def test_live_is_a_503_when_the_servers_loop_has_not_turned_for_five_seconds(house: House) -> None:
    house.runtime.server_lag_s = lambda: 5.6
    assert lines(house, "/health/live") == (503, ["server stuck for 5.6 s", "hub ok"])


# -- the room alone --------------------------------------------------------------------------------------------------


def app_of(live: dict[str, Callable[[], float]], ready: dict[str, health.Check]) -> Flask:
    server = Flask("health")
    server.register_blueprint(health.blueprint(live=live, limit_s=5.0, ready=ready))
    return server


@pytest.mark.parametrize(
    ("lag", "status", "line"), [(0.0, 200, "hub ok"), (5.0, 200, "hub ok"), (7.26, 503, "hub stuck for 7.3 s")]
)
def test_a_loop_is_stuck_beyond_the_limit(lag: float, status: int, line: str) -> None:
    answer = app_of({"server": lambda: 0.0, "hub": lambda: lag}, {}).test_client().get("/health/live")
    assert (answer.status_code, answer.text) == (status, f"server ok\n{line}\n")


def test_a_check_that_hangs_fails_in_time_once_and_holds_no_thread_per_request() -> None:
    go_on, asked = threading.Event(), []

    def hang() -> tuple[bool, str]:
        asked.append(time.monotonic())
        go_on.wait(9)
        return True, "ok"

    client = app_of({}, {"feed": lambda: (True, "ok"), "database": hang}).test_client()
    began = time.monotonic()
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert re.fullmatch(r"feed ok\ndatabase no answer for 1 s\n", answer.text)
    assert client.get("/health/ready").status_code == 503
    assert time.monotonic() - began < 4
    assert len(asked) == 1, "while one asks, nobody else does"
    for _ in range(10):
        assert client.get("/health/ready").status_code == 503
    assert time.monotonic() - began < 8, "while it is stuck, nobody waits for it"
    go_on.set()
    until(lambda: client.get("/health/ready").text == "feed ok\ndatabase ok\n")


def test_a_check_that_fails_is_told_in_words_without_a_traceback() -> None:
    def refuses() -> tuple[bool, str]:
        raise StorageError("the database refuses: disk I/O error")

    def breaks() -> tuple[bool, str]:
        raise ZeroDivisionError("secret details")

    answer = app_of({}, {"database": refuses, "bus": breaks}).test_client().get("/health/ready")
    assert answer.status_code == 503
    assert answer.text == "database the database refuses: disk I/O error\nbus failed: ZeroDivisionError\n"


def test_a_storm_of_probes_asks_each_component_twice_a_second_at_most() -> None:
    asked = []

    def check() -> tuple[bool, str]:
        asked.append(1)
        return True, "ok"

    client = app_of({}, {"database": check}).test_client()
    until_then = time.monotonic() + 1.2
    while time.monotonic() < until_then:
        assert client.get("/health/ready").status_code == 200
    assert 2 <= len(asked) <= 4
