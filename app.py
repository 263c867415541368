"""Builds the product: `server` for gunicorn; run as a script it starts it.

A refused start prints one message and ends with status 3, which a gunicorn master takes as the word to stop too.
"""

from __future__ import annotations

import sys

from dashboard.config import load_settings
from dashboard.errors import DashboardError
from dashboard.runtime import Runtime, refuse_two_workers
from dashboard.serve import serve
from dashboard.telemetry import configure_logging
from dashboard.web import create_server

try:
    settings = load_settings()
    configure_logging(settings.log_format)
    refuse_two_workers()
    server = create_server(Runtime(settings))
    if __name__ == "__main__":
        sys.exit(serve(server))
except DashboardError as error:
    print(error, file=sys.stderr, flush=True)
    sys.exit(3)
