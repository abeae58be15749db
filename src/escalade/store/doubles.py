"""Requests whose ticket was opened in doubt, and so may have been opened twice."""

from __future__ import annotations

from dataclasses import dataclass

from escalade.domain.effects import MergeTicket
from escalade.domain.model import ConversationId, HandoffId, Millis, OrganisationId, TicketId
from escalade.store.database import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubtful:
    """An open handoff whose ticket may not be the only one."""

    organisation: OrganisationId
    conversation: ConversationId
    handoff: HandoffId
    opened_at: Millis


def doubtful(tx: Tx, since: Millis) -> list[Doubtful]:
    """List the open handoffs whose ticket became known after an instant, and some attempt at it may have made another.

    Only what waited for longer than Zendesk recognises a repetition can be there twice; that is not counted here, for
    our own clock may have been set meanwhile.
    """
    rows = tx.everywhere().all(
        "SELECT h.id, h.organisation, h.conversation, d.settled_at FROM handoff h"
        " JOIN delivery d ON d.organisation = h.organisation AND d.conversation = h.conversation AND d.lane = 'desk'"
        " AND d.effect = 'OpenTicket' AND d.state = 'delivered' AND d.settled_at > :since"
        " AND substr(d.key, 1, length(h.id) + 1) = h.id || '.'"
        " WHERE h.state = 'asynchronous' AND h.ticket_id IS NOT NULL AND EXISTS"
        " (SELECT 1 FROM attempt a WHERE a.delivery = d.id AND a.verdict IN ('uncertain', 'cut_short'))",
        since=since,
    )
    return [
        Doubtful(
            organisation=OrganisationId(row["organisation"]),
            conversation=ConversationId(row["conversation"]),
            handoff=HandoffId(row["id"]),
            opened_at=row["settled_at"],
        )
        for row in rows
    ]


def is_being_merged(tx: Tx, of: Doubtful, ticket: str) -> bool:
    """Say whether the merging of a ticket is owed already, or done."""
    rows = tx.all(
        "SELECT body FROM delivery WHERE organisation = :organisation AND conversation = :conversation"
        " AND lane = 'desk' AND effect = :effect",
        organisation=of.organisation,
        conversation=of.conversation,
        effect=MergeTicket.__name__,
    )
    return any(f'"{ticket}"' in row["body"] for row in rows)


def move(tx: Tx, of: Doubtful, before: TicketId, after: TicketId) -> None:
    """Let a handoff go on in its other ticket: news of the first is not its any more, and the list is read anew."""
    tx.run(
        "UPDATE link SET theirs = :after WHERE organisation = :organisation AND channel = 'zendesk'"
        " AND kind = 'ticket' AND theirs = :before AND handoff = :handoff",
        organisation=of.organisation,
        handoff=of.handoff,
        before=before,
        after=after,
    )
    tx.run(
        "UPDATE handoff SET cursor = NULL WHERE organisation = :organisation AND id = :handoff",
        organisation=of.organisation,
        handoff=of.handoff,
    )
