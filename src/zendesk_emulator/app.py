"""Build the ASGI app of an emulator: the APIs behind the front, the control API and pages beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from zendesk_emulator import (
    apps,
    control,
    help_center,
    oauth,
    sunshine,
    sunshine_setup,
    support,
    support_setup,
    webhooks_api,
)
from zendesk_emulator.emulator import Emulator
from zendesk_emulator.errors import DeskRefused, Refused, SunRefused
from zendesk_emulator.front import Front
from zendesk_emulator.pages import rooms as pages

Rooms = Callable[[Emulator], Sequence[BaseRoute]]

ROOMS: tuple[Rooms, ...] = (
    oauth.routes,
    support.routes,
    support_setup.routes,
    webhooks_api.routes,
    help_center.routes,
    apps.routes,
    sunshine.routes,
    sunshine_setup.routes,
    control.routes,
    pages.routes,
)


def build(emulator: Emulator, *rooms: Rooms) -> ASGIApp:
    """Build the app; `rooms` add further routes, such as the agent desk's pages."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await emulator.close()

    inner = Starlette(
        routes=[route for room in (*ROOMS, *rooms) for route in room(emulator)],
        exception_handlers={
            Refused: _refused,
            SunRefused: _sun_refused,
            DeskRefused: _desk_refused,
            ValueError: _unreadable,
            TypeError: _unreadable,
            KeyError: _unreadable,
            404: _nothing_here,
        },
        lifespan=lifespan,
    )
    return Front(emulator, inner)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return JSONResponse(error.body, error.status, headers=error.headers)


async def _sun_refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, SunRefused)
    return JSONResponse({"errors": [{"code": error.code, "title": error.title}]}, error.status)


async def _desk_refused(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 409)


async def _unreadable(request: Request, error: Exception) -> Response:
    """Answer 400 for values no rule foresaw, such as a word where a number belongs."""
    title = f"{type(error).__name__}: {error}"
    if request.url.path.startswith("/sc/"):
        return JSONResponse({"errors": [{"code": "bad_request", "title": title}]}, 400)
    if request.url.path.startswith("/api/"):
        return JSONResponse({"error": "InvalidValue", "description": title}, 400)
    raise error


async def _nothing_here(request: Request, _: Exception) -> Response:
    """Answer an unknown path in the words of the API it belongs to."""
    if request.url.path.startswith("/sc/"):
        return JSONResponse({"errors": [{"code": "not_found", "title": "No such path"}]}, 404)
    if request.url.path.startswith("/api/"):
        return JSONResponse({"error": "InvalidEndpoint", "description": "Not found"}, 404)
    return JSONResponse({"error": "not found"}, 404)
