"""Strangers who are silent or slow, in a process of their own: `python -m tests.infra.strangers PORT SILENT COUNT S`.

It says on its last line, as JSON, by kind how long each was let stay, in seconds, null for who still is. `sink` in
place of a number listens instead, says its port, reads what comes and ends nobody: what the strangers cost the machine
where no product is.
"""

from __future__ import annotations

import contextlib
import json
import resource
import select
import socket
import sys
import time

#: Seconds between two bytes of one.
EVERY_S = 0.5


class Stranger:
    """A connection that says `first` and then a byte of `rest` now and then."""

    def __init__(self, port: int, kind: str, first: bytes, rest: bytes) -> None:
        self.kind, self.rest = kind, rest
        self.sock = socket.create_connection(("127.0.0.1", port), 10)
        self.began = time.monotonic()
        self.gone: float | None = None
        self.sock.sendall(first)
        self.sock.setblocking(False)

    def look(self) -> None:
        """Notice that the other side has ended it."""
        try:
            while self.sock.recv(65_536):
                continue
        except BlockingIOError:
            return
        except OSError:
            pass
        self.gone = time.monotonic() - self.began
        self.sock.close()


def strangers(port: int, silent: int, count: int) -> list[Stranger]:
    """`silent` that say nothing and `count` of each other kind, connected."""
    host = f"Host: 127.0.0.1:{port}\r\n"
    form = "Content-Type: application/x-www-form-urlencoded\r\n"
    kinds = {
        "slow head": (f"GET /login HTTP/1.1\r\n{host}X-Slow: ", b"a"),
        "slow body": (f"POST /login HTTP/1.1\r\n{host}{form}Content-Length: 5000\r\n\r\nusername=", b"a"),
        "large body": (f"POST /login HTTP/1.1\r\n{host}{form}Content-Length: 900000\r\n\r\n" + "a" * 70_000, b"a"),
        "long length": (f"POST /login HTTP/1.1\r\n{host}{form}Content-Length: {100:030d}\r\n\r\n", b"a"),
        "chunks": (f"POST /login HTTP/1.1\r\n{host}{form}Transfer-Encoding: chunked\r\n\r\n1000\r\n", b"a"),
        "expecting": (
            f"POST /login HTTP/1.1\r\n{host}{form}Content-Length: 5000\r\nExpect: 100-continue\r\n\r\n",
            b"a",
        ),
    }
    made = [Stranger(port, "silent", b"", b"") for _ in range(silent)]
    return made + [
        Stranger(port, kind, head.encode(), rest) for kind, (head, rest) in kinds.items() for _ in range(count)
    ]


def trickle(every: list[Stranger], until: float) -> None:
    """Have each say a byte every half second, one after the other, and note when it is gone."""
    poll = select.poll()
    known = {each.sock.fileno(): each for each in every}
    for number in known:
        poll.register(number, select.POLLIN)
    began, said = time.monotonic(), 0
    while known and time.monotonic() < until:
        for number, _ in poll.poll(20):
            known[number].look()
            if known[number].gone is not None:
                poll.unregister(number)
                del known[number]
        due = int((time.monotonic() - began) / EVERY_S * len(every))
        for at in range(max(said, due - len(every)), due):
            each = every[at % len(every)]
            if each.gone is None and each.rest:
                with contextlib.suppress(OSError):
                    each.sock.send(each.rest)
        said = due


def sink() -> None:
    """Accept and read until killed."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    listener.setblocking(False)
    print(listener.getsockname()[1], flush=True)
    poll = select.epoll()
    poll.register(listener, select.EPOLLIN)
    known: dict[int, socket.socket] = {}
    while True:
        for number, _ in poll.poll():
            if number == listener.fileno():
                with contextlib.suppress(BlockingIOError):
                    while True:
                        sock, _ = listener.accept()
                        sock.setblocking(False)
                        known[sock.fileno()] = sock
                        poll.register(sock, select.EPOLLIN)
                continue
            try:
                ended = not known[number].recv(65_536)
            except OSError:
                ended = True
            if ended:
                known.pop(number).close()


def main(arguments: list[str]) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if arguments == ["sink"]:
        sink()
        return
    port, silent, count, seconds = map(int, arguments)
    until = time.monotonic() + seconds
    every = strangers(port, silent, count)
    print(len(every), flush=True)
    trickle(every, until)
    gone: dict[str, list[float | None]] = {}
    for each in every:
        gone.setdefault(each.kind, []).append(each.gone)
    print(json.dumps(gone), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
