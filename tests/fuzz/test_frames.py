"""Random and mutated frames at a connection, held against a second reading of RFC 6455 and RFC 7692.

Whatever comes in whatever pieces: the messages are those of the standard, each ping has its pong, what is broken ends
with the code for it, what is sent is well-formed, and the connection never raises.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import cast

import pytest
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

from dashboard.clock import ManualClock
from dashboard.stream import connection as under_test
from dashboard.stream.connection import FLOODED, MAX_MESSAGE, Connection, Outgoing, Ping
from dashboard.stream.deflate import BoundedDeflate
from tests.conftest import Scale
from tests.fuzz import frames, measure
from tests.fuzz.mutation import Mutator
from tests.fuzz.reference import BINARY, CLOSE, PING, PONG, TEXT, judge
from tests.stream.virtual import VirtualLine, VirtualLoop

ECHO = Outgoing(b'{"type":"echo"}')


@dataclass
class Owner:
    """A handler that writes down what it is told, and answers each message."""

    messages: list[tuple[int, bytes]] = field(default_factory=list)
    lost: list[int] = field(default_factory=list)

    def on_open(self, connection: Connection) -> None:
        for _ in range(2):
            connection.beat(ECHO, Ping())

    def on_text(self, connection: Connection, text: bytes) -> None:
        text.decode()
        self.messages.append((TEXT, text))
        connection.send(ECHO)

    def on_binary(self, connection: Connection, data: bytes) -> None:
        self.messages.append((BINARY, data))
        connection.send(ECHO)

    def on_room(self, connection: Connection) -> None:
        raise AssertionError("it was never slow")

    def on_lost(self, connection: Connection, code: int) -> None:
        self.lost.append(code)

    def on_fault(self, connection: Connection, error: Exception) -> None:
        raise error


class Line(VirtualLine):
    """A line that may be one that can't be closed by halves, as under TLS."""

    halves = True

    def can_write_eof(self) -> bool:
        return self.halves


class Peer:
    """A connection on a virtual line, and everything that it has sent, frame by frame."""

    def __init__(self, *, deflate: bool, early: bytes = b"", frames_per_s: float = 1e6, halves: bool = True) -> None:
        self.owner = Owner()
        self.loop = VirtualLoop(ManualClock(0.0))
        self.sent = bytearray()
        self.gone = False
        ws = ServerProtocol(state=OPEN, max_size=MAX_MESSAGE)
        if deflate:
            ws.extensions = [BoundedDeflate(True, True, 15, 12)]
        self.connection = Connection(
            self.owner,
            ws,
            b"",
            early,
            loop=cast(asyncio.AbstractEventLoop, self.loop),
            buffer=10_000_000,
            frames_per_s=frames_per_s,
        )
        self.line = Line(self.sent.extend, self._lost)
        self.line.halves = halves
        self.line.protocol = self.connection
        self.connection.connection_made(self.line)

    def _lost(self) -> None:
        self.gone = True

    def give(self, pieces: list[bytes]) -> None:
        """Bytes arrive; a transport gives none once the line is cut."""
        for piece in pieces:
            if piece and not self.gone:
                self.connection.data_received(piece)

    def answers(self) -> list[tuple[int, bytes]]:
        """(opcode, payload) of every frame sent: whole, unmasked, of a known kind, in the shortest form."""
        data, at, found = bytes(self.sent), 0, []
        while at < len(data):
            first, size = data[at], data[at + 1]
            assert size < 126, "every answer here is short"
            assert first in (0x80 | TEXT, 0x80 | PING, 0x80 | PONG, 0x80 | CLOSE), f"{first:#x} is no frame of a server"
            found.append((first & 15, data[at + 2 : at + 2 + size]))
            assert len(found[-1][1]) == size, "the last frame is cut off"
            at += 2 + size
        return found


def payload(mutator: Mutator) -> bytes:
    """What is in a message: words, noise, now and then one at the limit."""
    way = mutator.random.random()
    if way < 0.55:
        return mutator.text("grüß dich, 世界").encode()
    if way < 0.95:
        return b'{"op":"ping","id":7}'
    return bytes(65 + at % 26 for at in range(mutator.random.choice((125, 126, 1_024, 16_383, 16_384, 16_385))))


def check(mutator: Mutator, data: bytes, pieces: list[bytes], *, deflate: bool, flood: bool = False) -> None:
    """Give `data` in `pieces` and hold what comes of it against the reference."""
    expected = judge(data, deflate=deflate, limit=MAX_MESSAGE)
    if expected.not_text is not None:
        # Behind it comes nothing in the same piece, where a frame broken in another way could be noticed before it.
        pieces = [data[: expected.not_text], data[expected.not_text :]]
    early = pieces.pop(0) if pieces and mutator.random.random() < 0.1 else b""
    peer = Peer(deflate=deflate, early=early, frames_per_s=1.0 if flood else 1e6, halves=mutator.random.random() < 0.9)
    if mutator.random.random() < 0.3:
        token = bytes(peer.sent[-4:])
        pieces.insert(0, frames.frame(mutator, PONG, token)) if not early else None
    peer.give(pieces)
    answers = peer.answers()
    said = peer.owner.messages
    assert [opcode for opcode, _ in answers[:4]] == [TEXT, PING, TEXT, PING], "its own first heartbeats"
    rest = answers[4:]
    closes = [body for opcode, body in rest if opcode == CLOSE]
    pongs = [body for opcode, body in rest if opcode == PONG]
    assert len([1 for opcode, _ in rest if opcode == TEXT]) == len(said), "an answer for each message"
    if not closes:
        assert not expected.codes
        assert (said, pongs) == (expected.messages, expected.pongs)
        assert peer.connection.open
        assert not peer.gone
        return
    # What came in one piece with its end may go unanswered, but never be doubled, changed or made up.
    assert said == expected.messages[: len(said)]
    assert pongs == expected.pongs[: len(pongs)]
    assert len(closes) == 1, "one close, and nothing behind it"
    code = int.from_bytes(closes[0][:2], "big") if closes[0] else 1005
    assert code in (expected.codes | ({FLOODED} if flood else set())), (code, expected.codes)
    closes[0][2:].decode()
    after = rest[[opcode for opcode, _ in rest].index(CLOSE) + 1 :]
    assert all(opcode == PONG for opcode, _ in after), "nothing is said after a close"
    assert not peer.connection.open
    peer.loop.run_for(under_test.CLOSE_S + 0.1)
    assert peer.gone, "the line is cut soon after"
    assert peer.owner.lost == [code]


def attempt(mutator: Mutator, _number: int) -> None:
    chance = mutator.random
    deflate = chance.random() < 0.5
    made = frames.session(mutator, payload, deflate=deflate) if chance.random() < 0.97 else [mutator.noise(2_000)]
    flood = chance.random() < 0.05
    if flood and chance.random() < 0.5:
        # A close that may be just the frame that is one too many.
        made = [frames.frame(mutator, PING, b"x")] * chance.randrange(12) + [frames.frame(mutator, CLOSE, b"\x03\xe8")]
    data = b"".join(made)
    check(mutator, data, made if chance.random() < 0.3 else mutator.pieces(data), deflate=deflate, flood=flood)


@pytest.mark.fuzz
def test_whatever_frames_come_the_standard_is_kept_and_nothing_raises(scale: Scale) -> None:
    measure.attack(scale, 4_000, 1_000_000, attempt)


@pytest.mark.fuzz
def test_the_inputs_take_every_branch_of_the_reading_of_frames(scale: Scale) -> None:
    parts = ("data_received", "_guarded", "_received", "_part", "_pong", "_flush", "_cut_later")
    with measure.branches({under_test: parts}):
        measure.attack(scale, 600, 20_000, attempt, judged=False)
