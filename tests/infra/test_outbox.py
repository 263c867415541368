"""An outbox keeps what a reader has not taken, in order and whole, and tells who takes too little."""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Iterator

import pytest

from dashboard import outbox as under_test
from dashboard.outbox import KEPT, Outbox


@pytest.fixture
def line() -> Iterator[tuple[Outbox, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.settimeout(10)
        yield Outbox(ours), theirs


def read(theirs: socket.socket, count: int) -> bytes:
    found = bytearray()
    while len(found) < count and (piece := theirs.recv(65_536)):
        found += piece
    return bytes(found)


def test_an_answer_of_one_piece_is_kept_whatever_its_size(line: tuple[Outbox, socket.socket]) -> None:
    outbox, theirs = line
    data = bytes(range(256)) * 40_000
    outbox.sendall(data)
    assert len(data) > outbox.size > len(data) - 1_000_000
    reader = threading.Thread(target=lambda: found.append(read(theirs, len(data))))
    found: list[bytes] = []
    reader.start()
    while outbox.size:
        outbox.drain()
    reader.join()
    assert found == [data]


def test_small_pieces_behind_kept_ones_keep_their_order(line: tuple[Outbox, socket.socket]) -> None:
    outbox, theirs = line
    first = b"a" * 1_000_000
    outbox.sendall(first)
    # More than may be kept: the thread waits, and goes on when the reader has taken enough.
    writer = threading.Thread(target=lambda: [outbox.sendall(bytes([number]) * 1_000) for number in range(200)])
    writer.start()
    taken = read(theirs, 800_000)
    writer.join(10)
    assert not writer.is_alive()
    taken += read(theirs, 1)
    while outbox.size:
        outbox.drain()
        taken += read(theirs, 1)
    outbox.sock.close()
    taken += read(theirs, 2_000_000)
    assert taken == first + b"".join(bytes([number]) * 1_000 for number in range(200))


def test_a_file_is_sent_from_its_place_on(line: tuple[Outbox, socket.socket]) -> None:
    outbox, theirs = line
    file = io.BytesIO(b"0123456789" * 10)
    assert outbox.sendfile(file, offset=3, count=20) == 20
    assert outbox.sendfile(file, offset=95) == 5
    assert read(theirs, 25) == b"34567890123456789012" + b"56789"


def test_who_takes_too_little_is_told_apart(
    line: tuple[Outbox, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox, theirs = line
    now = [100.0]
    monkeypatch.setattr(under_test.time, "monotonic", lambda: now[0])
    outbox.sendall(bytes(2_000_000))
    assert not outbox.too_slow()
    now[0] += under_test.COUNTED_S - 0.1
    assert not outbox.too_slow(), "too early to tell"
    read(theirs, 200_000)
    outbox.drain()
    now[0] += 0.2
    assert not outbox.too_slow(), "it took enough"
    now[0] += under_test.COUNTED_S
    read(theirs, 1)
    outbox.drain()
    assert outbox.too_slow()


def test_a_thread_gives_up_who_takes_nothing(
    line: tuple[Outbox, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox, _ = line
    monkeypatch.setattr(under_test, "COUNTED_S", 0.05)
    outbox.sendall(bytes(2 * KEPT))
    with pytest.raises(ConnectionResetError):
        outbox.sendall(bytes(2 * KEPT))


def test_a_broken_line_is_an_error(line: tuple[Outbox, socket.socket]) -> None:
    outbox, theirs = line
    outbox.sendall(bytes(2_000_000))
    theirs.close()
    with pytest.raises(OSError):
        outbox.drain()
