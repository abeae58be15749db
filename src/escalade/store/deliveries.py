"""Deliveries: what is owed, put at the end of a lane and settled at its head, in order."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import msgspec

from escalade.domain.effects import BY_NAME, Answer, Effect, LaneName, Post, lane_of
from escalade.domain.model import ConversationId, HandoffId, MessageId, Millis, OrganisationId
from escalade.store.database import Row, Tx
from escalade.store.lanes import Lane


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One effect owed, as the courier takes it up."""

    id: int
    lane: Lane
    position: int
    key: str
    effect: Effect
    frozen: str | None
    message: MessageId | None
    state: str
    tries: int
    looks: int
    first_try_at: Millis | None
    tried_at: Millis | None
    failures: int  # of the lane, in a row


def put(tx: Tx, organisation: OrganisationId, conversation: ConversationId, effect: Effect, now: Millis) -> int:
    """Owe an effect at the end of its lane; a lane that is backing off is not woken early."""
    lane = lane_of(effect)
    position = tx.insert(
        "INSERT INTO lane (organisation, conversation, name, tail, head, due_at)"
        " VALUES (:organisation, :conversation, :name, 1, 0, :now)"
        " ON CONFLICT (organisation, conversation, name)"
        " DO UPDATE SET tail = lane.tail + 1, due_at = coalesce(lane.due_at, excluded.due_at) RETURNING tail",
        organisation=organisation,
        conversation=conversation,
        name=lane.value,
        now=now,
    )
    body = asdict(effect)
    owner = f"{organisation}/{conversation}" if isinstance(effect, Answer) else effect.handoff
    id = tx.insert(
        "INSERT INTO delivery (organisation, conversation, lane, position, key, effect, body, message, state,"
        " created_at) VALUES (:organisation, :conversation, :lane, :position, :key, :effect, :body, :message,"
        " 'pending', :now) RETURNING id",
        organisation=organisation,
        conversation=conversation,
        lane=lane.value,
        position=position,
        key=f"{owner}.{lane.value}.{position}",
        effect=type(effect).__name__,
        body=msgspec.json.encode(body).decode(),
        message=effect.message if isinstance(effect, Post) else None,
        now=now,
    )
    tx.ring("lane", lane.value)
    return id


def withdraw(
    tx: Tx, organisation: OrganisationId, conversation: ConversationId, handoff: HandoffId, why: str, now: Millis
) -> None:
    """Drop what a handoff still owes untried; each keeps its place, so the lane still counts.

    What an earlier handoff owes stays: it is let go by itself, and its sender is told.
    """
    tx.run(
        "UPDATE delivery SET state = 'withdrawn', why = :why, settled_at = :now"
        " WHERE organisation = :organisation AND conversation = :conversation AND lane = 'desk' AND state = 'pending'"
        " AND key LIKE :its",
        organisation=organisation,
        conversation=conversation,
        its=f"{handoff}.%",
        why=why,
        now=now,
    )


def owed_messages(
    tx: Tx, organisation: OrganisationId, conversation: ConversationId, handoff: HandoffId
) -> list[MessageId]:
    """List the customer's messages of a handoff that have not reached the desk, in order."""
    rows = tx.all(
        "SELECT message FROM delivery WHERE organisation = :organisation AND conversation = :conversation"
        " AND lane = 'desk' AND message IS NOT NULL AND state IN ('pending', 'sending', 'unsure') AND key LIKE :its"
        " ORDER BY position",
        organisation=organisation,
        conversation=conversation,
        its=f"{handoff}.%",
    )
    return [MessageId(row["message"]) for row in rows]


def held_up(tx: Tx, since: Millis) -> list[tuple[OrganisationId, ConversationId, HandoffId]]:
    """List the handoffs in which a customer's message heads its lane and has been owed since before an instant."""
    rows = tx.everywhere().all(
        "SELECT d.organisation, d.conversation, d.effect, d.body FROM lane l JOIN delivery d"
        " ON d.organisation = l.organisation AND d.conversation = l.conversation AND d.lane = l.name"
        " AND d.position = l.head + 1 WHERE l.due_at IS NOT NULL AND l.name = 'desk' AND d.effect = 'Post'"
        " AND d.created_at <= :since AND d.state IN ('pending', 'sending', 'unsure')",
        since=since,
    )
    found = []
    for row in rows:
        effect = effect_of(row["effect"], row["body"])
        assert isinstance(effect, Post)
        found.append((OrganisationId(row["organisation"]), ConversationId(row["conversation"]), effect.handoff))
    return found


def head(tx: Tx, lane: Lane) -> Delivery | None:
    """Give the first unsettled delivery of a lane, or nothing if the lane is idle."""
    row = tx.one(
        "SELECT d.*, l.failures FROM lane l JOIN delivery d ON d.organisation = l.organisation"
        " AND d.conversation = l.conversation AND d.lane = l.name AND d.position = l.head + 1"
        " WHERE l.organisation = :organisation AND l.conversation = :conversation AND l.name = :name",
        organisation=lane.organisation,
        conversation=lane.conversation,
        name=lane.name.value,
    )
    return None if row is None else _delivery(row, lane)


def _delivery(row: Row, lane: Lane) -> Delivery:
    return Delivery(
        id=row["id"],
        lane=lane,
        position=row["position"],
        key=row["key"],
        effect=effect_of(row["effect"], row["body"]),
        frozen=row["frozen"],
        message=None if row["message"] is None else MessageId(row["message"]),
        state=row["state"],
        tries=row["tries"],
        looks=row["looks"],
        first_try_at=row["first_try_at"],
        tried_at=row["tried_at"],
        failures=row["failures"],
    )


def effect_of(name: str, body: str) -> Effect:
    """Read an effect back."""
    effect: Effect = msgspec.json.decode(body, type=BY_NAME[name])
    return effect


def finish(tx: Tx, delivery: Delivery, state: str, why: str, now: Millis) -> None:
    """Settle a delivery and let the next in its lane move."""
    tx.run(
        "UPDATE delivery SET state = CASE WHEN state IN ('withdrawn', 'skipped') THEN state ELSE :state END,"
        " why = CASE WHEN state IN ('withdrawn', 'skipped') THEN why ELSE :why END,"
        " settled_at = coalesce(settled_at, :now) WHERE organisation = :organisation AND id = :id",
        organisation=delivery.lane.organisation,
        id=delivery.id,
        state=state,
        why=why[:500],
        now=now,
    )
    tx.run(
        "UPDATE lane SET head = :position, failures = 0, due_at = CASE WHEN tail = :position THEN NULL ELSE :now END"
        " WHERE organisation = :organisation AND conversation = :conversation AND name = :name"
        " AND head = :position - 1",
        organisation=delivery.lane.organisation,
        conversation=delivery.lane.conversation,
        name=delivery.lane.name.value,
        position=delivery.position,
        now=now,
    )
    tx.ring("lane", delivery.lane.name.value)


def postpone(tx: Tx, delivery: Delivery, state: str, due_at: Millis, *, failed: bool, told: bool = False) -> None:
    """Try the head of a lane again later; nothing behind it moves before that. `told`: the receiver named the time."""
    tx.run(
        "UPDATE delivery SET state = :state WHERE organisation = :organisation AND id = :id AND settled_at IS NULL",
        organisation=delivery.lane.organisation,
        id=delivery.id,
        state=state,
    )
    tx.run(
        "UPDATE lane SET due_at = :due_at, failures = failures + :failed, told = :told"
        " WHERE organisation = :organisation AND conversation = :conversation AND name = :name"
        " AND head = :position - 1",
        organisation=delivery.lane.organisation,
        conversation=delivery.lane.conversation,
        name=delivery.lane.name.value,
        position=delivery.position,
        due_at=due_at,
        failed=int(failed),
        told=int(told),
    )


def load(tx: Tx, organisation: OrganisationId, id: int) -> Delivery | None:
    """Give one delivery of this organisation."""
    row = tx.one(
        "SELECT d.*, l.failures FROM delivery d JOIN lane l ON l.organisation = d.organisation"
        " AND l.conversation = d.conversation AND l.name = d.lane"
        " WHERE d.organisation = :organisation AND d.id = :id",
        organisation=organisation,
        id=id,
    )
    if row is None:
        return None
    conversation, name = ConversationId(row["conversation"]), LaneName(row["lane"])
    return _delivery(row, Lane(organisation=organisation, conversation=conversation, name=name))
