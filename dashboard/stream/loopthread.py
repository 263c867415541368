"""A thread with one asyncio loop (uvloop where installed) that serves sockets taken over from other threads.

It knows nothing of who is connected: the owner (the hub, or the echo server of the conformance tests) makes the
protocol for each socket and keeps the list of connections.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import Any

from dashboard.stream.connection import Connection
from dashboard.telemetry import get_logger

#: RFC 6455 section 7.4.1.
GOING_AWAY = 1001
#: What the kernel may hide of a reader's slowness: without it loopback takes 650 KB before anybody notices.
SEND_BUFFER, NOT_SENT = 65_536, 16_384


class LoopThread:
    """`attach` a loop, `run` it in a thread, `adopt` sockets from any thread, `stop` it once.

    `fault` is told of what nobody else caught.
    """

    def __init__(self, name: str, fault: Callable[[str, Exception | None], None]) -> None:
        self.name, self.fault = name, fault
        self.log = get_logger(name)
        self.open = False
        self.loop: asyncio.AbstractEventLoop | None = None
        self._gate = threading.Lock()
        self._adopting = 0
        self._thread: threading.Thread | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    # -- from any thread -----------------------------------------------------------------------------------------

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Use `loop`, which somebody else may run, and take sockets."""
        self.loop = loop
        loop.set_exception_handler(self._loop_failed)
        with self._gate:
            self.open = True

    def run(self) -> None:
        """Start the thread for the loop."""
        assert self.loop is not None, "attach first"
        self._thread = threading.Thread(target=self._run, args=(self.loop,), name=self.name, daemon=True)
        self._thread.start()

    def adopt(self, sock: socket.socket, make: Callable[[], asyncio.Protocol], gone: Callable[[], None]) -> None:
        """Serve `sock` by what `make` gives, on the loop. Closes it and calls `gone` where that can't begin."""
        with self._gate:
            self._adopting += 1
            if self.open and self.soon(self._adopt, sock, make, gone):
                return
            self._adopting -= 1
        sock.close()
        gone()

    def soon(self, call: Callable[..., object], *arguments: Any) -> bool:
        """Have the loop call something soon; False when it has ended."""
        if self.loop is None:
            return False
        try:
            self.loop.call_soon_threadsafe(call, *arguments)
        except RuntimeError:
            return False
        return True

    def stop(self, connections: Callable[[], Iterable[Connection]], timeout: float) -> bool:
        """Take no more sockets, tell every connection (1001), wait for the answers up to `timeout` seconds, cut the
        others, end the thread. False where there is nothing to stop, or somebody else does: then it waits for that."""
        with self._gate:
            was_open, self.open = self.open, False
        if self._thread is None:
            return False
        if was_open:
            self.soon(lambda: self._task(self._shut(connections, timeout)))
        self._thread.join(timeout + 1.0)
        return was_open

    # -- on the loop ---------------------------------------------------------------------------------------------

    def _adopt(self, sock: socket.socket, make: Callable[[], asyncio.Protocol], gone: Callable[[], None]) -> None:
        self._task(self._take_over(sock, make, gone))

    async def _take_over(
        self, sock: socket.socket, make: Callable[[], asyncio.Protocol], gone: Callable[[], None]
    ) -> None:
        assert self.loop is not None
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
            if sock.family != socket.AF_UNIX and hasattr(socket, "TCP_NOTSENT_LOWAT"):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, NOT_SENT)
            await self.loop.connect_accepted_socket(make, sock)
        except Exception as error:
            if isinstance(error, OSError):
                self.log.info("a connection was gone before it began", error=str(error))
            else:
                self.fault("a connection could not begin", error)
            sock.close()
            gone()
        finally:
            with self._gate:
                self._adopting -= 1

    async def _shut(self, connections: Callable[[], Iterable[Connection]], timeout: float) -> None:
        assert self.loop is not None
        until = self.loop.time() + timeout
        try:
            while (left := list(connections())) or self._adopting:
                if self.loop.time() >= until:
                    break
                for connection in left:
                    if connection.open:
                        self._guarded(partial(connection.close, GOING_AWAY, "the server goes away"))
                await asyncio.sleep(0.01)
            for connection in list(connections()):
                self._guarded(connection.abort)
            await asyncio.sleep(0.01)
        finally:
            self.loop.stop()

    def _guarded(self, end: Callable[[], None]) -> None:
        """One that can't be ended keeps nobody else from hearing of the end."""
        try:
            end()
        except Exception as error:
            self.fault("a connection could not be ended", error)

    def _loop_failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self.fault(str(context.get("message", "the loop failed")), error if isinstance(error, Exception) else None)

    def _task(self, work: Coroutine[Any, Any, None]) -> None:
        assert self.loop is not None
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- the thread ----------------------------------------------------------------------------------------------

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
        finally:
            for task in list(self._tasks):
                task.cancel()
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()


def new_loop() -> asyncio.AbstractEventLoop:
    """uvloop's where it is installed."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
