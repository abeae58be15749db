"""Name every page; each module brings its own routes."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from zendesk_emulator.emulator import Emulator
from zendesk_emulator.pages import apis, apps, business_rules, channels, desk, faults, home, hooks, requests, ticket
from zendesk_emulator.pages.guard import SIGN_IN
from zendesk_emulator.pages.shell import Pages, Visit


def routes(emulator: Emulator) -> Sequence[BaseRoute]:
    """Give the routes of all pages, and of the files they load."""
    pages = Pages(emulator)
    rooms = (home, desk, ticket, apis, apps, hooks, business_rules, channels, requests, faults)
    return [
        Mount("/pages/static", StaticFiles(packages=[("zendesk_emulator.pages", "static")])),
        pages.get("/pages/rings", _rings),
        pages.get(SIGN_IN, _sign_in),
        pages.post(SIGN_IN, _sign_in, back=SIGN_IN, open_to_strangers=True),
        *(route for room in rooms for route in room.routes(pages)),
        *(_nothing_here(pages, start) for start in ("desk", "admin", "agent", "hc")),
    ]


async def _rings(visit: Visit) -> Response:
    """Say how often anything has happened; the pages ask, and look again when it has grown."""
    return JSONResponse({"rings": visit.account.bell.rings}, headers={"Cache-Control": "no-store"})


async def _sign_in(visit: Visit) -> Response:
    if visit.request.method == "POST":
        return visit.pages.guard.admit(visit.request, visit.form.text("token"))
    return visit.go("/")


def _nothing_here(pages: Pages, start: str) -> Route:
    async def handler(visit: Visit) -> Response:
        return visit.show(
            "problem.html", status=404, title="Nothing here", sentence="There is no page at this address."
        )

    return pages.get(f"/{start}/{{rest:path}}", handler)
