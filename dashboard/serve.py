"""The server that `python app.py` and `python -m dashboard run` start: Werkzeug's threaded one, in this process.

It serves the same application as gunicorn does; what a server owes beside it is here: a port that can't be had is one
sentence, SIGTERM tells every client and ends within 5 s with status 0.
"""

from __future__ import annotations

import io
import logging
import signal
import socket
import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from wsgiref.types import StartResponse, WSGIEnvironment

from flask import Flask
from werkzeug.serving import BaseWSGIServer, ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.wsgi import ClosingIterator

from dashboard.errors import StartRefused
from dashboard.telemetry import get_logger

if TYPE_CHECKING:
    from dashboard.runtime import Runtime

#: Answers may run for so long after SIGTERM; then the process ends and their readers see the cut.
DRAIN_S = 3.4
#: Connections that the kernel keeps waiting while the loop is busy accepting.
BACKLOG = 1024
#: Connections that are served at once, a thread each.
CONNECTIONS = 1_000
#: Seconds for a request to come whole, from the connection or its first byte on; and between two requests.
WHOLE_S, IDLE_S = 7.0, 30.0
#: Bytes of a request that are read at a time.
PIECE = 65_536


class InFlight:
    """WSGI middleware that counts the answers under way, from the request to the end of the body."""

    def __init__(self, application: Any) -> None:
        self.application = application
        self.count = 0
        self._changed = threading.Condition()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self._add(1)
        try:
            body = self.application(environ, start_response)
        except BaseException:
            self._add(-1)
            raise
        return ClosingIterator(body, [lambda: self._add(-1)])

    def wait(self, timeout: float) -> bool:
        """Whether nothing is under way any more, after `timeout` seconds at most."""
        with self._changed:
            return self._changed.wait_for(lambda: self.count == 0, timeout)

    def _add(self, step: int) -> None:
        with self._changed:
            self.count += step
            self._changed.notify_all()


class Line(socket.SocketIO):
    """A connection's bytes; a request has so long to come whole as `WHOLE_S` says, then its stream has ended."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock, "r")
        self.sock = sock
        self.late = False
        self._until: float | None = time.monotonic() + WHOLE_S

    def await_next(self) -> None:
        """The request has been answered; the time of the next one begins with its first byte."""
        self._until = None

    def readinto(self, buffer: Any, /) -> int | None:
        """What has come; 0 at the end and when it is too late."""
        before = self.sock.gettimeout()
        left = IDLE_S if self._until is None else self._until - time.monotonic()
        if left <= 0 or self.late:
            self.late = True
            return 0
        self.sock.settimeout(left)
        try:
            count = super().readinto(buffer)
        except TimeoutError:
            self.late = True
            return 0
        finally:
            self.sock.settimeout(before)
        if self._until is None:
            self._until = time.monotonic() + WHOLE_S
        return count


class Reader(io.BufferedReader):
    """A request's bytes, in pieces: Werkzeug asks for ten megabytes at once to pass over a body that nobody reads."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Up to `size` bytes, no more than a piece of a large `size`."""
        return self.read1(PIECE) if size is not None and size > PIECE else super().read(size)


class Handler(WSGIRequestHandler):
    """HTTP/1.1 with keep-alive; whoever is slow, or says nothing for long, frees its thread."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_S
    server_version = "Tickboard"
    sys_version = ""

    def setup(self) -> None:
        super().setup()
        self.line = Line(self.connection)
        self.rfile = Reader(self.line)

    def handle_one_request(self) -> None:
        super().handle_one_request()
        self.line.await_next()
        if self.line.late:
            # Nobody knows where the next request begins.
            self.close_connection = True

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002  # as Werkzeug names it
        if type == "error":
            logging.getLogger("server").warning(message, *args)


class Server(ThreadedWSGIServer):
    """Werkzeug's threaded server that says when its loop last turned; takes `listener` over."""

    request_queue_size = BACKLOG

    def __init__(self, listener: socket.socket, application: Any) -> None:
        host, port = listener.getsockname()[:2]
        super().__init__(host, port, application, handler=Handler, fd=listener.fileno())
        # Werkzeug has made a descriptor of its own; with this one open the port would listen on after the end of that.
        listener.close()
        self.turned = time.monotonic()
        self._places = threading.BoundedSemaphore(CONNECTIONS)

    def process_request(self, request: Any, client_address: Any) -> None:
        """A thread for each connection, but no more than `CONNECTIONS`; WebSockets have left theirs."""
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            # No thread was to be had: its place is free again.
            self._places.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def service_actions(self) -> None:
        super().service_actions()
        self.turned = time.monotonic()


def listen(host: str, port: int) -> socket.socket:
    """A bound, listening socket. Raises StartRefused with the reason where the address can't be had."""
    try:
        family, _type, _protocol, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(BACKLOG)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise StartRefused(
            f"can't listen on {host} port {port}: {reason}; DASHBOARD_HOST and DASHBOARD_PORT choose another"
        ) from error
    return listener


def serve(server: Flask) -> int:
    """Serve until SIGTERM or SIGINT; gives the exit status. Raises StartRefused where the port can't be had."""
    runtime: Runtime = server.extensions["tickboard"]
    log = get_logger("server")
    ended = threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: ended.set())
    listener = listen(runtime.settings.host, runtime.settings.port)
    in_flight = InFlight(server.wsgi_app)
    server.wsgi_app = in_flight  # type: ignore[method-assign]  # the place that Flask names for middleware
    wsgi = Server(listener, server)
    runtime.server_lag_s = lambda: time.monotonic() - wsgi.turned
    runtime.start()
    loop = threading.Thread(target=wsgi.serve_forever, kwargs={"poll_interval": 0.25}, name="server", daemon=True)
    loop.start()
    log.info("ready", url=f"http://{_shown(runtime.settings.host)}:{runtime.settings.port}")
    ended.wait()
    log.info("stopping")
    until = time.monotonic() + DRAIN_S
    runtime.stop()
    _stop_accepting(wsgi)
    in_flight.wait(max(0.0, until - time.monotonic()))
    return 0


def _stop_accepting(wsgi: BaseWSGIServer) -> None:
    wsgi.shutdown()
    wsgi.socket.close()


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
