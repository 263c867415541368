"""A peer that is gone without a word, behind a proxy that swallows all: the server frees it, others stay."""

from __future__ import annotations

import time
from contextlib import closing
from typing import Any

import pytest

from tests.conftest import Scale
from tests.line import Line
from tests.soak.product import cookie_of, metric
from tests.stream.wire import Wire

pytestmark = [pytest.mark.soak, pytest.mark.timeout(300)]
#: Seconds after which the server holds a dead peer no longer.
FREED_S = 15.0


def test_the_server_frees_a_peer_that_does_not_answer_any_more(product: Any, scale: Scale) -> None:
    running = product(server="gunicorn", TICK_MS="100")
    line = Line(running.port)
    with closing(running.client()) as client:
        cookie = f"Cookie: {cookie_of(client)}\r\n"
    dead = [Wire(line.port, user=None, extra=cookie) for _ in range(3)]
    # One idle, one that ticks flow to, one with bars that change.
    dead[1].send({"op": "subscribe", "channel": "ticks", "symbols": "*"})
    dead[2].send(
        {"op": "subscribe", "channel": "bars", "symbols": "*", "timeframe": "1s", "epoch": "x", "after_seq": 0}
    )
    alive = Wire(running.port, user=None, extra=cookie)
    for wire in (*dead, alive):
        assert wire.message()["type"] == "welcome"
    line.stall()
    began = time.monotonic()
    while (count := metric(running, "dashboard_stream_connections")) != 1:
        assert time.monotonic() - began < 60, f"{count} connections are still held"
        # The living one has to read and answer pings meanwhile.
        alive.send({"op": "ping", "id": 1})
        alive.message("pong")
        time.sleep(0.1)
    took = time.monotonic() - began
    print(f"dead peers are freed after {took:.1f} s")
    if scale.full:
        assert took <= FREED_S, f"a dead peer was held for {took:.1f} s"
    for wire in (*dead, alive):
        wire.close()
    line.close()
