"""Resumes (promise 5): no hole, nothing twice, and `resumed` is true only when both can be proven."""

from __future__ import annotations

import json
import random
from typing import Any
from unittest.mock import Mock

import pytest

from dashboard.market.bars import TIMEFRAME_INDEX
from dashboard.market.book import BarBook
from tests.conftest import Scale
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


EPOCHS = ("same", "other", "empty")
#: Where `after_seq` lies, against what a store that has dropped ticks keeps: `oldest` is the first that is whole.
PLACES = {
    "begin": lambda oldest, seq: 0,
    "edge - 2": lambda oldest, seq: oldest - 3,
    "edge - 1": lambda oldest, seq: oldest - 2,
    "edge": lambda oldest, seq: oldest - 1,
    "edge + 1": lambda oldest, seq: oldest,
    "inside": lambda oldest, seq: (oldest + seq) // 2,
    "now": lambda oldest, seq: seq,
    "ahead": lambda oldest, seq: seq + 1_000,
    "huge": lambda oldest, seq: 2**62,
    "beyond 64 bits": lambda oldest, seq: 10**30,
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("epoch", EPOCHS)
@pytest.mark.parametrize("channel", ["ticks", "ticker", "bars"])
def test_every_cell_of_the_table_is_answered_as_promised(channel: str, epoch: str, place: str) -> None:
    world = World(budget_mb=1)
    while world.store.oldest_seq < 100:
        world.tick(count=100)
        world.run(0.05)
    oldest, seq = world.store.oldest_seq, world.store.seq
    after = PLACES[place](oldest, seq)
    client = world.client()
    more = {"timeframe": "1m"} if channel == "bars" else {}
    named = {"same": world.store.epoch, "other": "another", "empty": ""}[epoch]
    client.send(
        b'{"op":"subscribe","id":3,"channel":"%s","symbols":["AAPL"],"timeframe":"%s","epoch":"%s","after_seq":%d}'
        % (channel.encode(), more.get("timeframe", "").encode(), named.encode(), after)
    )
    world.run(1.5)
    kept = [one for one in every_seq(world, "AAPL") if one >= oldest]
    world.tick()
    world.run(0.5)
    answer = answered(client)
    provable = epoch == "same" and oldest - 1 <= after <= seq
    assert (answer["id"], answer["resumed"]) == (3, provable)
    if channel == "ticks":
        # Whole after the seq, or a gap that names all that is not kept, and what is kept: never a part of either.
        from_seq = after if epoch == "same" and after <= seq else 0
        wanted = [one for one in [*kept, seq + 1] if one > from_seq]
        assert client.ticks("AAPL") == wanted
        assert gaps(client, "AAPL") == set(range(from_seq + 1, oldest))
        assert len([m for m in client.messages if m["type"] == "gap"]) == (from_seq + 1 < oldest)
    else:
        kinds = [message["type"] for message in client.messages if message["type"] != "heartbeat"]
        assert kinds[:3] == ["welcome", "subscribed", "snapshot"]
        assert client.messages[2]["data"]["AAPL"]


@pytest.mark.parametrize("place", [-1, -(2**63), -(10**30), 0.5, "8", "", None, "seq", [1], {}, False])
@pytest.mark.parametrize("epoch", [*EPOCHS, None])
def test_an_after_seq_that_is_no_whole_number_is_an_error_whatever_the_epoch(epoch: str | None, place: object) -> None:
    world = World()
    world.tick()
    client = world.client()
    named = {"same": world.store.epoch, "other": "another", "empty": "", None: None}[epoch]
    client.send(
        json.dumps(
            {"op": "subscribe", "id": 4, "channel": "ticks", "symbols": ["AAPL"], "epoch": named, "after_seq": place}
        )
    )
    world.tick()
    world.run(1.5)
    assert [message["type"] for message in client.new("error", "subscribed", "ticks", "gap")] == ["error"]
    assert client.messages[1]["id"] == 4


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


@pytest.mark.parametrize("wish", ["knows more", "is ahead", "is ahead, twice", "is ahead for ever", "of another epoch"])
@pytest.mark.parametrize("frame_ms", [20, 250, 1000])
@pytest.mark.parametrize("slow", [False, True])
def test_a_second_reader_of_the_same_bars_costs_the_first_nothing(wish: str, frame_ms: int, slow: bool) -> None:
    second = TIMEFRAME_INDEX["1s"]
    for moment in range(8 if wish == "knows more" else 2):
        world = World(frame_ms=frame_ms, buffer_kb=64)
        world.tick()
        world.run(2.37)
        client = world.client()
        asked: dict[str, Any] = {"timeframe": "1s", "epoch": world.store.epoch}
        client.subscribe("bars", ["AAPL"], after_seq=world.store.seq, id=1, **asked)
        world.run(2)
        if slow:
            client.line.read(0)
            client.subscribe("ticker", "*")
            while not client.connection.slow:
                world.tick()
                world.run(0.05)
        for _ in range(20 + 5 * moment):
            world.tick()
            world.run(0.05)
        # What another part of the page has by HTTP, when its wish has come; behind a bus that may be ahead of this
        # process.
        seq = world.store.seq
        ahead = {"knows more": 0, "is ahead for ever": 1_000_000}.get(wish, 10)
        if wish == "of another epoch":
            seq, ahead, asked["epoch"] = 5, 0, "other"
        world.run(0.03)
        for number in range(2, 4 if wish.endswith("twice") else 3):
            client.subscribe("bars", ["AAPL"], after_seq=seq + ahead, id=number, **asked)
        if wish != "knows more":
            for _ in range(40):
                world.tick()
                world.run(0.05)
        client.line.read(float("inf"))
        for _ in range(40):
            world.tick()
            world.run(0.05)
        world.run(3)
        held = {
            row[0]: row
            for message in client.messages
            if message["type"] == "bars" or (message["type"] == "snapshot" and message["channel"] == "bars")
            for row in message["data"].get("AAPL", [])
        }
        for row in world.store.bars(0, second).rows.tolist():
            if row[0] >= min(held):
                assert held[row[0]][:5] == pytest.approx(row[:5])


@pytest.mark.parametrize("gone", ["", "AAPL", "MSFT"])
def test_bars_cut_between_messages_come_whole_whoever_is_unsubscribed_meanwhile(gone: str) -> None:
    world = World("AAPL,MSFT", budget_mb=64, buffer_kb=16)
    for _ in range(3_000):
        world.clock.advance(1_000)
        world.tick()
    world.run()
    client = world.client()
    client.line.read(0)
    client.subscribe("bars", ["AAPL", "MSFT"], timeframe="1s", epoch=world.store.epoch, after_seq=0)
    # The first message ends inside the bars of AAPL, and the second waits for room.
    assert client.connection.slow
    if gone:
        client.send({"op": "unsubscribe", "channel": "bars", "symbols": [gone], "timeframe": "1s"})
    client.line.read(float("inf"))
    world.run(2)
    assert answered(client)["resumed"] is True
    for at, symbol in enumerate(("AAPL", "MSFT")):
        got = {row[0] for m in client.messages if m["type"] == "snapshot" for row in m["data"].get(symbol, [])}
        assert symbol == gone or got == {int(row[0]) for row in world.store.bars(at, 0).rows}


def test_no_heartbeat_leads_while_gaps_are_being_named() -> None:
    world = World(",".join(f"S{number}" for number in range(1_200)), buffer_kb=16)
    world.store._kept_ticks = 8
    world.store.reset()
    for _ in range(2):
        world.tick(count=10)
        world.run()
    client = world.client()
    client.line.read(0)
    client.subscribe("ticks", "*", epoch=world.store.epoch, after_seq=100)
    world.run(6)
    client.line.read(float("inf"))
    beat = next(place for place, message in enumerate(client.messages) if message["type"] == "heartbeat")
    told = [message["symbol"] for message in client.messages[:beat] if message["type"] == "gap"]
    assert 0 < len(told) < 1_200
    assert client.messages[beat]["seq"] <= 100
    world.run(6)
    assert client.new("heartbeat")[-1]["seq"] == world.store.seq
    assert len({message["symbol"] for message in client.messages if message["type"] == "gap"}) == 1_200


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_random_lives_leave_no_hole_no_repeat_and_no_inversion(scale: Scale) -> None:
    for seed in range(scale.of(300, 10_000)):
        live(seed)


def live(seed: int) -> None:
    """A life of random cuts, slow spells and resumes against the store."""
    chance = random.Random(seed)
    world = World(
        frame_ms=chance.choice([0, 20, 50]),
        buffer_kb=chance.choice([16, 256]),
        working=random.Random(seed) if seed % 2 else None,
    )
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


def test_a_batch_that_the_store_could_not_take_whole_sends_its_clients_away_to_resume(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    client = world.client()
    client.subscribe("ticks", ["AAPL"])
    world.tick("AAPL")
    world.run()
    epoch, after = world.store.epoch, world.store.seq
    with monkeypatch.context() as patch:
        patch.setattr(BarBook, "fold", Mock(side_effect=MemoryError))
        with pytest.raises(MemoryError):
            world.tick("AAPL")
    world.run()
    assert client.close_code == 1001
    again = world.client()
    again.subscribe("ticks", ["AAPL"], epoch=epoch, after_seq=after)
    world.tick("AAPL")
    world.run()
    (answer,) = again.new("subscribed")
    assert answer["resumed"] is False
    assert again.messages[0]["epoch"] == world.store.epoch
    assert again.ticks("AAPL") == [1]
