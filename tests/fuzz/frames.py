"""Frames as clients send them, good ones and bad ones, from a mutator."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

from tests.fuzz.mutation import Mutator
from tests.fuzz.reference import BINARY, CLOSE, PING, PONG, TEXT

#: What stands between two frames that belong together.
Payload = Callable[[Mutator], bytes]


def frame(
    mutator: Mutator, opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, mask: bool = True
) -> bytes:
    """A frame, also one that RFC 6455 forbids; the key is the mutator's."""
    head = (0x80 if fin else 0) | rsv << 4 | opcode
    size, bit = len(payload), 0x80 if mask else 0
    if size < 126:
        start = struct.pack("!BB", head, bit | size)
    elif size < 65536:
        start = struct.pack("!BBH", head, bit | 126, size)
    else:
        start = struct.pack("!BBQ", head, bit | 127, size)
    if not mask:
        return start + payload
    key = mutator.random.randbytes(4)
    return start + key + masked(payload, key)


def masked(payload: bytes, key: bytes) -> bytes:
    """RFC 6455 section 5.3."""
    size = len(payload)
    long = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(long, "big")).to_bytes(size, "big")


def deflated(payload: bytes, level: int = 6) -> bytes:
    """RFC 7692 section 7.2.1."""
    compress = zlib.compressobj(level=level, wbits=-15)
    return (compress.compress(payload) + compress.flush(zlib.Z_SYNC_FLUSH))[:-4]


def bomb(mutator: Mutator) -> bytes:
    """A small frame of much, beyond the limit or just at it."""
    return deflated(bytes(mutator.random.choice((16_383, 16_384, 16_385, 70_000, 2_000_000))), 9)


def message(mutator: Mutator, payload: bytes, *, text: bool, deflate: bool) -> list[bytes]:
    """A message in one frame or in several, with control frames between them."""
    rsv = 0
    if deflate:
        payload, rsv = deflated(payload), 4
    if mutator.random.random() < 0.6:
        return [frame(mutator, TEXT if text else BINARY, payload, rsv=rsv)]
    pieces = mutator.pieces(payload)
    made = []
    for at, piece in enumerate(pieces):
        if mutator.random.random() < 0.1:
            made.append(control(mutator))
        opcode = (TEXT if text else BINARY) if at == 0 else 0
        made.append(frame(mutator, opcode, piece, fin=at == len(pieces) - 1, rsv=rsv if at == 0 else 0))
    return made


def control(mutator: Mutator) -> bytes:
    """A ping or a pong."""
    return frame(mutator, mutator.random.choice((PING, PONG)), mutator.random.randbytes(mutator.random.randint(0, 125)))


def wrong(mutator: Mutator) -> bytes:
    """A frame with a random head: reserved bits and opcodes, wrong masks, lengths that are lies."""
    chance = mutator.random
    opcode = chance.randrange(16)
    made = frame(
        mutator,
        opcode,
        mutator.noise(chance.choice((10, 130, 2_000))),
        fin=chance.random() < 0.8,
        rsv=chance.choice((0, 0, 0, 4, chance.randrange(8))),
        mask=chance.random() < 0.9,
    )
    if chance.random() < 0.2:
        length = chance.choice((0, 125, 126, 16_384, 16_385, 65_535, 2**31, 2**63 - 1, 2**63, 2**64 - 1))
        made = made[:1] + bytes([0xFF]) + length.to_bytes(8, "big") + made[2:]
    return made


def goodbye(mutator: Mutator) -> bytes:
    """A close, with good codes and bad ones, reasons that are text and that are not."""
    chance = mutator.random
    if chance.random() < 0.2:
        return frame(mutator, CLOSE, mutator.noise(130))
    code = chance.choice(
        (1000, 1001, 1005, 1006, 1015, 999, 0, 2999, 3000, 4999, 5000, 65_535, chance.randrange(65_536))
    )
    reason = chance.choice((b"", b"bye", "gr\u00fc\u00df".encode(), b"\xff", mutator.noise(123)))
    return frame(mutator, CLOSE, struct.pack("!H", code) + reason)


def session(mutator: Mutator, payload: Payload, *, deflate: bool, ends: bool = True) -> list[bytes]:
    """Some frames of a client: mostly good ones, in about every second session something wrong."""
    chance = mutator.random
    made: list[bytes] = []
    for _ in range(chance.randint(1, 6)):
        way = chance.random()
        compressed = deflate and chance.random() < 0.5
        if way < 0.6:
            made += message(mutator, payload(mutator), text=chance.random() < 0.85, deflate=compressed)
        elif way < 0.75:
            made.append(control(mutator))
        elif way < 0.8 and deflate:
            made.append(frame(mutator, TEXT, bomb(mutator) if chance.random() < 0.1 else mutator.noise(300), rsv=4))
        elif way < 0.85:
            made.append(wrong(mutator))
        elif way < 0.9:
            made.append(mutator.bytes(control(mutator)))
        elif way < 0.95 and ends:
            made.append(goodbye(mutator))
        else:
            made.append(frame(mutator, TEXT, mutator.bytes("äöü€𝄞 ".encode() * 3)))
    if chance.random() < 0.15:
        return [mutator.bytes(b"".join(made), made)]
    return made
