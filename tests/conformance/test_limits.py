"""Autobahn's cases 9 and 10: large messages, many pieces, many messages; and the size that is one too many."""

from __future__ import annotations

import pytest

from tests.conformance.cases import BINARY, CONT, TEXT, close, pieces
from tests.conformance.deflate import OFFER, RSV1
from tests.conformance.running import EchoServer
from tests.conftest import Scale
from tests.stream.wire import frame

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]

KIB, MIB = 1_024, 1_048_576
LIMIT = 16 * MIB
KINDS = {"text": (TEXT, "BÄse ".encode()), "binary": (BINARY, b"\x00\xff\x80")}


def fill(pattern: bytes, size: int) -> bytes:
    """`size` bytes; a text ends with a whole character."""
    data = (pattern * (size // len(pattern) + 1))[:size]
    return data[:-1] + b"!" if pattern.isascii() or data[-1] > 0x7F else data


def there_and_back(server: EchoServer, opcode: int, message: bytes, cut: int = 0, chop: int = 0) -> None:
    peer = server.connect()
    writes = pieces(message, cut, opcode) if cut else (frame(opcode, message),)
    peer.send(b"".join(writes), chop)
    peer.listen(1)
    peer.send(close())
    heard = peer.end()
    assert [(got, len(payload)) for got, payload in heard.events] == [(opcode, len(message))]
    assert heard.events[0][1] == message
    assert heard.clean and heard.code == 1000


@pytest.mark.parametrize("kind", KINDS)
def test_9_1_and_9_2_a_large_message_in_one_frame(gthread: EchoServer, scale: Scale, kind: str) -> None:
    opcode, pattern = KINDS[kind]
    for size in (64 * KIB, 256 * KIB, MIB, 4 * MIB, 8 * MIB, 16 * MIB)[: scale.of(3, 6)]:
        there_and_back(gthread, opcode, fill(pattern, size))


@pytest.mark.parametrize("kind", KINDS)
def test_9_3_and_9_4_a_large_message_in_pieces(gthread: EchoServer, scale: Scale, kind: str) -> None:
    opcode, pattern = KINDS[kind]
    size = scale.of(256 * KIB, 4 * MIB)
    for cut in (64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB):
        there_and_back(gthread, opcode, fill(pattern, size), cut=cut)


@pytest.mark.parametrize("kind", KINDS)
def test_9_5_and_9_6_a_large_message_in_small_writes(gthread: EchoServer, scale: Scale, kind: str) -> None:
    opcode, pattern = KINDS[kind]
    for chop in (64, 128, 256, 512, KIB, 2 * KIB):
        there_and_back(gthread, opcode, fill(pattern, scale.of(64 * KIB, MIB)), chop=chop)


@pytest.mark.parametrize("kind", KINDS)
def test_9_7_and_9_8_many_messages_each_waited_for(gthread: EchoServer, scale: Scale, kind: str) -> None:
    opcode, pattern = KINDS[kind]
    for size in (0, 16, 64, 256, KIB, 4 * KIB):
        peer = gthread.connect()
        message = fill(pattern, size) if size else b""
        whole, count = frame(opcode, message), scale.of(100, 1_000)
        for at in range(count):
            peer.send(whole)
            peer.listen(at + 1)
        peer.send(close())
        heard = peer.end()
        assert heard.events == [(opcode, message)] * count and heard.clean


def test_10_a_message_in_frames_of_1300_bytes(gthread: EchoServer) -> None:
    there_and_back(gthread, TEXT, b"*" * 65_536, cut=1_300)


def test_one_byte_more_than_the_limit_ends_it_with_1009(gthread: EchoServer) -> None:
    most = b"*" * LIMIT
    for writes, whole in (
        ([frame(TEXT, most)], True),
        ([frame(TEXT, most + b"*")], False),
        ([frame(TEXT, most, fin=False), frame(CONT, b"")], True),
        ([frame(TEXT, most, fin=False), frame(CONT, b"*")], False),
        ([frame(BINARY, most[:MIB], fin=False)] + [frame(CONT, most[:MIB], fin=False)] * 17, False),
    ):
        peer = gthread.connect()
        peer.send(b"".join(writes))
        if whole:
            assert peer.listen(1).events[0][1] == most
            peer.send(close())
        heard = peer.end()
        assert (heard.code, heard.clean) == (1000 if whole else 1009, True), [len(each) for each in writes]
    for size, code in ((LIMIT, 1000), (LIMIT + 1, 1009), (10 * LIMIT, 1009)):
        peer = gthread.connect(OFFER)
        peer.send(frame(BINARY, peer.deflate(b"*" * size), rsv=RSV1))
        if code == 1000:
            peer.listen(1)
            peer.send(close())
        heard = peer.end()
        assert (heard.code, heard.clean) == (code, True), size
