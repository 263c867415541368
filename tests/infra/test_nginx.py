"""A real nginx with the project's configuration in front of a real gunicorn: login, WebSocket and export through it."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.conftest import ROOT, take_port

PASSWORD = "a long enough password"


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[Callable[[int], str]]:
    """Starts nginx before a port of this machine with the project's own file; gives its URL."""
    started: list[subprocess.Popen[bytes]] = []
    binary = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    assert binary, "nginx is needed: make test installs it"

    def start(upstream: int) -> str:
        port = take_port()
        given = (ROOT / "infra" / "nginx" / "tickboard.conf").read_text()
        given, listens = re.subn(r"listen 80;", f"listen 127.0.0.1:{port};", given)
        given, servers = re.subn(r"server 127\.0\.0\.1:8050;", f"server 127.0.0.1:{upstream};", given)
        assert (listens, servers) == (1, 1)
        (tmp_path / "tickboard.conf").write_text(given)
        temporary = "\n".join(
            f"{name}_temp_path {tmp_path}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        main = tmp_path / "nginx.conf"
        main.write_text(
            f"daemon off; master_process off; pid {tmp_path}/pid; error_log stderr;\n"
            f"events {{}}\nhttp {{ access_log off; {temporary}\ninclude {tmp_path}/tickboard.conf; }}\n"
        )
        started.append(subprocess.Popen([binary, "-c", str(main), "-p", str(tmp_path), "-e", "stderr"]))
        until = time.monotonic() + 15
        while time.monotonic() < until:
            assert started[-1].poll() is None, "nginx refused its configuration"
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return f"http://127.0.0.1:{port}"
        raise AssertionError("nginx does not listen")

    yield start
    for process in started:
        process.terminate()
        process.wait(10)


@pytest.fixture
def site(product: Any, nginx: Callable[[int], str]) -> str:
    """The product under gunicorn, behind nginx, with an administrator."""
    running = product(server="gunicorn", begin=False, TRUSTED_PROXIES="1", TICK_MS="100", SEED="7")
    made = running.run("users", "add", "ada", "--role", "administrator", stdin=f"{PASSWORD}\n")
    assert made.returncode == 0, made.stderr
    running.start()
    return nginx(running.port)


def logged_in(site: str) -> httpx.Client:
    client = httpx.Client(base_url=site, trust_env=False, timeout=30)
    answer = client.post(
        "/login", data={"username": "ada", "password": PASSWORD}, headers={"Sec-Fetch-Site": "same-origin"}
    )
    assert answer.status_code == 302, answer.text
    return client


def test_login_stream_and_export_work_through_nginx(site: str) -> None:
    with httpx.Client(base_url=site, trust_env=False) as stranger:
        assert stranger.get("/").headers["location"].startswith("/login")
        # The demonstration's way in is shut behind a proxy.
        assert stranger.post("/login", data={"username": "root", "password": "123456"}).status_code == 401
        assert stranger.get("/metrics").status_code == 404
    client = logged_in(site)
    assert client.get("/").status_code == 200
    cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    address = site.replace("http", "ws") + "/ws/market"

    with pytest.raises(InvalidStatus) as refused:
        connect(address, origin="http://elsewhere.example", additional_headers={"Cookie": cookie}, proxy=None)
    assert refused.value.response.status_code == 403

    with connect(address, origin=site, additional_headers={"Cookie": cookie}, proxy=None) as stream:
        welcome = orjson.loads(stream.recv(timeout=10))
        assert welcome["type"] == "welcome"
        stream.send(orjson.dumps({"op": "subscribe", "id": 1, "channel": "ticker", "symbols": "*"}).decode())
        seen = set()
        until = time.monotonic() + 15
        while {"subscribed", "snapshot", "ticker"} - seen and time.monotonic() < until:
            seen.add(orjson.loads(stream.recv(timeout=10))["type"])
        assert {"subscribed", "snapshot", "ticker"} <= seen

        bars = client.get("/api/v1/tickers/AAPL/bars", params={"timeframe": "1h", "limit": 100}).json()["data"]
        with client.stream("GET", "/api/v1/export/AAPL.csv", params={"timeframe": "1h", "start": bars[0][0]}) as answer:
            assert answer.status_code == 200
            text = "".join(answer.iter_text())
        rows = list(csv.DictReader(io.StringIO(text)))
        closed = [row for row in rows if int(row["flags"]) & 1]
        assert [float(row["close"]) for row in closed] == [row[4] for row in bars[: len(closed)]]

        assert client.post("/logout", headers={"Origin": site}).status_code == 302
        with pytest.raises(Exception, match="4401"):
            while True:
                stream.recv(timeout=5)


def test_the_clients_own_forwarded_headers_do_not_get_through(site: str) -> None:
    client = logged_in(site)
    answer = client.get(
        "/api/v1/tickers/AAPL", headers={"X-Forwarded-Host": "evil.example", "Forwarded": "for=1.2.3.4"}
    )
    assert answer.status_code == 200
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 421
