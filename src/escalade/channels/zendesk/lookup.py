"""Find the ticket of a live conversation when no webhook has told us its number.

Nothing on Sunshine's side carries the ticket's id, but the ticket's audits name the conversation it began with.
https://developer.zendesk.com/api-reference/ticketing/tickets/ticket_audits/
"""

from __future__ import annotations

from escalade.channels.base import Account
from escalade.channels.zendesk import wire
from escalade.channels.zendesk.calls import Calls, beside, listed
from escalade.channels.zendesk.webhook import read_instant
from escalade.domain.model import Millis

NEWEST = "50"  # tickets looked through
MOST_AUDITS = 10  # each costs a call
BEFORE = 60_000  # their clock may be behind ours


async def ticket_of(calls: Calls, account: Account, conversation: str, since: Millis) -> str | None:
    """Give the ticket that began with a Sunshine conversation, among the newest since an instant."""
    newest = await calls.get(account, "/api/v2/tickets", {"sort": "-id", "page[size]": NEWEST})
    begun = [
        ticket
        for ticket in listed(newest, "tickets")
        if ticket.get("from_messaging_channel") is not False and _is_since(ticket.get("created_at"), since - BEFORE)
    ]
    for ticket in begun[:MOST_AUDITS]:
        id = wire.whole(ticket.get("id"))
        if id is not None and conversation in await _conversations(calls, account, id):
            return id
    return None


async def _conversations(calls: Calls, account: Account, ticket: str) -> set[str]:
    found = await calls.get(account, f"/api/v2/tickets/{ticket}/audits", {"page[size]": "100"})
    started = (
        event.get("value")
        for audit in listed(found, "audits")
        for event in beside(audit, "events")
        if event.get("type") == "ChatStartedEvent"
    )
    return {
        str(value["conversation_id"]) for value in started if isinstance(value, dict) and "conversation_id" in value
    }


def _is_since(created: object, since: Millis) -> bool:
    at = read_instant(created) if isinstance(created, str) else None
    return at is None or at >= since
