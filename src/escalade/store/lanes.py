"""Lanes: which of them may move now, and which wait.

A lane is a counter row: `tail` deliveries were put, `head` are settled, and only number `head + 1` may move. Whether a
lane has more is decided by comparing the two counters in the locked row, never by asking whether a row exists.
"""

from __future__ import annotations

from dataclasses import dataclass

from escalade.domain.effects import LaneName
from escalade.domain.model import ConversationId, Millis, OrganisationId
from escalade.store.database import Tx

LONGEST_TOLD_MS = 15 * 60_000  # a receiver that names a time is believed up to this far


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """Where a conversation's deliveries to one destination queue."""

    organisation: OrganisationId
    conversation: ConversationId
    name: LaneName

    def __str__(self) -> str:
        return f"{self.organisation}/{self.conversation}/{self.name.value}"


def due(tx: Tx, now: Millis, limit: int = 2048) -> list[Lane]:
    """List the lanes whose head may be tried now, the longest due first.

    Where there are too many to list them all, there are some of every organisation.
    """
    tx = tx.everywhere()
    these = " FROM lane WHERE due_at IS NOT NULL AND due_at <= :now"
    first = "SELECT organisation, conversation, name" + these + " ORDER BY due_at LIMIT :limit"
    rows = tx.all(first, now=now, limit=limit)
    if len(rows) == limit:
        fair = (
            "SELECT organisation, conversation, name FROM (SELECT organisation, conversation, name, due_at,"
            " row_number() OVER (PARTITION BY organisation, name ORDER BY due_at) AS place" + these + ") AS lanes"
            " WHERE place <= :each ORDER BY due_at"
        )
        rows = tx.all(fair, now=now, each=max(1, limit // 16))  # far more than are tried at once
    return [
        Lane(
            organisation=OrganisationId(row["organisation"]),
            conversation=ConversationId(row["conversation"]),
            name=LaneName(row["name"]),
        )
        for row in rows
    ]


def is_idle(tx: Tx, lane: Lane) -> bool:
    """Say whether nothing is owed in a lane."""
    return (
        tx.value(
            "SELECT 1 FROM lane WHERE organisation = :organisation AND conversation = :conversation AND name = :name"
            " AND due_at IS NOT NULL",
            organisation=lane.organisation,
            conversation=lane.conversation,
            name=lane.name.value,
        )
        is None
    )


def next_due_at(tx: Tx) -> Millis | None:
    """Say when the next lane falls due."""
    found: int | None = tx.everywhere().value("SELECT min(due_at) FROM lane WHERE due_at IS NOT NULL")
    return found


def hurry(tx: Tx, organisation: OrganisationId, now: Millis) -> None:
    """Make an organisation's waiting desk lanes due: its Zendesk has just spoken to us. Last in a unit: it has many."""
    tx.run(
        "UPDATE lane SET due_at = :now WHERE (organisation, conversation, name) IN"
        " (SELECT l.organisation, l.conversation, l.name FROM lane l WHERE l.organisation = :organisation"
        " AND l.name = 'desk' AND l.due_at > :now AND l.told = 0"
        " AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.organisation = l.organisation"
        " AND d.conversation = l.conversation AND d.lane = l.name AND d.position = l.head + 1 AND d.state = 'unsure')\n"
        " FOR UPDATE OF l SKIP LOCKED -- only: postgres\n"
        ")",
        organisation=organisation,
        now=now,
    )
    tx.ring("lane", LaneName.DESK.value)
