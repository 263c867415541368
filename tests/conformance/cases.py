"""The table of cases, made from RFC 6455: what is sent, cut how, what must come back, with which code it ends.

Numbers are those of the Autobahn test suite, where a case has one there; the others carry the RFC's section.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from websockets.frames import Opcode

from tests.conformance.utf8 import INVALID, VALID, boundaries
from tests.stream.wire import frame

TEXT, BINARY, CONT, CLOSE, PING, PONG = (
    Opcode.TEXT,
    Opcode.BINARY,
    Opcode.CONT,
    Opcode.CLOSE,
    Opcode.PING,
    Opcode.PONG,
)
Event = tuple[int, bytes]
HELLO = b"Hello, world!"


@dataclass(frozen=True, slots=True)
class Case:
    """`sent` are writes, each cut every `chop` bytes where that is not 0. Where `code` is None the client ends the
    case with 1000 itself; else the other side has to answer a close frame with this code."""

    number: str
    what: str
    sent: tuple[bytes, ...]
    expected: tuple[Event, ...] = ()
    code: int | None = None
    chop: int = 0

    @property
    def group(self) -> str:
        return self.number.split(".")[0]

    @property
    def largest(self) -> int:
        return max(map(len, self.sent), default=0)


def close(code: int | None = 1000, reason: bytes = b"") -> bytes:
    """A close frame; None for an empty one."""
    return frame(CLOSE, b"" if code is None else code.to_bytes(2, "big") + reason)


def pieces(payload: bytes, size: int, opcode: int = TEXT) -> tuple[bytes, ...]:
    """A message in frames of `size` bytes."""
    cut = [payload[at : at + size] for at in range(0, len(payload), size)] or [b""]
    last = len(cut) - 1
    return tuple(frame(opcode if at == 0 else CONT, each, fin=at == last) for at, each in enumerate(cut))


def framing() -> Iterator[Case]:
    """1: text and binary of every size that has its own header."""
    for kind, (name, opcode) in enumerate((("text", TEXT), ("binary", BINARY)), 1):
        fill = b"*" if opcode == TEXT else b"\xfe"
        for at, size in enumerate((0, 125, 126, 127, 128, 65_535, 65_536), 1):
            yield Case(
                f"1.{kind}.{at}", f"{name}, {size} bytes", (frame(opcode, fill * size),), ((opcode, fill * size),)
            )
        whole = fill * 65_536
        yield Case(f"1.{kind}.8", f"{name}, chopped", (frame(opcode, whole),), ((opcode, whole),), chop=997)


def pings() -> Iterator[Case]:
    """2: pings and pongs."""
    odd, longest = b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff", b"\xfe" * 125
    for at, payload in ((1, b""), (2, HELLO), (3, odd), (4, longest)):
        yield Case(f"2.{at}", f"ping of {len(payload)} bytes", (frame(PING, payload),), ((PONG, payload),))
    yield Case("2.5", "ping of 126 bytes", (frame(PING, b"\xfe" * 126),), code=1002)
    yield Case("2.6", "ping, an octet a write", (frame(PING, longest),), ((PONG, longest),), chop=1)
    yield Case("2.7", "a pong nobody asked for", (frame(PONG),))
    yield Case("2.8", "the same with a payload", (frame(PONG, HELLO),))
    yield Case("2.9", "the same, then a ping", (frame(PONG, HELLO), frame(PING, b"x")), ((PONG, b"x"),))
    ten = [b"payload-%d" % at for at in range(10)]
    answers = tuple((PONG, each) for each in ten)
    yield Case("2.10", "ten pings at once", (b"".join(frame(PING, each) for each in ten),), answers)
    yield Case("2.11", "ten pings, an octet a write", tuple(frame(PING, each) for each in ten), answers, chop=1)


def reserved() -> Iterator[Case]:
    """3: reserved bits."""
    first, again = frame(TEXT, HELLO), ((TEXT, HELLO),)
    yield Case("3.1", "text, RSV 1", (frame(TEXT, HELLO, rsv=1),), code=1002)
    three = (first, frame(TEXT, HELLO, rsv=2), frame(PING))
    yield Case("3.2", "text, text with RSV 2, ping, at once", (b"".join(three),), again, 1002)
    yield Case("3.3", "text, text with RSV 3, ping", (first, frame(TEXT, HELLO, rsv=3), frame(PING)), again, 1002)
    yield Case("3.4", "text, RSV 4, ping, octets", (first, frame(TEXT, HELLO, rsv=4), frame(PING)), again, 1002, chop=1)
    yield Case("3.5", "binary, RSV 5", (frame(BINARY, b"\x00\xff\xfe", rsv=5),), code=1002)
    yield Case("3.6", "ping, RSV 6", (frame(PING, HELLO, rsv=6),), code=1002)
    yield Case("3.7", "close, RSV 7", (frame(CLOSE, b"\x03\xe8", rsv=7),), code=1002)


def opcodes() -> Iterator[Case]:
    """4: reserved opcodes."""
    for kind, base in ((1, 3), (2, 11)):
        first, again, ping = frame(TEXT, HELLO), ((TEXT, HELLO),), frame(PING)
        yield Case(f"4.{kind}.1", f"opcode {base}", (frame(base),), code=1002)
        yield Case(f"4.{kind}.2", f"opcode {base + 1}, payload", (frame(base + 1, HELLO),), code=1002)
        three = (first, frame(base + 2), ping)
        yield Case(f"4.{kind}.3", f"text, opcode {base + 2}, ping, at once", (b"".join(three),), again, 1002)
        yield Case(f"4.{kind}.4", f"text, opcode {base + 3}, ping", (first, frame(base + 3, HELLO), ping), again, 1002)
        yield Case(
            f"4.{kind}.5", f"opcode {base + 4}, octets", (first, frame(base + 4, HELLO), ping), again, 1002, chop=1
        )


def fragments() -> Iterator[Case]:
    """5: fragmented messages, control frames among them."""
    one, two = frame(TEXT, b"fragment1", fin=False), frame(CONT, b"fragment2")
    whole, pong, ping = (TEXT, b"fragment1fragment2"), (PONG, b"ping"), frame(PING, b"ping")
    yield Case("5.1", "ping in two", (frame(PING, b"a", fin=False) + frame(CONT, b"b"),), code=1002)
    yield Case("5.2", "pong in two", (frame(PONG, b"a", fin=False) + frame(CONT, b"b"),), code=1002)
    yield Case("5.3", "text in two, at once", (one + two,), (whole,))
    yield Case("5.4", "text in two, two writes", (one, two), (whole,))
    yield Case("5.5", "text in two, octets", (one, two), (whole,), chop=1)
    yield Case("5.6", "ping between, at once", (one + ping + two,), (pong, whole))
    yield Case("5.7", "ping between, three writes", (one, ping, two), (pong, whole))
    yield Case("5.8", "ping between, octets", (one, ping, two), (pong, whole), chop=1)
    lost, text = frame(CONT, HELLO), frame(TEXT, HELLO)
    open_end = frame(CONT, HELLO, fin=False)
    for at, continued in ((9, lost), (12, open_end)):
        yield Case(f"5.{at}", "nothing to continue, at once", (continued + text,), code=1002)
        yield Case(f"5.{at + 1}", "nothing to continue, two writes", (continued, text), code=1002)
        yield Case(f"5.{at + 2}", "nothing to continue, octets", (continued, text), code=1002, chop=1)
    yield Case("5.15", "text in two, then nothing to continue", (one + two + open_end + text,), (whole,), 1002)
    yield Case("5.16", "nothing to continue, twice", (open_end + text + open_end + text,), code=1002)
    yield Case("5.17", "the same, whole", (lost + text + lost + text,), code=1002)
    yield Case("5.18", "text in two, both begin", (one + frame(TEXT, b"fragment2"),), code=1002)
    five = [frame(TEXT, b"1", fin=False), *(frame(CONT, b"%d" % at, fin=at == 5) for at in (2, 3, 4, 5))]
    a, b = frame(PING, b"a"), frame(PING, b"b")
    answer = ((PONG, b"a"), (PONG, b"b"), (TEXT, b"12345"))
    yield Case(
        "5.19", "five pieces, pings between", (b"".join((*five[:2], a)), b"".join((*five[2:4], b, five[4]))), answer
    )
    yield Case("5.20", "the same, octets", (*five[:2], a, *five[2:4], b, five[4]), answer, chop=1)


def utf8() -> Iterator[Case]:
    """6: text is UTF-8, and fails at once where it is not."""
    yield Case("6.1.1", "empty", (frame(TEXT),), ((TEXT, b""),))
    empty = frame(TEXT, fin=False), frame(CONT, fin=False), frame(CONT)
    yield Case("6.1.2", "three empty pieces", (b"".join(empty),), ((TEXT, b""),))
    middle = frame(TEXT, fin=False), frame(CONT, b"middle", fin=False), frame(CONT)
    yield Case("6.1.3", "empty, something, empty", (b"".join(middle),), ((TEXT, b"middle"),))
    good = "Hello-µ@ßöäüàá-UTF-8!!".encode()
    bad = "κόσμε".encode() + b"\xed\xa0\x80edited"
    for at, size in ((1, 1 << 10), (2, 9), (3, 1)):
        yield Case(f"6.2.{at}", f"good, {size} a frame", (b"".join(pieces(good, size)),), ((TEXT, good),))
    yield Case("6.2.4", "good, octets", pieces("κόσμε".encode(), 1), ((TEXT, "κόσμε".encode()),), chop=1)
    yield Case("6.3.1", "bad", (frame(TEXT, bad),), code=1007)
    yield Case("6.3.2", "bad, an octet a frame", (b"".join(pieces(bad, 1)),), code=1007)
    # The rest of the message never comes: whoever waits for it has not failed fast.
    begin, over = "κόσμε".encode(), b"\xf4\x90\x80\x80"
    rest = b"edited"
    yield Case(
        "6.4.1", "bad piece of three", (frame(TEXT, begin, fin=False) + frame(CONT, over, fin=False),), code=1007
    )
    half = frame(TEXT, begin + b"\xf4", fin=False) + frame(CONT, b"\x90", fin=False)
    yield Case("6.4.2", "bad from its second octet", (half,), code=1007)
    unfinished = frame(TEXT, begin + over + rest)
    yield Case("6.4.3", "bad within a frame", (unfinished[: -len(rest)],), code=1007)
    yield Case("6.4.4", "bad within a frame, from its second octet", (unfinished[: -len(rest) - 2],), code=1007)
    yield Case("6.4.5", "the same, octets", (unfinished[: -len(rest) - 2],), code=1007, chop=1)
    begun = frame(TEXT, begin, fin=False) + frame(CONT, over + rest)[: -len(rest) - 2]
    yield Case("6.4.6", "bad within a later frame", (begun,), code=1007)
    for number, payload in VALID:
        yield Case(number, payload.hex(), (frame(TEXT, payload),), ((TEXT, payload),))
        yield Case(f"{number}f", payload.hex(), (b"".join(pieces(payload, 1)),), ((TEXT, payload),))
    for number, payload in INVALID:
        yield Case(number, payload.hex(), (frame(TEXT, payload),), code=1007)
        yield Case(f"{number}f", payload.hex(), (b"".join(pieces(payload, 1)),), code=1007)
    for number, payload, whole in boundaries():
        answer = ((TEXT, payload),) if whole else ()
        yield Case(number, payload.hex(), (frame(TEXT, payload),), answer, None if whole else 1007)


def closing() -> Iterator[Case]:
    """7: close frames, and what comes after them."""
    text, ping = frame(TEXT, HELLO), frame(PING)
    answer = ((TEXT, HELLO),)
    yield Case("7.1.1", "a message, then close", (text, close()), answer, 1000)
    yield Case("7.1.2", "two closes", (close() + close(),), code=1000)
    yield Case("7.1.3", "a ping after it", (close() + ping,), code=1000)
    yield Case("7.1.4", "text after it", (close() + text,), code=1000)
    begun = frame(TEXT, b"fragment1", fin=False)
    yield Case("7.1.5", "in the middle of a message", (begun + close() + frame(CONT, b"fragment2"),), code=1000)
    large = b"*" * 262_144
    yield Case("7.1.6", "256 KiB, hello, close, ping", (frame(TEXT, large) + text + close() + ping,),
               ((TEXT, large), *answer), 1000)  # fmt: skip
    yield Case("7.3.1", "empty", (close(None),), code=1005)
    yield Case("7.3.2", "one byte", (frame(CLOSE, b"\x03"),), code=1002)
    yield Case("7.3.3", "a code", (close(),), code=1000)
    yield Case("7.3.4", "a code and a reason", (close(1000, HELLO),), code=1000)
    yield Case("7.3.5", "the longest reason", (close(1000, b"*" * 123),), code=1000)
    yield Case("7.3.6", "one more", (close(1000, b"*" * 124),), code=1002)
    yield Case("7.5.1", "a reason that is not UTF-8", (close(1000, b"\xce\xba\xe1\xbd\xb9\xed\xa0\x80"),), code=1007)
    good = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999)
    for at, code in enumerate(good, 1):
        yield Case(f"7.7.{at}", f"code {code}", (close(code),), code=code)
    for at, code in enumerate((0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999), 1):
        yield Case(f"7.9.{at}", f"code {code}", (close(code),), code=1002)
    for at, code in enumerate((5000, 65_535), 1):
        yield Case(f"7.13.{at}", f"code {code}", (close(code),), code=1002)


def masks() -> Iterator[Case]:
    """RFC 6455 sections 5.1 and 5.2: a client masks; a length is what it says."""
    for at, opcode in enumerate((TEXT, BINARY, PING, PONG), 1):
        yield Case(f"mask.{at}", f"{opcode.name}, not masked", (frame(opcode, b"x", mask=False),), code=1002)
    yield Case("mask.5", "close, not masked", (frame(CLOSE, b"\x03\xe8", mask=False),), code=1002)
    yield Case("mask.6", "text, then one not masked", (frame(TEXT, HELLO) + frame(TEXT, b"x", mask=False),),
               ((TEXT, HELLO),), 1002)  # fmt: skip
    zero = b"\x81\x85\0\0\0\0Hello"
    yield Case("mask.7", "a mask of zeros", (zero,), ((TEXT, b"Hello"),))
    yield Case("mask.8", "the RFC's example", (bytes.fromhex("818537fa213d7f9f4d5158"),), ((TEXT, b"Hello"),))
    for at, length in enumerate((1 << 40, 1 << 62, (1 << 64) - 1), 9):
        huge = b"\x82\xff" + length.to_bytes(8, "big") + b"\0\0\0\0"
        yield Case(f"mask.{at}", f"a length of {length}", (huge,), code=1009)


TABLE: dict[str, tuple[Case, ...]] = {
    "1 framing": tuple(framing()),
    "2 pings and pongs": tuple(pings()),
    "3 reserved bits": tuple(reserved()),
    "4 opcodes": tuple(opcodes()),
    "5 fragmentation": tuple(fragments()),
    "6 UTF-8": tuple(utf8()),
    "7 close handshake": tuple(closing()),
    "masks and lengths": tuple(masks()),
}
