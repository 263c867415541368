"""Whoever was away for minutes gets all of it from memory; whoever was away for longer than is kept is told so."""

from __future__ import annotations

import pytest

from tests.conftest import Scale
from tests.stream.test_resuming import answered, every_seq, gaps
from tests.stream.virtual import World

HZ = 10
MINUTE = 60 * HZ


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("absence", "whole"), [("2 min", True), ("15 min", True), ("24 h", False)])
def test_an_absence_is_made_up_for_or_told(scale: Scale, absence: str, whole: bool) -> None:
    # A day tick by tick takes minutes; in the short form it is an hour, and its ticks come by the minute.
    minutes = {"2 min": 2, "15 min": 15, "24 h": scale.of(60, 24 * 60)}[absence]
    joined = 1 if whole or scale.full else MINUTE
    # Ten ticks a second of each of five instruments; room for 25 minutes of them.
    world = World(budget_mb=16)
    stays = world.client()
    stays.subscribe("ticks", ["AAPL"])
    world.tick()
    world.run(0.1)
    after, epoch = world.store.seq, world.store.epoch
    for _ in range(minutes * MINUTE // joined):
        world.tick(count=joined)
        world.run(0.1 if joined == 1 else 0.02)
    oldest = world.store.oldest_seq
    back = world.client()
    back.subscribe("ticks", "*", epoch=epoch, after_seq=after)
    back.subscribe("bars", ["AAPL"], timeframe="1s", epoch=epoch, after_seq=after)
    back.subscribe("ticker", "*", epoch=epoch, after_seq=after)
    world.run(2)
    answers = [message for message in back.messages if message["type"] == "subscribed"]
    assert answered(back)["resumed"] is whole
    assert [answer["resumed"] for answer in answers if answer["channel"] == "ticker"] == [whole]
    assert (oldest <= after + 1) is whole
    for symbol in world.store.catalogue.symbols:
        assert back.ticks(symbol) == [seq for seq in every_seq(world, symbol) if seq > after and seq >= oldest]
        assert gaps(back, symbol) == set(range(after + 1, oldest))
    # The one that stayed has had every tick, however much was dropped since.
    if joined == 1:
        assert stays.ticks("AAPL") == list(range(1, world.store.seq, 5))
