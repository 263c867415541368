"""gunicorn's threaded worker that gives a thread to whole requests only: `worker_class = "dashboard.worker.Worker"`.

gunicorn's own gives one to every connection, so that sixteen slow strangers hold sixteen threads, and its loop waits up
to two seconds for each client that does not close. Here the loop reads what comes without waiting, a request that is
not whole in time is answered 408, and goodbyes are said without waiting. What a client has not yet taken of its answer
the loop sends on, too, before its next request is looked at. Bodies too large to be held, and those of
unknown length, have a few threads of their own and the same deadline. TLS and HTTP/2 go gunicorn's way.
"""

from __future__ import annotations

import contextlib
import errno
import re
import selectors
import socket
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

from gunicorn.http import get_parser
from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import TConn, ThreadWorker

from dashboard.outbox import Outbox

#: Seconds for a request to be whole, from the connection or from its first byte on a connection that is kept. The loop
#: looks once a second, so that whoever says nothing is gone within ten.
WHOLE_S = 7.0
#: Seconds that a connection which has said nothing is still listened to when the server ends.
SILENT_S = 1.5
#: Seconds for the other side to close after the last answer.
LINGER_S = 2.0
#: Bytes of answers that all connections together may have waiting; beyond, the one that has waited longest is cut.
MOST_WAITING = 67_108_864
#: Bytes of a request that the loop holds; forms and callbacks have a few thousand.
HELD = 65_536
#: Connections that are accepted in one turn of the loop.
ACCEPTED = 64
#: Threads for requests that are larger or say no length, and how many of these there may be at once.
STREAM_THREADS, STREAMS = 4, 16

TOO_LATE = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
TOO_MANY = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n"
_LENGTH = re.compile(rb"^content-length[ \t]*:[ \t]*(\d{1,18})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_ANY_LENGTH = re.compile(rb"^content-length[ \t]*:", re.IGNORECASE | re.MULTILINE)
_STREAMED = re.compile(rb"^(?:transfer-encoding|expect)[ \t]*:", re.IGNORECASE | re.MULTILINE)


class DeadlineUnreader(SocketUnreader):  # type: ignore[misc]  # gunicorn has no types
    """Reads until a moment; after it the stream has ended."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self.until = 0.0
        self.late = False

    def chunk(self, size_hint: int | None = None) -> bytes:
        """What has come by the moment, b"" after it."""
        left = self.until - time.monotonic()
        if left > 0 and not self.late:
            self.sock.settimeout(left)
            try:
                data: bytes = super().chunk(size_hint)
                return data
            except TimeoutError:
                pass
            finally:
                self.sock.settimeout(None)
        self.late = True
        return b""


class Gathering:
    """A request that is not whole: what has come of it, and until when the rest may."""

    __slots__ = ("_looked", "_size", "conn", "data", "streamed", "until")

    def __init__(self, conn: Any, data: bytes, until: float) -> None:
        self.conn, self.data, self.until = conn, bytearray(data), until
        #: Whether a thread has to read the rest of it.
        self.streamed = False
        self._size: int | None = None
        self._looked = 0

    def enough(self) -> bool:
        """Whether a thread may have it."""
        if self._size is None:
            end = self.data.find(b"\r\n\r\n", max(0, self._looked - 3))
            self._looked = len(self.data)
            if end < 0:
                self.streamed = len(self.data) >= HELD
                return self.streamed
            head = bytes(self.data[: end + 2])
            lengths = _LENGTH.findall(head)
            # A length that is no plain number is for the parser to judge, and for nobody else's thread to wait for.
            odd = len(lengths) < len(_ANY_LENGTH.findall(head))
            self.streamed = odd or _STREAMED.search(head) is not None
            self._size = end + 4 + max(map(int, lengths), default=0)
        if len(self.data) >= self._size:
            return True
        self.streamed = self.streamed or len(self.data) >= HELD
        return self.streamed


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Overrides how connections come to a thread and how they end; all of it runs in the loop's thread."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # In order of their deadlines, since each has as long as the others.
        self._gathering: dict[Any, Gathering] = {}
        self._lingering: dict[socket.socket, float] = {}
        self._streaming: set[Any] = set()
        #: Answers that are made but not taken, and whether their connection is kept afterwards.
        self._sending: dict[Any, tuple[Outbox, bool]] = {}
        self._thread = threading.local()
        #: Connections whose answer a thread is making.
        self._answering: set[Any] = set()
        self._silent_until = 0.0
        self._stream_pool = ThreadPoolExecutor(STREAM_THREADS, thread_name_prefix="streamed-requests")

    def run(self) -> None:
        """Serve until told to end; whoever still sends or takes an answer slowly then is not waited for."""
        application: Any = self.wsgi  # type: ignore[has-type]  # set by gunicorn
        self.wsgi = self._through_outboxes(application)
        try:
            super().run()
        finally:
            self.wsgi = application  # for the hooks of the configuration
        for conn in list(self._streaming):
            with contextlib.suppress(OSError):
                conn.sock.shutdown(socket.SHUT_RD)
        for conn in list(self._answering):
            with contextlib.suppress(OSError):
                conn.sock.shutdown(socket.SHUT_RDWR)
        self._stream_pool.shutdown(wait=False, cancel_futures=True)

    def _through_outboxes(self, application: Any) -> Any:
        """`application` with an outbox between its answers and their sockets."""

        def answering(environ: dict[str, Any], start_response: Any) -> Any:
            outbox = getattr(self._thread, "outbox", None)
            if outbox is not None:
                start_response.__self__.sock = outbox
            return application(environ, start_response)

        return answering

    # -- how a request comes to a thread -------------------------------------------------------------------------

    def accept(self, listener: Any) -> None:
        """Take the connections that wait, and the places of those that say nothing where all are taken."""
        if self.cfg.is_ssl:
            super().accept(listener)
            return
        for _ in range(ACCEPTED):
            if not self._accept_one(listener):
                break

    def _accept_one(self, listener: Any) -> bool:
        try:
            sock, address = listener.accept()
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                if not self._drop_oldest():
                    time.sleep(0.05)
            elif error.errno not in (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK):
                raise
            return False
        self.nr_conns += 1
        while self.nr_conns >= self.worker_connections and self._drop_oldest():
            pass
        self._gather(TConn(self.cfg, sock, address, listener.getsockname()))
        return True

    def on_client_socket_readable(self, conn: Any, client: Any) -> None:
        """A kept connection has a next request, or has ended."""
        if conn not in self.keepalived_conns:
            # Its place was taken by one that came in the same turn of the loop.
            return
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        if conn.is_http2 or self.cfg.is_ssl:
            self.enqueue_req(conn)
        else:
            self._gather(conn)

    def _gather(self, conn: Any, data: bytes = b"") -> None:
        gathering = Gathering(conn, data, time.monotonic() + WHOLE_S)
        if data and gathering.enough():
            self._hand_over(gathering)
            return
        conn.sock.setblocking(False)
        self._gathering[conn] = gathering
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._came, gathering))

    def _came(self, gathering: Gathering, sock: socket.socket) -> None:
        if self._gathering.get(gathering.conn) is not gathering:
            return
        try:
            piece = sock.recv(HELD)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            piece = b""
        if not piece:
            self._drop(gathering.conn)
            return
        gathering.data += piece
        if gathering.enough():
            self._forget(gathering.conn)
            self._hand_over(gathering)

    def _hand_over(self, gathering: Gathering) -> None:
        conn = gathering.conn
        if gathering.streamed and len(self._streaming) >= STREAMS:
            with contextlib.suppress(OSError):
                conn.sock.send(TOO_MANY, socket.MSG_DONTWAIT)
            self._say_goodbye(conn.sock)
            return
        if conn.parser is None:
            conn.parser = get_parser(self.cfg, conn.sock, conn.client)
            conn.parser.unreader = DeadlineUnreader(conn.sock)
            conn.initialized = True
        conn.data_ready = True
        conn.parser.unreader.unread(bytes(gathering.data))
        conn.parser.unreader.until = gathering.until
        if gathering.streamed:
            self._streaming.add(conn)
        pool = self._stream_pool if gathering.streamed else self.tpool
        pool.submit(self.handle, conn).add_done_callback(partial(self._handled, conn))

    def handle(self, conn: Any) -> Any:
        """Answer a request, in a thread; one that was late before its turn is not begun."""
        if conn in self._streaming and time.monotonic() >= conn.parser.unreader.until:
            conn.parser.unreader.late = True
            return False
        return super().handle(conn)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Make the answer, in a thread; what its client does not take at once is left in `conn.outbox`."""
        conn.outbox = self._thread.outbox = None if self.cfg.is_ssl else Outbox(conn.sock)
        self._answering.add(conn)
        try:
            return super().handle_request(req, conn)
        except BaseException:
            # Broken off: its client is to notice.
            conn.outbox = None
            raise
        finally:
            self._thread.outbox = None
            self._answering.discard(conn)

    def _handled(self, conn: Any, future: Future[Any]) -> None:
        self.method_queue.defer(self.finish_request, conn, future)

    # -- how a connection ends -----------------------------------------------------------------------------------

    def _keepalive_after(self, conn: Any, keepalive: Any) -> bool:
        # Where a body was late, nobody knows where the next request begins.
        kept = bool(super()._keepalive_after(conn, keepalive))
        return kept and not getattr(conn.parser.unreader, "late", False)

    def finish_request(self, conn: Any, fs: Any) -> None:
        """A request has been answered: keep the connection, or say goodbye without waiting."""
        self._streaming.discard(conn)
        if conn.is_http2 or self.cfg.is_ssl:
            super().finish_request(conn, fs)
            return
        try:
            kept = not fs.cancelled() and bool(fs.result())
        except Exception:
            kept = False
        outbox = getattr(conn, "outbox", None)
        if not kept and getattr(conn.parser.unreader, "late", False):
            # It has had its time.
            self._end(conn.sock)
        elif outbox is not None and outbox.size:
            self._send_on(conn, outbox, kept)
        else:
            self._answered(conn, kept)

    def _send_on(self, conn: Any, outbox: Outbox, kept: bool) -> None:
        """Let the loop send the rest of an answer."""
        self._sending[conn] = outbox, kept
        try:
            conn.sock.setblocking(False)
            self.poller.register(conn.sock, selectors.EVENT_WRITE, partial(self._room, conn, outbox))
        except (OSError, ValueError, KeyError):
            self._give_up(conn)
            return
        while sum(waiting.size for waiting, _ in self._sending.values()) > MOST_WAITING:
            self._give_up(next(iter(self._sending)))

    def _room(self, conn: Any, outbox: Outbox, _sock: socket.socket) -> None:
        if conn not in self._sending:
            return
        try:
            outbox.drain()
        except OSError:
            self._give_up(conn)
            return
        if not outbox.size:
            _, kept = self._sending.pop(conn)
            self.poller.unregister(conn.sock)
            self._answered(conn, kept)

    def _give_up(self, conn: Any) -> None:
        del self._sending[conn]
        self._end(conn.sock)

    def _answered(self, conn: Any, kept: bool) -> None:
        """A whole answer has gone out: the next request, or the end."""
        if not kept:
            self._say_goodbye(conn.sock)
        elif ahead := conn.parser.unreader.take_buffered():
            self._gather(conn, ahead)
        else:
            whole: Future[Any] = Future()
            whole.set_result(True)
            super().finish_request(conn, whole)

    def murder_pending(self) -> None:
        """Cut what is late; called once a second or oftener."""
        super().murder_pending()
        now = time.monotonic()
        if self.alive:
            self._silent_until = now + SILENT_S
        for conn, gathering in list(self._gathering.items()):
            until = gathering.until
            if not self.alive and not gathering.data:
                # The request of a new connection may be on its way when the server is told to end.
                until = min(until, self._silent_until)
            if until > now:
                if self.alive:
                    break
                continue
            if gathering.data:
                with contextlib.suppress(OSError):
                    conn.sock.send(TOO_LATE)
            self._drop(conn)
        for sock, until in list(self._lingering.items()):
            if until > now:
                break
            self._end(sock)
        for conn, (outbox, _) in list(self._sending.items()):
            if outbox.too_slow():
                self._give_up(conn)

    def _say_goodbye(self, sock: socket.socket) -> None:
        """Half-close, and close when the other side has: closed at once, unread bytes would reset the last answer."""
        try:
            sock.setblocking(False)
            sock.shutdown(socket.SHUT_WR)
            self._lingering[sock] = time.monotonic() + LINGER_S
            self.poller.register(sock, selectors.EVENT_READ, self._linger)
        except (OSError, ValueError, KeyError):
            self._end(sock)
            return
        self._linger(sock)

    def _linger(self, sock: socket.socket) -> None:
        if sock not in self._lingering:
            return
        try:
            if sock.recv(HELD):
                return
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            pass
        self._end(sock)

    def _end(self, sock: socket.socket) -> None:
        self._lingering.pop(sock, None)
        with contextlib.suppress(OSError, ValueError, KeyError):
            self.poller.unregister(sock)
        self.nr_conns -= 1
        sock.close()

    def _drop(self, conn: Any) -> None:
        self._forget(conn)
        self.nr_conns -= 1
        conn.sock.close()

    def _forget(self, conn: Any) -> None:
        del self._gathering[conn]
        with contextlib.suppress(OSError, ValueError, KeyError):
            self.poller.unregister(conn.sock)

    def _drop_oldest(self) -> bool:
        """Cut the connection that has waited longest for something from its client; False where none waits."""
        if self._lingering:
            self._end(next(iter(self._lingering)))
        elif self._gathering:
            self._drop(next(iter(self._gathering)))
        elif self.keepalived_conns:
            conn = self.keepalived_conns.popleft()
            with contextlib.suppress(OSError, ValueError, KeyError):
                self.poller.unregister(conn.sock)
            self.nr_conns -= 1
            conn.sock.close()
        elif self._sending:
            self._give_up(next(iter(self._sending)))
        else:
            return False
        return True
