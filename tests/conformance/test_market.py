"""The same cases on the product's own `/ws/market`: control frames and ends are the RFC's, answers to text its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.cases import PONG, TABLE, TEXT, Case, close
from tests.conformance.deflate import EXAMPLES, OFFER, RSV1
from tests.conformance.peer import Peer
from tests.conformance.running import complaints
from tests.conftest import Product
from tests.stream.wire import frame

#: A message's limit of the product.
LIMIT = 16_384


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, str]]:
    """(port, the header lines of somebody who is logged in)."""
    running = Product(tmp_path_factory.mktemp("market"), "gunicorn", {})
    running.start()
    try:
        cookies = running.client().cookies.items()
        yield running.port, "Cookie: " + "; ".join(f"{name}={value}" for name, value in cookies) + "\r\n"
    finally:
        running.stop()
    assert "Traceback" not in running.log


def connect(market: tuple[int, str], offer: str | None = None) -> Peer:
    port, lines = market
    peer = Peer(port, "/ws/market", offer, lines)
    assert peer.status == 101
    return peer


def is_pong(event: tuple[int, bytes]) -> bool:
    return event[0] == PONG


def fits(case: Case) -> bool:
    return case.largest < LIMIT


@pytest.mark.parametrize("group", TABLE)
def test_control_frames_and_ends_are_the_rfcs(market: tuple[int, str], group: str) -> None:
    assert complaints(filter(fits, TABLE[group]), lambda: connect(market), is_pong) == []


def test_compression_is_the_rfcs(market: tuple[int, str]) -> None:
    assert complaints(EXAMPLES, lambda: connect(market, OFFER), is_pong) == []


@pytest.mark.parametrize("offer", [None, OFFER])
def test_a_message_of_one_byte_too_many_ends_it_with_1009(market: tuple[int, str], offer: str | None) -> None:
    for size, code in ((LIMIT, 1000), (LIMIT + 1, 1009), (10_000_000, 1009)):
        peer = connect(market, offer)
        message = b" " * size
        peer.send(frame(TEXT, peer.deflate(message), rsv=RSV1) if offer else frame(TEXT, message))
        if code == 1000:
            # The welcome, and what it says to a message of spaces.
            peer.listen(2)
            peer.send(close())
        heard = peer.end()
        assert (heard.code, heard.clean) == (code, True), size


#: 16,410 bytes deflated, the last of which zlib holds back although it has taken all of its input (found by fuzzing).
HELD_BACK = bytes.fromhex(
    "ecc9b70180200000b0dbb07711ecff1fe2174ec99a509455ddb45d3f8cd3bcac714b793fceeb7ede608c31c618638c31c618638c31c618"
    "638c31c618638c31c618638c689871a6ad349110d6db2ce70820df30"
)


def test_a_message_that_zlib_gives_in_part_is_not_taken_for_the_whole(market: tuple[int, str]) -> None:
    peer = connect(market, OFFER)
    peer.send(frame(TEXT, HELD_BACK, rsv=RSV1))
    heard = peer.end()
    assert (heard.code, heard.clean) == (1009, True)


def test_a_flood_is_told_so_and_sees_the_end_of_the_line(market: tuple[int, str]) -> None:
    peer = connect(market)
    peer.send(frame(9, b"x") * 20_000)
    heard = peer.end()
    assert (heard.code, heard.clean) == (4429, True)
