"""Resumes (promise 5): no hole, nothing twice, and `resumed` is true only when both can be proven."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.stream.virtual import SYMBOLS, VirtualClient, World


@pytest.fixture
def world() -> World:
    return World()


def answered(client: VirtualClient) -> dict[str, Any]:
    return next(message for message in client.messages if message["type"] == "subscribed")


def gaps(client: VirtualClient, symbol: str) -> set[int]:
    """The sequence numbers that gaps of a symbol name."""
    named: set[int] = set()
    for message in client.messages:
        if message["type"] == "gap" and message["symbol"] == symbol:
            named |= set(range(message["from_seq"], message["to_seq"] + 1))
    return named


def every_seq(world: World, symbol: str) -> list[int]:
    rows = world.store.ticks(SYMBOLS.index(symbol), limit=50_000).rows
    return [int(seq) for seq in rows[:, 0]]


@pytest.mark.parametrize("back", [0, 1, 7, 100])
def test_ticks_go_on_without_hole_and_without_repeat(world: World, back: int) -> None:
    for _ in range(40):
        world.tick()
        world.run(0.05)
    client, after = world.client(), world.store.seq - back
    client.subscribe("ticks", ["AAPL", "GOLD"], epoch=world.store.epoch, after_seq=after)
    for _ in range(20):
        world.tick()
        world.run(0.03)
    world.run(1)
    assert answered(client)["resumed"] is True
    for symbol in ("AAPL", "GOLD"):
        assert client.ticks(symbol) == [seq for seq in every_seq(world, symbol) if seq > after]
        assert gaps(client, symbol) == set()


@pytest.mark.parametrize(
    ("epoch", "after", "resumed"),
    [
        ("same", "now", True),
        ("same", "begin", True),
        ("same", "future", False),
        ("other", "now", False),
        ("other", "begin", False),
        ("other", "future", False),
    ],
)
@pytest.mark.parametrize("channel", ["ticks", "ticker", "bars"])
def test_every_cell_of_the_table_is_answered_as_promised(
    world: World, channel: str, epoch: str, after: str, resumed: bool
) -> None:
    for _ in range(10):
        world.tick()
        world.run(0.05)
    seq = {"now": world.store.seq, "begin": 0, "future": world.store.seq + 1000}[after]
    client = world.client()
    more = {"timeframe": "1m"} if channel == "bars" else {}
    named = world.store.epoch if epoch == "same" else "another"
    client.subscribe(channel, ["AAPL"], epoch=named, after_seq=seq, id=3, **more)
    world.run(1.5)
    world.tick()
    world.run(0.5)
    answer = answered(client)
    assert (answer["id"], answer["resumed"]) == (3, resumed)
    if channel == "ticks":
        seen = set(client.ticks("AAPL"))
        assert len(seen) == len(client.ticks("AAPL"))
        wanted = every_seq(world, "AAPL")
        assert seen | gaps(client, "AAPL") >= {one for one in wanted if one > (seq if resumed else 0)}
    else:
        kinds = [message["type"] for message in client.messages if message["type"] != "heartbeat"]
        assert kinds[:3] == ["welcome", "subscribed", "snapshot"]


def test_a_resume_waits_a_second_for_a_number_that_is_not_reached_yet(world: World) -> None:
    world.tick()
    client = world.client()
    client.subscribe("ticks", ["AAPL"], epoch=world.store.epoch, after_seq=world.store.seq + 5)
    world.run(0.5)
    assert not [message for message in client.messages if message["type"] == "subscribed"]
    world.tick()
    world.run(0.2)
    assert answered(client)["resumed"] is True


def test_what_is_no_longer_kept_is_a_gap_that_is_named_and_the_rest_comes() -> None:
    world = World(budget_mb=1)
    for _ in range(40):
        world.tick(count=200)
        world.run(0.02)
    oldest = world.store.oldest_seq
    assert oldest > 1000
    client = world.client()
    client.subscribe("ticks", ["AAPL"], epoch=world.store.epoch, after_seq=100)
    world.run(2)
    assert answered(client)["resumed"] is False
    assert gaps(client, "AAPL") == set(range(101, oldest))
    assert client.ticks("AAPL") == [seq for seq in every_seq(world, "AAPL") if seq >= oldest]


@pytest.mark.parametrize("after", [-1, 1.5, "8", True, [1], {}])
def test_an_after_seq_that_is_no_whole_number_is_an_error_and_subscribes_nothing(world: World, after: object) -> None:
    client = world.client()
    client.subscribe("ticks", ["AAPL"], epoch=world.store.epoch, after_seq=after)
    world.tick()
    world.run()
    assert [message["type"] for message in client.new("error", "subscribed", "ticks")] == ["error"]


def test_bars_that_changed_while_one_was_away_come_in_their_newest_state(world: World) -> None:
    world.tick()
    world.run()
    seq, epoch = world.store.seq, world.store.epoch
    start = int(world.store.bars(0, 3, limit=1).rows[0, 0])
    for _ in range(5):
        world.clock.advance(60_000)
        world.tick()
    # A late tick corrects a bar from before.
    world.tick("AAPL", ts=world.clock.now_ms() - 50_000)
    client = world.client()
    client.subscribe("bars", ["AAPL"], timeframe="1m", epoch=epoch, after_seq=seq)
    world.run(1)
    assert answered(client)["resumed"] is True
    got = {
        row[0]: row
        for message in client.messages
        if message["type"] == "snapshot"
        for row in message["data"].get("AAPL", [])
    }
    kept = {int(row[0]): row for row in world.store.bars(0, 3, limit=100).rows.tolist()}
    assert set(got) == set(kept)
    assert start in got
    assert all(got[at][1:] == pytest.approx(kept[at][1:]) for at in kept)


@pytest.mark.parametrize("seed", range(60))
def test_random_lives_leave_no_hole_no_repeat_and_no_inversion(seed: int) -> None:
    """Random cuts, new epochs, slow spells and subscriptions against the store: five lives a seed."""
    chance = random.Random(seed)
    for _ in range(5):
        world = World(frame_ms=chance.choice([0, 20, 50]), buffer_kb=chance.choice([16, 256]))
        symbol = chance.choice(SYMBOLS)
        collected: list[int] = []
        named: set[int] = set()
        after, epoch = 0, world.store.epoch
        client = world.client()
        client.subscribe("ticks", [symbol], epoch=epoch, after_seq=after)

        def collect(client: VirtualClient, symbol: str = symbol, into: list[int] = collected) -> None:
            into.extend(client.ticks(symbol))

        for _ in range(chance.randrange(5, 25)):
            match chance.randrange(6):
                case 0 | 1 | 2:
                    for _ in range(chance.randrange(1, 5)):
                        world.tick(count=chance.randrange(1, 4))
                        world.run(chance.choice([0, 0.001, 0.02, 0.3]))
                case 3:
                    client.line.read(chance.choice([0, 200, 5_000]))
                case 4:
                    client.line.read(float("inf"))
                    world.run(chance.choice([0, 0.05]))
                case _:
                    client.drop()
                    collect(client)
                    named |= gaps(client, symbol)
                    after = max(
                        [after, *client.ticks(symbol), *(m["seq"] for m in client.messages if m["type"] == "heartbeat")]
                    )
                    for _ in range(chance.randrange(4)):
                        world.tick()
                        world.run(0.01)
                    client = world.client()
                    client.subscribe("ticks", [symbol], epoch=epoch, after_seq=after)
        client.line.read(float("inf"))
        world.run(3)
        assert not client.gone
        collect(client)
        named |= gaps(client, symbol)
        assert collected == sorted(collected), f"seed {seed}: out of order"
        assert len(collected) == len(set(collected)), f"seed {seed}: doubled"
        assert set(collected) | named >= set(every_seq(world, symbol)), f"seed {seed}: a hole"
        assert not named, f"seed {seed}: a gap although all is kept"


def test_a_new_epoch_is_noticed_by_everybody_who_listens(world: World) -> None:
    world.tick()
    client = world.client()
    client.subscribe("ticker", "*")
    world.run()
    world.store.reset()
    world.tick()
    world.run(1)
    assert client.gone or client.close_code == 1001 or any(m.get("epoch") == world.store.epoch for m in client.messages)
