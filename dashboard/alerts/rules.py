"""Kinds of rules: pure, each evaluated over all its rules and a batch of ticks in one vectorised step.

A kind is an entry of KINDS: a class that says whether prices are past a rule's level. A new one is a class and a line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import numpy as np

from dashboard.market.ticks import Floats, Ints, Mask

DIRECTIONS = ("above", "below")


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as the engine knows it; ticks up to `from_seq` are before its time."""

    id: int
    user_id: int
    symbol: str
    instrument: int
    kind: str
    direction: str
    level: float
    from_seq: int = 0


class Kind(Protocol):
    """What a kind of rule knows."""

    def past(self, price: Floats, level: Floats, above: Mask) -> Mask:
        """Whether each price is past its level, bool[n]: price float64[n], level float64[n], above bool[n] (the other
        direction is below)."""
        ...


class PriceLevel:
    """The last price is at the level or beyond it."""

    def past(self, price: Floats, level: Floats, above: Mask) -> Mask:
        return np.where(above, price >= level, price <= level)


KINDS: Mapping[str, Kind] = MappingProxyType({"price": PriceLevel()})


@dataclass(frozen=True, slots=True)
class Firing:
    """Rule number `rule` (its place in the arrays) fired at tick number `tick` of the batch, int64[f] each."""

    rule: Ints
    tick: Ints


def evaluate(
    kind: Kind,
    instrument: Ints,
    level: Floats,
    above: Mask,
    armed: Mask,
    from_seq: Ints,
    tick_instrument: Ints,
    price: Floats,
    seq: Ints,
) -> tuple[Firing, Mask]:
    """Run rules over ticks: (what fired, armed afterwards bool[r]).

    Rules: instrument int64[r] (index), level float64[r] (price), above bool[r], armed bool[r], from_seq int64[r]. Ticks
    in the order of `seq`, late ones left out: tick_instrument int64[t] (index), price float64[t], seq int64[t].

    A rule fires at a tick that is past its level when the tick before was not, or, for its first tick, when it was
    armed; whatever is past disarms, whatever is on the other side arms. So a rule that begins past its level waits for
    the other side.
    """
    order = np.argsort(tick_instrument, kind="stable")
    ordered = tick_instrument[order]
    first, end = np.searchsorted(ordered, instrument, "left"), np.searchsorted(ordered, instrument, "right")
    counts = end - first
    rule = np.repeat(np.arange(len(instrument)), counts)
    if not len(rule):
        return Firing(rule, rule), armed
    heads = np.cumsum(counts) - counts
    tick = order[np.repeat(first - heads, counts) + np.arange(len(rule))]
    fresh = seq[tick] > from_seq[rule]
    rule, tick = rule[fresh], tick[fresh]
    if not len(rule):
        return Firing(rule, tick), armed
    past = kind.past(price[tick], level[rule], above[rule])
    begins = np.append(True, rule[1:] != rule[:-1])
    before = np.append(False, past[:-1])
    ready = np.where(begins, armed[rule], ~before)
    fired = past & ready
    after = armed.copy()
    last = np.append(rule[1:] != rule[:-1], True)
    after[rule[last]] = ~past[last]
    return Firing(rule[fired], tick[fired]), after
