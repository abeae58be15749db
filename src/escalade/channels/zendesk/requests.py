"""The tickets of one request: there should be one, and where a doubt has made two, one is merged into the other.

External ids are not unique. https://developer.zendesk.com/api-reference/ticketing/tickets/tickets/#merge-tickets-into-target-ticket
"""

from __future__ import annotations

from escalade.channels.base import Account, Sent
from escalade.channels.zendesk import wire
from escalade.channels.zendesk.calls import Calls, listed
from escalade.domain.model import HandoffId
from escalade.domain.switchboard.endings import GONE

MERGED = "The customer's request was opened twice. It goes on in ticket #{kept}."
TOOK_OVER = "The customer's request was opened twice. Ticket #{double} was closed and merged into this one."


async def tickets_of(calls: Calls, account: Account, handoff: HandoffId) -> list[wire.Ticket]:
    """List the tickets that carry a handoff as their external id, the oldest first."""
    page = await calls.get(account, "/api/v2/tickets", {"external_id": handoff})
    known = (wire.read_ticket(item) for item in listed(page, "tickets"))
    mine = [ticket for ticket in known if ticket is not None and ticket.external_id == handoff]
    return sorted(mine, key=lambda ticket: int(ticket.id))


async def merge(calls: Calls, account: Account, kept: str, double: wire.Ticket) -> Sent:
    """Merge a ticket into the one that is kept; both say so to agents, and the customer hears nothing."""
    if double.status in GONE:
        return Sent(status=200, answer=f"ticket {double.id} is {double.status}")
    body = {
        "ids": [int(double.id)],
        "source_comment": MERGED.format(kept=kept),
        "source_comment_is_public": False,
        "target_comment": TOOK_OVER.format(double=double.id),
        "target_comment_is_public": False,
    }
    answer = await calls.call(account, "POST", f"/api/v2/tickets/{kept}/merge", body=wire.encode(body))
    return Sent(status=answer.status, answer=answer.summary)
