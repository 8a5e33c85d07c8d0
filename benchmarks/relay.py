"""A network in user space: 20 ms each way and 100 Mbit/s between loopback and loopback, without root.

Bytes are held back until they would have crossed the wire: all connections share one rate in each direction, each
block arrives ``delay`` later, and no more than a bandwidth-delay product is on its way. A connection costs one round
trip before its first byte. ``CONNECT`` requests are answered as a proxy does, whatever host they name, so that clients
that insist on PyPI's own names can be measured, too.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.loop import serving

_BLOCK = 16 * 1024


class Wire:
    """One direction of the shared line."""

    def __init__(self, delay: float, rate: float) -> None:
        self.delay = delay
        self._rate = rate
        self._free = 0.0

    def arrival(self, size: int) -> float:
        """Return when *size* bytes that are sent now will have arrived."""
        now = asyncio.get_running_loop().time()
        self._free = max(now, self._free) + size / self._rate
        return self._free + self.delay


class Relay:
    """Forwards to a port on loopback through two wires."""

    def __init__(self, target: int, *, delay: float = 0.02, megabit: float = 100.0) -> None:
        self.port = 0
        self._target = target
        self._delay = delay
        self._rate = megabit * 1e6 / 8
        self._window = max(int(self._rate * delay * 2), 64 * 1024)

    @contextmanager
    def running(self) -> Iterator["Relay"]:
        """Listen on a free port of loopback."""

        async def start() -> asyncio.Server:
            self._up, self._down = Wire(self._delay, self._rate), Wire(self._delay, self._rate)
            server = await asyncio.start_server(self._connect, "127.0.0.1", 0, limit=_BLOCK)
            self.port = server.sockets[0].getsockname()[1]
            return server

        with serving(start):
            yield self

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(2 * self._delay)
        first = await reader.read(_BLOCK)
        if first.startswith(b"CONNECT "):
            while b"\r\n\r\n" not in first:
                first += await reader.read(_BLOCK)
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            first = b""
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target, limit=_BLOCK)
        await asyncio.gather(
            self._pump(reader, far_writer, self._up, first), self._pump(far_reader, writer, self._down, b"")
        )

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, wire: Wire, first: bytes) -> None:
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(maxsize=max(1, self._window // _BLOCK))

        async def deliver() -> None:
            loop = asyncio.get_running_loop()
            while True:
                due, block = await queue.get()
                await asyncio.sleep(max(0.0, due - loop.time()))
                if not block:
                    break
                writer.write(block)
                await writer.drain()

        delivering = asyncio.ensure_future(deliver())
        try:
            block = first or await reader.read(_BLOCK)
            while block:
                await queue.put((wire.arrival(len(block)), block))
                block = await reader.read(_BLOCK)
            await queue.put((wire.arrival(0), b""))
            await delivering
        except (ConnectionError, asyncio.CancelledError):
            delivering.cancel()
        finally:
            writer.close()
