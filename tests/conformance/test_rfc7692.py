"""RFC 7692 on a connection that gunicorn has handed over: what is agreed to, what inflates, what is refused."""

from __future__ import annotations

import random

import orjson
import pytest

from tests.conformance.cases import BINARY, CONT, TEXT, close
from tests.conformance.deflate import DECLINED, EXAMPLES, OFFER, RSV1, SEVERAL, offers, wrong
from tests.conformance.peer import Peer
from tests.conformance.running import EchoServer, complaints
from tests.conftest import Scale
from tests.stream.wire import frame

#: Autobahn's sizes of cases 12 and 13, the last of them in frames of so many bytes.
SIZES = (
    *((size, 0) for size in (16, 64, 256, 1_024, 4_096, 8_192, 16_384, 32_768, 65_536, 131_072)),
    *((size, 256) for size in (8_192, 16_384, 32_768, 65_536, 131_072)),
    *((131_072, piece) for piece in (1_024, 4_096, 32_768)),
)
ALONE = "server_no_context_takeover; client_no_context_takeover"
#: 13.1 to 13.7: what the client offers.
OFFERS = {
    "13.1": OFFER,
    "13.2": f"{OFFER}; {ALONE}",
    "13.3": f"{OFFER}; server_max_window_bits=9; client_max_window_bits",
    "13.4": f"{OFFER}; server_max_window_bits=15; client_max_window_bits=15",
    "13.5": f"{OFFER}; {ALONE}; server_max_window_bits=9; client_max_window_bits=9",
    "13.6": f"{OFFER}; {ALONE}; server_max_window_bits=15; client_max_window_bits=15",
    "13.7": f"{OFFER}; {ALONE}; server_max_window_bits=9, {OFFER}; server_max_window_bits=9, {OFFER}",
}


def payload(kind: int, size: int, seed: int) -> bytes:
    """12.1 to 12.5: JSON, binary with repeats, one letter, noise, prose."""
    chance = random.Random(seed * 10 + kind)
    if kind == 1:
        rows = orjson.dumps([[at, chance.random(), "AAPL"] for at in range(size // 20 + 1)])
        return rows[:size]
    if kind == 2:
        return (chance.randbytes(max(1, size // 10)) * 11)[:size]
    if kind == 3:
        return b"*" * size
    if kind == 4:
        return chance.randbytes(size)
    words = ("κόσμος", "price", "Kurs", "цена", "价格", " ")
    text = "".join(chance.choice(words) for _ in range(size // 4 + 1)).encode()[:size]
    return text.decode(errors="ignore").encode()


def test_only_what_the_rfc_allows_is_agreed_to(gthread: EchoServer, scale: Scale) -> None:
    every = list(offers())
    for offer, declinable in every if scale.full else every[::5]:
        peer = gthread.connect(offer)
        if peer.extension is None:
            assert declinable, offer
        else:
            assert wrong(offer, peer.extension) is None, (offer, peer.extension)
            assert peer.parameter("server_max_window_bits") != 8
        text = payload(1, 2_000, 1)
        peer.send(frame(TEXT, peer.deflate(text), rsv=RSV1) if peer.extension else frame(TEXT, text))
        peer.listen(1)
        peer.send(close())
        heard = peer.end()
        assert (heard.events, heard.code, heard.clean) == ([(TEXT, text)], 1000, True), offer
        assert heard.deflated == (peer.extension is not None)


def test_without_an_offer_nothing_is_compressed(gthread: EchoServer) -> None:
    peer = gthread.connect()
    assert peer.extension is None
    peer.send(frame(TEXT, b"*" * 10_000) + close())
    heard = peer.end()
    assert heard.events == [(TEXT, b"*" * 10_000)] and heard.deflated == 0


@pytest.mark.parametrize("offer", DECLINED)
def test_an_offer_that_is_none_is_declined_and_the_connection_opens(gthread: EchoServer, offer: str) -> None:
    peer = gthread.connect(offer)
    assert peer.extension is None
    peer.send(frame(TEXT, b"plain") + close())
    assert peer.end().events == [(TEXT, b"plain")]


@pytest.mark.parametrize(("offer", "bits"), SEVERAL)
def test_the_first_offer_that_can_be_taken_is(gthread: EchoServer, offer: str, bits: int) -> None:
    peer = gthread.connect(offer)
    assert peer.parameter("server_max_window_bits") == bits
    peer.send(close())
    assert peer.end().clean


def test_the_rfcs_examples_and_what_breaks_its_rules(gthread: EchoServer) -> None:
    assert complaints(EXAMPLES, lambda: gthread.connect(OFFER)) == []
    assert gthread.state()["faults"] == []


def echo_many(peer: Peer, kind: int, size: int, piece: int, count: int) -> None:
    """`count` messages there and back, each waited for."""
    opcode = TEXT if kind in (1, 3, 5) else BINARY
    sent = []
    for at in range(count):
        message = payload(kind, size, at)
        body = peer.deflate(message)
        cut = [body[low : low + piece] for low in range(0, len(body), piece)] if piece else [body]
        last = len(cut) - 1
        for number, each in enumerate(cut):
            peer.send(frame(CONT if number else opcode, each, fin=number == last, rsv=0 if number else RSV1))
        peer.listen(at + 1)
        sent.append((opcode, message))
    peer.send(close())
    heard = peer.end()
    assert heard.events == sent, (size, piece)
    assert heard.clean and heard.code == 1000
    if size > 200:
        assert heard.deflated == count


@pytest.mark.soak
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("kind", range(1, 6))
def test_messages_of_every_size_and_kind_come_back_as_they_were(gthread: EchoServer, scale: Scale, kind: int) -> None:
    for size, piece in SIZES:
        echo_many(gthread.connect(OFFERS["13.1"]), kind, size, piece, scale.of(2, 1_000))


@pytest.mark.soak
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("number", OFFERS)
def test_messages_come_back_as_they_were_under_every_offer(gthread: EchoServer, scale: Scale, number: str) -> None:
    for size, piece in SIZES:
        echo_many(gthread.connect(OFFERS[number]), 1, size, piece, scale.of(1, 1_000))
