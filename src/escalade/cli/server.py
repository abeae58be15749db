"""The server, which knocks at its own door and ends when nobody opens.

Short of memory at the wrong moment, the event loop can lose its listening socket: the process lives, and nobody reaches
it. A supervisor sees only processes that end, so this one does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from ipaddress import ip_address
from typing import Any

import structlog
import uvicorn

KNOCK = b"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
LOOPBACK = {4: "127.0.0.1", 6: "::1"}

log = structlog.get_logger()


class Server(uvicorn.Server):
    """Serves, and calls `halt` after `most` knocks in a row without an answer; times are in seconds.

    What may wait until the port is open, and goes on beside the requests, is `beside`.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        halt: Callable[[], None],
        *,
        beside: Sequence[Callable[[], Coroutine[Any, Any, None]]] = (),
        every: float = 10.0,
        patience: float = 10.0,
        most: int = 3,
    ) -> None:
        super().__init__(config)
        self._halt = halt
        self._beside = beside
        self._every = every
        self._patience = patience
        self._most = most

    async def main_loop(self) -> None:
        """Serve until stopped."""
        tasks = [asyncio.create_task(work()) for work in (self._knock, *self._beside)]
        try:
            await super().main_loop()
        finally:
            for task in tasks:
                task.cancel()

    async def _knock(self) -> None:
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        address = ip_address(host.partition("%")[0])
        host = LOOPBACK[address.version] if address.is_unspecified else host
        unheard = 0
        while unheard < self._most:
            await asyncio.sleep(self._every)
            unheard = 0 if await self._opens(host, port) else unheard + 1
        log.critical("nobody_opens", knocks=unheard)
        self._halt()

    async def _opens(self, host: str, port: int) -> bool:
        try:
            async with asyncio.timeout(self._patience):
                reader, writer = await asyncio.open_connection(host, port)
                try:
                    writer.write(KNOCK)
                    return bool(await reader.readline())
                finally:
                    writer.close()
        except (TimeoutError, ConnectionError):
            return False
        except (OSError, MemoryError):
            return True  # we cannot even knock; that says nothing of the door
