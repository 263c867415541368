"""Cases of RFC 7692: offers and what may be agreed to, the RFC's own examples, messages that are wrong."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from tests.conformance.cases import BINARY, CONT, HELLO, PING, TEXT, Case
from tests.stream.wire import frame

OFFER = "permessage-deflate"
RSV1 = 4


def offers() -> Iterator[tuple[str, bool]]:
    """Every combination of parameters, and whether it may be declined: zlib can't make a window of 8 bits."""
    for server_alone in ("", "; server_no_context_takeover"):
        for client_alone in ("", "; client_no_context_takeover"):
            for server_bits in ("", *(f"; server_max_window_bits={bits}" for bits in range(8, 16))):
                for client_bits in (
                    "",
                    "; client_max_window_bits",
                    *(f"; client_max_window_bits={bits}" for bits in range(8, 16)),
                ):
                    yield OFFER + server_alone + client_alone + server_bits + client_bits, server_bits.endswith("=8")


#: Offers that are not RFC 7692's (section 7.1): they are declined, and the connection opens without compression.
DECLINED = (
    "permessage-deflate; server_max_window_bits=7",
    "permessage-deflate; server_max_window_bits=16",
    "permessage-deflate; server_max_window_bits",
    "permessage-deflate; server_max_window_bits=09",
    "permessage-deflate; client_max_window_bits=7",
    "permessage-deflate; client_max_window_bits=16",
    "permessage-deflate; client_max_window_bits=x",
    "permessage-deflate; server_no_context_takeover=1",
    "permessage-deflate; client_no_context_takeover=true",
    "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
    "permessage-deflate; client_max_window_bits; client_max_window_bits=10",
    "permessage-deflate; unknown",
    "permessage-deflate; unknown=1; client_max_window_bits",
    "permessage-bzip2",
    "x-webkit-deflate-frame",
)

#: Several offers: the first that can be taken is.
SEVERAL = (
    ("permessage-deflate; unknown, permessage-deflate; server_max_window_bits=10", 10),
    ("permessage-deflate; server_max_window_bits=9, permessage-deflate; server_max_window_bits=10", 9),
    ("permessage-deflate; server_max_window_bits=8, permessage-deflate", 12),
    ("permessage-bzip2; level=9, permessage-deflate; client_max_window_bits; server_max_window_bits=11", 11),
    ('permessage-deflate; server_max_window_bits="10"', 10),
)


def parameters(answer: str) -> dict[str, str | None]:
    """The parameters of one offer or answer."""
    found: dict[str, str | None] = {}
    for part in answer.split(";")[1:]:
        name, equals, value = part.strip().partition("=")
        assert name not in found, answer
        found[name] = value.strip('"') if equals else None
    return found


def wrong(offer: str, answer: str) -> str | None:
    """Which rule of RFC 7692 section 7.1 an answer breaks."""
    asked, agreed = parameters(offer), parameters(answer)
    if answer.split(";")[0].strip() != OFFER:
        return "another extension"
    if set(agreed) - {
        "server_no_context_takeover",
        "client_no_context_takeover",
        "server_max_window_bits",
        "client_max_window_bits",
    }:
        return "an unknown parameter"
    if "server_no_context_takeover" in asked and "server_no_context_takeover" not in agreed:
        return "server_no_context_takeover was asked for"
    limit = asked.get("server_max_window_bits")
    if limit is not None and int(agreed.get("server_max_window_bits") or 16) > int(limit):
        return "a larger window than asked for"
    if "client_max_window_bits" in agreed:
        if "client_max_window_bits" not in asked:
            return "the client did not say that it can bound its window"
        if int(agreed["client_max_window_bits"] or 16) > int(asked["client_max_window_bits"] or 15):
            return "a larger client window than offered"
    return None


def _deflated(payload: bytes) -> bytes:
    made = zlib.compressobj(wbits=-15)
    return (made.compress(payload) + made.flush(zlib.Z_SYNC_FLUSH))[:-4]


def examples() -> Iterator[Case]:
    """RFC 7692 section 7.2.3, and what follows from sections 5 to 7; the connection has agreed to compression."""
    answer = ((TEXT, b"Hello"),)
    for number, what, octets in (
        ("7.2.3.1", "one block", "f248cdc9c90700"),
        ("7.2.3.3", "a block without compression", "000500faff48656c6c6f00"),
        ("7.2.3.4", "the final bit set", "f348cdc9c9070000"),
        ("7.2.3.5", "two blocks", "f248050000 00ffffcac9c90700"),
    ):
        yield Case(number, what, (frame(TEXT, bytes.fromhex(octets), rsv=RSV1),), answer)
    half = frame(TEXT, bytes.fromhex("f248cd"), fin=False, rsv=RSV1), frame(CONT, bytes.fromhex("c9c90700"))
    yield Case("7.2.3.1f", "in two frames", half, answer)
    yield Case("7.2.3.1p", "a ping between", (half[0], frame(PING, b"x"), half[1]), ((10, b"x"), *answer))
    yield Case("7.2.3.1o", "octets", half, answer, chop=1)
    twice = frame(TEXT, bytes.fromhex("f248cdc9c90700"), rsv=RSV1) * 2
    yield Case("7.2.3.2", "twice, without takeover", (twice,), answer * 2)
    yield Case("7.2.3.6", "an empty message", (frame(TEXT, b"\x00", rsv=RSV1),), ((TEXT, b""),))
    late = frame(TEXT, fin=False, rsv=RSV1), frame(CONT, bytes.fromhex("f248cdc9c90700"))
    yield Case("7.2.3.6b", "an empty first frame", late, answer)
    yield Case("6.1", "a message that is not compressed", (frame(TEXT, HELLO),), ((TEXT, HELLO),))
    mixed = frame(TEXT, _deflated(HELLO), rsv=RSV1) + frame(BINARY, HELLO) + frame(BINARY, _deflated(HELLO), rsv=RSV1)
    yield Case("6.2", "both kinds in turn", (mixed,), ((TEXT, HELLO), (BINARY, HELLO), (BINARY, HELLO)))
    yield Case("6.3", "RSV 1 on a ping", (frame(PING, b"x", rsv=RSV1),), code=1002)
    yield Case("6.4", "RSV 1 on a close", (frame(8, b"\x03\xe8", rsv=RSV1),), code=1002)
    yield Case("6.5", "RSV 1 on a continuation", (half[0] + frame(CONT, b"x", rsv=RSV1),), code=1002)
    late = frame(TEXT, b"a", fin=False), frame(CONT, b"b", rsv=RSV1)
    yield Case("6.6", "RSV 1 on the second piece of a plain text", late, code=1002)
    yield Case("6.7", "RSV 2 beside it", (frame(TEXT, _deflated(HELLO), rsv=RSV1 | 2),), code=1002)
    yield Case("7.2.2", "not deflate's", (frame(TEXT, b"\xff" * 20, rsv=RSV1),), code=1002)
    yield Case("8.1", "text that inflates to no UTF-8", (frame(TEXT, _deflated(b"\xff"), rsv=RSV1),), code=1007)
    good, bad = _deflated(b"a") + b"\x00\x00\xff\xff", _deflated(b"\xce")
    late = frame(TEXT, good, fin=False, rsv=RSV1), frame(CONT, bad)
    yield Case("8.2", "bad UTF-8 in a later piece", late, code=1007)


EXAMPLES = tuple(examples())
