"""How often one caller may come: so many times in any stretch of seconds, remembered in this process only.

The window slides: what counts are the times of the last calls, so no moment lets twice as many through. A limit is
always about one caller (an address, a visitor, a key) and names itself, so no two limits and no two callers share a
place. Wrong credentials are counted when they have been refused, never before: good ones always open the door.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_address

from escalade.web.wire import Problem, Scope

MOST_KEPT = 50_000
IPV6_SITE = 64  # a household or an office has this much of IPv6, so it is one caller


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """At most so many times in any stretch of so many seconds."""

    name: str
    times: int
    seconds: float


WRONG_CREDENTIALS = Limit(name="wrong credentials", times=20, seconds=60)  # for each door and address
SESSIONS = Limit(name="sessions", times=120, seconds=60)  # for each address
OPENED = Limit(name="conversations", times=20, seconds=3600)  # for each visitor
MESSAGES = Limit(name="messages", times=10, seconds=10)  # for each visitor
FEEDBACK = Limit(name="ratings", times=30, seconds=60)  # for each visitor
FILES = Limit(name="files", times=60, seconds=600)  # for each visitor
HANDOFFS = Limit(name="handoffs", times=20, seconds=3600)  # for each visitor
TRIALS = Limit(name="questions tried out", times=120, seconds=60)  # for each organisation's console
API_CALLS = Limit(name="calls", times=250, seconds=1)  # for each API key
UPLOADS_OF_VISITOR = 3
STREAMS_OF_SESSION = 5
STREAMS_OF_ADDRESS = 50

Caller = tuple[str, ...]


class Limits:
    """Counts calls by caller."""

    def __init__(self) -> None:
        self._calls: dict[Caller, deque[float]] = {}
        self._horizons: dict[Caller, float] = {}
        self._held: dict[Caller, int] = {}

    def take(self, limit: Limit, *caller: str) -> None:
        """Count a call, or refuse it and say when the next one may come."""
        now = asyncio.get_running_loop().time()  # never goes back, and in a simulation it is the simulated time
        key = (limit.name, *caller)
        calls = self._calls.get(key)
        if calls is None:
            if len(self._calls) >= MOST_KEPT:
                self._forget(now)
            calls = self._calls[key] = deque()
        while calls and calls[0] <= now - limit.seconds:
            calls.popleft()
        if len(calls) >= limit.times:
            raise too_many(f"at most {limit.times} {limit.name} in {limit.seconds:g} s", calls[0] + limit.seconds - now)
        calls.append(now)
        self._horizons[key] = now + limit.seconds

    def refused(self, scope: Scope, problem: Problem, door: str) -> Problem:
        """Give the answer to a refused call: after too many wrong credentials from one address, to come back later."""
        if problem.status != 401:
            return problem
        try:
            self.take(WRONG_CREDENTIALS, door, address(scope))
        except Problem as later:
            return later
        return problem

    @contextmanager
    def hold(self, most: int, what: str, *caller: str) -> Iterator[None]:
        """Let a caller keep at most so many things open at once, this one until the block ends."""
        key = (what, *caller)
        if self._held.get(key, 0) >= most:
            raise too_many(f"at most {most} {what} at once", 5)
        self._held[key] = self._held.get(key, 0) + 1
        try:
            yield
        finally:
            self._held[key] -= 1
            if not self._held[key]:
                del self._held[key]

    def _forget(self, now: float) -> None:
        """Forget who has been quiet; where nobody has, the half that would be free again first."""
        by_horizon = sorted(self._horizons, key=self._horizons.__getitem__)
        quiet = sum(1 for horizon in self._horizons.values() if horizon <= now)
        for key in by_horizon[: max(quiet, len(by_horizon) // 2)]:
            del self._horizons[key]
            self._calls.pop(key, None)


def too_many(detail: str, seconds: float) -> Problem:
    """Refuse with the number of seconds after which the caller may come again."""
    wait = str(max(1, math.ceil(seconds))).encode()
    return Problem("rate-limited", detail, headers=((b"retry-after", wait),))


def address(scope: Scope) -> str:
    """Give the caller's network address; the server has already put a trusted proxy's client in its place."""
    client = scope.get("client")
    if not client:
        return "unknown"
    try:
        found = ip_address(client[0])
    except ValueError:
        return str(client[0])[:64]
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(IPv6Network((int(found) & ~((1 << (128 - IPV6_SITE)) - 1), IPV6_SITE)))
    return str(found)
