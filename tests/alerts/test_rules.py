"""The vectorised evaluation of rules against a loop that anybody can read."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dashboard.alerts.rules import KINDS, evaluate
from dashboard.market.ticks import Ints, Mask

#: (instrument, level, whether above, armed, from_seq)
RuleRow = tuple[int, float, bool, bool, int]
#: (instrument, price)
TickRow = tuple[int, float]

LEVELS = st.sampled_from([1.0, 2.0, 2.5, 3.0])
rules_of = st.lists(st.tuples(st.integers(0, 4), LEVELS, st.booleans(), st.booleans(), st.integers(0, 25)), max_size=8)
ticks_of = st.lists(st.tuples(st.integers(0, 4), st.sampled_from([0.5, 1.0, 2.0, 2.2, 2.5, 3.0, 9.0])), max_size=20)


def by_hand(rules: list[RuleRow], ticks: list[TickRow], first_seq: int) -> tuple[list[tuple[int, int]], list[bool]]:
    """([(rule, tick) that fired], armed afterwards): each tick of a rule's instrument, one after the other."""
    fired, armed = [], [rule[3] for rule in rules]
    for number, (instrument, level, above, _armed, from_seq) in enumerate(rules):
        for at, (who, price) in enumerate(ticks):
            if who != instrument or first_seq + at <= from_seq:
                continue
            past = price >= level if above else price <= level
            if past and armed[number]:
                fired.append((number, at))
            armed[number] = not past
    return fired, armed


def vectorised(
    rules: list[RuleRow], ticks: list[TickRow], first_seq: int, armed: list[bool] | None = None
) -> tuple[list[tuple[int, int]], list[bool]]:
    """The same by the code under test."""
    column: list[Ints | Mask] = [np.array([rule[at] for rule in rules]) for at in range(5)]
    firing, after = evaluate(
        KINDS["price"],
        column[0].astype(np.int64),
        column[1].astype(np.float64),
        column[2].astype(np.bool_),
        column[3].astype(np.bool_) if armed is None else np.array(armed, dtype=np.bool_),
        column[4].astype(np.int64),
        np.array([tick[0] for tick in ticks], dtype=np.int64),
        np.array([tick[1] for tick in ticks], dtype=np.float64),
        np.arange(first_seq, first_seq + len(ticks), dtype=np.int64),
    )
    return list(zip(firing.rule.tolist(), firing.tick.tolist(), strict=True)), after.tolist()


@given(rules=rules_of, ticks=ticks_of, first_seq=st.integers(1, 20))
def test_the_evaluation_of_all_rules_at_once_is_that_of_a_loop(
    rules: list[RuleRow], ticks: list[TickRow], first_seq: int
) -> None:
    fired, armed = vectorised(rules, ticks, first_seq)
    expected, expected_armed = by_hand(rules, ticks, first_seq)
    assert sorted(fired) == sorted(expected)
    assert armed == expected_armed


@given(rules=rules_of, ticks=ticks_of, cut=st.integers(0, 20))
def test_how_ticks_are_cut_into_batches_changes_nothing(rules: list[RuleRow], ticks: list[TickRow], cut: int) -> None:
    whole, armed_whole = vectorised(rules, ticks, 1)
    first, armed = vectorised(rules, ticks[:cut], 1)
    second, armed = vectorised(rules, ticks[cut:], 1 + len(ticks[:cut]), armed)
    joined = first + [(rule, tick + len(ticks[:cut])) for rule, tick in second]
    assert sorted(joined) == sorted(whole)
    assert armed == armed_whole


@given(rules=rules_of, ticks=ticks_of)
def test_between_two_firings_of_a_rule_there_is_a_tick_on_the_other_side(
    rules: list[RuleRow], ticks: list[TickRow]
) -> None:
    fired, _armed = vectorised(rules, ticks, 1)
    for number, (instrument, level, above, _a, _f) in enumerate(rules):
        mine = sorted(tick for rule, tick in fired if rule == number)
        for earlier, later in pairwise(mine):
            between = [price for who, price in ticks[earlier:later] if who == instrument]
            assert any(price < level if above else price > level for price in between)


@given(rules=rules_of, ticks=ticks_of)
def test_what_was_armed_before_is_left_as_it_was(rules: list[RuleRow], ticks: list[TickRow]) -> None:
    before = np.array([rule[3] for rule in rules], dtype=np.bool_)
    kept = before.copy()
    vectorised(rules, ticks, 1)
    assert (before == kept).all()


def test_a_price_exactly_at_the_level_fires_in_both_directions() -> None:
    rules = [(0, 2.0, True, True, 0), (0, 2.0, False, True, 0)]
    assert vectorised(rules, [(0, 2.0)], 1) == ([(0, 0), (1, 0)], [False, False])


def test_no_rules_and_no_ticks_are_nothing() -> None:
    assert vectorised([], [], 1) == ([], [])
    assert vectorised([], [(0, 1.0)], 1) == ([], [])
    assert vectorised([(0, 1.0, True, True, 0)], [], 1) == ([], [True])


def test_a_thousand_rules_on_a_thousand_ticks_of_one_instrument_is_one_step() -> None:
    random = np.random.default_rng(7)
    rules: list[RuleRow] = [(0, float(level), bool(level > 0.5), True, 0) for level in random.random(1_000)]
    ticks: list[TickRow] = [(0, float(price)) for price in random.random(1_000)]
    fired, armed = vectorised(rules[:50], ticks, 1)
    expected, expected_armed = by_hand(rules[:50], ticks, 1)
    assert (sorted(fired), armed) == (sorted(expected), expected_armed)
    assert len(vectorised(rules, ticks, 1)[0]) > 1_000
