"""A TCP line between a browser and the product that a test can cut, mend, or close to WebSockets only."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading


class Line:
    """Forwards bytes from `port` to `target` on loopback, in one thread a connection."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.refuse_stream = False
        self._whole = True
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._stalled: set[tuple[socket.socket, socket.socket]] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, name="line", daemon=True).start()

    def cut(self) -> None:
        """Drop every connection and refuse new ones."""
        self._whole = False
        with self._lock:
            for pair in list(self._pairs):
                self._drop(pair)

    def drop_streams(self) -> None:
        """Refuse `/ws/market` from now on and drop every connection, so that open ones end too."""
        self.refuse_stream = True
        with self._lock:
            for pair in list(self._pairs):
                self._drop(pair)

    def stall(self) -> None:
        """Swallow what goes over the connections that are open now, without a word to either end."""
        with self._lock:
            self._stalled |= self._pairs

    def mend(self) -> None:
        """Let everything through again."""
        self._whole, self.refuse_stream = True, False

    def close(self) -> None:
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            if not self._whole:
                client.close()
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self.target), timeout=5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            pair = (client, server)
            with self._lock:
                self._pairs.add(pair)
            threading.Thread(target=self._forward, args=(pair,), name="line-pair", daemon=True).start()

    def _forward(self, pair: tuple[socket.socket, socket.socket]) -> None:
        client, server = pair
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(client, selectors.EVENT_READ, server)
                selector.register(server, selectors.EVENT_READ, client)
                while True:
                    for key, _events in selector.select():
                        source, sink = key.fileobj, key.data
                        assert isinstance(source, socket.socket)
                        data = source.recv(65_536)
                        if not data or (source is client and self.refuse_stream and data.startswith(b"GET /ws/market")):
                            return
                        if pair not in self._stalled:
                            sink.sendall(data)
        except (OSError, ValueError):
            return
        finally:
            with self._lock:
                self._drop(pair)

    def _drop(self, pair: tuple[socket.socket, socket.socket]) -> None:
        self._pairs.discard(pair)
        self._stalled.discard(pair)
        for end in pair:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
