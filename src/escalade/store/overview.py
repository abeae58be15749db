"""The ledger as people read it: deliveries with their attempts, and a conversation's story in one list."""

from __future__ import annotations

from escalade.domain.model import ConversationId, OrganisationId
from escalade.store.database import Row, Tx


def deliveries(
    tx: Tx,
    organisation: OrganisationId,
    *,
    state: str | None = None,
    conversation: ConversationId | None = None,
    limit: int = 100,
) -> list[Row]:
    """List deliveries, newest first."""
    where = " WHERE organisation = :organisation"
    if state is not None:
        where += " AND state = :state"
    if conversation is not None:
        where += " AND conversation = :conversation"
    return tx.all(
        "SELECT * FROM delivery" + where + " ORDER BY id DESC LIMIT :limit",
        organisation=organisation,
        state=state,
        conversation=conversation,
        limit=limit,
    )


def attempts(tx: Tx, organisation: OrganisationId, delivery: int) -> list[Row]:
    """List the attempts of one delivery, first to last."""
    return tx.all(
        "SELECT a.* FROM attempt a JOIN delivery d ON d.id = a.delivery"
        " WHERE d.organisation = :organisation AND a.delivery = :delivery ORDER BY a.id",
        organisation=organisation,
        delivery=delivery,
    )


def attempts_of_conversation(tx: Tx, organisation: OrganisationId, conversation: ConversationId) -> list[Row]:
    """List every attempt for a conversation with the effect it served, first to last."""
    return tx.all(
        "SELECT a.*, d.effect, d.lane, d.position, d.message, d.state AS delivery_state FROM attempt a"
        " JOIN delivery d ON d.id = a.delivery"
        " WHERE d.organisation = :organisation AND d.conversation = :conversation ORDER BY a.id",
        organisation=organisation,
        conversation=conversation,
    )


def handoffs(tx: Tx, organisation: OrganisationId, conversation: ConversationId) -> list[Row]:
    """List a conversation's handoffs, first to last."""
    return tx.all(
        "SELECT * FROM handoff WHERE organisation = :organisation AND conversation = :conversation ORDER BY asked_at",
        organisation=organisation,
        conversation=conversation,
    )


def counts(tx: Tx, organisation: OrganisationId, conversation: ConversationId) -> dict[str, int]:
    """Count a conversation's messages, receipts and deliveries by state."""
    found: dict[str, int] = {}
    for name, sql in (
        (
            "messages",
            "SELECT count(*) FROM message WHERE organisation = :organisation AND conversation = :conversation",
        ),
        (
            "receipts",
            "SELECT count(*) FROM receipt WHERE organisation = :organisation AND conversation = :conversation",
        ),
    ):
        found[name] = int(tx.value(sql, organisation=organisation, conversation=conversation))
    for row in tx.all(
        "SELECT state, count(*) AS n FROM delivery WHERE organisation = :organisation AND conversation = :conversation"
        " GROUP BY state",
        organisation=organisation,
        conversation=conversation,
    ):
        found[f"deliveries_{row['state']}"] = int(row["n"])
    return found


def last_receipt_at(tx: Tx, organisation: OrganisationId, source: str) -> int | None:
    """Say when a source was last heard."""
    found: int | None = tx.value(
        "SELECT max(received_at) FROM receipt WHERE organisation = :organisation AND source = :source",
        organisation=organisation,
        source=source,
    )
    return found


def health(tx: Tx, organisation: OrganisationId) -> dict[str, int]:
    """Count what an operator looks at first."""
    return {
        "open_handoffs": int(
            tx.value(
                "SELECT count(*) FROM handoff WHERE organisation = :organisation"
                " AND state IN ('requested', 'queued', 'with_agent', 'asynchronous')",
                organisation=organisation,
            )
        ),
        "owed": int(
            tx.value(
                "SELECT count(*) FROM delivery WHERE organisation = :organisation"
                " AND state IN ('pending', 'sending', 'unsure')",
                organisation=organisation,
            )
        ),
        "refused": int(
            tx.value(
                "SELECT count(*) FROM delivery WHERE organisation = :organisation AND state = 'refused'",
                organisation=organisation,
            )
        ),
    }
