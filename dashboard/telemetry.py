"""What every room may count and log with: Prometheus metrics in a registry of their own, and structlog loggers.

One `Telemetry` is made for a product and handed to whoever counts; `dashboard.ops` shows it.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.process_collector import ProcessCollector

_FAST = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_DELAY = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_CALLBACK = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Telemetry:
    """The product's metrics; every attribute is one of prometheus_client's and safe to use from any thread."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"dashboard_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str) -> Gauge:
            return Gauge(f"dashboard_{name}", text, registry=registry)

        def histogram(name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            return Histogram(f"dashboard_{name}", text, labels, buckets=buckets, registry=registry)

        self.ticks = counter("ticks", "Ticks accepted", "feed")
        self.quarantined = counter("ticks_quarantined", "Ticks refused by the checks", "reason")
        self.outliers = counter("ticks_outliers", "Ticks far from their neighbours, kept")
        self.feed_restarts = counter("feed_restarts", "Times the feed broke off and was tried again")
        self.batch_seconds = histogram("batch_seconds", "Checking and storing a batch of ticks", _FAST)
        self.connections = gauge("stream_connections", "Open WebSocket connections")
        self.refused = counter("stream_refused", "WebSocket handshakes refused", "reason")
        self.closed = counter("stream_closed", "WebSocket connections ended, by close code", "code")
        self.messages = counter("stream_messages", "Messages written to WebSocket connections", "channel")
        self.bytes = counter("stream_bytes", "Bytes written to WebSocket connections")
        self.conflated = counter("stream_conflated", "Updates of a symbol that a newer one replaced for a slow reader")
        self.resumes = counter("stream_resumes", "Subscriptions that asked to resume", "outcome")
        self.stream_errors = counter("stream_errors", "Malformed messages of clients", "code")
        self.faults = counter("faults", "Exceptions that a background thread survived", "thread")
        self.stream_delay_seconds = histogram("stream_delay_seconds", "Tick received to frame written", _DELAY)
        self.hub_lag_seconds = gauge("hub_lag_seconds", "How late the hub's loop turns")
        self.callback_seconds = histogram("callback_seconds", "Dash callbacks", _CALLBACK, "callback")
        self.request_seconds = histogram("request_seconds", "HTTP requests", _CALLBACK, "kind")
        self.logins = counter("logins", "Login attempts", "outcome")
        self.alerts_fired = counter("alerts_fired", "Alert events recorded")
        self.alert_rules = gauge("alert_rules", "Alert rules that are watched")
        self.writer_queue = gauge("writer_queue", "Writes waiting for the database")
        self.writer_retries = counter("writer_retries", "Writes tried again because the database refused")
        self.writer_lost = counter("writer_lost", "Writes given up: refused by the database or left at the end")
        for channel in ("ticker", "bars", "ticks", "alerts"):
            self.messages.labels(channel)
        for outcome in ("resumed", "other_epoch", "too_old", "future"):
            self.resumes.labels(outcome)
        for reason in ("late", "future", "nan", "price", "crossed", "unknown", "duplicate", "unreadable"):
            self.quarantined.labels(reason)


def get_logger(name: str) -> Any:
    """A structlog logger; its events carry the room's `name` and the request's id where there is one."""
    return structlog.get_logger(room=name)


def configure_logging(log_format: str, level: int = logging.INFO) -> None:
    """Send structlog's events and the standard library's to standard error, as `console` lines or `json`."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _cut_long_texts,
    ]
    last: Any = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            *shared,
            structlog.processors.format_exc_info,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.processors.format_exc_info],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("werkzeug", "alembic", "websockets"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _cut_long_texts(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """No text from outside may fill the log or steer a terminal: cut at 1,000 characters, control characters named."""
    for key, value in event.items():
        if isinstance(value, str) and key != "exception":
            text = value if len(value) <= 1000 else value[:999] + "…"
            event[key] = text if text.isprintable() else "".join(map(_visible, text))
    return event


def _visible(char: str) -> str:
    return char if char.isprintable() else char.encode("unicode_escape").decode()
