"""Conversations: who may answer in each now, and the lock under which that is decided.

Every function takes its transaction first, never commits, and names its organisation: nothing here can reach across.
"""

from __future__ import annotations

from dataclasses import replace

import msgspec

from escalade.domain.model import (
    Control,
    Conversation,
    ConversationId,
    Customer,
    CustomerId,
    Handoff,
    HandoffId,
    Millis,
    OrganisationId,
    Status,
)
from escalade.store import customers, handoffs
from escalade.store.database import Row, Tx

_json = msgspec.json.Encoder()
_handoff = msgspec.json.Decoder(Handoff)

CONVERSATION = """
    SELECT c.*, h.body AS handoff_body, u.external_id, u.name AS customer_name, u.email, u.locale, u.verified,
           u.erased_at
      FROM conversation c
      JOIN customer u ON u.organisation = c.organisation AND u.id = c.customer
      LEFT JOIN handoff h ON h.id = c.handoff
"""


def topic(organisation: str, conversation: str) -> str:
    """Name a conversation for the bell; a slash in an id cannot make two names alike."""
    return f"{len(organisation)}:{organisation}/{conversation}"


def create(tx: Tx, conversation: Conversation, *, request: str) -> None:
    """Open a conversation; `request` is the digest of what asked for it."""
    tx.run(
        "INSERT INTO conversation (organisation, id, customer, status, control, context, request, created_at,"
        " updated_at) VALUES (:organisation, :id, :customer, :status, :control, :context, :request, :now, :now)",
        organisation=conversation.organisation,
        id=conversation.id,
        customer=conversation.customer.id,
        status=conversation.status.value,
        control=conversation.control.value,
        context=_json.encode(conversation.context).decode(),
        request=request,
        now=conversation.created_at,
    )


def lock(tx: Tx, organisation: OrganisationId, id: ConversationId) -> None:
    """Wait until nobody else decides about this conversation, and keep it so until the commit.

    First in every unit that decides about a conversation: what was read of it before may have changed meanwhile. It is
    the first lock of a unit, too; everything that hangs off the conversation comes after it, never before.
    """
    if tx.shared:
        tx.run(
            "SELECT 1 FROM conversation WHERE organisation = :organisation AND id = :id FOR UPDATE",
            organisation=organisation,
            id=id,
        )


def request_of(tx: Tx, organisation: OrganisationId, id: ConversationId) -> str | None:
    """Give the digest of what created a conversation."""
    digest: str | None = tx.value(
        "SELECT request FROM conversation WHERE organisation = :organisation AND id = :id",
        organisation=organisation,
        id=id,
    )
    return digest


def load(
    tx: Tx, organisation: OrganisationId, id: ConversationId, *, handoff: HandoffId | None = None
) -> Conversation | None:
    """Give a conversation of this organisation with its customer and current handoff.

    With `handoff`, it is seen from that handoff, which may be an earlier one: what was owed then is judged by it. Where
    others may write beside us it is ours from here to the commit.
    """
    lock(tx, organisation, id)
    row = tx.one(
        CONVERSATION + " WHERE c.organisation = :organisation AND c.id = :id", organisation=organisation, id=id
    )
    if row is None:
        return None
    conversation = _conversation(row)
    if handoff is None or (conversation.handoff is not None and conversation.handoff.id == handoff):
        return conversation
    return replace(conversation, handoff=handoffs.load(tx, organisation, handoff))


def recent(
    tx: Tx,
    organisation: OrganisationId,
    *,
    customer: CustomerId | None = None,
    limit: int = 50,
    before: Millis | None = None,
) -> list[Conversation]:
    """List the conversations that changed last, newest first."""
    where = " WHERE c.organisation = :organisation"
    if customer is not None:
        where += " AND c.customer = :customer"
    if before is not None:
        where += " AND c.updated_at < :before"
    rows = tx.all(
        CONVERSATION + where + " ORDER BY c.updated_at DESC, c.id LIMIT :limit",
        organisation=organisation,
        customer=customer,
        before=before,
        limit=limit,
    )
    return [_conversation(row) for row in rows]


def _conversation(row: Row) -> Conversation:
    return Conversation(
        id=ConversationId(row["id"]),
        organisation=OrganisationId(row["organisation"]),
        customer=Customer(
            id=CustomerId(row["customer"]),
            external_id=row["external_id"],
            name=row["customer_name"],
            email=row["email"],
            locale=row["locale"],
            verified=bool(row["verified"]),
            erased=row["erased_at"] is not None,
        ),
        status=Status(row["status"]),
        control=Control(row["control"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        last_seq=row["last_seq"],
        handoff=_handoff.decode(row["handoff_body"]) if row["handoff_body"] else None,
        context=msgspec.json.decode(row["context"]),
        turns=row["turns"],
    )


def save(tx: Tx, before: Conversation, after: Conversation, now: Millis) -> None:
    """Write down what a decision changed, and nothing else."""
    if after == before:
        return
    if after.handoff is not None and after.handoff != before.handoff:
        handoffs.save(tx, after, after.handoff)
        if before.handoff is None or before.handoff.id != after.handoff.id:
            tx.note("B.handoff", o=after.organisation, c=after.id, handoff=after.handoff.id)
    if after.customer != before.customer:
        customers.save(tx, after.organisation, after.customer, now)
    tx.run(
        "UPDATE conversation SET status = :status, control = :control, handoff = :handoff, turns = :turns,"
        " updated_at = :now WHERE organisation = :organisation AND id = :id",
        organisation=after.organisation,
        id=after.id,
        status=after.status.value,
        control=after.control.value,
        handoff=after.handoff.id if after.handoff else None,
        turns=after.turns,
        now=now,
    )
    tx.ring("conversation", topic(after.organisation, after.id))
