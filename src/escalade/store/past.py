"""What was, for looking back at it: which conversations began when, their first handoffs, and what found no answer.

Customers who were erased, or are being erased, are in none of it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import msgspec

from escalade.domain.model import ConversationId, Handoff, Millis, OrganisationId, Reason
from escalade.store.database import Tx

LAST_WORDS = 6  # messages of the customer that are given with a handoff

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """That a person was asked for, and the customer's words up to then, the last ones first."""

    conversation: ConversationId
    asked_at: Millis
    reason: Reason
    said: tuple[str, ...]


def unanswered(
    tx: Tx, organisation: OrganisationId, reasons: Collection[Reason], since: Millis, most: int
) -> list[Unanswered]:
    """List what went to people for one of these reasons since then, the newest first."""
    rows = tx.all(
        "SELECT h.conversation, h.asked_at, h.body FROM handoff h"
        " JOIN conversation c ON c.organisation = h.organisation AND c.id = h.conversation"
        " JOIN customer u ON u.organisation = c.organisation AND u.id = c.customer"
        " WHERE h.organisation = :organisation AND h.asked_at >= :since AND u.erased_at IS NULL"
        " ORDER BY h.asked_at DESC, h.id LIMIT :most",
        organisation=organisation,
        since=since,
        most=most * 4,  # among them those that a person was asked for by name
    )
    found: list[Unanswered] = []
    for row in rows:
        handoff = _handoff.decode(row["body"])
        if handoff.reason in reasons and len(found) < most:
            found.append(
                Unanswered(
                    conversation=ConversationId(row["conversation"]),
                    asked_at=row["asked_at"],
                    reason=handoff.reason,
                    said=_said(tx, organisation, row["conversation"], handoff),
                )
            )
    return found


def _said(tx: Tx, organisation: OrganisationId, conversation: str, handoff: Handoff) -> tuple[str, ...]:
    rows = tx.all(
        "SELECT text FROM message WHERE organisation = :organisation AND conversation = :conversation"
        " AND role = 'customer' AND seq <= (SELECT seq FROM message WHERE organisation = :organisation"
        " AND conversation = :conversation AND id = :about) ORDER BY seq DESC LIMIT :most",
        organisation=organisation,
        conversation=conversation,
        about=handoff.about,
        most=LAST_WORDS,
    )
    return tuple(str(row["text"]) for row in rows)
