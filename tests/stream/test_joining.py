"""Subscribing while 1,000 batches a second flow: between a snapshot and the first live message nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import Scale
from tests.stream.servers import Server, serving
from tests.stream.wire import Wire, text

#: Live messages of each channel that a subscription is followed for.
FOLLOWED = 3
STEP = 3  # market_app ticks its three symbols in every batch


@pytest.fixture
def server() -> Iterator[Server]:
    with serving("gthread", MARKET_TICK_S="0.0008") as server:
        yield server


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_nothing_is_lost_between_the_snapshot_and_the_first_live_message(server: Server, scale: Scale) -> None:
    wire = Wire(server.port)
    wire.message("welcome")
    before = server.state()["seq"]
    batches = 0
    for _ in range(scale.of(150, 10_000)):
        batches += join(wire)
    wire.close()
    assert server.state()["seq"] - before >= batches


def join(wire: Wire) -> int:
    """Subscribe to everything of one symbol in one piece, follow it, and end it; the batches that were looked at."""
    ask = {"op": "subscribe", "symbols": ["AAPL"]}
    wire.send(
        text({**ask, "channel": "ticks"})
        + text({**ask, "channel": "ticker"})
        + text({**ask, "channel": "bars", "timeframe": "1d"})
    )
    ticks: list[list[Any]] = []
    snapshots: dict[str, dict[str, Any]] = {}
    live: dict[str, list[dict[str, Any]]] = {"ticks": [], "ticker": [], "bars": []}
    while min(map(len, live.values())) < FOLLOWED:
        message = wire.message("snapshot", "ticks", "ticker", "bars")
        kind = message["type"]
        if kind == "snapshot":
            assert message["channel"] not in snapshots
            snapshots[message["channel"]] = message
            continue
        assert kind == "ticks" or kind in snapshots, f"{kind} before its snapshot"
        live[kind].append(message)
        if kind == "ticks":
            ticks += message["data"]["AAPL"]
    judge(ticks, snapshots, live)
    end = {"op": "unsubscribe", "symbols": "*"}
    wire.send(
        text({**end, "channel": "ticks"})
        + text({**end, "channel": "ticker"})
        + text({**end, "channel": "bars", "timeframe": "1d", "id": "last"})
    )
    while wire.message("unsubscribed").get("id") != "last":
        continue
    return len(ticks)


def judge(ticks: list[list[Any]], snapshots: dict[str, Any], live: dict[str, list[dict[str, Any]]]) -> None:
    """The ticks have no hole, begin before the snapshots end, and make every row that came beside them."""
    seqs = [row[0] for row in ticks]
    assert seqs == list(range(seqs[0], seqs[0] + STEP * len(seqs), STEP)), seqs
    price = {row[0]: row[1] for row in ticks}
    shown, day = snapshots["ticker"], snapshots["bars"]
    # The ticks were asked for first: what came after either snapshot is all among them.
    assert seqs[0] <= min(shown["seq"], day["seq"]) + STEP
    for message in live["ticker"]:
        assert message["seq"] > shown["seq"]
        own = message["seq"] - (STEP - 1)
        if own <= seqs[-1]:
            assert message["data"]["AAPL"][0] == price[own], f"the ticker at {message['seq']} is another tick's"
    at, bar = day["seq"], day["data"]["AAPL"][-1]
    for message in live["bars"]:
        rows = message["data"]["AAPL"]
        if rows[-1][0] != bar[0]:
            return  # midnight
        assert rows[-1][6] - bar[6] == (message["seq"] - at) / STEP, "a trade is missing from the bar, or twice in it"
        at, bar = message["seq"], rows[-1]
