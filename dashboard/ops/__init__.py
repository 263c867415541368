"""For operators: health and metrics."""

from dashboard.ops import health, metrics

__all__ = ["health", "metrics"]
