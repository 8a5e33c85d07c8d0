"""An event loop in a thread of its own, ended without leaving anything behind."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager


@contextmanager
def serving(start: Callable[[], Awaitable[asyncio.Server]]) -> Iterator[None]:
    """Await *start* (which opens a server) in a thread, and keep its loop running for as long as the block runs."""
    loop = asyncio.new_event_loop()
    up = threading.Event()
    loop.set_exception_handler(lambda *_: None)  # connections that clients cut are no news

    servers: list[asyncio.Server] = []

    async def begin() -> None:
        servers.append(await start())
        up.set()

    def run() -> None:
        task = loop.create_task(begin())
        loop.run_forever()
        del task
        for server in servers:
            server.close()
        loop.run_until_complete(_cancel_others())
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    if not up.wait(10):
        message = "the server did not start"
        raise RuntimeError(message)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


async def _cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
