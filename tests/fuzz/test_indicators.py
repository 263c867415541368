"""Random and mutated names of indicators: read as ones that can be computed, or refused in a short sentence."""

from __future__ import annotations

import numpy as np
import pytest

from dashboard.errors import BadParameter
from dashboard.market.indicators import INDICATORS, MOST, chosen, columns, compute, parse
from tests.conftest import Scale
from tests.fuzz import measure
from tests.fuzz.mutation import Mutator
from tests.market.indicators.series import walk

BARS = walk(60, 3)
NUMBERS = ("1", "2", "9", "20", "26", "1000", "1001", "0", "2.5", "0.1", "20.0001", "007", "1000000000", "abc", "")


def text(mutator: Mutator) -> str:
    """A list of indicators, mostly right in one part and wrong in another."""
    chance = mutator.random
    parts = []
    for _ in range(chance.choice((1, 1, 2, 3, 10, 12))):
        name = chance.choice(list(INDICATORS))
        if chance.random() < 0.1:
            name = mutator.text(name)
        numbers = [
            chance.choice(NUMBERS[:6] if chance.random() < 0.8 else NUMBERS) for _ in range(chance.randint(0, 3))
        ]
        parts.append(":".join([name.upper() if chance.random() < 0.1 else name, *numbers]))
    joined = ",".join(parts)
    return mutator.text(joined) if chance.random() < 0.3 else joined


def attempt(mutator: Mutator, number: int) -> None:
    given = text(mutator)
    try:
        found = parse(given)
    except BadParameter as error:
        told(error)
        return
    assert 1 <= len(found) <= MOST
    assert len(set(columns(found))) == len(columns(found))
    assert parse(",".join(each.text for each in found)) == found
    for each in found:
        for parameter, value in zip(each.indicator.parameters, each.values, strict=True):
            assert parameter.minimum <= value <= parameter.maximum
            assert isinstance(value, int if parameter.kind == "whole" else float)
    if number % 10 == 0:
        values = compute(found, BARS)
        assert values.shape == (len(BARS), len(columns(found)))
        assert not np.isinf(values).any()


def told(error: BadParameter) -> None:
    assert error.parameter == "indicators"
    assert len(str(error)) < 400
    assert error.accepted


@pytest.mark.fuzz
def test_what_is_read_can_be_computed_and_the_rest_is_refused(scale: Scale) -> None:
    measure.attack(scale, 3_000, 300_000, attempt)


@pytest.mark.fuzz
def test_the_inputs_take_every_branch_of_the_reading(scale: Scale) -> None:
    with measure.branches({chosen: ()}):
        measure.attack(scale, 2_000, 20_000, attempt, judged=False)
