"""Receipts: what came in, raw and once by its key, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass

from escalade.domain.model import ConversationId, HandoffId, Millis, OrganisationId
from escalade.store.database import Row, Tx


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


def keep_only(tx: Tx, receipt: int, body: str) -> None:
    """Keep less of a receipt than came in."""
    tx.run("UPDATE receipt SET body = :body WHERE id = :id", id=receipt, body=body)


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


def load(tx: Tx, organisation: OrganisationId, id: int) -> Receipt | None:
    """Give one receipt of this organisation."""
    row = tx.one(
        "SELECT * FROM receipt WHERE organisation = :organisation AND id = :id", organisation=organisation, id=id
    )
    return None if row is None else _receipt(row)


def recent(
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


def recover(tx: Tx, now: Millis) -> None:
    """After a start: what came in later than now came in now, for then the clock was set back meanwhile."""
    tx.everywhere().run("UPDATE receipt SET received_at = :now WHERE state = 'waiting' AND received_at > :now", now=now)


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
