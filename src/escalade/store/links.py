"""Links: their ids for what is ours, and where news about their records belongs."""

from __future__ import annotations

from dataclasses import dataclass

from escalade.domain.model import Conversation, ConversationId, HandoffId, MessageId, OrganisationId
from escalade.store.database import Tx


def tie(
    tx: Tx, organisation: OrganisationId, handoff: HandoffId, *, channel: str, kind: str, theirs: str, ours: str
) -> None:
    """Tie their id to ours; tying it twice is the same as once."""
    tx.run(
        "INSERT INTO link (organisation, channel, kind, theirs, ours, handoff)"
        " VALUES (:organisation, :channel, :kind, :theirs, :ours, :handoff) ON CONFLICT DO NOTHING",
        organisation=organisation,
        channel=channel,
        kind=kind,
        theirs=theirs,
        ours=ours,
        handoff=handoff,
    )


def handoff_at(tx: Tx, organisation: OrganisationId, *, channel: str, kind: str, theirs: str) -> HandoffId | None:
    """Say which handoff their id belongs to; the latest, where a record of theirs served several."""
    found = tx.value(
        "SELECT handoff FROM link WHERE organisation = :organisation AND channel = :channel AND kind = :kind"
        " AND theirs = :theirs ORDER BY rowid DESC LIMIT 1",
        organisation=organisation,
        channel=channel,
        kind=kind,
        theirs=theirs,
    )
    return None if found is None else HandoffId(found)


def serves_several(tx: Tx, organisation: OrganisationId, *, channel: str, kind: str, theirs: str) -> bool:
    """Say whether a record of theirs has served more than one handoff."""
    found: int = tx.value(
        "SELECT count(*) FROM link WHERE organisation = :organisation AND channel = :channel AND kind = :kind"
        " AND theirs = :theirs",
        organisation=organisation,
        channel=channel,
        kind=kind,
        theirs=theirs,
    )
    return found > 1


def copies(tx: Tx, handoff: HandoffId, *, channel: str, ours: str) -> list[str]:
    """List their ids for a message of ours, the lowest first: more than one where it arrived more than once."""
    rows = tx.all(
        "SELECT theirs FROM link WHERE handoff = :handoff AND channel = :channel AND kind = 'message'"
        " AND ours = :ours ORDER BY theirs",
        handoff=handoff,
        channel=channel,
        ours=ours,
    )
    return [row["theirs"] for row in rows]


def has_arrived(tx: Tx, conversation: Conversation, message: MessageId) -> bool:
    """Say whether a message is known to be at the desk, with whichever handoff."""
    found = tx.value(
        "SELECT 1 FROM link l JOIN handoff h ON h.id = l.handoff WHERE h.organisation = :organisation"
        " AND h.conversation = :conversation AND l.kind = 'message' AND l.ours = :message LIMIT 1",
        organisation=conversation.organisation,
        conversation=conversation.id,
        message=message,
    )
    return found is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where news belongs: the handoff, its conversation, and the ticket's number where we know it."""

    handoff: HandoffId
    conversation: ConversationId
    ticket_id: str | None
    via: str  # whose record led here


def place_of(tx: Tx, organisation: OrganisationId, *, channel: str, kind: str, theirs: str) -> Place | None:
    """Say where news about their record belongs; the latest, where it served several handoffs."""
    row = tx.one(
        "SELECT h.id, h.conversation, h.ticket_id FROM link l JOIN handoff h ON h.id = l.handoff"
        " WHERE l.organisation = :organisation AND l.channel = :channel AND l.kind = :kind AND l.theirs = :theirs"
        " ORDER BY l.rowid DESC LIMIT 1",
        organisation=organisation,
        channel=channel,
        kind=kind,
        theirs=theirs,
    )
    if row is None:
        return None
    return Place(
        handoff=HandoffId(row["id"]),
        conversation=ConversationId(row["conversation"]),
        ticket_id=row["ticket_id"],
        via=channel,
    )


def of(tx: Tx, handoff: HandoffId) -> dict[tuple[str, str], str]:
    """Give their ids for a handoff, messages left out."""
    rows = tx.all(
        "SELECT channel, kind, theirs FROM link WHERE handoff = :handoff AND kind <> 'message'", handoff=handoff
    )
    return {(row["channel"], row["kind"]): row["theirs"] for row in rows}
