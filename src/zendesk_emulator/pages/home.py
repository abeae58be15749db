"""The first page: what this is, every address and credential one needs, and something to try it with."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response
from starlette.routing import BaseRoute

from zendesk_emulator.pages.shell import Pages, Visit
from zendesk_emulator.switchboard import AGENTS

SAMPLE_MESSAGES = ("Hello, my invoice shows the wrong address.", "Can somebody help me, please?")


def routes(pages: Pages) -> Sequence[BaseRoute]:
    """Give the routes of the first page."""
    return [
        pages.get("/", _home),
        pages.post("/sample/chat", _sample_chat, back="/"),
        pages.post("/sample/ticket", _sample_ticket, back="/"),
        pages.post("/reset", _reset, back="/"),
    ]


async def _home(visit: Visit) -> Response:
    records = visit.account.records
    counters = (
        ("Tickets", len(records.tickets), "/desk?view=all"),
        ("Live chats", sum(ticket.session == "active" for ticket in records.tickets.values()), "/desk?view=all"),
        ("Webhooks", len(records.webhooks), "/admin/webhooks"),
        ("Triggers", len(records.triggers), "/admin/triggers"),
        ("Requests logged", len(visit.emulator.log.entries), "/admin/requests"),
        ("Faults on", len(visit.emulator.faults.rules), "/admin/faults"),
    )
    return visit.show("home.html", counters=counters, seed=visit.emulator.seed)


async def _sample_chat(visit: Visit) -> Response:
    """Let an invented customer start a live chat, as a Sunshine client would."""
    conversations = visit.emulator.conversations
    user = conversations.create_user({"profile": {"givenName": "Sam", "surname": "Sample"}})
    conversation = conversations.create({"type": "personal", "participants": [{"userId": user.id}]})
    seat = visit.account.seat_of_type(AGENTS)
    visit.emulator.switchboard.pass_control(
        conversation, seat.id, {"dataCapture.systemField.subject": "Wrong address on my invoice"}
    )
    for text in SAMPLE_MESSAGES:
        author = {"type": "user", "userId": user.id}
        conversations.post(conversation, {"author": author, "content": {"type": "text", "text": text}})
    return visit.go("/desk", said="Sam Sample is waiting in the queue.")


async def _sample_ticket(visit: Visit) -> Response:
    """Let an invented customer open a ticket, as an API client would."""
    fields = {
        "subject": "Refund for order 1047",
        "comment": {"body": "I returned the parcel two weeks ago.\n\nWhen will I see the money?"},
        "requester": {"name": "Robin Example", "email": "robin@customer.example"},
        "tags": ["refund"],
    }
    ticket, _ = visit.emulator.tickets.create(fields, actor=visit.admin)
    return visit.go(f"/desk/tickets/{ticket.id}", said=f"Ticket #{ticket.id} is here.")


async def _reset(visit: Visit) -> Response:
    visit.emulator.reset()
    return visit.go("/", said="Everything is as it was at the start; credentials stay the same.")
