"""Every indicator there is, by its name: a new one is a function that gives its state, and an entry here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from dashboard.market.indicators import oscillators, overlays
from dashboard.market.indicators.columns import State

Number = int | float
#: The longest period: bounds what one indicator costs.
LONGEST = 1000


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number that an indicator takes, `minimum` <= it <= `maximum`; `whole` ones are ints."""

    name: str
    default: Number
    minimum: Number
    maximum: Number
    kind: Literal["whole", "number"] = "whole"


@dataclass(frozen=True, slots=True)
class Indicator:
    """What is known of an indicator.

    `outputs` name its lines in order, one empty name where there is only one; `inputs` the columns of bars without
    which a bar is passed over; `pane` says whether it lies on the price or has a pane of its own. `begin(*parameters)`
    gives the state before the first bar; its docstring is the formula and where it is from. `rising` names parameters
    each of which must be below the next.
    """

    name: str
    title: str
    parameters: tuple[Parameter, ...]
    outputs: tuple[str, ...]
    inputs: tuple[str, ...]
    pane: Literal["price", "own"]
    begin: Callable[..., State]
    rising: tuple[str, ...] = ()

    @property
    def form(self) -> str:
        """Its form as text: `bbands:period:deviations`."""
        return ":".join([self.name, *(parameter.name for parameter in self.parameters)])

    @property
    def formula(self) -> str:
        """Formula and source, in a sentence."""
        return " ".join((self.begin.__doc__ or "").split())


def _period(default: int, least: int = 1, name: str = "period") -> Parameter:
    return Parameter(name, default, least, LONGEST)


def _times(name: str) -> Parameter:
    return Parameter(name, 2.0, 0.1, 20.0, "number")


_ONE = ("",)
_BAND = ("upper", "middle", "lower")
_CLOSE = ("close",)
_RANGE = ("high", "low", "close")

INDICATORS: Mapping[str, Indicator] = MappingProxyType(
    {
        each.name: each
        for each in (
            Indicator("sma", "Simple moving average", (_period(20),), _ONE, _CLOSE, "price", overlays.sma),
            Indicator("ema", "Exponential moving average", (_period(20),), _ONE, _CLOSE, "price", overlays.ema),
            Indicator("wma", "Weighted moving average", (_period(20),), _ONE, _CLOSE, "price", overlays.wma),
            Indicator("vwap", "Volume-weighted average price", (), _ONE, (*_RANGE, "volume"), "price", overlays.vwap),
            Indicator(
                "bbands",
                "Bollinger bands",
                (_period(20, 2), _times("deviations")),
                _BAND,
                _CLOSE,
                "price",
                overlays.bollinger,
            ),
            Indicator(
                "keltner",
                "Keltner channels",
                (_period(20), _times("multiplier"), _period(10, name="atr")),
                _BAND,
                _RANGE,
                "price",
                overlays.keltner,
            ),
            Indicator(
                "donchian", "Donchian channel", (_period(20),), _BAND, ("high", "low"), "price", overlays.donchian
            ),
            Indicator("rsi", "Relative strength index", (_period(14, 2),), _ONE, _CLOSE, "own", oscillators.rsi),
            Indicator(
                "macd",
                "Moving average convergence/divergence",
                (_period(12, name="fast"), _period(26, 2, "slow"), _period(9, name="signal")),
                ("line", "signal", "histogram"),
                _CLOSE,
                "own",
                oscillators.macd,
                rising=("fast", "slow"),
            ),
            Indicator(
                "stoch",
                "Stochastic",
                (_period(14), _period(3, name="slowing"), _period(3, name="signal")),
                ("k", "d"),
                _RANGE,
                "own",
                oscillators.stochastic,
            ),
            Indicator("atr", "Average true range", (_period(14),), _ONE, _RANGE, "own", oscillators.atr),
            Indicator("obv", "On-balance volume", (), _ONE, ("close", "volume"), "own", oscillators.obv),
            Indicator(
                "adx",
                "Average directional index",
                (_period(14, 2),),
                ("adx", "plus_di", "minus_di"),
                _RANGE,
                "own",
                oscillators.adx,
            ),
        )
    }
)
