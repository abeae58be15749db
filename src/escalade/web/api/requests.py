"""A request to the developer API: read strictly, let in by its key, known again by its `Idempotency-Key`."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from escalade.channels import strict_json
from escalade.domain.model import OrganisationId
from escalade.web.wire import BODY_SECONDS, Problem, late

BODY_LIMIT = 256 * 1024

Entrance = Callable[[Request], Awaitable[OrganisationId]]  # says who calls, or refuses


class StrictRoute(APIRoute):
    """Read every body by the strict JSON profile, so that no two parsers can disagree about it."""

    def get_route_handler(self) -> Any:
        """Give the handler a request that reads strictly."""
        handler = super().get_route_handler()

        async def strictly(request: Request) -> Response:
            strict = _StrictRequest(request.scope, request.receive)
            if await strict.body():
                await strict.json()  # read here, where what is wrong with it can still be said
            answer: Response = await handler(strict)
            return answer

        return strictly


class _StrictRequest(Request):
    async def body(self) -> bytes:
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await super().body()
        except TimeoutError as error:
            raise late() from error
        if len(body) > BODY_LIMIT:
            raise Problem("too-large", f"at most {BODY_LIMIT} bytes")
        return body

    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            self._json = strict_json.parse(await self.body())
        return self._json


def from_key(request: Request) -> str | None:
    """Make an id out of an `Idempotency-Key`, so that a repetition finds the same thing."""
    key = request.headers.get("idempotency-key")
    return None if not key else "key-" + hashlib.sha256(key.encode()).hexdigest()[:32]
