"""The console as one small application: its routes, and every refusal as a page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from escalade.domain.errors import Rejected, Unavailable
from escalade.web.console import (
    behaviour,
    conversations,
    desk_app,
    gaps,
    hindsight,
    knowledge,
    ledger,
    places,
    playground,
)
from escalade.web.console.checklist import Checklist
from escalade.web.console.checks import Checks
from escalade.web.console.connection import Connection
from escalade.web.console.escalate import Escalate
from escalade.web.console.gate import Denied, Gate, Right, Visit
from escalade.web.console.home import Home
from escalade.web.console.live import Live
from escalade.web.console.names import Catalogue
from escalade.web.console.pages import HEADERS, Pages
from escalade.web.console.parts import Parts
from escalade.web.console.sign_in import SignIn
from escalade.web.console.tickets import Tickets
from escalade.web.console.webhook import Webhook
from escalade.web.wire import Problem, rejected

Endpoint = Callable[[Request], Awaitable[Response]]
BASE = "/console"


def is_for_console(path: str) -> bool:
    """Say whether an address is the console's."""
    return path in {"/", BASE} or path.startswith(BASE + "/")


def build(parts: Parts) -> Starlette:
    """Build the console."""
    pages = Pages()
    gate = Gate(parts, pages)
    app = Starlette(routes=_routes(parts, pages, gate))
    _add_refusals(app, pages)
    return app


def _routes(parts: Parts, pages: Pages, gate: Gate) -> list[Route]:
    checks, catalogue = Checks(), Catalogue(parts)
    checklist = Checklist(checks)
    sign_in, home, webhook = SignIn(parts, pages, gate), Home(checklist), Webhook()
    escalate, connection = Escalate(checklist), Connection(checks, catalogue)
    tickets, live = Tickets(catalogue), Live(checks)

    async def root(_request: Request) -> Response:
        return RedirectResponse(BASE, status_code=303, headers=HEADERS)

    def get(path: str, endpoint: Endpoint) -> Route:
        return Route(BASE + path, endpoint, methods=["GET"])

    def post(path: str, endpoint: Endpoint) -> Route:
        return Route(BASE + path, endpoint, methods=["POST"])

    return [
        Route("/", root, methods=["GET"]),
        Route(BASE + "/", root, methods=["GET"]),
        get("", gate.page(home.show)),
        get("/sign-in", sign_in.show),
        post("/sign-in", sign_in.enter),
        post("/sign-out", gate.act(sign_in.leave, Right.LOOK)),
        get("/conversations", gate.page(conversations.show, Right.READ)),
        get("/conversations.csv", gate.page(conversations.export, Right.READ)),
        get("/conversations/{id}", gate.page(conversations.story, Right.READ)),
        get("/conversations/{id}/raw.json", gate.page(conversations.raw, Right.READ)),
        get("/conversations/{id}/files/{file}", gate.page(conversations.download, Right.READ)),
        get("/deliveries", gate.page(ledger.show)),
        get("/deliveries.csv", gate.page(ledger.export)),
        post("/deliveries/{id:int}/resend", gate.act(ledger.resend, Right.OPERATE)),
        post("/deliveries/{id:int}/skip", gate.act(ledger.skip, Right.OPERATE)),
        get("/escalate", gate.page(escalate.show)),
        post("/escalate", gate.act(escalate.save)),
        get("/escalate/connection", gate.page(connection.show)),
        post("/escalate/connection", gate.act(connection.save)),
        post("/escalate/connection/test", gate.act(connection.test)),
        post("/escalate/connection/disconnect", gate.act(connection.disconnect)),
        get("/escalate/tickets", gate.page(tickets.show)),
        post("/escalate/tickets", gate.act(tickets.save)),
        post("/escalate/tickets/preview", gate.act(tickets.preview)),
        post("/escalate/tickets/refresh", gate.act(tickets.refresh)),
        get("/escalate/live", gate.page(live.show)),
        post("/escalate/live", gate.act(live.save)),
        post("/escalate/live/test", gate.act(live.test)),
        get("/escalate/webhook", gate.page(webhook.show)),
        post("/escalate/webhook/rotate", gate.act(webhook.rotate, Right.OPERATE)),
        post("/escalate/webhook/signing", gate.act(webhook.sign, Right.OPERATE)),
        get("/escalate/session-end", gate.page(webhook.session_end)),
        get("/escalate/app", gate.page(desk_app.show)),
        post("/escalate/app", gate.act(desk_app.save)),
        get("/escalate/app/package.zip", gate.page(desk_app.download)),
        get("/knowledge", gate.page(knowledge.show)),
        post("/knowledge", gate.act(knowledge.add)),
        post("/knowledge/{id}/sync", gate.act(knowledge.sync)),
        get("/assistant", gate.page(behaviour.show)),
        post("/assistant", gate.act(behaviour.save)),
        get("/hindsight", gate.page(hindsight.show, Right.READ)),
        post("/hindsight", gate.act(hindsight.look, Right.READ)),
        get("/gaps", gate.page(gaps.show, Right.READ)),
        get("/playground", gate.page(playground.show)),
        post("/playground", gate.act(playground.ask, Right.LOOK)),
        get("/widget", gate.page(places.widget)),
        post("/widget", gate.act(places.save_widget)),
        get("/settings", gate.page(places.settings)),
        post("/settings/api-key", gate.act(places.rotate_key, Right.OPERATE)),
        get("/settings/audit", gate.page(places.audit)),
    ]


REFUSALS = {
    403: ("Not allowed", "You may not do this."),
    404: ("Not here", "There is nothing at this address, or it is not your organisation's."),
    405: ("Not that way", "This address does not take that method."),
    429: ("Too many tries", "Wait a minute and try again."),
    503: ("Not available right now", "The database cannot take this at the moment. Try again in a few seconds."),
}


def _add_refusals(app: Starlette, pages: Pages) -> None:
    """Answer every refusal with a page that says what to do next."""

    def refuse(status: int, detail: str = "", visit: Visit | None = None) -> Response:
        title, otherwise = REFUSALS.get(status, ("This did not work", "Go back and try again."))
        context = {"title": title, "detail": detail or otherwise, "number": status}
        if visit is not None:
            return visit.show("refusal.html", status=status, **context)
        return pages.draw("refusal_outside.html", context, status=status)

    async def denied(_request: Request, error: Exception) -> Response:
        assert isinstance(error, Denied)
        return refuse(403, error.detail, error.visit)

    async def problem(_request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        page = refuse(error.status, error.detail)
        page.headers.update({name.decode(): value.decode() for name, value in error.headers})
        return page

    async def turned_down(_request: Request, error: Exception) -> Response:
        assert isinstance(error, Rejected)
        return refuse(rejected(error).status, error.detail)

    async def unavailable(_request: Request, _error: Exception) -> Response:
        return refuse(503)

    async def http(_request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return refuse(error.status_code)

    async def broken(_request: Request, _error: Exception) -> Response:
        # The framework raises it again, for whoever serves to log.
        return refuse(500, "Something went wrong here. It is in the log of the server.")

    app.add_exception_handler(Denied, denied)
    app.add_exception_handler(Problem, problem)
    app.add_exception_handler(Rejected, turned_down)
    app.add_exception_handler(Unavailable, unavailable)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, broken)
