"""Handoffs: each stretch of human help, how far Zendesk's list was read for it, and how long it is watched."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from escalade.domain.model import Conversation, ConversationId, Handoff, HandoffId, Millis, OrganisationId
from escalade.store.database import Row, Tx

WATCHED_MS = 3600_000  # so long an agent may still speak after the end of a handoff
UNBROKEN_MS = 150_000  # two looks that lie further apart were no watch in between

_json = msgspec.json.Encoder()
_handoff = msgspec.json.Decoder(Handoff)


def load(tx: Tx, organisation: OrganisationId, id: HandoffId) -> Handoff | None:
    """Give one handoff, current or earlier."""
    body = tx.value(
        "SELECT body FROM handoff WHERE organisation = :organisation AND id = :id", organisation=organisation, id=id
    )
    return None if body is None else _handoff.decode(body)


def save(tx: Tx, conversation: Conversation, handoff: Handoff) -> None:
    """Create or replace a handoff."""
    tx.run(
        "INSERT INTO handoff (id, organisation, conversation, state, body, ticket_id, asked_at, ended_at)"
        " VALUES (:id, :organisation, :conversation, :state, :body, :ticket_id, :asked_at, :ended_at)"
        " ON CONFLICT (id) DO UPDATE SET state = excluded.state, body = excluded.body,"
        " ticket_id = excluded.ticket_id, ended_at = excluded.ended_at",
        id=handoff.id,
        organisation=conversation.organisation,
        conversation=conversation.id,
        state=handoff.state.value,
        body=_json.encode(handoff).decode(),
        ticket_id=handoff.ticket_id,
        asked_at=handoff.asked_at,
        ended_at=handoff.ended_at,
    )


def waits_for_ticket(tx: Tx, organisation: OrganisationId) -> bool:
    """Say whether an open handoff's ticket is still unknown, so that news of a strange ticket may be ours."""
    return (
        tx.value(
            "SELECT 1 FROM handoff WHERE state IN ('requested', 'queued', 'with_agent', 'asynchronous')"
            " AND organisation = :organisation AND ticket_id IS NULL LIMIT 1",
            organisation=organisation,
        )
        is not None
    )


def conversation_of(tx: Tx, organisation: OrganisationId, handoff: HandoffId) -> ConversationId | None:
    """Say to which conversation a handoff belongs."""
    found = tx.value(
        "SELECT conversation FROM handoff WHERE organisation = :organisation AND id = :handoff",
        organisation=organisation,
        handoff=handoff,
    )
    return None if found is None else ConversationId(found)


def to_read(tx: Tx, now: Millis) -> list[Row]:
    """List every handoff under way, and those over whose last words may still be unread.

    An agent may finish a sentence after the end, so a handoff is read until its list was watched for an hour after it:
    time in which we were away, or by which a clock was set, does not count. A Zendesk that cannot be reached for a week
    is given up.
    """
    return tx.everywhere().all(
        "SELECT h.id, h.organisation, h.conversation, h.state, h.body, c.updated_at FROM handoff h JOIN conversation c"
        " ON c.organisation = h.organisation AND c.id = h.conversation"
        " WHERE h.state IN ('requested', 'queued', 'with_agent', 'asynchronous')"
        " OR (h.ended_at > :ever AND h.watched < :hour)",
        hour=WATCHED_MS,
        ever=now - 7 * 24 * 3600_000,
    )


def caught_up(tx: Tx, conversation: Conversation, id: HandoffId) -> None:
    """Remember that the desk can be reached again, so that a customer is told of the next delay, too."""
    handoff = load(tx, conversation.organisation, id)
    if handoff is not None and handoff.delay_told:
        save(tx, conversation, replace(handoff, delay_told=False))


def recover(tx: Tx, now: Millis) -> None:
    """After a start: bring handoffs whose instants lie ahead of us back, for then the clock was set back meanwhile."""
    tx = tx.everywhere()
    for row in tx.all(
        "SELECT id, body, looked_at FROM handoff WHERE state IN ('requested', 'queued', 'with_agent', 'asynchronous')"
        " OR ended_at > :now",
        now=now,
    ):
        handoff = _handoff.decode(row["body"])
        instants = (handoff.asked_at, handoff.queued_at, handoff.ended_at, row["looked_at"])
        ahead = max(at for at in instants if at is not None) - now
        if ahead <= 0:
            continue
        asked_at, queued_at, ended_at, looked_at = (None if at is None else at - ahead for at in instants)
        assert asked_at is not None
        handoff = replace(handoff, asked_at=asked_at, queued_at=queued_at, ended_at=ended_at)
        tx.run(
            "UPDATE handoff SET body = :body, asked_at = :asked_at, ended_at = :ended_at, looked_at = :looked_at"
            " WHERE id = :id",
            id=row["id"],
            body=_json.encode(handoff).decode(),
            asked_at=asked_at,
            ended_at=ended_at,
            looked_at=looked_at,
        )


def cursor(tx: Tx, handoff: HandoffId) -> str | None:
    """Say how far Zendesk's own list has been read for a handoff."""
    found: str | None = tx.value("SELECT cursor FROM handoff WHERE id = :handoff", handoff=handoff)
    return found


def begin_at(tx: Tx, handoff: HandoffId, cursor: str) -> None:
    """Let the reading of Zendesk's list begin behind what stood there before the handoff, if it has not begun."""
    tx.run("UPDATE handoff SET cursor = coalesce(cursor, :cursor) WHERE id = :handoff", handoff=handoff, cursor=cursor)


def looked(tx: Tx, handoff: HandoffId, cursor: str | None, now: Millis) -> None:
    """Remember how far the list was read and when, and how long it has been watched since the end."""
    tx.run(
        "UPDATE handoff SET cursor = coalesce(:cursor, cursor), looked_at = :now, watched = CASE"
        " WHEN ended_at IS NULL THEN 0 WHEN looked_at IS NULL OR looked_at > :now THEN watched"
        " WHEN looked_at + :most < :now THEN watched + :most ELSE watched + :now - looked_at END WHERE id = :handoff",
        handoff=handoff,
        cursor=cursor,
        now=now,
        most=UNBROKEN_MS,
    )
