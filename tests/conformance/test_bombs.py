"""Compressed bombs: a few kilobytes on the wire that would inflate to megabytes (CVE-2018-1000518)."""

from __future__ import annotations

import zlib
from typing import Any

import psutil
import pytest

from tests.conformance.cases import TEXT
from tests.conformance.deflate import OFFER, RSV1
from tests.conformance.peer import Peer
from tests.conftest import Scale
from tests.stream.wire import frame

#: What a bomb has on the wire, bytes, and what it would inflate to.
WIRE, INFLATED = 16_384, 16_777_216
#: What all of them together may cost, bytes.
MEMORY = 2 * 1_048_576


def bomb() -> bytes:
    made = zlib.compressobj(9, wbits=-15)
    data = (made.compress(b" " * INFLATED) + made.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\x00\x00\xff\xff")
    assert WIRE - 400 <= len(data) <= WIRE
    return frame(TEXT, data, rsv=RSV1)


@pytest.mark.soak
def test_a_hundred_at_once_end_with_1009_and_cost_no_memory(product: Any, scale: Scale) -> None:
    running = product(server="gunicorn", STREAM_CONNECTIONS_PER_USER="500")
    cookies = "; ".join(f"{name}={value}" for name, value in running.client().cookies.items())
    assert running.process is not None
    (worker,) = psutil.Process(running.process.pid).children()

    def peers() -> list[Peer]:
        return [Peer(running.port, "/ws/market", OFFER, f"Cookie: {cookies}\r\n") for _ in range(100)]

    def explode(opened: list[Peer]) -> None:
        half = len(data) // 2
        for peer in opened:
            peer.sock.sendall(data[:half])
        for peer in opened:
            peer.sock.sendall(data[half:])
        for peer in opened:
            heard = peer.end()
            assert (heard.code, heard.clean) == (1009, True)

    data = bomb()
    opened = peers()
    if scale.full:
        # The allocator's own growth for so many connections is no bomb's.
        explode(opened)
        opened = peers()
    before = peak(worker, reset=True)
    explode(opened)
    grown = peak(worker) - before
    print(f"100 bombs: peak of memory {grown / 1_048_576:+.2f} MiB")
    with Peer(running.port, "/ws/market", None, f"Cookie: {cookies}\r\n").sock as line:
        assert line.recv(10) or True
    assert running.client().get("/api/v1/tickers").status_code == 200
    assert "Traceback" not in running.log
    if scale.full:
        assert grown <= MEMORY, f"{grown / 1_048_576:.2f} MiB"


def peak(process: psutil.Process, *, reset: bool = False) -> int:
    """The peak of its resident memory, bytes (VmHWM); `reset` starts the measuring anew from here."""
    if reset:
        with open(f"/proc/{process.pid}/clear_refs", "w") as file:
            file.write("5")
    with open(f"/proc/{process.pid}/status") as file:
        found = next(line for line in file if line.startswith("VmHWM"))
    return int(found.split()[1]) * 1_024
