"""Time, chance, waiting and threads, as ports: a deterministic simulator can stand behind them.

There are two clocks. `now` cannot be set by anyone: whatever waits, or is judged by its age, goes by it. `wall` is
what other people's clocks are compared with, and what people are shown; nothing waits for it.
"""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from escalade.domain.model import Millis

T = TypeVar("T")


class Aside(Protocol):
    """Runs a function that takes long beside the event loop, and gives what it returns."""

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]:
        """Run it."""
        ...


def _wall_clock() -> Millis:
    return time.time_ns() // 1_000_000


def steady(start: Millis | None = None, elapsed_ns: Callable[[], int] = time.monotonic_ns) -> Callable[[], Millis]:
    """Start a clock that nobody can set: an instant taken once, and from there on elapsed time alone."""
    first, zero = _wall_clock() if start is None else start, elapsed_ns()
    return lambda: first + (elapsed_ns() - zero) // 1_000_000


def _new_id() -> str:
    return secrets.token_hex(16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What the services use of the world beside the database and HTTP."""

    now: Callable[[], Millis] = field(default_factory=steady)
    wall: Callable[[], Millis] = _wall_clock
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    new_id: Callable[[], str] = _new_id  # 128 random bits as 32 hexadecimal digits
    new_token: Callable[[], str] = field(default=lambda: secrets.token_urlsafe(32))  # 256 random bits
    random_bytes: Callable[[int], bytes] = secrets.token_bytes
    aside: Aside = asyncio.to_thread
    halt: Callable[[], None] = field(default=lambda: os._exit(70))  # end this process at once; a supervisor starts anew
    note: Callable[[str, Mapping[str, object]], None] | None = None  # takes each fact of this process's history
    jitter: Callable[[], float] = field(default=lambda: random.uniform(0.8, 1.2))  # noqa: S311 - spreads retries
