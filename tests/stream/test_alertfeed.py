"""The channel `alerts` of one connection: missed and live events meet, each comes once, in the order of its id."""

from __future__ import annotations

import random
from typing import Any

import pytest

from dashboard.stream.alertfeed import MOST_WAITING, AlertFeed, Loaded

#: Events that the database gives at a time.
PAGE = 50


class Desk:
    """A database of events, a line that may be full, and what has been sent."""

    def __init__(self) -> None:
        self.recorded: list[int] = []
        self.sent: list[int] = []
        self.room = True
        self.asked: list[tuple[int, Loaded]] = []
        self.feed = AlertFeed(lambda after, loaded: self.asked.append((after, loaded)), self.write)

    def write(self, event: dict[str, Any]) -> bool:
        if self.room:
            self.sent.append(event["id"])
        return self.room

    def record(self, *, live: bool = True) -> None:
        self.recorded.append(len(self.recorded) + 1)
        if live:
            self.feed.publish({"id": self.recorded[-1]})

    def answer(self, *, failing: bool = False) -> None:
        after, loaded = self.asked.pop(0)
        page = [{"id": number} for number in self.recorded if number > after][:PAGE]
        loaded(None if failing else page)

    def answer_all(self) -> None:
        while self.asked:
            self.answer()


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_nothing_comes_before_a_subscription_or_after_its_end(desk: Desk) -> None:
    desk.record()
    desk.feed.subscribe(None)
    desk.record()
    desk.feed.unsubscribe()
    desk.record()
    assert desk.sent == [2]


def test_missed_events_come_first_and_those_of_meanwhile_once(desk: Desk) -> None:
    for _ in range(3):
        desk.record(live=False)
    desk.feed.subscribe(1)
    desk.record()
    assert desk.sent == []
    desk.answer_all()
    desk.record()
    assert desk.sent == [2, 3, 4, 5]


def test_a_slow_reader_with_too_many_gets_them_from_the_database_when_it_reads_again(desk: Desk) -> None:
    desk.feed.subscribe(None)
    desk.room = False
    for _ in range(MOST_WAITING + 100):
        desk.record()
    desk.room = True
    desk.feed.room()
    desk.answer_all()
    assert desk.sent == list(range(1, MOST_WAITING + 101))


def test_more_missed_events_than_the_database_gives_at_once_all_come(desk: Desk) -> None:
    for _ in range(PAGE * 3 + 7):
        desk.record(live=False)
    desk.feed.subscribe(0)
    desk.answer()
    desk.record()
    desk.answer_all()
    desk.record()
    assert desk.sent == desk.recorded


def test_a_database_that_fails_is_asked_again_and_nothing_is_lost(desk: Desk) -> None:
    desk.record(live=False)
    desk.feed.subscribe(0)
    desk.record()
    desk.answer(failing=True)
    desk.record()
    desk.feed.room()
    desk.answer_all()
    assert desk.sent == [1, 2, 3]


@pytest.mark.parametrize("failing", [False, True])
def test_whoever_subscribes_again_and_again_has_one_read_under_way_and_the_last_one_counts(
    desk: Desk, failing: bool
) -> None:
    for _ in range(5):
        desk.record(live=False)
    for after in (0, 1, 2, 3):
        desk.feed.subscribe(after)
    assert [after for after, _ in desk.asked] == [0]
    desk.record()
    desk.answer(failing=failing)
    assert [after for after, _ in desk.asked] == [3]
    desk.answer_all()
    assert desk.sent == [4, 5, 6]


def test_a_read_that_nobody_wants_any_more_is_not_begun(desk: Desk) -> None:
    desk.record(live=False)
    desk.feed.subscribe(0)
    desk.feed.subscribe(0)
    desk.feed.unsubscribe()
    desk.answer()
    assert desk.asked == []
    desk.feed.subscribe(None)
    desk.record()
    assert desk.sent == [2]


@pytest.mark.parametrize("seed", range(40))
def test_random_lives_bring_every_event_once_and_in_order(seed: int) -> None:
    chance = random.Random(seed)
    desk = Desk()
    for _ in range(chance.randrange(5)):
        desk.record(live=False)
    desk.feed.subscribe(0)
    for _ in range(300):
        match chance.randrange(7):
            case 0 | 1 | 2:
                desk.record()
            case 3:
                desk.room = not desk.room
            case 4:
                desk.feed.room()
            case 5 if chance.random() < 0.3:
                # Again, from the last one that has come.
                desk.feed.subscribe(max(desk.sent, default=0))
            case _ if desk.asked:
                desk.answer(failing=chance.random() < 0.3)
        assert len(desk.asked) <= 1
    desk.room = True
    for _ in range(5):
        desk.feed.room()
        while desk.asked:
            desk.answer()
    assert desk.sent == desk.recorded
