"""The book of alerts: what makes a rule, one clear sentence for what does not, and nobody sees another's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dashboard.alerts.book import MOST, AlertBook
from dashboard.errors import BadParameter, DashboardError, UnknownSymbol
from tests.house import House, open_house


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder: Path = tmp_path_factory.mktemp("book")
    with open_house(folder, {"ada": "administrator", "ben": "analyst", "cleo": "viewer"}) as opened:
        yield opened


@pytest.fixture
def book(house: House) -> AlertBook:
    return house.runtime.alert_book


def user(house: House, name: str) -> int:
    return next(person.id for person in house.users().every() if person.name == name)


def test_a_rule_is_shown_with_everything_there_is_to_know(house: House, book: AlertBook) -> None:
    ada = user(house, "ada")
    made = book.create(ada, "AAPL", "above", 250_000.5)
    assert made == {
        "id": made["id"],
        "symbol": "AAPL",
        "kind": "price",
        "direction": "above",
        "level": 250_000.5,
        "enabled": True,
        "state": "armed",
        "created": int(house.clock.now_ms()),
        "last_fired": None,
    }
    assert book.list_for(ada)[0] == made


@pytest.mark.parametrize(
    ("level", "value"),
    [
        (1, 1.0),
        (0.1 + 0.2, 0.1 + 0.2),
        ("192.5", 192.5),
        (" 192.50 ", 192.5),
        ("+5", 5.0),
        ("1e3", 1000.0),
        ("1e-7", 1e-7),
        (5e-324, 5e-324),
        ("1,234.5", 1234.5),
        ("12,345,678", 12_345_678.0),
        (".5", 0.5),
        ("5.", 5.0),
        (999_999_999_999_999.0, 999_999_999_999_999.0),
    ],
)
def test_a_level_is_any_positive_price_as_people_write_it(
    house: House, book: AlertBook, level: object, value: float
) -> None:
    ada = user(house, "ada")
    made = book.create(ada, "MSFT", "below", level)
    assert made["level"] == value
    assert book.list_for(ada)[0]["level"] == value
    book.delete(ada, made["id"])


@pytest.mark.parametrize(
    "level",
    [
        0,
        -1,
        -0.0,
        "0",
        "-5",
        float("nan"),
        float("inf"),
        float("-inf"),
        "nan",
        "inf",
        "1e400",
        10**400,
        1e15,
        1e300,
        "1e-400",
        "",
        " ",
        None,
        "abc",
        "1.2.3",
        "0x10",
        "1_000",
        "١٢",
        "1,5",
        "1,23",
        "1,2345",
        ",5",
        "5 0",
        "$5",
        True,
        [],
        {},
        "9" * 10_000,
        "<b>1</b>",
    ],
)
def test_a_level_that_is_no_price_is_one_clear_sentence_and_no_rule(
    house: House, book: AlertBook, level: object
) -> None:
    ada = user(house, "ada")
    before = book.list_for(ada)
    with pytest.raises(BadParameter) as caught:
        book.create(ada, "AAPL", "above", level)
    assert str(caught.value).startswith("level must be a price over 0 and under 1e15")
    assert len(str(caught.value)) < 200
    assert "\n" not in str(caught.value)
    assert book.list_for(ada) == before


@pytest.mark.parametrize("direction", ["", "Above", "up", "above ", "crosses", "a" * 10_000])
def test_a_bad_direction_names_both(house: House, book: AlertBook, direction: str) -> None:
    with pytest.raises(BadParameter, match=r"^direction must be above or below, got ") as caught:
        book.create(user(house, "ada"), "AAPL", direction, 5)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("symbol", ["", "AAPLE", "aapl", "<b>", "x" * 10_000, "AAPL ", "'"])
def test_an_unknown_symbol_is_named_with_near_ones(house: House, book: AlertBook, symbol: str) -> None:
    with pytest.raises(UnknownSymbol, match=r"^there is no instrument ") as caught:
        book.create(user(house, "ada"), symbol, "above", 5)
    assert len(str(caught.value)) < 200


def test_another_users_rules_are_invisible_and_untouchable(house: House, book: AlertBook) -> None:
    ada, ben = user(house, "ada"), user(house, "ben")
    number = book.create(ada, "AAPL", "above", 300_000)["id"]
    assert all(rule["id"] != number for rule in book.list_for(ben))
    nothing = "there is no alert "
    changes: list[Any] = [
        lambda: book.delete(ben, number),
        lambda: book.set_enabled(ben, number, False),
        lambda: book.set_enabled(ben, number, True),
    ]
    for change in changes:
        with pytest.raises(DashboardError, match=f"^{nothing}{number}$"):
            change()
    (mine,) = [rule for rule in book.list_for(ada) if rule["id"] == number]
    assert mine["enabled"]
    assert mine["state"] == "armed"


def test_another_users_events_are_invisible(tmp_path: Path) -> None:
    with open_house(tmp_path, {"ada": "administrator", "ben": "analyst"}) as house:
        book, told = house.runtime.alert_book, []
        house.runtime.engine.publish = lambda who, event: told.append((who, event["alert_id"]))
        house.tick(("AAPL", 99.0))
        mine = book.create(user(house, "ada"), "AAPL", "above", 100)["id"]
        his = book.create(user(house, "ben"), "AAPL", "above", 100)["id"]
        house.tick(("AAPL", 101.0))
        house.runtime.engine.stop(5)
        house.runtime.writer.stop(5)
        assert [event["alert_id"] for event in book.missed(user(house, "ada"), 0)] == [mine]
        assert [event["alert_id"] for event in book.history(user(house, "ben"))] == [his]
        assert sorted(told) == sorted([(user(house, "ada"), mine), (user(house, "ben"), his)])


@pytest.mark.parametrize("number", [0, -1, 999_999, 2**63, 2**70, -(2**70), 10**4_000])
def test_a_rule_that_is_not_there_is_one_clear_sentence(house: House, book: AlertBook, number: int) -> None:
    for change in (lambda: book.delete(user(house, "ada"), number), lambda: book.set_enabled(1, number, True)):
        with pytest.raises(DashboardError, match=r"^there is no alert ") as caught:
            change()
        assert len(str(caught.value)) < 100


def test_a_user_may_have_so_many_rules_and_another_is_not_hindered(house: House, book: AlertBook) -> None:
    cleo, ben = user(house, "cleo"), user(house, "ben")
    for number in range(MOST):
        book.create(cleo, "MSFT", "above", 100_000 + number)
    with pytest.raises(DashboardError, match=f"^there are {MOST} alerts already"):
        book.create(cleo, "MSFT", "above", 5)
    assert len(book.list_for(cleo)) == MOST
    book.create(ben, "MSFT", "above", 5)
    book.delete(cleo, book.list_for(cleo)[0]["id"])
    book.create(cleo, "MSFT", "above", 5)


def test_rules_are_listed_newest_first(house: House, book: AlertBook) -> None:
    ids = [rule["id"] for rule in book.list_for(user(house, "ada"))]
    assert ids == sorted(ids, reverse=True)
