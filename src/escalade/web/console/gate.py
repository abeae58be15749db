"""Who may use the console: a session cookie, a token in every form, and forms from our own pages only."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from escalade.domain.errors import Rejected
from escalade.domain.model import Millis
from escalade.domain.organisation import Organisation
from escalade.store import audit, doors, operators, organisations
from escalade.store.database import Tx
from escalade.store.doors import Door
from escalade.store.operators import ConsoleSession, Operator
from escalade.web.console import forms
from escalade.web.console.forms import Form
from escalade.web.console.pages import HEADERS, Pages
from escalade.web.console.parts import Parts
from escalade.web.wire import TITLES, rejected

SIGN_IN = "/console/sign-in"
SESSION_S = 12 * 3600
MOST_NOTES = 1_000


class Right(StrEnum):
    """Name what a role may do."""

    LOOK = "look"
    READ = "read"  # what customers wrote
    OPERATE = "operate"  # deliveries, webhook, API keys
    CHANGE = "change"  # settings


RIGHTS: dict[str, frozenset[Right]] = {
    "owner": frozenset(Right),
    "admin": frozenset(Right),
    "developer": frozenset({Right.LOOK, Right.OPERATE}),
    "viewer": frozenset({Right.LOOK, Right.READ}),
}


class Denied(Exception):
    """Refuse a signed-in operator, or a form that is not from our own pages; the detail is shown."""

    def __init__(self, detail: str, visit: Visit | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.visit = visit


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What came of the last form, shown once. `secret` is held in memory until then and nowhere else."""

    tone: str
    title: str
    text: str = ""
    answer: str = ""  # Zendesk's own
    secret: str = ""


class Notes:
    """Notes waiting for the page a form leads to."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], Note] = {}

    def leave(self, session: str, path: str, note: Note) -> None:
        """Keep a note for one page of one session."""
        if len(self._kept) >= MOST_NOTES:
            self._kept.pop(next(iter(self._kept)))
        self._kept[session, path] = note

    def take(self, session: str, path: str) -> Note | None:
        """Give a note once."""
        return self._kept.pop((session, path), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request of a signed-in operator."""

    request: Request
    operator: Operator
    organisation: Organisation
    session: str  # the digest of the cookie's token
    csrf: str
    now: Millis
    pages: Pages
    parts: Parts
    notes: Notes
    form: Form = field(default_factory=Form)
    unreadable: tuple[str, ...] = ()  # stored secrets that do not open
    doors: tuple[Door, ...] = ()  # to Zendesk, those that are shut

    def may(self, right: Right | str) -> bool:
        """Say whether the operator's role includes a right."""
        return right in RIGHTS.get(self.operator.role, {Right.LOOK})

    def asked(self, name: str) -> str:
        """Give a value of the address's query."""
        return self.request.query_params.get(name, "").replace("\0", "").strip()[:200]

    def number(self, name: str, otherwise: int = 1) -> int:
        """Give a number of the address's query."""
        value = self.asked(name)
        return int(value) if value.isascii() and value.isdigit() and len(value) < 9 else otherwise

    def show(self, template: str, *, status: int = 200, **context: Any) -> Response:
        """Draw a page for this visit."""
        settings = self.parts.settings
        refreshes = "x-console-refresh" in self.request.headers
        note = None if refreshes else self.notes.take(self.session, self.request.url.path)
        shown = {
            "visit": self,
            "operator": self.operator,
            "organisation": self.organisation,
            "csrf": self.csrf,
            "may_change": self.may(Right.CHANGE),
            "may_operate": self.may(Right.OPERATE),
            "may_read": self.may(Right.READ),
            "now": self.now,
            "note": note,
            "errors": {},
            "deployment": settings,
            **context,
        }
        return self.pages.draw(template, shown, status=status)

    def back(self, path: str, note: Note | None = None) -> Response:
        """Go on to a page after a form, with a note on it."""
        if note is not None:
            self.notes.leave(self.session, path, note)
        return RedirectResponse(path, status_code=303, headers=HEADERS)

    def audit(self, tx: Tx, what: str, detail: Any = "") -> None:
        """Write down who did this."""
        audit.record(tx, self.organisation.id, self.operator.email, what, detail, self.now)


Handler = Callable[[Visit], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


class Gate:
    """Lets operators in and everyone else know where to go."""

    def __init__(self, parts: Parts, pages: Pages) -> None:
        self._parts = parts
        self._pages = pages
        self.notes = Notes()
        public = urlsplit(parts.settings.public_url)
        self._origin = f"{public.scheme}://{public.netloc}".lower()
        self.is_secure = public.scheme == "https"
        # The prefix makes browsers refuse the cookie from any other host or without TLS.
        self.cookie = "__Host-escalade" if self.is_secure else "escalade_console"

    def page(self, handler: Handler, needs: Right = Right.LOOK) -> Endpoint:
        """Make an endpoint that shows something."""

        async def endpoint(request: Request) -> Response:
            visit = await self._visit(request, Form())
            if visit is None:
                return RedirectResponse(SIGN_IN, status_code=303, headers=HEADERS)
            self._require(visit, needs)
            return await _turned_down(handler, visit)

        return endpoint

    def act(self, handler: Handler, needs: Right = Right.CHANGE) -> Endpoint:
        """Make an endpoint that changes something."""

        async def endpoint(request: Request) -> Response:
            self.check_origin(request)
            form = await forms.read(request)
            visit = await self._visit(request, form)
            if visit is None:
                return RedirectResponse(SIGN_IN, status_code=303, headers=HEADERS)
            if not hmac.compare_digest(form.text("csrf").encode(), visit.csrf.encode()):
                raise Denied("This form is not from this session. Go back, reload the page and try again.", visit)
            self._require(visit, needs)
            return await _turned_down(handler, visit)

        return endpoint

    def check_origin(self, request: Request) -> None:
        """Refuse what another site's page posts; a client that sends no origin still needs the form's token."""
        origin = request.headers.get("origin")
        site = request.headers.get("sec-fetch-site", "same-origin")
        own = origin is None or origin.lower() == self._origin or self._is_own_host(request, origin)
        if not own or site not in {"same-origin", "none"}:
            raise Denied("This form was posted from another site, so nothing was changed.")

    def _is_own_host(self, request: Request, origin: str) -> bool:
        """Let the console be used by another of its names; the cookie is the name's own."""
        return not self.is_secure and urlsplit(origin).netloc == request.headers.get("host", "")

    def _require(self, visit: Visit, needs: Right) -> None:
        if not visit.may(needs):
            raise Denied(f"Your role, {visit.operator.role}, does not include this. An owner can change it.", visit)

    async def _visit(self, request: Request, form: Form) -> Visit | None:
        """Say who is asking, or that nobody is signed in."""
        token = request.cookies.get(self.cookie, "")
        if not token:
            return None
        now = self._parts.ports.wall()

        def read(tx: Tx) -> tuple[ConsoleSession, Organisation, tuple[str, ...], tuple[Door, ...]] | None:
            session = operators.session(tx, token, now)
            found = None if session is None else organisations.load(tx, session.operator.organisation)
            if session is None or found is None:
                return None
            shut = tuple(doors.of(tx, found.id).values())
            return session, found, self._parts.accounts.unreadable(tx, found.id), shut

        known = await self._parts.database.read(read)
        if known is None:
            return None
        session, organisation, unreadable, shut = known
        return Visit(
            request=request,
            operator=session.operator,
            organisation=organisation,
            session=organisations.digest(token),
            csrf=session.csrf,
            now=now,
            pages=self._pages,
            parts=self._parts,
            notes=self.notes,
            form=form,
            unreadable=unreadable,
            doors=shut,
        )

    async def is_signed_in(self, request: Request) -> bool:
        """Say whether this browser has a session."""
        return await self._visit(request, Form()) is not None


async def _turned_down(handler: Handler, visit: Visit) -> Response:
    """Answer, and show what the services reject as a page of the console."""
    try:
        return await handler(visit)
    except Rejected as error:
        problem = rejected(error)
        return visit.show(
            "refusal.html",
            status=problem.status,
            title=TITLES[problem.kind][1],
            detail=error.detail,
            number=problem.status,
        )
