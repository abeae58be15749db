"""The agent desk: who you are, whether you take chats, who is waiting, and the tickets in five views."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from zendesk_emulator.pages.shell import AGENT_COOKIE, Pages, Visit
from zendesk_emulator.records.people import User
from zendesk_emulator.records.tickets import Ticket

Fits = Callable[[Ticket, User], bool]

VIEWS: Mapping[str, tuple[str, Fits]] = {
    "queue": ("Queue", lambda ticket, _: ticket.assignee_id is None and not _is_done(ticket)),
    "mine": ("Mine", lambda ticket, me: ticket.assignee_id == me.id and not _is_done(ticket)),
    "open": ("Open", lambda ticket, _: ticket.status in ("new", "open", "pending", "hold")),
    "solved": ("Solved", lambda ticket, _: _is_done(ticket)),
    "all": ("All", lambda _ticket, _me: True),
}


def routes(pages: Pages) -> Sequence[BaseRoute]:
    """Give the routes of the desk."""
    return [
        pages.get("/desk", _desk),
        pages.post("/desk/agent", _be, back="/desk"),
        pages.post("/desk/availability", _availability, back="/desk"),
        pages.get("/agent/tickets/{ticket_id:int}", _as_linked),
    ]


def _is_done(ticket: Ticket) -> bool:
    return ticket.status == "solved" or ticket.is_over


def is_waiting(ticket: Ticket) -> bool:
    """Tell whether a live chat waits for somebody to accept it."""
    return ticket.is_messaging and ticket.assignee_id is None and ticket.session != "ended" and not _is_done(ticket)


async def _desk(visit: Visit) -> Response:
    view = visit.query("view", "queue")
    view = view if view in VIEWS else "queue"
    tickets = sorted(visit.account.records.tickets.values(), key=lambda ticket: ticket.updated_at, reverse=True)
    me = visit.agent
    views = [(name, label, [ticket for ticket in tickets if fits(ticket, me)]) for name, (label, fits) in VIEWS.items()]
    return visit.show(
        "desk.html",
        view=view,
        views=views,
        shown=next(found for name, _, found in views if name == view),
        label=VIEWS[view][0],
        waiting=[ticket for ticket in reversed(tickets) if is_waiting(ticket)],
        last_words={ticket.id: _last_words(visit, ticket) for ticket in tickets if is_waiting(ticket)},
        unread=sum(ticket.unread for ticket in tickets if ticket.assignee_id in (None, me.id)),
        sessions=len(visit.account.sessions_of(me.id)),
    )


def _last_words(visit: Visit, ticket: Ticket) -> str:
    conversation = visit.account.conversation_of(ticket)
    said = [message for message in conversation.messages if message.author["type"] == "user"] if conversation else []
    return str(said[-1].content.get("text") or said[-1].content.get("altText") or "") if said else ""


async def _be(visit: Visit) -> Response:
    """Become another agent, in this browser."""
    agent = visit.emulator.desk.agent(visit.form.text("agent"))
    answer = RedirectResponse(_back(visit), 303)
    answer.set_cookie(AGENT_COOKIE, str(agent.id), httponly=True, samesite="lax", path="/")
    return answer


async def _availability(visit: Visit) -> Response:
    visit.emulator.desk.set_messaging(visit.agent, visit.form.text("state"))
    return visit.go(_back(visit))


async def _as_linked(visit: Visit) -> Response:
    """Follow the address Zendesk's placeholders write."""
    return visit.go(f"/desk/tickets/{visit.number('ticket_id')}")


def _back(visit: Visit) -> str:
    """Stay where the switch was pressed."""
    path = visit.form.text("back")
    return path if path.startswith("/desk") else "/desk"
