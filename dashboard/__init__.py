"""Tickboard: a self-hosted, real-time market dashboard."""

__version__ = "0.1.0"
