"""Places for long work: how many at once, who waits, who is refused; and that indicators take one."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from werkzeug.exceptions import ServiceUnavailable

from dashboard.api.places import STUDIES, Places
from tests.house import House

FEW = replace(STUDIES, at_once=2, of_a_user=1, waiting=2, waiting_of_a_user=1, wait_s=5.0)


def test_so_many_of_everybody_and_of_one_user_and_no_more() -> None:
    places = Places(replace(FEW, waiting=0))
    with places.held(1):
        with pytest.raises(ServiceUnavailable, match="1 calculations of indicators of yours"):
            places.take(1)
        with places.held(2), pytest.raises(ServiceUnavailable, match="2 calculations of indicators are"):
            places.take(3)
        places.take(3)


def test_who_waits_gets_the_place_that_becomes_free_and_a_second_of_the_same_user_is_refused_at_once() -> None:
    places, got = Places(FEW), threading.Event()

    def wait() -> None:
        with places.held(1):
            got.set()

    with ThreadPoolExecutor(1) as pool:
        with places.held(1):
            waiting = pool.submit(wait)
            while not places._waiting[1]:
                assert not waiting.done()
            with pytest.raises(ServiceUnavailable):
                places.take(1)
            assert not got.is_set()
        waiting.result(5)
    assert got.is_set()
    assert not places._held
    assert not places._waiting


def test_a_place_is_given_back_by_what_fails() -> None:
    places = Places(FEW)
    with pytest.raises(ZeroDivisionError), places.held(1):
        raise ZeroDivisionError
    places.take(1)


@pytest.mark.parametrize("path", ["bars?indicators=sma", "warm-up?indicators=sma&before=1763868123456"])
def test_indicators_take_a_place_and_bars_alone_none(market: House, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    taken: list[Any] = []
    monkeypatch.setattr(Places, "take", lambda self, user: taken.append((self._rules.what, user)))
    monkeypatch.setattr(Places, "give", lambda self, user: taken.append("given"))
    client = market.enter("ada")
    assert client.get("/api/v1/tickers/AAPL/bars").status_code == 200
    assert taken == []
    assert client.get(f"/api/v1/tickers/AAPL/{path}").status_code == 200
    assert taken == [(STUDIES.what, taken[0][1]), "given"]
