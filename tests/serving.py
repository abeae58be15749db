"""Serve an application over real HTTP, beside the test and in its process."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn


class Server(uvicorn.Server):
    """A server that lets go of every connection when it stops, also of those it has waited for in vain."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        for connection in list(self.server_state.connections):
            transport: Any = connection.transport
            if transport is not None:
                transport.abort()
        await asyncio.sleep(0)  # only the next round of the loop closes what was aborted in this one


@contextmanager
def served(make: Callable[[str], Any], port: int = 0) -> Iterator[str]:
    """Serve on a free port, in a thread of its own, the application made for that port's address."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        server = Server(
            uvicorn.Config(make(base_url), log_level="critical", lifespan="on", timeout_graceful_shutdown=1)
        )
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])), daemon=True)
        thread.start()
        until(lambda: server.started)
        try:
            yield base_url
        finally:
            server.should_exit = True
            thread.join(15)


def until(reached: Callable[[], Any], seconds: float = 60) -> Any:
    """Wait until something is true, and give it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = reached()
        if found:
            return found
        time.sleep(0.005)
    raise AssertionError("waited in vain")
