"""The page beside a ticket in Zendesk's agent workspace, drawn here and framed by that account's Zendesk alone.

Zendesk opens it with a signed request that says which installation asks, but not beside which ticket: only the browser
knows that. So the signed request is answered with an empty page and a pass; the page asks Zendesk's frame for the
ticket's number and goes on to the ticket's own address. Whatever is wrong with a token or a pass gets the same answer,
and so does every ticket that is not this organisation's.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from escalade.channels.base import ChannelName, LinkKind
from escalade.domain.errors import NotFound, Rejected, Unavailable, Unverified
from escalade.domain.model import Millis, OrganisationId
from escalade.domain.organisation import Organisation
from escalade.services.ports import Ports
from escalade.settings import Settings
from escalade.store import conversations, links, messages, organisations
from escalade.store.database import Database, Tx
from escalade.store.vault import Vault
from escalade.web.console import forms, words
from escalade.web.console.pages import ago, stamp
from escalade.web.limits import Limits
from escalade.web.sidebar.passes import Passes
from escalade.web.sidebar.story import MOST, Story, tell
from escalade.web.wire import PROBLEM, Problem, rejected, unauthorized, unavailable

BASE = "/zendesk/app"
PAGE = BASE + "/{organisation}"
TEMPLATES = Path(__file__).parent.parent / "templates" / "sidebar"
# Zendesk's own script, from Zendesk: it may not be handed on.
SDK_HOST, SDK_PATH = "https://static.zdassets.com", "/zendesk_app_framework_sdk/2.0/zaf_sdk.min.js"
TICKET = re.compile(r"[0-9]{1,18}\Z")

Verify = Callable[[str, Organisation, Millis], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts of the product the page stands on."""

    settings: Settings
    database: Database
    ports: Ports
    vault: Vault
    limits: Limits
    verify: Verify


def is_for_sidebar(path: str) -> bool:
    """Say whether an address is the sidebar's."""
    return path.startswith(BASE + "/")


def build(parts: Parts) -> Starlette:
    """Build the application."""
    sidebar = Sidebar(parts)
    app = Starlette(
        routes=[
            Route(PAGE, sidebar.open, methods=["POST"]),
            Route(PAGE, sidebar.unsigned, methods=["GET"]),
            Route(PAGE + "/tickets/{ticket}", sidebar.show, methods=["GET"]),
        ]
    )
    for kind in (Problem, Rejected, Unavailable, HTTPException):
        app.add_exception_handler(kind, sidebar.refuse)
    return app


class Sidebar:
    """The page's handlers."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        secure = parts.settings.public_url.startswith("https://")
        self._passes = Passes(parts.vault, parts.ports.random_bytes, secure=secure)
        self._templates = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters.update(stamp=stamp, ago=ago)
        self._templates.globals.update(words=words)

    async def open(self, request: Request) -> Response:
        """Take Zendesk's signed request: give the page that finds out which ticket it stands beside, and a pass."""
        form = await forms.read(request)
        found = await self._organisation(request)
        now = self._parts.ports.wall()
        if found is None:
            raise unauthorized()
        self._parts.verify(form.text("token"), found, now)
        if request.query_params.get("origin", _desk(found)) != _desk(found):
            raise unauthorized()
        path = f"{BASE}/{quote(found.id, safe='')}"
        page = self._draw("open.html", found, base=path)
        page.headers["set-cookie"] = self._passes.made(found.id, path, now)
        return page

    async def unsigned(self, _request: Request) -> Response:
        """Refuse to open without Zendesk's signed request."""
        raise unauthorized()

    async def show(self, request: Request) -> Response:
        """Show what we know of a ticket of this organisation's."""
        found, now = await self._organisation(request), self._parts.ports.wall()
        sealed = request.cookies.get(self._passes.cookie, "")
        if found is None or not self._passes.is_good(sealed, found.id, now):
            raise unauthorized()
        request.state.organisation = found  # from here on also a refusal is shown to its Zendesk
        ticket = request.path_params["ticket"]
        story = await self._parts.database.read(lambda tx: _story(tx, found.id, ticket))
        if story is None:
            raise NotFound("This ticket did not come from the assistant.")
        console = f"{self._parts.settings.public_url}/console"
        return self._draw("ticket.html", found, story=story, ticket=ticket, now=now, console=console)

    async def _organisation(self, request: Request) -> Organisation | None:
        """Give the organisation of the address, if it has the app; another is none."""
        id = OrganisationId(request.path_params["organisation"])
        found = await self._parts.database.read(lambda tx: organisations.load(tx, id))
        return found if found is not None and found.settings.sidebar.is_set_up and _desk(found) else None

    def _draw(
        self, template: str, organisation: Organisation | None, *, status: int = 200, **context: object
    ) -> Response:
        desk = _desk(organisation) if organisation is not None else ""
        sdk = SDK_HOST if organisation is None or organisation.settings.zendesk.base_url is None else desk
        page = self._templates.get_template(template).render(sdk=sdk + SDK_PATH, **context)
        return HTMLResponse(page, status, headers=_headers(desk or "https://*.zendesk.com", sdk))

    async def refuse(self, request: Request, error: Exception) -> Response:
        """Say no: to an agent in a sentence, to a program as a problem."""
        match error:
            case Problem():
                problem = error
            case Unverified():
                problem = unauthorized()
            case Rejected():
                problem = rejected(error)
            case Unavailable():
                problem = unavailable(3)
            case _:
                kind = {404: "not-found", 405: "method-not-allowed"}.get(
                    getattr(error, "status_code", 400), "malformed-request"
                )
                problem = Problem(kind)
        problem = self._parts.limits.refused(request.scope, problem, "sidebar")
        headers = {name.decode(): value.decode() for name, value in problem.headers}
        if "text/html" in request.headers.get("accept", ""):
            found = getattr(request.state, "organisation", None)
            page = self._draw("refusal.html", found, status=problem.status, problem=problem)
            page.headers.update(headers)
            return page
        return JSONResponse(
            problem.body(),
            problem.status,
            headers=_headers("'none'", "") | headers,
            media_type=PROBLEM[1].decode(),
        )


def _story(tx: Tx, organisation: OrganisationId, ticket: str) -> Story | None:
    if not TICKET.match(ticket):
        return None
    place = links.place_of(tx, organisation, channel=ChannelName.ZENDESK, kind=LinkKind.TICKET, theirs=ticket)
    if place is None:
        return None
    found = conversations.load(tx, organisation, place.conversation, handoff=place.handoff)
    if found is None or found.handoff is None or found.customer.erased:
        return None
    asked = found.handoff.asked_seq
    before = messages.of(tx, organisation, found.id, after=max(0, asked - MOST), limit=min(asked, MOST))
    since = messages.of(tx, organisation, found.id, after=max(asked, found.last_seq - MOST), limit=MOST)
    return tell(found, found.handoff, before, since)


def _desk(organisation: Organisation) -> str:
    """Give the origin of the organisation's own Zendesk, the only one that may frame the page."""
    zendesk = organisation.settings.zendesk
    if zendesk.base_url is not None:
        parts = urlsplit(zendesk.base_url)
        return f"{parts.scheme}://{parts.netloc}"
    return f"https://{zendesk.subdomain}.zendesk.com" if zendesk.subdomain else ""


def _headers(framed_by: str, scripts: str) -> dict[str, str]:
    return {
        "content-security-policy": (
            f"default-src 'none'; script-src 'self' {scripts}; style-src 'self'; img-src 'self'; base-uri 'none';"
            f" form-action 'none'; frame-ancestors {framed_by}"
        ),
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "permissions-policy": "camera=(), geolocation=(), microphone=()",
        "cache-control": "no-store",
    }
