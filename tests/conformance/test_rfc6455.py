"""RFC 6455 on a connection that gunicorn has handed over: every case of the table, each on a connection of its own."""

from __future__ import annotations

import signal
import time

import pytest

from tests.conformance.cases import PING, PONG, TABLE, TEXT, close
from tests.conformance.running import EchoServer, complaints, echoing
from tests.stream.wire import frame

#: What the two other servers are asked: the connection is the same, only the hand-off is not.
PART = ("2 pings and pongs", "5 fragmentation", "7 close handshake")


@pytest.mark.parametrize("group", TABLE)
def test_every_case_of_the_group_passes(gthread: EchoServer, group: str) -> None:
    assert complaints(TABLE[group], gthread.connect) == []
    assert gthread.state()["faults"] == []


@pytest.mark.parametrize("kind", ["sync", "werkzeug"])
def test_the_other_servers_hand_over_the_same_connection(kind: str) -> None:
    with echoing(kind) as server:
        assert [complaints(TABLE[group], server.connect) for group in PART] == [[], [], []]
        everybody_hears_the_end(server)


def test_whoever_is_connected_when_the_server_stops_hears_1001_and_the_end_of_the_line() -> None:
    with echoing("gthread") as server:
        everybody_hears_the_end(server)


def everybody_hears_the_end(server: EchoServer) -> None:
    """One that answers the close, one that does not, one in the middle of a message."""
    polite, rude, busy = (server.connect() for _ in range(3))
    busy.send(frame(TEXT, b"begun", fin=False) + frame(PING))
    # Answered, so that nothing it sent is unread when the server ends.
    assert busy.listen(1).events == [(PONG, b"")]
    server.process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    assert polite.listen(1).code == 1001
    if time.monotonic() - began < 1.0:
        # Later its answer might meet a process that has ended.
        polite.send(close(1001))
    for peer in (polite, busy, rude):
        heard = peer.end()
        assert (heard.code, heard.clean) == (1001, True)
    assert server.process.wait(15) == 0
