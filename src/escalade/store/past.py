"""What was, for looking back at it: which conversations began when, and how the first handoff of each came about.

Customers who were erased, or are being erased, are in none of it.
"""

from __future__ import annotations

import msgspec

from escalade.domain.model import ConversationId, Handoff, Millis, OrganisationId
from escalade.store.database import Tx

_handoff = msgspec.json.Decoder(Handoff)

KEPT = (
    " FROM conversation c JOIN customer u ON u.organisation = c.organisation AND u.id = c.customer"
    " WHERE c.organisation = :organisation AND u.erased_at IS NULL"
)
WRITTEN_IN = (
    " AND EXISTS (SELECT 1 FROM message m WHERE m.organisation = c.organisation AND m.conversation = c.id"
    " AND m.role = 'customer')"
)


def begun(
    tx: Tx, organisation: OrganisationId, since: Millis, until: Millis, most: int
) -> tuple[int, list[ConversationId]]:
    """Count the conversations in which a customer wrote and that began in a stretch of time, and name the newest."""
    stretch = KEPT + WRITTEN_IN + " AND c.created_at >= :since AND c.created_at < :until"
    within = {"organisation": organisation, "since": since, "until": until}
    total = int(tx.value("SELECT count(*)" + stretch, **within))
    rows = tx.all("SELECT c.id" + stretch + " ORDER BY c.created_at DESC, c.id LIMIT :most", **within, most=most)
    return total, [ConversationId(row["id"]) for row in rows]


def last_written_in(tx: Tx, organisation: OrganisationId) -> ConversationId | None:
    """Name the conversation in which something changed last, of those in which a customer wrote."""
    found: str | None = tx.value(
        "SELECT c.id" + KEPT + WRITTEN_IN + " ORDER BY c.updated_at DESC, c.id LIMIT 1", organisation=organisation
    )
    return None if found is None else ConversationId(found)


def first_handoff(tx: Tx, organisation: OrganisationId, conversation: ConversationId) -> Handoff | None:
    """Give the handoff that was asked for first."""
    body: str | None = tx.value(
        "SELECT body FROM handoff WHERE organisation = :organisation AND conversation = :conversation"
        " ORDER BY asked_at, id LIMIT 1",
        organisation=organisation,
        conversation=conversation,
    )
    return None if body is None else _handoff.decode(body)
