"""The 52-week ranges of a whole market: the numbers of the stored bars, made once for all who ask, by whoever may."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from dashboard.api import ranges as under_test
from dashboard.api.places import STUDIES, Places
from dashboard.market.bars import DAY, HIGH, LOW, START
from tests.api.conftest import parsed
from tests.house import House, open_house

ADDRESS = "/api/v1/ranges"
DAY_MS = 86_400_000


def by_symbol(body: Any) -> dict[str, list[Any]]:
    assert body["columns"] == ["symbol", "low", "high", "since", "whole"]
    return {symbol: values for symbol, *values in body["data"]}


def test_every_instrument_has_the_fold_of_its_daily_bars(get: Any, market: House) -> None:
    body = get("/ranges")
    store = market.runtime.store
    assert (body["epoch"], body["seq"], body["weeks"]) == (store.epoch, store.seq, 52)
    found = by_symbol(body)
    assert list(found) == ["AAPL", "MSFT", "BTC-USD", "^GSPC"]
    for at, symbol in enumerate(store.catalogue.symbols):
        rows = store.bars(at, DAY).rows
        first = rows[-1, START] - 363 * DAY_MS
        inside = [row for row in rows.tolist() if row[START] >= first]
        assert len(rows) > len(inside) > 200, "the history is longer than a year"
        lowest, highest = min(row[LOW] for row in inside), max(row[HIGH] for row in inside)
        assert found[symbol] == [lowest, highest, inside[0][START], True]


def test_the_forming_day_is_in_it_and_what_is_computed_serves_for_seconds(tmp_path: Path) -> None:
    with open_house(tmp_path, {"ada": "administrator"}) as house:
        client = house.enter("ada")
        before = by_symbol(parsed(client.get(ADDRESS)))
        top = before["AAPL"][1] * 1.01
        house.tick(("AAPL", top))
        assert by_symbol(parsed(client.get(ADDRESS))) == before
        house.clock.advance(under_test.KEPT_MS)
        after = by_symbol(parsed(client.get(ADDRESS)))
        assert after.pop("AAPL") == [before["AAPL"][0], top, *before["AAPL"][2:]]
        assert after == {symbol: before[symbol] for symbol in ("MSFT", "BTC-USD")}


def test_a_market_that_begins_anew_is_asked_anew_and_without_bars_has_no_rows(tmp_path: Path) -> None:
    with open_house(tmp_path, {"ada": "administrator"}) as house:
        client = house.enter("ada")
        assert len(parsed(client.get(ADDRESS))["data"]) == 3
        house.runtime.store.reset()
        body = parsed(client.get(ADDRESS))
        assert body["epoch"] == house.runtime.store.epoch
        assert body["data"] == []
        house.tick(("MSFT", 400.0))
        house.clock.advance(under_test.KEPT_MS)
        (row,) = parsed(client.get(ADDRESS))["data"]
        today = int(house.runtime.store.last().ts[1]) // DAY_MS * DAY_MS
        assert row == ["MSFT", 400.0, 400.0, today, False]


def test_ranges_of_a_market_that_began_anew_meanwhile_are_all_of_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_house(tmp_path, {"ada": "administrator"}) as house:
        store, calls = house.runtime.store, []
        real = store.panel

        def reset_between(*given: Any) -> Any:
            calls.append(given)
            if len(calls) == 2:
                store.reset()
            return real(*given)

        monkeypatch.setattr(under_test, "STEP", 1)
        monkeypatch.setattr(store, "panel", reset_between)
        body = parsed(house.enter("ada").get(ADDRESS))
        assert (body["epoch"], body["data"]) == (store.epoch, [])
        assert len(calls) == 6


def test_they_who_ask_at_once_wait_for_one_calculation(market: House, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    real = under_test._rows

    def counted(store: Any) -> Any:
        made.append(store)
        threading.Event().wait(0.1)
        return real(store)

    monkeypatch.setattr(under_test, "_rows", counted)
    ranges = under_test.Ranges(market.runtime.store)
    assert ranges.kept() is None
    bodies: list[bytes] = []
    threads = [threading.Thread(target=lambda: bodies.append(ranges.make())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(made) == 1
    assert len(bodies) == 4
    assert len(set(bodies)) == 1


def test_who_calculates_takes_a_place_and_what_is_kept_takes_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_house(tmp_path, {"ada": "administrator"}) as house:
        taken: list[Any] = []
        monkeypatch.setattr(Places, "take", lambda self, user: taken.append((self._rules.what, user)))
        monkeypatch.setattr(Places, "give", lambda self, user: taken.append("given"))
        client = house.enter("ada")
        for _time in range(2):
            assert client.get(ADDRESS).status_code == 200
            assert taken == [(STUDIES.what, taken[0][1]), "given"]


def test_a_parameter_is_refused_and_a_stranger_is_not_let_in(refused: Any, market: House) -> None:
    (entry,) = refused("/ranges", 422, {"weeks": "4"})["errors"]
    assert (entry["parameter"], entry["accepted"]) == ("weeks", "left out: this takes no parameters")
    assert market.stranger().get(ADDRESS).status_code == 401
