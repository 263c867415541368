"""gunicorn's configuration: `gunicorn -c infra/gunicorn.conf.py app:server`.

One worker, many threads: WebSockets leave the threads at once (the hub owns them), so these serve pages and the API.
"""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

from dashboard.config import load_settings
from dashboard.errors import DashboardError
from dashboard.runtime import TWO_WORKERS

try:
    _settings = load_settings()
except DashboardError as error:
    print(error, file=sys.stderr, flush=True)
    sys.exit(3)

bind = f"[{_settings.host}]:{_settings.port}" if ":" in _settings.host else f"{_settings.host}:{_settings.port}"
# gthread with a deadline for requests: slow strangers hold no threads.
worker_class = "dashboard.worker.Worker"
workers = 1
threads = 16
# Connections of pages and API that a worker keeps; WebSockets count apart, in DASHBOARD_STREAM_CONNECTIONS.
worker_connections = 1000
backlog = 2048
timeout = 30
# SIGTERM: an answer under way has so long; clients are told at once, by the hook below.
graceful_timeout = 4
# Longer than the proxy's, so that it is the proxy that closes an idle connection.
keepalive = 75
# Restarting workers would cut every WebSocket at once.
max_requests = 0
# One socket in the home folder for every instance of a user: two instances would fight for it.
control_socket_disable = True
# X-Forwarded-* count by DASHBOARD_TRUSTED_PROXIES alone.
forwarded_allow_ips = ""
accesslog = None
errorlog = "-"
loglevel = "warning"


def on_starting(server: Any) -> None:
    """Two workers without a bus would be two different markets."""
    if server.cfg.workers > 1:
        print(TWO_WORKERS, file=sys.stderr, flush=True)
        sys.exit(3)


def post_worker_init(worker: Any) -> None:
    """Start the threads here, in the worker: they would not survive the fork."""
    import signal

    runtime = worker.wsgi.extensions["tickboard"]
    runtime.server_lag_s = lambda: time.monotonic() - worker.tmp.last_update()
    try:
        runtime.start()
    except DashboardError as error:
        print(error, file=sys.stderr, flush=True)
        sys.exit(3)
    before = signal.getsignal(signal.SIGTERM)

    def terminate(signum: int, frame: Any) -> None:
        # Clients hear of it now, not after the requests under way have ended.
        threading.Thread(target=runtime.stop, name="stop", daemon=True).start()
        if callable(before):
            before(signum, frame)

    signal.signal(signal.SIGTERM, terminate)


def worker_exit(server: Any, worker: Any) -> None:
    """Stop what is left to stop, and wait for it."""
    wsgi = getattr(worker, "wsgi", None)
    if wsgi is not None:
        wsgi.extensions["tickboard"].stop()
