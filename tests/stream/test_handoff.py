"""The hand-off of a connection from a real server to the hub: Werkzeug, gunicorn gthread and gunicorn sync."""

from __future__ import annotations

import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator

import orjson
import pytest

from tests.stream.servers import SERVERS, Server, serving
from tests.stream.wire import Wire, handshake_bytes, text

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with serving(request.param) as server:
        yield server


def eventually(what: Callable[[], bool], seconds: float = 15.0) -> bool:
    until = time.monotonic() + seconds
    while not what():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def test_an_upgrade_is_answered_by_the_hub(server: Server) -> None:
    wire = Wire(server.port)
    assert wire.status == 101 and "sec-websocket-accept" in wire.head.lower()
    assert wire.message()["type"] == "welcome"
    wire.send({"op": "subscribe", "id": 1, "channel": "ticks", "symbols": ["AAPL"]})
    assert wire.message("subscribed")["id"] == 1
    seqs = [row[0] for _ in range(20) for row in wire.message("ticks")["data"]["AAPL"]]
    assert seqs == list(range(seqs[0], seqs[0] + 3 * len(seqs), 3))
    wire.close()


@pytest.mark.parametrize("seed", range(8))
def test_bytes_behind_the_handshake_arrive_in_order_however_they_are_cut(server: Server, seed: int) -> None:
    chance = random.Random(seed)
    frames = b"".join(text({"op": "ping", "id": at}) for at in range(30))
    everything = handshake_bytes(server.port) + frames
    cuts = sorted(chance.sample(range(len(everything) - len(frames) - 40, len(everything)), 3))
    wire = Wire.__new__(Wire)
    import socket

    wire.sock, wire.data = socket.create_connection(("127.0.0.1", server.port), timeout=20), b""
    for low, high in zip([0, *cuts], [*cuts, len(everything)], strict=True):
        wire.sock.sendall(everything[low:high])
        time.sleep(chance.choice((0, 0.001, 0.02)))
    wire.head = wire._until(b"\r\n\r\n").decode()
    assert [wire.message("pong")["id"] for _ in range(30)] == list(range(30))
    wire.close()


def test_http_goes_on_beside_a_thousand_sockets(server: Server) -> None:
    assert eventually(lambda: server.state()["connections"] == 0)
    before = server.state()
    wires = [Wire(server.port, first=text({"op": "ping", "id": at})) for at in range(1000)]
    assert eventually(lambda: server.state()["connections"] == 1000)
    for at, wire in enumerate(wires):
        assert wire.message("pong")["id"] == at
    for _ in range(50):
        status, headers, _ = server.get("/state")
        assert status == 200 and headers["X-Marked"] == "yes"
    for at, wire in enumerate(wires):
        wire.send({"op": "ping", "id": -at})
    for at, wire in enumerate(wires):
        assert wire.message("pong")["id"] == -at, "a socket died beside the requests"
    for at, wire in enumerate(wires):
        if at % 3 == 0:
            wire.sock.setsockopt(1, 13, b"\x01\0\0\0\0\0\0\0")  # SO_LINGER 0: a reset
        wire.close()
    assert eventually(lambda: server.state()["connections"] == before["connections"])
    assert eventually(lambda: server.state()["descriptors"] <= before["descriptors"] + 4)
    assert eventually(lambda: server.state()["threads"] <= before["threads"] + 8)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"user": None}, 401),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": None}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec_WebSocket_Key": "short"}, 400),
        ({"Sec_WebSocket_Key": None}, 400),
        ({"Sec_WebSocket_Version": "8"}, 400),
        ({"Content_Length": "4"}, 400),
    ],
)
def test_a_bad_handshake_is_refused_before_the_upgrade(
    server: Server, change: dict[str, str | None], status: int
) -> None:
    wire = Wire(server.port, first=b"body" if "Content_Length" in change else b"", **change)
    assert wire.status == status
    problem = orjson.loads(wire.body)
    assert problem["status"] == status and "application/problem+json" in wire.head
    wire.close()


def test_a_plain_get_tells_what_the_handshake_would_answer(server: Server) -> None:
    origin = f"http://127.0.0.1:{server.port}"
    assert server.get("/ws/market")[0] == 401
    assert server.get("/ws/market", X_User="ann", Origin="http://evil.example")[0] == 403
    for headers in ({"X_User": "ann"}, {"X_User": "ann", "Origin": origin}):
        status, got, body = server.get("/ws/market", **headers)
        assert status == 426 and got["Upgrade"] == "websocket" and orjson.loads(body)["status"] == 426


def test_the_hand_off_leaves_a_line_in_the_access_log_and_sigterm_says_1001() -> None:
    for kind in SERVERS:
        with serving(kind) as server:
            wires = [Wire(server.port) for _ in range(20)]
            for wire in wires:
                wire.message()
            server.process.terminate()
            assert [wire.close_code() for wire in wires] == [1001] * 20
            assert server.process.wait(10) == 0
            written = server.written()
            assert re.search(r'GET /ws/market HTTP/1\.1\S*" 101', written)
            assert "Traceback" not in written


def test_the_limit_of_a_user_holds_when_all_come_at_once() -> None:
    import threading

    with serving("gthread", MARKET_LIMITS='{"connections_per_user": 5, "connections": 12}') as server:
        held: list[Wire] = []
        for user, allowed in (("ann", 5), ("bobby", 5), ("carlos", 2)):
            gate = threading.Barrier(20)
            wires: list[Wire] = []

            def come(user: str = user, gate: threading.Barrier = gate, wires: list[Wire] = wires) -> None:
                gate.wait()
                wires.append(Wire(server.port, user=user))

            threads = [threading.Thread(target=come) for _ in range(20)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            refused = [wire for wire in wires if wire.status == 503]
            assert Counter(wire.status for wire in wires) == {503: 20 - allowed, 101: allowed}
            assert all("retry-after" in wire.head.lower() for wire in refused)
            assert server.get("/ws/market", X_User=user)[0] == 503
            for wire in wires:
                if wire.status == 101:
                    held.append(wire)
                else:
                    wire.close()
        assert server.state()["connections"] == 12


def test_a_session_that_ends_takes_its_connections_with_it() -> None:
    with serving("gthread") as server:
        ann, bob = Wire(server.port, user="ann"), Wire(server.port, user="bobby")
        server.get("/end/ann", method="POST")
        assert ann.close_code() == 4401
        bob.send({"op": "ping", "id": 1})
        assert bob.message("pong")["id"] == 1
        server.get("/restart", method="POST")
        assert bob.close_code() == 1001
