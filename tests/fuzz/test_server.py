"""Random and mutated frames at the real server through gunicorn, over many sockets at once.

It lives on with as many descriptors and threads as before, and an honest client beside it misses nothing.
"""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.conftest import Scale
from tests.fuzz import frames, measure, protocol
from tests.fuzz.mutation import Mutator
from tests.fuzz.test_messages import GOOD, WORDS
from tests.stream.servers import Server, serving
from tests.stream.wire import Wire, handshake_bytes, text

#: Sockets that send at once.
SOCKETS = 8


@pytest.fixture
def server() -> Iterator[Server]:
    with serving("gthread", MARKET_TICK_S="0.05") as running:
        yield running


class Honest:
    """A client that reads everything and finds every hole."""

    def __init__(self, port: int) -> None:
        self.wire = Wire(port, user="honest")
        self.next: dict[str, int] = {}
        self.ticks = 0
        self.fault: BaseException | None = None
        self.stopping = False
        self.wire.send(text({"op": "subscribe", "channel": "ticks", "symbols": ["AAPL", "MSFT"]}))
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            while not self.stopping:
                message = self.wire.message()
                protocol.well_formed(message)
                assert message["type"] != "gap", message
                for symbol, rows in message["data"].items() if message["type"] == "ticks" else ():
                    for row in rows:
                        # The market of the test gives its three symbols one tick each in every batch.
                        assert row[0] == self.next.get(symbol, row[0]), f"a hole before {row[0]}"
                        self.next[symbol] = row[0] + 3
                        self.ticks += 1
        except BaseException as error:
            self.fault = error


def socket_full(port: int, mutator: Mutator) -> int:
    """One socket: a handshake, mostly a good one, then frames in pieces; gives how many were sent."""
    chance = mutator.random
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        head = handshake_bytes(port, user="x" * chance.randint(1, 9))
        if chance.random() < 0.15:
            head = mutator.bytes(head, most=2)
        made = [
            frame
            for _ in range(10)
            for frame in frames.session(
                mutator, lambda each: each.json_text(each.random.choice(GOOD), WORDS), deflate=False, ends=False
            )
        ]
        data = b"".join(made)
        early = chance.randint(0, 200) if chance.random() < 0.3 else 0
        try:
            sock.sendall(head + data[:early])
            for piece in mutator.pieces(data[early:]):
                sock.sendall(piece)
                if chance.random() < 0.2:
                    sock.settimeout(0.02)
                    sock.recv(65_536)
                    sock.settimeout(10)
            if chance.random() < 0.5:
                sock.shutdown(socket.SHUT_WR)
            elif chance.random() < 0.5:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        except OSError:
            pass  # it has heard enough
        return len(made)


@pytest.mark.fuzz
def test_the_server_lives_on_and_an_honest_client_misses_nothing(scale: Scale, server: Server) -> None:
    base, wanted = measure.seed(), scale.of(10_000, 500_000)
    honest = Honest(server.port)
    numbers = itertools.count()
    # Warm: every path has been gone, every arena has its pages. 500,000 at first grow by 17 MB, those after two million
    # by half of one.
    storm(server, base, numbers, scale.of(wanted // 10, 4 * wanted))
    before = settled(server, connections=1)
    began = time.monotonic()
    sent = storm(server, base, numbers, wanted)
    took = time.monotonic() - began
    # gunicorn holds what never became a request for as long as its keep-alive.
    after = settled(server, connections=1, descriptors=before["descriptors"] + 2)
    grown = (after["resident_kb"] - before["resident_kb"]) * 1024
    print(f"{sent} frames, {next(numbers)} sockets, {took:.0f} s, grown {grown / 1e6:.1f} MB")
    assert server.process.poll() is None
    # gunicorn's pool of eight grows with what is asked at once, and never shrinks.
    assert after["threads"] <= before["threads"] + 7, (before, after)
    goal = after["seq"]
    until = time.monotonic() + 10
    while honest.fault is None and max(honest.next.values(), default=0) < goal and time.monotonic() < until:
        time.sleep(0.05)
    assert honest.fault is None, repr(honest.fault)
    assert max(honest.next.values()) >= goal, "the honest client has come to a stop"
    assert honest.ticks >= 2
    honest.stopping = True
    honest.wire.close()
    log = server.written()
    assert "Traceback" not in log, log[-3_000:]
    if scale.full:
        assert grown < measure.GROWN_BYTES, f"grew by {grown / 1e6:.1f} MB (FUZZ_SEED={base})"


def storm(server: Server, base: int, numbers: Iterator[int], wanted: int) -> int:
    """Send frames over SOCKETS sockets at once, one after another in each; gives how many were sent."""
    sent, lock = [0], threading.Lock()
    faults: list[BaseException] = []

    def send() -> None:
        while sent[0] < wanted and not faults:
            with lock:
                number = next(numbers)
            try:
                count = socket_full(server.port, Mutator(base * 1_000_003 + number))
            except BaseException as error:
                error.add_note(f"FUZZ_SEED={base}, socket {number}")
                faults.append(error)
                return
            with lock:
                sent[0] += count

    senders = [threading.Thread(target=send) for _ in range(SOCKETS)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert not faults, faults
    return sent[0]


def settled(server: Server, *, connections: int, descriptors: float = float("inf")) -> dict[str, float]:
    """The server's state once the others have gone."""
    until = time.monotonic() + 100
    while True:
        state = server.state()
        if state["connections"] == connections and state["lag"] < 1 and state["descriptors"] <= descriptors:
            return state
        assert time.monotonic() < until, f"still there: {state}, of {descriptors} descriptors"
        time.sleep(0.1)
