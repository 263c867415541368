"""Rules over a real store and database: fired once per crossing, kept first and told then, waiting where past."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dashboard.alerts import engine
from dashboard.alerts.book import AlertBook
from dashboard.alerts.rules import Rule
from dashboard.errors import DashboardError
from tests.house import House, open_house

PEOPLE = {"ada": "administrator", "ben": "analyst"}


class Watcher:
    """A user's alerts in a house, and a way to know that every tick given so far has been looked at."""

    def __init__(self, house: House, name: str = "ada") -> None:
        self.house, self.book = house, house.runtime.alert_book
        self.user = next(person.id for person in house.users().every() if person.name == name)
        self.sentinel = 1_000.0

    def above(self, level: float, symbol: str = "AAPL") -> int:
        return int(self.book.create(self.user, symbol, "above", level)["id"])

    def below(self, level: float, symbol: str = "AAPL") -> int:
        return int(self.book.create(self.user, symbol, "below", level)["id"])

    def rule(self, number: int) -> dict[str, Any]:
        return next(rule for rule in self.book.list_for(self.user) if rule["id"] == number)

    def events(self) -> list[dict[str, Any]]:
        """Every event but the sentinels', oldest first, once the engine has come to the newest tick."""
        self.sentinel *= 2
        number = self.above(self.sentinel, "BTC-USD")
        self.house.tick(("BTC-USD", self.sentinel / 2))
        self.house.tick(("BTC-USD", self.sentinel))
        until(lambda: any(event["alert_id"] == number for event in self.book.missed(self.user, 0)))
        self.book.delete(self.user, number)
        return [event for event in self.book.missed(self.user, 0) if event["symbol"] != "BTC-USD"]

    def fired(self) -> list[tuple[int, float]]:
        """(rule, price) of every event."""
        return [(event["alert_id"], event["price"]) for event in self.events()]

    def go(self, *prices: float) -> None:
        """AAPL trades at these prices, a second apart."""
        for price in prices:
            self.house.clock.advance(1_000)
            self.house.tick(("AAPL", price))


def until(true: Callable[[], bool], seconds: float = 8.0) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "did not come"
        time.sleep(0.005)


@pytest.fixture
def ada(tmp_path: Path) -> Iterator[Watcher]:
    with open_house(tmp_path, PEOPLE) as house:
        yield Watcher(house)


def test_a_rule_fires_once_per_crossing_and_again_after_the_other_side(ada: Watcher) -> None:
    ada.go(99.0)
    number = ada.above(100.0)
    ada.go(99.5, 100.0, 101.0, 102.0, 100.0, 99.9, 99.0, 105.0, 106.0)
    assert ada.fired() == [(number, 100.0), (number, 105.0)]


def test_below_is_the_mirror_of_above(ada: Watcher) -> None:
    ada.go(101.0)
    number = ada.below(100.0)
    ada.go(100.5, 100.0, 99.0, 100.1, 95.0)
    assert ada.fired() == [(number, 100.0), (number, 95.0)]


def test_several_crossings_within_one_batch_are_all_seen(ada: Watcher) -> None:
    ada.go(99.0)
    number = ada.above(100.0)
    ada.house.tick(*[("AAPL", price) for price in (101.0, 98.0, 103.0, 104.0, 97.0, 107.0)])
    assert ada.fired() == [(number, 101.0), (number, 103.0), (number, 107.0)]


def test_an_event_is_kept_with_time_price_and_seq_and_the_rule_says_when(ada: Watcher) -> None:
    ada.go(99.0)
    number = ada.above(100.0)
    ada.go(101.25)
    (event,) = ada.events()
    tick = ada.house.runtime.store.ticks(0).rows[-1]
    assert set(event) == {"id", "alert_id", "symbol", "kind", "direction", "level", "price", "ts", "seq"}
    assert (event["alert_id"], event["symbol"], event["kind"]) == (number, "AAPL", "price")
    assert (event["direction"], event["level"], event["price"]) == ("above", 100.0, 101.25)
    assert (event["seq"], event["price"], event["ts"]) == (int(tick[0]), tick[1], int(tick[5]))
    assert ada.rule(number)["last_fired"] == event["ts"]


def test_what_is_told_is_in_the_database_already(ada: Watcher) -> None:
    told: list[tuple[int, dict[str, Any], bool]] = []

    def publish(user: int, event: dict[str, Any]) -> None:
        told.append((user, event, event in ada.book.history(user)))

    ada.house.runtime.engine.publish = publish
    ada.go(99.0)
    ada.above(100.0)
    ada.go(101.0)
    (event,) = ada.events()
    until(lambda: len(told) == 2)
    assert told[0] == (ada.user, event, True)


def test_a_rule_that_is_past_its_level_when_it_is_made_waits_for_the_other_side(ada: Watcher) -> None:
    ada.go(105.0)
    number = ada.above(100.0)
    assert ada.rule(number)["state"] == "waiting"
    ada.go(106.0, 104.0)
    assert ada.fired() == []
    ada.go(99.0)
    assert ada.events() == []
    assert ada.rule(number)["state"] == "armed"
    ada.go(100.5)
    assert ada.fired() == [(number, 100.5)]
    assert ada.rule(number)["state"] == "fired"


def test_a_rule_that_is_enabled_again_past_its_level_waits(ada: Watcher) -> None:
    ada.go(99.0)
    number = ada.above(100.0)
    ada.book.set_enabled(ada.user, number, False)
    assert ada.rule(number)["state"] == "off"
    ada.go(101.0, 99.0, 101.0)
    assert ada.fired() == [], "a rule that is off sees nothing"
    ada.book.set_enabled(ada.user, number, True)
    assert ada.rule(number)["state"] == "waiting"
    ada.go(102.0, 99.0, 103.0)
    assert ada.fired() == [(number, 103.0)]


def test_enabling_twice_does_not_fire_twice(ada: Watcher) -> None:
    ada.go(99.0)
    number = ada.above(100.0)
    ada.book.set_enabled(ada.user, number, True)
    ada.book.set_enabled(ada.user, number, True)
    ada.go(101.0)
    assert ada.fired() == [(number, 101.0)]


def test_a_deleted_rule_fires_no_more_and_its_events_stay(ada: Watcher) -> None:
    ada.go(99.0)
    number = ada.above(100.0)
    ada.go(101.0, 99.0)
    before = ada.events()
    ada.book.delete(ada.user, number)
    ada.go(101.0)
    assert ada.events() == before
    assert ada.book.list_for(ada.user) == []


def test_after_a_restart_a_rule_that_had_fired_waits_and_does_not_fire_again(tmp_path: Path) -> None:
    with open_house(tmp_path, PEOPLE) as house:
        ada = Watcher(house)
        price = float(house.runtime.store.last().price[0])
        ada.go(price * 0.8)
        number = ada.above(price * 0.9)
        ada.go(price)
        assert len(ada.fired()) == 1
    with open_house(tmp_path, PEOPLE) as house:
        again = Watcher(house)
        assert again.rule(number)["state"] == "waiting", "the same seed: the history ends at the same price"
        again.go(price, price * 0.95)
        assert len(again.events()) == 1
        again.go(price * 0.8, price)
        events = again.events()
        assert len(events) == 2
        assert events[0]["id"] < events[1]["id"]


def test_after_a_restart_an_armed_rule_is_armed(tmp_path: Path) -> None:
    with open_house(tmp_path, PEOPLE) as house:
        price = float(house.runtime.store.last().price[0])
        number = Watcher(house).above(price * 1.5)
    with open_house(tmp_path, PEOPLE) as house:
        ada = Watcher(house)
        assert ada.rule(number)["state"] == "armed"
        ada.go(price * 1.6)
        assert ada.fired() == [(number, price * 1.6)]


def test_a_rule_on_an_instrument_that_is_gone_is_kept_and_watched_again_when_it_is_back(tmp_path: Path) -> None:
    with open_house(tmp_path, PEOPLE) as house:
        number = Watcher(house).above(50_000.0)
    with open_house(tmp_path, PEOPLE, SYMBOLS="MSFT,BTC-USD") as house:
        ada = Watcher(house)
        assert ada.rule(number)["symbol"] == "AAPL"
        ada.book.set_enabled(ada.user, number, False)
        ada.book.set_enabled(ada.user, number, True)
    with open_house(tmp_path, PEOPLE) as house:
        assert Watcher(house).rule(number)["state"] == "armed"


@pytest.mark.parametrize(("column", "value"), [("kind", "volume"), ("direction", "crosses")])
def test_a_rule_of_a_later_version_is_shown_as_off_and_stops_nothing(tmp_path: Path, column: str, value: str) -> None:
    with open_house(tmp_path, PEOPLE) as house:
        later, mine = Watcher(house).above(50_000.0), Watcher(house).above(60_000.0)
    with closing(sqlite3.connect(tmp_path / "test.db")) as database, database:
        database.execute(f"UPDATE alerts SET {column} = ? WHERE id = ?", (value, later))
    with open_house(tmp_path, PEOPLE) as house:
        ada = Watcher(house)
        assert house.runtime.engine.error is None
        assert (ada.rule(later)["enabled"], ada.rule(later)["state"], ada.rule(later)[column]) == (False, "off", value)
        assert ada.rule(mine)["state"] == "armed"
        with pytest.raises(DashboardError, match=f"^this version can't watch alert {later}: .*'{value}'"):
            ada.book.set_enabled(ada.user, later, True)
        ada.go(70_000.0)
        assert ada.fired() == [(mine, 70_000.0)]
    with closing(sqlite3.connect(tmp_path / "test.db")) as database:
        assert database.execute("SELECT enabled FROM alerts WHERE id = ?", (later,)).fetchone() == (1,), "for later"
    with open_house(tmp_path, PEOPLE) as house:
        ada = Watcher(house)
        ada.book.set_enabled(ada.user, later, False)
        ada.book.delete(ada.user, later)
        assert [rule["id"] for rule in ada.book.list_for(ada.user)] == [mine]


def test_rules_that_can_not_be_read_for_any_reason_stop_nothing_and_are_read_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_house(tmp_path, PEOPLE) as house:
        number = Watcher(house).above(50_000.0)
    monkeypatch.setattr(engine, "RETRY_S", 0.05)
    read, broken = AlertBook.watched, [True]

    def watched(book: AlertBook) -> list[Rule]:
        if broken:
            raise KeyError("volume")
        return read(book)

    monkeypatch.setattr(AlertBook, "watched", watched)
    with open_house(tmp_path, PEOPLE) as house:
        assert house.runtime.engine.error == "failed: KeyError"
        assert house.runtime.database_health() == (False, "alert rules can't be read: failed: KeyError")
        broken.clear()
        until(lambda: house.runtime.engine.error is None)
        assert Watcher(house).rule(number)["state"] == "armed"


def test_a_rule_that_two_switch_at_once_is_watched_only_if_it_is_on(ada: Watcher) -> None:
    """Between the commit of the one and the news of it to the engine, the other comes."""
    ada.go(99.0)
    number = ada.above(100.0)
    others: list[threading.Thread] = []
    tell = ada.book.on_gone

    def gone(which: int) -> None:
        if not others:
            others.append(threading.Thread(target=ada.book.set_enabled, args=(ada.user, number, False)))
            others[0].start()
            others[0].join(0.3)
        tell(which)

    ada.book.on_gone = gone
    ada.book.set_enabled(ada.user, number, True)
    others[0].join(8)
    assert ada.rule(number)["state"] == "off"
    assert number not in [rule.id for rule in ada.house.runtime.engine._rules]


def test_a_rule_that_is_switched_off_before_its_event_is_kept_tells_nothing(ada: Watcher) -> None:
    ada.go(99.0)
    number = ada.above(100.0)
    with closing(sqlite3.connect(ada.house.folder / "test.db")) as database, database:
        database.execute("UPDATE alerts SET enabled = 0 WHERE id = ?", (number,))
    ada.go(101.0)
    assert ada.fired() == []
    assert ada.rule(number)["last_fired"] is None


def test_a_late_tick_corrects_bars_but_fires_nothing(ada: Watcher) -> None:
    ada.go(99.0, 98.0)
    number = ada.above(100.0)
    ada.go(99.0)
    ada.house.tick(("AAPL", 120.0, 1.0, 1_500.0))
    assert ada.fired() == []
    ada.go(101.0)
    assert ada.fired() == [(number, 101.0)]


def test_a_late_tick_after_the_very_first_rule_fires_nothing(ada: Watcher) -> None:
    ada.go(99.0, 98.0)
    ada.above(100.0)
    ada.house.tick(("AAPL", 120.0, 1.0, 500.0))
    assert ada.fired() == [], "the ticks before there was any rule count for what is late"


def test_a_new_epoch_is_like_a_restart(ada: Watcher) -> None:
    ada.go(99.0)
    number = ada.above(100.0)
    ada.house.runtime.store.reset()
    ada.go(105.0)
    assert ada.fired() == []
    ada.go(99.0, 105.5)
    assert ada.fired() == [(number, 105.5)]


def test_ids_of_events_only_grow_over_epochs_and_deletions(ada: Watcher) -> None:
    ada.go(99.0)
    ada.above(100.0)
    for _ in range(3):
        ada.go(101.0, 99.0)
        ada.events()
        ada.house.runtime.store.reset()
        ada.go(99.0)
    ids = [event["id"] for event in ada.book.missed(ada.user, 0)]
    assert ids == sorted(set(ids))
    assert ada.book.missed(ada.user, ids[1]) == ada.book.missed(ada.user, 0)[2:]
    assert ada.book.missed(ada.user, ids[-1]) == ada.book.missed(ada.user, 2**80) == []
    assert len(ada.book.missed(ada.user, -(2**40))) == len(ids)


def test_a_locked_database_loses_no_event_and_holds_no_tick_up(ada: Watcher) -> None:
    ada.go(99.0)
    number = ada.above(100.0)
    lock = sqlite3.connect(ada.house.folder / "test.db", isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    began = time.monotonic()
    ada.go(101.0, 99.0, 102.0)
    assert time.monotonic() - began < 1.0
    assert ada.house.runtime.store.seq == 4
    lock.close()
    assert ada.fired() == [(number, 101.0), (number, 102.0)]


def test_many_rules_over_a_wild_market_fire_exactly_when_a_loop_over_last_prices_says(ada: Watcher) -> None:
    dice = random.Random(11)
    ada.go(100.0)
    rules = {}
    for level in (98.0, 99.5, 100.5, 101.0, 102.0):
        rules[ada.above(level)] = (level, True)
        rules[ada.below(level)] = (level, False)
    newest, last = ada.house.clock.now_ms(), 100.0
    armed = {number: last < level if above else last > level for number, (level, above) in rules.items()}
    expected: list[tuple[int, float]] = []
    for _batch in range(40):
        ada.house.clock.advance(1_000)
        now, batch = ada.house.clock.now_ms(), []
        for _tick in range(dice.randint(1, 5)):
            price, behind = float(dice.randint(97, 103)), float(dice.choice([0, 0, 0, 200, 3_000]))
            batch.append(("AAPL", price, 1.0, behind))
            if now - behind < newest:
                continue
            newest = now - behind
            for number, (level, above) in rules.items():
                past = price >= level if above else price <= level
                if past and armed[number]:
                    expected.append((number, price))
                armed[number] = not past
        ada.house.tick(*batch)
    assert len(expected) > 50
    assert sorted(ada.fired()) == sorted(expected)
