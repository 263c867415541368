"""Technical indicators: plain arithmetic over columns of bars, with TA-Lib's values where TA-Lib has the indicator.

    chosen = parse("sma:20,bbands:20:2,macd")
    values = compute(chosen, Columns.of(rows))      # float64[n, 7]
    names = columns(chosen)                         # sma_20, bbands_20_2_upper, …

`blocks` has the arithmetic, `overlays` and `oscillators` the formulas, `registry` what there is, `chosen` the form as
text, `running` the way along closed bars and the forming one.
"""

from dashboard.market.indicators.chosen import MOST, Chosen, parse
from dashboard.market.indicators.columns import Columns
from dashboard.market.indicators.registry import INDICATORS, Indicator, Parameter
from dashboard.market.indicators.running import Running, columns, compute

__all__ = [
    "INDICATORS",
    "MOST",
    "Chosen",
    "Columns",
    "Indicator",
    "Parameter",
    "Running",
    "columns",
    "compute",
    "parse",
]
