"""Messages: the transcript in its order. One never changes; what became of it and what was found of it does."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from escalade.domain.errors import Conflict
from escalade.domain.model import (
    Attachment,
    Citation,
    Conversation,
    ConversationId,
    DeliveryView,
    Feedback,
    Message,
    MessageId,
    Millis,
    Notice,
    OrganisationId,
    Role,
    Utterance,
)
from escalade.store import conversations, files
from escalade.store.database import Row, Tx

_json = msgspec.json.Encoder()
_citations = msgspec.json.Decoder(tuple[Citation, ...])
_attachments = msgspec.json.Decoder(tuple[Attachment, ...])


def append(
    tx: Tx, conversation: Conversation, said: Utterance, id: MessageId, now: Millis, *, said_at: Millis
) -> Message:
    """Give an utterance the next place in the transcript; `said_at` is what people are shown, `seq` is the order."""
    seq = tx.insert(
        "UPDATE conversation SET last_seq = last_seq + 1, updated_at = :now"
        " WHERE organisation = :organisation AND id = :id RETURNING last_seq",
        organisation=conversation.organisation,
        id=conversation.id,
        now=now,
    )
    message = Message(
        id=id,
        seq=seq,
        role=said.role,
        text=said.text,
        name=said.name,
        avatar_url=said.avatar_url,
        citations=said.citations,
        attachments=said.attachments,
        notice=said.notice,
        delivery=DeliveryView.PENDING if said.tracked else DeliveryView.NONE,
        created_at=said_at,
    )
    tx.run(
        "INSERT INTO message (organisation, conversation, seq, id, role, text, name, avatar_url, citations, "
        "attachments, notice, delivery, created_at) VALUES (:organisation, :conversation, :seq, :id, :role, :text,"
        " :name, :avatar_url, :citations, :attachments, :notice, :delivery, :said_at)",
        organisation=conversation.organisation,
        conversation=conversation.id,
        seq=seq,
        id=id,
        role=said.role.value,
        text=said.text,
        name=said.name,
        avatar_url=said.avatar_url,
        citations=_json.encode(said.citations).decode() if said.citations else None,
        attachments=_json.encode(said.attachments).decode() if said.attachments else None,
        notice=said.notice.value if said.notice else None,
        delivery=message.delivery.value,
        said_at=said_at,
    )
    tx.ring("conversation", conversations.topic(conversation.organisation, conversation.id))
    tx.note("B.append", o=conversation.organisation, c=conversation.id, seq=seq, mid=id, role=said.role.value)
    return message


def load(tx: Tx, organisation: OrganisationId, conversation: ConversationId, id: MessageId) -> Message | None:
    """Give one message by its id."""
    row = tx.one(
        "SELECT * FROM message WHERE organisation = :organisation AND conversation = :conversation AND id = :id",
        organisation=organisation,
        conversation=conversation,
        id=id,
    )
    return None if row is None else _message(tx, row)


def of(
    tx: Tx, organisation: OrganisationId, conversation: ConversationId, *, after: int = 0, limit: int = 500
) -> list[Message]:
    """List the messages after a place, in order."""
    rows = tx.all(
        "SELECT * FROM message WHERE organisation = :organisation AND conversation = :conversation AND seq > :after"
        " ORDER BY seq LIMIT :limit",
        organisation=organisation,
        conversation=conversation,
        after=after,
        limit=limit,
    )
    return [_message(tx, row) for row in rows]


def last_from_customer(tx: Tx, organisation: OrganisationId, conversation: ConversationId) -> Message | None:
    """Give what the customer said last."""
    row = tx.one(
        "SELECT * FROM message WHERE organisation = :organisation AND conversation = :conversation"
        " AND role = 'customer' ORDER BY seq DESC LIMIT 1",
        organisation=organisation,
        conversation=conversation,
    )
    return None if row is None else _message(tx, row)


def _message(tx: Tx, row: Row) -> Message:
    attachments = _attachments.decode(row["attachments"]) if row["attachments"] else ()
    return Message(
        id=MessageId(row["id"]),
        seq=row["seq"],
        role=Role(row["role"]),
        text=row["text"],
        name=row["name"],
        avatar_url=row["avatar_url"],
        citations=_citations.decode(row["citations"]) if row["citations"] else (),
        attachments=tuple(_as_it_stands(tx, OrganisationId(row["organisation"]), file) for file in attachments),
        notice=Notice(row["notice"]) if row["notice"] else None,
        delivery=DeliveryView(row["delivery"]),
        created_at=row["created_at"],
        feedback=Feedback(row["feedback"]) if row["feedback"] else None,
    )


def _as_it_stands(tx: Tx, organisation: OrganisationId, attachment: Attachment) -> Attachment:
    """Give a file of a message as it stands now: a message never changes, but its file may arrive after it."""
    found = None if attachment.id is None else files.load(tx, organisation, attachment.id)
    return attachment if found is None else found.shown()


def mark(
    tx: Tx, organisation: OrganisationId, conversation: ConversationId, id: MessageId, delivery: DeliveryView
) -> None:
    """Tell the sender what became of a message."""
    tx.run(
        "UPDATE message SET delivery = :delivery"
        " WHERE organisation = :organisation AND conversation = :conversation AND id = :id",
        organisation=organisation,
        conversation=conversation,
        id=id,
        delivery=delivery.value,
    )
    tx.ring("delivery", conversations.topic(organisation, conversation))


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """What became of a message, and where it stands."""

    seq: int
    delivery: DeliveryView


def deliveries(
    tx: Tx, organisation: OrganisationId, conversation: ConversationId, *, since: int | None = None, limit: int = 20
) -> dict[MessageId, Marked]:
    """Say what became of the customer's last messages, and of whatever was owed to people from a place on."""
    here = {"organisation": organisation, "conversation": conversation}
    of = " FROM message WHERE organisation = :organisation AND conversation = :conversation AND role = 'customer'"
    found = tx.all("SELECT id, seq, delivery" + of + " ORDER BY seq DESC LIMIT :limit", **here, limit=limit)
    if since is not None and len(found) == limit and found[-1]["seq"] > since:
        between = " AND delivery <> 'none' AND seq >= :since AND seq < :before ORDER BY seq DESC"
        found += tx.all("SELECT id, seq, delivery" + of + between, **here, since=since, before=found[-1]["seq"])
    return {MessageId(row["id"]): Marked(seq=row["seq"], delivery=DeliveryView(row["delivery"])) for row in found}


def require_same(said: Utterance, stored: Message) -> None:
    """Refuse the same id with other content: the first text stands."""
    files_of = [[file.id for file in each.attachments] for each in (said, stored)]
    if stored.role is not said.role or stored.text != said.text or files_of[0] != files_of[1]:
        raise Conflict("this id was used for another message", pointer="/id", code="conflict")
