"""The HTTP API: tickers, bars, ticks and exports, with every error as problem+json."""

from dashboard.api import problems, rest
from dashboard.api.services import Services

__all__ = ["Services", "problems", "rest"]
