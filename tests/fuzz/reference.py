"""RFC 6455 and RFC 7692 once more, written to be read and not to be fast: what a server must make of some bytes.

It shares no code with the product, so that the two can be held against each other.
"""

from __future__ import annotations

import codecs
import zlib
from dataclasses import dataclass, field

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
#: RFC 6455 section 7.4.1 and the codes registered since; the rest below 3000 must not be sent.
CODES = {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, *range(3000, 5000)}


class Failed(Exception):
    """The connection has to be failed with one of these codes."""

    def __init__(self, *codes: int) -> None:
        super().__init__(*codes)
        self.codes = set(codes)


@dataclass
class Expected:
    """Whole messages (opcode, payload) and pongs before the end; `codes` that may end it, empty where it stays open."""

    messages: list[tuple[int, bytes]] = field(default_factory=list)
    pongs: list[bytes] = field(default_factory=list)
    codes: set[int] = field(default_factory=set)
    #: Where a frame ends whose text is not UTF-8; it fails at the first bad byte (RFC 6455 section 8.1).
    not_text: int | None = None
    #: The last data frames, for a message whose pieces have not all come.
    message: bytearray = field(default_factory=bytearray)
    opcode: int = 0
    inflater: object = None


def judge(data: bytes, *, deflate: bool, limit: int) -> Expected:
    """Read what a client sent; a message may have `limit` bytes, counted after inflating."""
    found = Expected()
    at = 0
    while True:
        try:
            at, closed = _frame(data, at, found, deflate, limit)
        except EOFError:
            return found
        except Failed as failed:
            found.codes |= failed.codes
            return found
        except UnicodeDecodeError:
            found.codes.add(1007)
            found.not_text = at + (_size(data, at) or 0)
            return found
        if closed:
            return found


def _size(data: bytes, at: int) -> int | None:
    """Bytes of the frame at `at`, None where its head has not come."""
    if len(data) - at < 2:
        return None
    short = data[at + 1] & 127
    head = 2 + (2 if short == 126 else 8 if short == 127 else 0)
    if len(data) - at < head:
        return None
    length = short if short < 126 else int.from_bytes(data[at + 2 : at + head], "big")
    return head + 4 + length


def _frame(data: bytes, at: int, found: Expected, deflate: bool, limit: int) -> tuple[int, bool]:
    """(where the next frame begins, whether this was a close)."""
    if len(data) - at < 2:
        raise EOFError
    first, second = data[at], data[at + 1]
    fin, opcode, rsv = bool(first & 128), first & 15, first >> 4 & 7
    if opcode in (3, 4, 5, 6, 7) or opcode > 10 or not second & 128:
        raise Failed(1002)
    size = _size(data, at)
    if size is None:
        raise EOFError
    length = size - 6 - {126: 2, 127: 8}.get(second & 127, 0)
    # Strictly a control frame inside of a message takes no room; the library below counts it, at the very limit.
    if length > limit - (len(found.message) if found.opcode else 0):
        raise Failed(1009)
    begin, end = at + size - length, at + size
    key = data[begin - 4 : begin]
    payload = bytes(byte ^ key[place % 4] for place, byte in enumerate(data[begin:end]))
    if len(data) < end:
        if opcode == TEXT and not rsv and not found.opcode:
            _check_text(payload, False)
        elif opcode == 0 and not rsv and found.opcode == TEXT and found.inflater is None:
            _check_text(bytes(found.message) + payload, False)
        raise EOFError
    if opcode < 8:
        _data(found, fin, opcode, rsv, payload, deflate, limit)
        return end, False
    if rsv or length > 125 or not fin:
        raise Failed(1002)
    if opcode == PING:
        found.pongs.append(payload)
    elif opcode == CLOSE:
        if len(payload) == 1:
            raise Failed(1002)
        code = int.from_bytes(payload[:2], "big") if payload else 1005
        try:
            payload[2:].decode()
        except UnicodeDecodeError:
            raise Failed(1007) from None
        if payload and code not in CODES:
            raise Failed(1002)
        found.codes.add(code)
        return end, True
    return end, False


def _data(found: Expected, fin: bool, opcode: int, rsv: int, payload: bytes, deflate: bool, limit: int) -> None:
    room = limit - (len(found.message) if found.opcode else 0)
    compressed = bool(rsv & 4) and deflate and opcode != 0
    if compressed:
        found.inflater = zlib.decompressobj(wbits=-15)
    inflater = found.inflater if compressed or opcode == 0 else None
    if opcode == 0 and inflater is not None and rsv & 4:
        raise Failed(1002)
    if inflater is not None:
        tail = b"\x00\x00\xff\xff" if fin else b""
        try:
            whole = inflater.decompress(payload + tail)
        except zlib.error:
            # How far behind the limit zlib reads is its own affair: a damaged bomb may be told as either.
            raise Failed(1002, *([1009] if _bomb(payload, room) or _bomb(payload + tail, room) else [])) from None
        if len(whole) > room:
            raise Failed(1009)
        payload = whole
        if fin:
            found.inflater = None
    if rsv & (3 if compressed else 7):
        raise Failed(1002)
    if (opcode == 0) == (found.opcode == 0):
        raise Failed(1002)
    if opcode:
        found.opcode = opcode
        found.message.clear()
    found.message += payload
    if found.opcode == TEXT:
        _check_text(bytes(found.message), fin)
    if fin:
        found.messages.append((found.opcode, bytes(found.message)))
        found.message.clear()
        found.opcode = 0


def _check_text(message: bytes, fin: bool) -> None:
    """As soon as Python's own decoder notices; of `ED A0` it still hopes, though nothing good can follow."""
    codecs.getincrementaldecoder("utf-8")().decode(message, fin)


def _bomb(payload: bytes, room: int) -> bool:
    """Whether more than `room` bytes come out before the data turns out to be damaged."""
    inflater = zlib.decompressobj(wbits=-15)
    try:
        return len(inflater.decompress(payload, room + 1)) > room
    except zlib.error:
        return False
