"""RFC 6455 on a connection that gunicorn has handed over: every case of the table, each on a connection of its own."""

from __future__ import annotations

import pytest

from tests.conformance.cases import TABLE
from tests.conformance.running import EchoServer, complaints, echoing

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
