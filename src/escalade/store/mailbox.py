"""Receipts and deliveries: what came in once, and what is owed in order.

A lane is a counter row: `tail` deliveries were put, `head` are settled, and only number `head + 1` may move. Whether a
lane has more is decided by comparing the two counters in the locked row, never by asking whether a row exists.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import msgspec

from escalade.domain.effects import BY_NAME, Answer, Effect, LaneName, Post, lane_of
from escalade.domain.model import ConversationId, HandoffId, MessageId, Millis, OrganisationId
from escalade.store.database import Row, Tx

LONGEST_TOLD_MS = 15 * 60_000  # a receiver that names a time is believed up to this far


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """Where a conversation's deliveries to one destination queue."""

    organisation: OrganisationId
    conversation: ConversationId
    name: LaneName

    def __str__(self) -> str:
        return f"{self.organisation}/{self.conversation}/{self.name.value}"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """One inbound event, raw."""

    id: int
    organisation: OrganisationId
    source: str
    key: str
    kind: str
    conversation: ConversationId | None
    handoff: HandoffId | None
    body: str
    state: str
    outcome: str
    received_at: Millis
    settled_at: Millis | None


# receipts


def accept(
    tx: Tx,
    organisation: OrganisationId,
    *,
    source: str,
    key: str,
    kind: str,
    body: str,
    now: Millis,
    conversation: ConversationId | None = None,
    handoff: HandoffId | None = None,
    state: str = "waiting",
    outcome: str = "",
) -> int | None:
    """Keep an inbound event once; give its id, or nothing if it came before."""
    row = tx.one(
        "INSERT INTO receipt (organisation, source, key, kind, conversation, handoff, body, state, outcome, "
        "received_at, settled_at) VALUES (:organisation, :source, :key, :kind, :conversation, :handoff, :body, :state,"
        " :outcome, :now, :settled) ON CONFLICT (organisation, source, key) DO NOTHING RETURNING id",
        organisation=organisation,
        source=source,
        key=key,
        kind=kind,
        conversation=conversation,
        handoff=handoff,
        body=body,
        state=state,
        outcome=outcome,
        now=now,
        settled=None if state == "waiting" else now,
    )
    if row is None:
        return None
    tx.note("B.recv", o=organisation, rid=key, src=source)
    return int(row["id"])


def assign(tx: Tx, receipt: int, conversation: ConversationId, handoff: HandoffId) -> None:
    """Say to which conversation a parked receipt belongs after all."""
    tx.run(
        "UPDATE receipt SET conversation = :conversation, handoff = :handoff WHERE id = :id",
        id=receipt,
        conversation=conversation,
        handoff=handoff,
    )


def settle(tx: Tx, receipt: int, outcome: str, now: Millis, *, ignored: bool = False) -> None:
    """Finish with a receipt and say what came of it."""
    tx.run(
        "UPDATE receipt SET state = :state, outcome = :outcome, settled_at = :now WHERE id = :id AND state = 'waiting'",
        id=receipt,
        state="ignored" if ignored else "settled",
        outcome=outcome,
        now=now,
    )


def reopen(tx: Tx, receipt: int) -> None:
    """Let a receipt be decided once more."""
    tx.run("UPDATE receipt SET state = 'waiting', outcome = '', settled_at = NULL WHERE id = :id", id=receipt)


def still_waits(tx: Tx, receipt: int) -> bool:
    """Say whether a receipt is unfinished."""
    return tx.value("SELECT 1 FROM receipt WHERE id = :id AND state = 'waiting'", id=receipt) is not None


def waiting(tx: Tx, organisation: OrganisationId, conversation: ConversationId) -> list[Receipt]:
    """List a conversation's unfinished receipts in the order they came."""
    rows = tx.all(
        "SELECT * FROM receipt WHERE organisation = :organisation AND conversation = :conversation"
        " AND state = 'waiting' ORDER BY id",
        organisation=organisation,
        conversation=conversation,
    )
    return [_receipt(row) for row in rows]


def parked(tx: Tx, organisation: OrganisationId | None = None) -> list[Receipt]:
    """List the receipts whose conversation is not known yet."""
    rows = (tx if organisation is not None else tx.everywhere()).all(
        "SELECT * FROM receipt WHERE conversation IS NULL AND state = 'waiting'"
        + (" AND organisation = :organisation" if organisation is not None else "")
        + " ORDER BY id",
        organisation=organisation,
    )
    return [_receipt(row) for row in rows]


def conversations_waiting(tx: Tx) -> list[tuple[OrganisationId, ConversationId]]:
    """List the conversations with unfinished receipts."""
    rows = tx.everywhere().all(
        "SELECT DISTINCT organisation, conversation FROM receipt WHERE state = 'waiting' AND conversation IS NOT NULL"
    )
    return [(OrganisationId(row["organisation"]), ConversationId(row["conversation"])) for row in rows]


def receipt(tx: Tx, organisation: OrganisationId, id: int) -> Receipt | None:
    """Give one receipt of this organisation."""
    row = tx.one(
        "SELECT * FROM receipt WHERE organisation = :organisation AND id = :id", organisation=organisation, id=id
    )
    return None if row is None else _receipt(row)


def receipts(
    tx: Tx, organisation: OrganisationId, *, conversation: ConversationId | None = None, limit: int = 100
) -> list[Receipt]:
    """List the receipts of an organisation or conversation, newest first."""
    rows = tx.all(
        "SELECT * FROM receipt WHERE organisation = :organisation"
        + (" AND conversation = :conversation" if conversation is not None else "")
        + " ORDER BY id DESC LIMIT :limit",
        organisation=organisation,
        conversation=conversation,
        limit=limit,
    )
    return [_receipt(row) for row in rows]


def _receipt(row: Row) -> Receipt:
    return Receipt(
        id=row["id"],
        organisation=OrganisationId(row["organisation"]),
        source=row["source"],
        key=row["key"],
        kind=row["kind"],
        conversation=None if row["conversation"] is None else ConversationId(row["conversation"]),
        handoff=None if row["handoff"] is None else HandoffId(row["handoff"]),
        body=row["body"],
        state=row["state"],
        outcome=row["outcome"],
        received_at=row["received_at"],
        settled_at=row["settled_at"],
    )


# deliveries


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


def due(tx: Tx, now: Millis, limit: int = 2048) -> list[Lane]:
    """List the lanes whose head may be tried now, the longest due first."""
    rows = tx.everywhere().all(
        "SELECT organisation, conversation, name FROM lane WHERE due_at IS NOT NULL AND due_at <= :now"
        " ORDER BY due_at LIMIT :limit",
        now=now,
        limit=limit,
    )
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


def begin(tx: Tx, delivery: Delivery, *, kind: str, frozen: str | None, now: Millis) -> int:
    """Write down that an attempt starts, before it does: what a crash leaves here may have arrived."""
    sends = kind == "send"
    tx.run(
        "UPDATE delivery SET state = 'sending', frozen = coalesce(frozen, :frozen),"
        " tries = tries + :send, looks = CASE WHEN :send = 1 THEN 0 ELSE looks + 1 END,"
        " first_try_at = coalesce(first_try_at, :now),"
        " tried_at = CASE WHEN :send = 1 THEN :now ELSE tried_at END WHERE organisation = :organisation AND id = :id",
        organisation=delivery.lane.organisation,
        id=delivery.id,
        frozen=frozen,
        send=int(sends),
        now=now,
    )
    return tx.insert(
        "INSERT INTO attempt (delivery, number, kind, verdict, started_at)"
        " VALUES (:delivery, (SELECT count(*) + 1 FROM attempt WHERE delivery = :delivery), :kind, 'under_way', :now)"
        " RETURNING id",
        delivery=delivery.id,
        kind=kind,
        now=now,
    )


def was_uncertain(tx: Tx, delivery: int) -> bool:
    """Say whether any attempt of a delivery may have arrived; also one whose outcome we could not write down."""
    found = tx.value(
        "SELECT 1 FROM attempt WHERE delivery = :delivery"
        " AND (verdict IN ('uncertain', 'cut_short') OR (verdict = 'under_way' AND kind = 'send')) LIMIT 1",
        delivery=delivery,
    )
    return found is not None


def last_doubt(tx: Tx, delivery: int) -> Millis | None:
    """Say when the last attempt of a delivery began that may have arrived, or arrive yet; nothing if none may."""
    found: Millis | None = tx.value(
        "SELECT max(started_at) FROM attempt WHERE delivery = :delivery AND kind = 'send'"
        " AND verdict IN ('uncertain', 'cut_short', 'under_way')",
        delivery=delivery,
    )
    return found


def end_attempt(tx: Tx, attempt: int, *, verdict: str, status: int | None, detail: str, now: Millis) -> None:
    """Write down what came of an attempt."""
    tx.run(
        "UPDATE attempt SET verdict = :verdict, status = :status, detail = :detail, ended_at = :now WHERE id = :id",
        id=attempt,
        verdict=verdict,
        status=status,
        detail=detail[:2000],
        now=now,
    )


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


def recover(tx: Tx, now: Millis) -> int:
    """After a start: what was under way when we died may have arrived, so it is unsure, never new.

    How long ago that was nobody knows: the clock may have been set meanwhile. So every wait begins anew. What is
    unsure waits in full before a look may deny it, back-off is over, and nothing lies further ahead than we may be
    told to wait.
    """
    tx = tx.everywhere()
    tx.run(
        "UPDATE attempt SET verdict = 'cut_short', ended_at = :now, detail = 'the process ended during this attempt'"
        " WHERE verdict = 'under_way'",
        now=now,
    )
    cut_short = tx.run("UPDATE delivery SET state = 'unsure' WHERE state = 'sending'")
    tx.run(
        "UPDATE delivery SET first_try_at = :now, tried_at = :now, looks = 0 WHERE tried_at IS NOT NULL AND id IN"
        " (SELECT d.id FROM lane l JOIN delivery d ON d.organisation = l.organisation"
        " AND d.conversation = l.conversation AND d.lane = l.name AND d.position = l.head + 1"
        " WHERE l.due_at IS NOT NULL)",
        now=now,
    )
    tx.run(
        "UPDATE lane SET due_at = :now, failures = 0 WHERE due_at IS NOT NULL AND (told = 0 OR due_at > :latest)",
        now=now,
        latest=now + LONGEST_TOLD_MS,
    )
    tx.run("UPDATE receipt SET received_at = :now WHERE state = 'waiting' AND received_at > :now", now=now)
    return cut_short


def take_over(tx: Tx, lane: Lane, now: Millis) -> None:
    """Call unsure what a sender before us left under way in a lane; how long ago nobody knows, so we wait in full."""
    found = head(tx, lane)
    if found is None or found.state != "sending":
        return
    tx.run(
        "UPDATE attempt SET verdict = 'cut_short', ended_at = :now, detail = 'its sender ended during this attempt'"
        " WHERE delivery = :id AND verdict = 'under_way'",
        id=found.id,
        now=now,
    )
    tx.run(
        "UPDATE delivery SET state = 'unsure', tried_at = :now, looks = 0 WHERE id = :id AND state = 'sending'",
        id=found.id,
        now=now,
    )


def delivery(tx: Tx, organisation: OrganisationId, id: int) -> Delivery | None:
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


def newest(tx: Tx, lane: Lane, effect: str) -> int:
    """Name the newest delivery of an effect in a lane."""
    return int(
        tx.value(
            "SELECT max(id) FROM delivery WHERE organisation = :organisation AND conversation = :conversation"
            " AND lane = :name AND effect = :effect",
            organisation=lane.organisation,
            conversation=lane.conversation,
            name=lane.name.value,
            effect=effect,
        )
    )


def resent(tx: Tx, before: Delivery, again: int) -> None:
    """Close a delivery that is owed again; if it may have arrived, the next one looks before it sends."""
    tx.run(
        "UPDATE delivery SET why = why || ' (sent again)', state = 'resent'"
        " WHERE organisation = :organisation AND id = :id",
        organisation=before.lane.organisation,
        id=before.id,
    )
    if was_uncertain(tx, before.id):
        tx.run(
            "UPDATE delivery SET state = 'unsure', tries = :tries, frozen = :frozen, first_try_at = :first,"
            " tried_at = :tried WHERE id = :id",
            id=again,
            tries=before.tries,
            frozen=before.frozen,
            first=before.first_try_at,
            tried=before.tried_at,
        )


def skip(tx: Tx, delivery: Delivery, now: Millis) -> None:
    """Give a delivery up: what waits behind it may move."""
    tx.run(
        "UPDATE delivery SET state = 'skipped', settled_at = coalesce(settled_at, :now)"
        " WHERE organisation = :organisation AND id = :id",
        organisation=delivery.lane.organisation,
        id=delivery.id,
        now=now,
    )
    tx.run(
        "UPDATE lane SET due_at = :now WHERE organisation = :organisation AND conversation = :conversation"
        " AND name = :name AND due_at IS NOT NULL AND head = :position - 1",
        organisation=delivery.lane.organisation,
        conversation=delivery.lane.conversation,
        name=delivery.lane.name.value,
        position=delivery.position,
        now=now,
    )
    tx.ring("lane", delivery.lane.name.value)
