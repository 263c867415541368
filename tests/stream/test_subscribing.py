"""What a subscriber gets: snapshots, live frames, their order and their cadence (promises 1, 2, 7 and 9)."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.stream.virtual import World


@pytest.fixture
def world() -> World:
    return World()


def test_welcome_comes_first_and_says_how_to_read_the_rows(world: World) -> None:
    world.tick()
    client = world.client()
    (welcome,) = client.new()
    assert welcome["type"] == "welcome" and welcome["version"] == 1
    assert (welcome["epoch"], welcome["seq"], welcome["oldest_seq"]) == (world.store.epoch, 5, 1)
    assert welcome["columns"]["ticks"] == ["seq", "price", "size", "bid", "ask", "ts"]


def test_a_ticker_subscription_gets_a_snapshot_and_then_the_newest_rows(world: World) -> None:
    world.tick()
    world.run()
    client = world.client()
    client.new()
    client.subscribe("ticker", ["AAPL", "NOPE"], id=7)
    subscribed, snapshot = client.new()
    assert subscribed == {
        "type": "subscribed",
        "id": 7,
        "channel": "ticker",
        "symbols": ["AAPL"],
        "unknown": ["NOPE"],
    }
    last = world.store.last()
    row = snapshot["data"]["AAPL"]
    assert row["price"] == last.price[0] and row["open"] == last.open[0] and row["ts"] == int(last.ts[0])
    assert row["previous_close"] is None and snapshot["seq"] == 5
    world.tick("AAPL")
    world.tick("MSFT")
    world.run()
    (ticker,) = client.new("ticker")
    assert list(ticker["data"]) == ["AAPL"] and ticker["data"]["AAPL"][0] == world.store.last().price[0]
    assert isinstance(ticker["data"]["AAPL"][7], int) and ticker["received"] <= ticker["sent"]


def test_nothing_is_sent_twice_to_whoever_joins_while_changes_wait_for_their_frame(world: World) -> None:
    world.tick()
    world.run(0)
    client = world.client()
    world.tick()  # waits for the frame's time
    client.subscribe("ticks", "*")
    client.subscribe("bars", ["AAPL"], timeframe="1m")
    client.subscribe("ticker", ["AAPL"])
    world.tick()
    world.run()
    assert client.ticks("AAPL") == [11]
    assert [m["seq"] for m in client.messages if m["type"] == "ticker"] == [15]
    assert [m["seq"] for m in client.messages if m["type"] == "bars"] == [15]


def test_a_bar_that_the_clock_closes_reaches_whoever_joined_at_the_same_sequence_number(world: World) -> None:
    world.tick("AAPL")
    world.run(0)
    client = world.client()
    client.subscribe("bars", ["AAPL"], timeframe="1s")
    world.clock.advance(5)
    world.store.close_due(world.clock.now_ms() + 60_000)
    world.run()
    (bars,) = client.new("bars")
    assert bars["seq"] == 1 and bars["data"]["AAPL"][0][7] & 1


def test_the_first_change_goes_out_at_once_and_later_ones_are_joined(world: World) -> None:
    client = world.client()
    client.subscribe("ticks", ["AAPL"])
    client.subscribe("ticker", ["AAPL"])
    world.run(1)
    client.new()
    for _ in range(100):
        world.tick("AAPL")
        world.run(0.001)
    frames = client.new("ticks", "ticker")
    for kind in ("ticks", "ticker"):
        sent = [frame["sent"] for frame in frames if frame["type"] == kind]
        assert len(sent) in (5, 6)
        assert all(later - earlier >= 19.9 for earlier, later in pairwise(sent))
    world.run()
    assert client.ticks("AAPL") == list(range(1, 101))


def test_every_changed_bar_comes_in_its_newest_state(world: World) -> None:
    client = world.client()
    client.subscribe("bars", "*", timeframe="1s")
    shown: dict[tuple[str, int], list[float]] = {}
    for step in range(60):
        world.tick(*(("AAPL", "OIL") if step % 3 else ()))
        if step % 10 == 4:
            world.tick("GOLD", ts=world.clock.now_ms() - 1500)  # late: corrects a closed bar
        world.run(0.13)
        world.store.close_due(world.clock.now_ms())
    world.run()
    for message in client.new("snapshot", "bars"):
        for symbol, rows in message["data"].items():
            shown |= {(symbol, row[0]): row for row in rows}
    for at, symbol in enumerate(world.store.catalogue.symbols):
        kept = world.store.bars(at, 0).rows.tolist()
        assert [shown[symbol, row[0]] for row in kept] == kept
    assert any(int(row[7]) & 16 for row in shown.values())


def test_a_changed_reference_comes_as_a_snapshot_before_the_next_row(world: World) -> None:
    client = world.client()
    client.subscribe("ticker", "*")
    world.tick("AAPL")
    world.run()
    world.clock.advance(86_400_000)
    client.new()
    world.tick("AAPL", "OIL")
    world.run()
    snapshot, ticker = client.new("snapshot", "ticker")
    assert set(snapshot["data"]) == {"AAPL", "OIL"} == set(ticker["data"])
    last = world.store.last()
    assert snapshot["data"]["AAPL"]["previous_close"] == last.previous_close[0] == 100.1
    world.tick("AAPL")
    world.run()
    assert [m["type"] for m in client.new()] == ["ticker"]


def test_symbols_are_added_taken_out_of_everything_and_given_back(world: World) -> None:
    client = world.client()

    def got() -> set[str]:
        client.new()
        world.tick()
        world.run()
        return {symbol for message in client.new("ticker") for symbol in message["data"]}

    client.subscribe("ticker", ["AAPL"])
    client.subscribe("ticker", ["OIL", "AAPL"])
    assert got() == {"AAPL", "OIL"}
    client.subscribe("ticker", "*", id="all")
    assert client.new("subscribed")[-1]["symbols"] == "*"
    client.send({"op": "unsubscribe", "channel": "ticker", "symbols": ["GOLD", "NEVER"]})
    assert client.new("unsubscribed")[0]["symbols"] == ["GOLD", "NEVER"]
    assert got() == {"AAPL", "MSFT", "BTC-USD", "OIL"}
    client.subscribe("ticker", ["GOLD"])
    assert got() == {"AAPL", "MSFT", "BTC-USD", "OIL", "GOLD"}
    client.send({"op": "unsubscribe", "channel": "ticker", "symbols": "*"})
    assert got() == set()
    assert world.hub.fanout.groups == {}


def test_equal_subscriptions_get_the_very_same_bytes_however_they_came_about(world: World) -> None:
    one, two = world.client(), world.client()
    one.subscribe("ticker", ["AAPL", "OIL"])
    two.subscribe("ticker", ["OIL"])
    two.subscribe("ticker", ["AAPL"])
    world.tick()
    world.run()
    world.tick()
    world.run()
    (groups,) = world.hub.fanout.groups.values()
    assert len(groups) == 1
    assert one.messages[-1] == two.messages[-1]


def test_a_second_subscription_starts_the_symbol_anew_and_doubles_nothing(world: World) -> None:
    client = world.client()
    for _ in range(3):
        client.subscribe("ticks", ["AAPL"])
        client.subscribe("bars", ["AAPL"], timeframe="5s")
        world.tick("AAPL")
        client.subscribe("ticks", ["AAPL", "OIL"])
        world.run()
    assert client.ticks("AAPL") == [1, 2, 3]
    assert sum(m["type"] == "snapshot" for m in client.messages) == 3


def test_a_large_snapshot_comes_in_messages_of_at_most_128_kib() -> None:
    world = World("catalogue:2000", messages_per_s=1000)
    world.tick()
    world.run()
    client = world.client()
    client.subscribe("ticker", "*")
    client.subscribe("bars", "*", timeframe="1m")
    world.tick()
    world.run()
    for channel in ("ticker", "bars"):
        parts = [m for m in client.messages if m["type"] == "snapshot" and m.get("channel") == channel]
        assert [bool(m.get("more")) for m in parts] == [True] * (len(parts) - 1) + [False] and len(parts) > 1
        assert {symbol for m in parts for symbol in m["data"]} == set(world.store.catalogue.symbols)
    sizes = [len(text) for text, m in zip(client.texts, client.messages, strict=True) if m["type"] == "snapshot"]
    assert max(sizes) <= 131_072


def test_bars_that_change_between_the_messages_of_a_snapshot_end_in_their_newest_state() -> None:
    world = World("catalogue:1500", buffer_kb=4096)
    for _ in range(2):
        world.clock.advance(1_000)
        world.tick()
    world.run()
    client = world.client()

    def write(left: int) -> None:
        world.clock.advance(10)
        world.tick()
        if left:
            world.loop.call_soon(write, left - 1)

    client.subscribe("bars", "*", timeframe="1s")
    # A batch between every two messages: no pass over the instruments finds them as the one before left them.
    world.loop.call_soon(write, 20)
    world.run(2)
    snapshots = [message for message in client.messages if message["type"] == "snapshot"]
    assert [bool(message.get("more")) for message in snapshots] == [True] * (len(snapshots) - 1) + [False]
    assert max(len(text) for text in client.texts if text.startswith(b'{"type":"snapshot"')) <= 131_072
    shown: dict[tuple[str, int], list[float]] = {}
    for message in client.messages:
        if message.get("timeframe") and "data" in message:
            shown |= {(symbol, row[0]): row for symbol, rows in message["data"].items() for row in rows}
    for at, symbol in enumerate(world.store.catalogue.symbols):
        for row in world.store.bars(at, 0, limit=2).rows.tolist():
            assert shown[symbol, int(row[0])] == row


def test_heartbeats_tell_what_has_been_written_and_never_more(world: World) -> None:
    client = world.client()
    client.subscribe("ticks", "*")
    for _ in range(120):
        world.tick()
        world.run(0.1)
    beats = [m for m in client.messages if m["type"] == "heartbeat"]
    assert 2 <= len(beats) <= 4
    newest = 0
    for message in client.messages:
        if message["type"] == "ticks":
            newest = message["seq"]
        elif message["type"] == "heartbeat":
            assert message["seq"] == newest
    gaps = [later["sent"] - earlier["sent"] for earlier, later in pairwise(beats)]
    assert all(abs(gap - 5000) <= 260 for gap in gaps)


def test_deflated_frames_are_made_once_for_each_window(world: World) -> None:
    plain, small, large = world.client(), world.client(bits=9), world.client(bits=12)
    for client in (plain, small, large):
        client.subscribe("ticker", "*")
    world.tick()
    world.run()
    assert plain.messages[-1] == small.messages[-1] == large.messages[-1]
    assert plain.messages[-1]["type"] == "ticker"
