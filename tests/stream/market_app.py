"""A small Flask application with a market and a stream, for tests that need a real server in front of the hub.

`python -m tests.stream.market_app PORT` serves it under Werkzeug; gunicorn imports `app()`. The environment sets
`MARKET_TICK_S`, limits and the user. Users come from the header `X-User`; none is anonymous.
"""

from __future__ import annotations

import atexit
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from flask import Flask, request
from flask.typing import ResponseReturnValue
from werkzeug.serving import WSGIRequestHandler, make_server

from dashboard.clock import SystemClock
from dashboard.market.instruments import catalogue
from dashboard.store.memory import MemoryStore
from dashboard.stream.handshake import Identity, blueprint
from dashboard.stream.hub import Hub
from dashboard.telemetry import Telemetry
from tests.stream.virtual import ticks


def create(**limits: Any) -> Flask:
    """The application; its hub starts at the first request, as under gunicorn it must not start in the master."""
    limits = json.loads(os.environ.get("MARKET_LIMITS", "{}")) | limits
    clock, telemetry = SystemClock(), Telemetry()
    store = MemoryStore(catalogue("AAPL,MSFT,BTC-USD"), clock=clock, budget_mb=16)
    settings: dict[str, Any] = {
        "frame_ms": 5,
        "connections": 5000,
        "connections_per_user": 5000,
        "symbols": 10,
        "messages_per_s": 1000,
        "buffer_kb": 256,
    }
    ended: set[str] = set()
    hub = Hub(store, telemetry, clock, **(settings | limits), alive=lambda refs: set(refs) - ended)
    store.add_listener(hub)
    app = Flask(__name__)
    app.extensions["market"] = (store, hub, ended)
    started = threading.Lock()
    running = threading.Event()

    def write() -> None:
        price = 100.0
        every = float(os.environ.get("MARKET_TICK_S", "0.02"))
        while running.is_set():
            price += 0.01
            store.append(ticks(np.arange(3), clock.now_ms(), price))
            time.sleep(every)

    @app.before_request
    def start() -> None:
        with started:
            if not running.is_set():
                running.set()
                hub.start()
                threading.Thread(target=write, name="writer", daemon=True).start()

    def identify() -> Identity | None:
        user = request.headers.get("X-User")
        return Identity(len(user), user, user) if user else None

    def same_site() -> bool:
        return request.headers.get("Origin", "").partition("://")[2] == request.host

    app.register_blueprint(blueprint(hub, identify=identify, same_site=same_site))

    @app.after_request
    def mark(response: Any) -> Any:
        response.headers["X-Marked"] = "yes"
        return response

    @app.get("/state")
    def state() -> ResponseReturnValue:
        return {
            "connections": len(hub.clients),
            "descriptors": len(list(Path("/proc/self/fd").iterdir())),
            "threads": threading.active_count(),
            "resident_kb": int(open("/proc/self/statm").read().split()[1]) * 4,
            "lag": hub.lag_s(),
            "seq": store.seq,
        }

    @app.post("/end/<session>")
    def end(session: str) -> ResponseReturnValue:
        ended.add(session)
        return {}

    @app.post("/restart")
    def restart() -> ResponseReturnValue:
        store.reset()
        return {}

    def stop() -> None:
        if running.is_set():
            running.clear()
            hub.stop()

    app.extensions["stop"] = stop
    atexit.register(stop)
    return app


class Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"


def main() -> None:
    import signal

    app = create()
    server = make_server("127.0.0.1", int(sys.argv[1]), app, threaded=True, request_handler=Handler)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever()
    app.extensions["stop"]()


if __name__ == "__main__":
    main()
