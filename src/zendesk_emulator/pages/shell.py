"""What every page shares: templates, the form it was sent, the agent in the cookie, and messages shown once.

A handler gets one `Visit` and answers with `show` or, after a POST, with `go`. What the desk or the account refuses
comes back to the page it was tried on, in the account's own words and with what had been typed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from zendesk_emulator.account import Account
from zendesk_emulator.emulator import Emulator
from zendesk_emulator.errors import DeskRefused, Refused, SunRefused
from zendesk_emulator.pages import words
from zendesk_emulator.pages.guard import Guard
from zendesk_emulator.records.people import User

AGENT_COOKIE = "zendesk_emulator_agent"
NOTICES_KEPT = 100
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """The fields of a sent form, in order; line breaks are single again, as they were typed."""

    fields: tuple[tuple[str, str], ...] = ()
    files: tuple[UploadFile, ...] = ()

    def text(self, name: str, default: str = "") -> str:
        """Read a field."""
        return next((value for key, value in self.fields if key == name), default)

    def all(self, name: str) -> list[str]:
        """Read every field of a name."""
        return [value for key, value in self.fields if key == name]

    def has(self, name: str) -> bool:
        """Tell whether a box was ticked or a button pressed."""
        return any(key == name for key, _ in self.fields)

    def number(self, name: str) -> int | None:
        """Read a whole number, or nothing."""
        digits = self.text(name).strip()
        return int(digits) if digits.isdecimal() else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something to tell the person once, after a redirect."""

    said: str = ""
    trouble: str = ""
    draft: Form = field(default_factory=Form)
    facts: dict[str, Any] = field(default_factory=dict)


QUIET = Notice()


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request to a page."""

    pages: Pages
    request: Request
    form: Form = field(default_factory=Form)
    notice: Notice = QUIET

    @property
    def emulator(self) -> Emulator:
        """Give the emulator visited."""
        return self.pages.emulator

    @property
    def account(self) -> Account:
        """Give the account visited."""
        return self.pages.emulator.account

    @property
    def agent(self) -> User:
        """Give the agent this browser chose to be, or the first one who is online."""
        number = self.request.cookies.get(AGENT_COOKIE, "")
        known = number.isascii() and number.isdigit()
        chosen = self.account.records.users.get(int(number)) if known else None
        return chosen if chosen and chosen.is_staff else self.emulator.desk.agent()

    @property
    def admin(self) -> User:
        """Give the administrator in whose name the admin pages act."""
        return next(user for user in self.account.agents() if user.role == "admin")

    def number(self, name: str) -> int:
        """Read an integer of the path."""
        return int(self.request.path_params[name])

    def word(self, name: str) -> str:
        """Read a word of the path."""
        return str(self.request.path_params[name])

    def query(self, name: str, default: str = "") -> str:
        """Read a query parameter."""
        return self.request.query_params.get(name, default)

    def show(self, template: str, *, status: int = 200, **values: Any) -> Response:
        """Answer with a page."""
        return self.pages.render(self, template, status, values)

    def go(self, path: str, *, said: str = "", trouble: str = "", draft: Form | None = None, **facts: Any) -> Response:
        """Answer with a redirect, and something to say on the next page."""
        if said or trouble or facts:
            number = self.pages.keep(Notice(said=said, trouble=trouble, draft=draft or Form(), facts=facts))
            path = f"{path}{'&' if '?' in path else '?'}notice={number}"
        return RedirectResponse(path, 303, headers=HEADERS)


Handler = Callable[[Visit], Awaitable[Response]]


class Pages:
    """The pages of one emulator."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.guard = Guard(emulator)
        self._notices: dict[int, Notice] = {}
        self._last = 0
        self._templates = Environment(
            loader=PackageLoader("zendesk_emulator.pages"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= words.FILTERS
        self._templates.globals |= words.GLOBALS

    def get(self, path: str, handler: Handler) -> Route:
        """Make the route of a page."""

        async def endpoint(request: Request) -> Response:
            visit = Visit(pages=self, request=request, notice=self._take(request))
            if not self.guard.is_open(request):
                return visit.show("sign_in.html", status=401)
            try:
                return await handler(visit)
            except (DeskRefused, Refused, SunRefused) as error:
                sentence = words.sentence(error)
                return visit.show("problem.html", status=404, title="Not found", sentence=sentence)

        return Route(path, endpoint, methods=["GET"])

    def post(self, path: str, handler: Handler, *, back: str, open_to_strangers: bool = False) -> Route:
        """Make the route of a form; a refusal goes `back`, where path parameters are filled in."""

        async def endpoint(request: Request) -> Response:
            visit = Visit(pages=self, request=request)
            if not self.guard.is_own(request):
                sentence = "This form was not sent by one of the emulator's own pages."
                return visit.show("problem.html", status=403, title="Not from here", sentence=sentence)
            if not open_to_strangers and not self.guard.is_open(request):
                return visit.show("sign_in.html", status=401)
            async with request.form() as sent:
                visit = Visit(pages=self, request=request, form=_read(list(sent.multi_items())))
                try:
                    return await handler(visit)
                except (DeskRefused, Refused, SunRefused) as error:
                    target = back.format(**request.path_params)
                    return visit.go(target, trouble=words.sentence(error), draft=visit.form)

        return Route(path, endpoint, methods=["POST"])

    def keep(self, notice: Notice) -> int:
        """Remember a message until it has been shown."""
        self._last += 1
        self._notices[self._last] = notice
        for number in list(self._notices)[:-NOTICES_KEPT]:
            del self._notices[number]
        return self._last

    def render(self, visit: Visit, template: str, status: int, values: dict[str, Any]) -> Response:
        """Fill a template."""
        page = self._templates.get_template(template).render(
            account=visit.account, visit=visit, me=visit.agent, path=visit.request.url.path, **values
        )
        return HTMLResponse(page, status, headers=HEADERS)

    def _take(self, request: Request) -> Notice:
        number = request.query_params.get("notice", "")
        return self._notices.pop(int(number), QUIET) if number.isascii() and number.isdigit() else QUIET


def _read(items: list[tuple[str, str | UploadFile]]) -> Form:
    """Sort fields from files; a browser sends CRLF for every line break of a text area."""
    fields = tuple((key, value.replace("\r\n", "\n")) for key, value in items if isinstance(value, str))
    files = tuple(value for _, value in items if isinstance(value, UploadFile) and value.filename)
    return Form(fields=fields, files=files)
