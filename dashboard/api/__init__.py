"""The HTTP API: tickers, bars, ticks, exports and what users keep, with every error as problem+json."""

from dashboard.api import comparison, kept, looks, places, problems, ranges, rest
from dashboard.api.services import Services

__all__ = ["Services", "comparison", "kept", "looks", "places", "problems", "ranges", "rest"]
