"""An echo server on the product's own hand-off, loop and connection: text comes back as text, binary as binary, at `/`.

No login, no market, no limit but the size of a message, so that any public conformance suite can be pointed at it:

    gunicorn -c infra/gunicorn.conf.py tests.conformance.echo:server    (DASHBOARD_HOST and DASHBOARD_PORT say where)
    python -m tests.conformance.echo                                    the same under Werkzeug
"""

from __future__ import annotations

import gc
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask, Response, request
from websockets.frames import Opcode

from dashboard.config import load_settings
from dashboard.stream.connection import Connection, Outgoing
from dashboard.stream.handoff import Accepted, Refused, accept, in_the_way, take
from dashboard.stream.loopthread import LoopThread, new_loop

#: What a message may have, bytes after inflating.
MAX_MESSAGE = 16 * 1024 * 1024
#: Frames a second: more than any line carries.
FRAMES_PER_S = 1e9


class Echo:
    """Owns the connections; `start` and `stop` as gunicorn's configuration calls them for the product."""

    def __init__(self, max_message: int, frames_per_s: float) -> None:
        self.max_message, self.frames_per_s = max_message, frames_per_s
        self.connections: set[Connection] = set()
        self.settings = load_settings()
        self.server_lag_s: Callable[[], float] = lambda: 0.0
        self.faults: list[str] = []
        self.closed: dict[int, int] = {}
        #: The longest that the HTTP server's loop has not turned since this was last asked, s, where it is watched.
        self.paused_s = 0.0
        self._thread = LoopThread("echo", self._fault)
        self._starting = threading.Lock()

    def start(self) -> None:
        """Start the thread, once."""
        with self._starting:
            if self._thread.loop is None:
                self._thread.attach(new_loop())
                self._thread.run()
                # As the product's start does.
                gc.freeze()
                if "ECHO_WATCH_LOOP" in os.environ:
                    threading.Thread(target=self._watch, name="watch", daemon=True).start()

    def stop(self) -> None:
        """Tell everybody and end the thread."""
        self._thread.stop(lambda: self.connections, 2.0)

    def adopt(self, accepted: Accepted, environ: dict[str, Any]) -> None:
        """Take the request's connection over."""
        sock, early = take_wrongly(environ) if "ECHO_WRONG_HAND_OFF" in os.environ else take(environ)
        self._thread.adopt(
            sock,
            lambda: Connection(
                self,
                accepted.ws,
                accepted.reply,
                early,
                loop=self._loop(),
                buffer=2 * self.max_message,
                frames_per_s=self.frames_per_s,
                sock=sock,
            ),
            lambda: None,
        )

    # -- what connections tell, on the loop ----------------------------------------------------------------------

    def on_open(self, connection: Connection) -> None:
        self.connections.add(connection)

    def on_text(self, connection: Connection, text: bytes) -> None:
        connection.send(Outgoing(text))

    def on_binary(self, connection: Connection, data: bytes) -> None:
        connection.send(Outgoing(data, Opcode.BINARY))

    def on_room(self, connection: Connection) -> None:
        pass

    def on_lost(self, connection: Connection, code: int) -> None:
        self.connections.discard(connection)
        self.closed[code] = self.closed.get(code, 0) + 1

    def on_fault(self, connection: Connection, error: Exception) -> None:
        self._fault("a connection failed", error)

    def _watch(self) -> None:
        while True:
            time.sleep(0.002)
            self.paused_s = max(self.paused_s, self.server_lag_s())

    def _loop(self) -> Any:
        assert self._thread.loop is not None
        return self._thread.loop

    def _fault(self, event: str, error: Exception | None) -> None:
        self.faults.append(f"{event}: {error!r}")
        print(event, repr(error), file=sys.stderr, flush=True)


def take_wrongly(environ: dict[str, Any]) -> tuple[socket.socket, bytes]:
    """A hand-off that leaves the server its descriptor: what a test has to notice."""
    sock = socket.socket(fileno=os.dup(environ["gunicorn.socket"].fileno()))
    sock.setblocking(False)
    return sock, b""


def create(max_message: int = MAX_MESSAGE, frames_per_s: float = FRAMES_PER_S) -> Flask:
    """The WSGI application; its thread starts with the worker, or with the first request."""
    app = Flask(__name__)
    echo = Echo(max_message, frames_per_s)
    app.extensions["tickboard"] = echo

    @app.before_request
    def start() -> None:
        echo.start()

    @app.get("/", websocket=True)
    def upgrade() -> Response:
        reason = in_the_way(request.environ)
        if reason is not None:
            return Response(reason, 501)
        accepted = accept(request, max_size=echo.max_message)
        if isinstance(accepted, Refused):
            return Response(accepted.detail, accepted.status, {"Sec-WebSocket-Version": "13"})
        echo.adopt(accepted, request.environ)
        return Response(status=101)

    @app.get("/")
    def ask() -> Response:
        return Response("this is a WebSocket; ask for an upgrade", 426, {"Upgrade": "websocket"})

    @app.get("/state")
    def state() -> dict[str, Any]:
        paused, echo.paused_s = echo.paused_s, 0.0
        return {
            "connections": len(echo.connections),
            "closed": echo.closed,
            "faults": echo.faults,
            "descriptors": len(list(Path("/proc/self/fd").iterdir())),
            "threads": threading.active_count(),
            "resident_kb": int(Path("/proc/self/statm").read_text().split()[1]) * 4,
            "paused_ms": paused * 1000.0,
        }

    @app.post("/read")
    def read() -> dict[str, int]:
        return {"bytes": len(request.get_data())}

    return app


server = create(
    int(os.environ.get("ECHO_MAX_MESSAGE", MAX_MESSAGE)), float(os.environ.get("ECHO_FRAMES_PER_S", FRAMES_PER_S))
)

if __name__ == "__main__":
    from dashboard.serve import serve

    sys.exit(serve(server))
