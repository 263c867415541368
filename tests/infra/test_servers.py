"""The product as an operator runs it: every way to start, how it refuses, how it ends."""

from __future__ import annotations

import contextlib
import signal
import socket
import time
from pathlib import Path
from typing import Any

import httpx
import orjson
import psutil
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.stream.wire import handshake_bytes, text

SERVERS = ("app", "gunicorn", "plain", "sync")


def stream(running: Any, client: httpx.Client) -> ClientConnection:
    cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    address = f"ws://127.0.0.1:{running.port}/ws/market"
    return connect(address, origin=running.url, additional_headers={"Cookie": cookie}, proxy=None)


@pytest.mark.parametrize("server", SERVERS)
def test_every_server_gives_the_same_product_and_leaves_in_five_seconds(product: Any, server: str) -> None:
    running = product(server=server, TICK_MS="100")
    client = running.client()
    assert client.get("/").status_code == 200
    assert len(client.get("/api/v1/tickers").json()["data"]) == 15
    with stream(running, client) as wire:
        assert orjson.loads(wire.recv(timeout=10))["type"] == "welcome"
        wire.send('{"op":"subscribe","channel":"ticker","symbols":"*"}')
        kinds = {orjson.loads(wire.recv(timeout=10))["type"] for _ in range(6)}
        assert "ticker" in kinds
        began = time.monotonic()
        assert running.process is not None
        running.process.send_signal(signal.SIGTERM)
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                wire.recv(timeout=5)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1001
    assert running.process.wait(10) == 0
    assert time.monotonic() - began < 5.0
    assert "Traceback" not in running.log


@pytest.mark.parametrize("server", ["app", "gunicorn"])
def test_sessions_survive_a_restart_and_the_data_starts_a_new_epoch(product: Any, server: str) -> None:
    running = product(server=server)
    client = running.client()
    before = client.get("/api/v1/tickers").json()["epoch"]
    running.restart()
    assert client.get("/api/v1/tickers").json()["epoch"] != before


def ends_with_a_sentence(running: Any, *words: str) -> None:
    """Refuses within a few seconds, with a status and at most five lines that hold `words`."""
    assert running.process is not None
    assert running.process.wait(30) != 0
    time.sleep(0.2)
    said = running.log.strip().splitlines()
    assert "Traceback" not in running.log
    for word in words:
        assert word in running.log, running.log
    assert len([line for line in said if " [" not in line]) <= 5, said


@pytest.mark.parametrize("server", ["app", "gunicorn", "plain"])
def test_a_bad_setting_stops_the_start_with_one_message(product: Any, server: str) -> None:
    running = product(server=server, wait=False, TICK_MS="9")
    ends_with_a_sentence(running, "DASHBOARD_TICK_MS", "10")


def test_a_port_in_use_is_said(product: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        running = product(wait=False, PORT=str(taken.getsockname()[1]))
        ends_with_a_sentence(running, "DASHBOARD_PORT", str(taken.getsockname()[1]))


def test_two_workers_without_a_bus_are_refused_and_told_why(product: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_CONCURRENCY", "2")
    running = product(server="plain", wait=False)
    ends_with_a_sentence(running, "more than one worker")
    assert running.process.returncode == 3  # what a supervisor must not start again for ever


def test_another_address_is_refused_until_it_is_safe(product: Any) -> None:
    running = product(wait=False, HOST="0.0.0.0")
    ends_with_a_sentence(running, "DASHBOARD_SECRET_KEY")


def test_a_missing_replay_file_refuses_to_start(product: Any, tmp_path: Path) -> None:
    running = product(wait=False, FEED=f"replay:{tmp_path}/none.csv")
    ends_with_a_sentence(running, "none.csv")


def test_a_database_that_cannot_be_made_refuses_to_start(product: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    running = product(wait=False, DATABASE_URL=f"sqlite:///{tmp_path}/file/test.db")
    ends_with_a_sentence(running, "file")


def test_check_says_that_all_is_well_or_what_is_not(product: Any) -> None:
    well = product(begin=False).run("check")
    assert well.returncode == 0, well.stderr
    wrong = product(begin=False, FEED="nonsense").run("check")
    assert wrong.returncode != 0
    assert "DASHBOARD_FEED" in wrong.stderr + wrong.stdout
    assert "Traceback" not in wrong.stderr


@pytest.mark.parametrize("server", ["app", "gunicorn"])
def test_a_killed_process_comes_back_with_everything_that_was_saved(product: Any, server: str) -> None:
    running = product(server=server)
    client = running.client()
    running.stop(signal.SIGKILL)
    time.sleep(1.0)
    running.start()
    assert client.get("/api/v1/tickers").status_code == 200


@pytest.mark.parametrize("server", ["app", "gunicorn"])
def test_bytes_that_follow_the_handshake_at_once_are_not_lost(product: Any, server: str) -> None:
    running = product(server=server)
    client = running.client()
    cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    head = handshake_bytes(running.port, None, f"Cookie: {cookie}\r\n")
    with socket.create_connection(("127.0.0.1", running.port), 10) as line:
        line.sendall(head + text({"op": "ping", "id": 77}))
        got = b""
        while b'"pong"' not in got:
            piece = line.recv(65_536)
            assert piece, got
            got += piece
    assert b'"id":77' in got


@pytest.mark.parametrize("server", ["app", "gunicorn"])
def test_large_bodies_of_strangers_are_passed_over_without_being_kept(product: Any, server: str) -> None:
    running = product(server=server)
    assert running.process is not None
    pids = [running.process.pid, *(child.pid for child in psutil.Process(running.process.pid).children())]
    before = sum(psutil.Process(pid).memory_info().rss for pid in pids)
    lines = []
    for _ in range(12):
        line = socket.create_connection(("127.0.0.1", running.port), 10)
        line.sendall(
            f"POST /_dash-update-component HTTP/1.1\r\nHost: 127.0.0.1:{running.port}\r\n"
            "Content-Type: application/json\r\nContent-Length: 20000000\r\n\r\n".encode()
        )
        line.settimeout(2)
        with contextlib.suppress(OSError):
            for _ in range(150):
                line.sendall(b"x" * 65_536)
        lines.append(line)
    time.sleep(1.0)
    grown = sum(psutil.Process(pid).memory_info().rss for pid in pids) - before
    for line in lines:
        line.close()
    assert grown < 60_000_000, f"{grown / 1e6:.0f} MB for 12 strangers"
    assert running.client().get("/api/v1/tickers").status_code == 200


def test_a_second_product_on_the_same_database_is_refused_in_a_sentence(product: Any) -> None:
    first = product(server="gunicorn")
    for server in ("app", "gunicorn"):
        second = product(server=server, wait=False, DATABASE_URL=first.settings["DATABASE_URL"])
        ends_with_a_sentence(second, "another process serves the database", "DASHBOARD_DATABASE_URL")
    assert httpx.get(f"{first.url}/health/ready", trust_env=False).status_code == 200
