"""Time, randomness and waiting, as ports: a deterministic simulator can stand behind them."""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from escalade.domain.model import Millis


def _wall_clock() -> Millis:
    return time.time_ns() // 1_000_000


def _new_id() -> str:
    return secrets.token_hex(16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What the services use of the world beside the database and HTTP."""

    now: Callable[[], Millis] = _wall_clock
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    new_id: Callable[[], str] = _new_id  # 128 random bits as 32 hexadecimal digits
    new_token: Callable[[], str] = field(default=lambda: secrets.token_urlsafe(32))  # 256 random bits
    random_bytes: Callable[[int], bytes] = secrets.token_bytes
    jitter: Callable[[], float] = field(default=lambda: random.uniform(0.8, 1.2))  # noqa: S311 - spreads retries
