"""Everything the emulator takes from the outside world: time, dice, sleep, background tasks, and one HTTP sender.

No other module of this package reads a clock, draws a random number, sleeps, or opens a socket. A simulator passes
its own `Ports` and owns time and chance; `production()` gives the real ones.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx2


class SendFailed(Exception):
    """Nothing came back: refused, reset, or no such host."""


class ConnectionDropped(ConnectionError):
    """The emulator hung up on its caller on purpose; in-process callers see it as this exception."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbound:
    """One HTTP request the emulator makes: a webhook."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the receiver answered."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """Find a header, whatever its casing."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


Now = Callable[[], datetime]
Sleep = Callable[[float], Awaitable[None]]
Send = Callable[[Outbound], Awaitable[Reply]]
Spawn = Callable[[Coroutine[Any, Any, None]], None]


async def _nothing() -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The outside world, injected."""

    now: Now
    dice: random.Random
    sleep: Sleep
    send: Send
    spawn: Spawn
    stop: Callable[[], Awaitable[None]] = _nothing  # end what was spawned
    close: Callable[[], Awaitable[None]] = _nothing  # end it, and give sockets back


class Tasks:
    """Background work that is kept alive until it ends or the emulator stops."""

    def __init__(self) -> None:
        self._running: dict[asyncio.Task[None], None] = {}  # in order, so that a simulation repeats

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine beside everything else."""
        task = asyncio.get_running_loop().create_task(work)
        self._running[task] = None
        task.add_done_callback(lambda done: self._running.pop(done, None))

    async def stop(self) -> None:
        """Cancel what still runs and wait until it is gone."""
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


class HttpSender:
    """Send webhooks over real HTTP; redirects are not followed, and the caller sets the time limit."""

    def __init__(self) -> None:
        self._client: httpx2.AsyncClient | None = None

    async def send(self, request: Outbound) -> Reply:
        """Make one request and read the whole answer."""
        if self._client is None:
            self._client = httpx2.AsyncClient(timeout=None, follow_redirects=False, trust_env=False)
        try:
            answer = await self._client.request(
                request.method, request.url, headers=dict(request.headers), content=request.body
            )
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise SendFailed(str(error)) from error
        return Reply(status=answer.status_code, headers=tuple(answer.headers.items()), body=answer.content)

    async def close(self) -> None:
        """Give the sockets back."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None


def production() -> Ports:
    """Give the real clock, real chance, real sleep and real HTTP."""
    tasks, sender = Tasks(), HttpSender()

    async def close() -> None:
        await tasks.stop()
        await sender.close()

    return Ports(
        now=lambda: datetime.now(UTC),
        dice=random.SystemRandom(),
        sleep=asyncio.sleep,
        send=sender.send,
        spawn=tasks.spawn,
        stop=tasks.stop,
        close=close,
    )
