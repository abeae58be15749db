"""What customers found of the assistant's answers: kept with each message, one word, changed or taken back at will."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from escalade.domain.model import Citation, ConversationId, Feedback, MessageId, Millis, OrganisationId
from escalade.store import conversations
from escalade.store.database import Row, Tx

_citations = msgspec.json.Decoder(tuple[Citation, ...])


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """An answer that a customer found something of."""

    conversation: ConversationId
    seq: int
    text: str
    citations: tuple[Citation, ...]
    feedback: Feedback
    at: Millis


def give(
    tx: Tx,
    organisation: OrganisationId,
    conversation: ConversationId,
    message: MessageId,
    feedback: Feedback | None,
    now: Millis,
) -> None:
    """Keep what was found of a message, or that it was taken back."""
    tx.run(
        "UPDATE message SET feedback = :feedback, feedback_at = :now"
        " WHERE organisation = :organisation AND conversation = :conversation AND id = :id",
        organisation=organisation,
        conversation=conversation,
        id=message,
        feedback=None if feedback is None else feedback.value,
        now=now,
    )
    tx.ring("conversation", conversations.topic(organisation, conversation))


def of(
    tx: Tx, organisation: OrganisationId, conversation: ConversationId, limit: int = 20
) -> dict[MessageId, Feedback | None]:
    """Say what was found of the last answers that anything was ever found of; what was taken back is none."""
    rows = tx.all(
        "SELECT id, feedback FROM message WHERE organisation = :organisation AND conversation = :conversation"
        " AND feedback_at IS NOT NULL ORDER BY seq DESC LIMIT :limit",
        organisation=organisation,
        conversation=conversation,
        limit=limit,
    )
    return {MessageId(row["id"]): Feedback(row["feedback"]) if row["feedback"] else None for row in rows}


def given(tx: Tx, organisation: OrganisationId, since: Millis, most: int) -> list[Rated]:
    """List the answers that something was found of since then, the newest word first."""
    rows = tx.all(
        "SELECT conversation, seq, text, citations, feedback, feedback_at FROM message"
        " WHERE organisation = :organisation AND feedback_at >= :since AND feedback IS NOT NULL"
        " ORDER BY feedback_at DESC, conversation, seq LIMIT :most",
        organisation=organisation,
        since=since,
        most=most,
    )
    return [_rated(row) for row in rows]


def question(tx: Tx, organisation: OrganisationId, rated: Rated) -> str:
    """Give what the customer had said last before an answer."""
    found: str | None = tx.value(
        "SELECT text FROM message WHERE organisation = :organisation AND conversation = :conversation"
        " AND role = 'customer' AND seq < :seq ORDER BY seq DESC LIMIT 1",
        organisation=organisation,
        conversation=rated.conversation,
        seq=rated.seq,
    )
    return found or ""


def _rated(row: Row) -> Rated:
    return Rated(
        conversation=ConversationId(row["conversation"]),
        seq=row["seq"],
        text=row["text"],
        citations=_citations.decode(row["citations"]) if row["citations"] else (),
        feedback=Feedback(row["feedback"]),
        at=row["feedback_at"],
    )
