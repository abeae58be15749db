"""Ask a site for one thing at a time, at the pace it wishes; what goes wrong is sorted for whoever reads on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from escalade import __version__
from escalade.channels import verdicts
from escalade.channels.http import Oversized, Request, Response, Transport
from escalade.channels.website.scope import same_site, spelt
from escalade.domain.errors import Refused, Retryable

AGENT = "escalade"  # the name by which `robots.txt` speaks to us
USER_AGENT = f"{AGENT}/{__version__} (reads help pages for a support assistant; heeds robots.txt)"
REDIRECTS = frozenset({301, 302, 303, 307, 308})
HOPS = 5
TRIES = 3
LONGEST_WAIT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What reading a site needs beside HTTP: a way to wait, and a clock in milliseconds."""

    sleep: Callable[[float], Awaitable[None]]
    now: Callable[[], int]


class Visitor:
    """Makes the requests of one reading, one after the other."""

    def __init__(self, transport: Transport, world: World, pace_s: float) -> None:
        self._transport = transport
        self._world = world
        self.pace_s = pace_s
        self._last: int | None = None

    async def get(self, address: str, *, limit: int, kinds: tuple[str, ...] = (), seconds: float = 20.0) -> Response:
        """Ask for an address; come again when asked to slow down, or when nobody answered.

        Raises `Refused` for what will not get better, `Retryable` for what may.
        """
        headers = {"User-Agent": USER_AGENT, "Accept": ", ".join(kinds) or "*/*"}
        request = Request(method="GET", url=address, headers=headers, limit=limit, seconds=seconds, kinds=kinds)
        for tries in range(1, TRIES + 1):
            await self._keep_pace()
            try:
                answer = await self._transport.send(request)
            except Retryable as error:
                if isinstance(error.__cause__, Oversized):
                    raise Refused(f"it is larger than {limit // 1_000_000} MB") from error
                if tries == TRIES:
                    raise
                await self._world.sleep(float(tries))
                continue
            finally:
                self._last = self._world.now()
            if answer.status not in (429, 500, 502, 503, 504):
                return answer
            if tries == TRIES:
                raise Retryable(f"the site answered {answer.status}", status=answer.status)
            await self._world.sleep(min(verdicts.wait(answer), LONGEST_WAIT_S) if answer.status == 429 else tries)
        raise AssertionError("unreachable")

    async def text(self, address: str, *, limit: int) -> str | None:
        """Give the text at an address, or nothing where there is none; a server in trouble is an error."""
        onward: str | None = address
        for _ in range(HOPS + 1):
            if onward is None or not same_site(address, onward):
                return None
            try:
                answer = await self.get(onward, limit=limit)
            except Refused:
                return None
            if answer.status not in REDIRECTS:
                return answer.body.decode("utf-8", "replace") if answer.status == 200 else None
            onward = spelt(answer.header("location") or "", onward)
        return None

    async def _keep_pace(self) -> None:
        if self._last is not None:
            rest = self.pace_s - (self._world.now() - self._last) / 1000
            if rest > 0:
                await self._world.sleep(rest)
