"""Find the ticket of a live conversation when no webhook has told us its number.

Nothing on Sunshine's side carries the ticket's id, but the ticket's audits name the conversation it began with.
https://developer.zendesk.com/api-reference/ticketing/tickets/ticket_audits/

What a ticket began with does not change, so its audits are read once: on a busy desk each search costs one list and the
audits of what is new, and goes on where the last one stopped.
"""

from __future__ import annotations

from escalade.channels.base import Account
from escalade.channels.zendesk import wire
from escalade.channels.zendesk.calls import Calls, beside, listed
from escalade.channels.zendesk.oauth import support
from escalade.channels.zendesk.webhook import read_instant
from escalade.domain.model import Millis

NEWEST = "50"  # tickets looked through
MOST_AUDITS = 10  # each costs a call
BEFORE = 60_000  # their clock may be behind ours
MOST_KEPT = 10_000


class Lookup:
    """Searches by audits, and remembers what it has read."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._began: dict[tuple[str, str], frozenset[str]] = {}  # the conversations of a ticket of an account

    async def ticket_of(self, account: Account, conversation: str, since: Millis) -> str | None:
        """Give the ticket that began with a Sunshine conversation, among the newest since an instant."""
        newest = await self._calls.get(account, "/api/v2/tickets", {"sort": "-id", "page[size]": NEWEST})
        read = 0
        for ticket in listed(newest, "tickets"):
            id = wire.whole(ticket.get("id"))
            is_chat = ticket.get("from_messaging_channel") is not False
            if id is None or not is_chat or not _is_since(ticket.get("created_at"), since - BEFORE):
                continue
            began = self._began.get((support(account).base_url, id))
            if began is None and read < MOST_AUDITS:
                began, read = await self._read(account, id), read + 1
            if began is not None and conversation in began:
                return id
        return None

    async def _read(self, account: Account, ticket: str) -> frozenset[str]:
        found = await self._calls.get(account, f"/api/v2/tickets/{ticket}/audits", {"page[size]": "100"})
        started = (
            event.get("value")
            for audit in listed(found, "audits")
            for event in beside(audit, "events")
            if event.get("type") == "ChatStartedEvent"
        )
        began = frozenset(
            str(value["conversation_id"]) for value in started if isinstance(value, dict) and "conversation_id" in value
        )
        if began:  # an audit that does not tell yet may do so later
            if len(self._began) >= MOST_KEPT:
                self._began.clear()
            self._began[support(account).base_url, ticket] = began
        return began


def _is_since(created: object, since: Millis) -> bool:
    at = read_instant(created) if isinstance(created, str) else None
    return at is None or at >= since
