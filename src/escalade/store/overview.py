"""The ledger as people read it: deliveries with their attempts, and a conversation's story in one list."""

from __future__ import annotations

from dataclasses import dataclass

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
        "doubles": int(
            tx.value(
                "SELECT count(*) FROM delivery WHERE organisation = :organisation AND effect = 'RemoveDouble'",
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


# for the console


def link_state(tx: Tx, token_digest: str, now: int) -> str:
    """Say of a sign-in link whether it is good, used, expired or unknown, without using it."""
    row = tx.everywhere().one(
        "SELECT expires_at, used_at FROM sign_in_link WHERE digest = :digest", digest=token_digest
    )
    if row is None:
        return "unknown"
    if row["used_at"] is not None:
        return "used"
    return "good" if row["expires_at"] > now else "expired"


def heard(tx: Tx, organisation: OrganisationId, source: str) -> dict[str, Row]:
    """Give the last receipt of each kind from a source, with how many there were."""
    rows = tx.all(
        "SELECT kind, max(received_at) AS at, count(*) AS n FROM receipt"
        " WHERE organisation = :organisation AND source = :source GROUP BY kind",
        organisation=organisation,
        source=source,
    )
    return {row["kind"]: row for row in rows}


def widget_opened_at(tx: Tx, organisation: OrganisationId) -> int | None:
    """Say when a browser last opened the widget for the first time."""
    found: int | None = tx.value(
        "SELECT max(created_at) FROM visitor WHERE organisation = :organisation", organisation=organisation
    )
    return found


def reached_zendesk_at(tx: Tx, organisation: OrganisationId) -> int | None:
    """Say when Zendesk last took something from us."""
    found: int | None = tx.value(
        "SELECT max(settled_at) FROM delivery WHERE organisation = :organisation AND lane = 'desk'"
        " AND state = 'delivered'",
        organisation=organisation,
    )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which conversations are wanted: by how they stand and whose they are.

    `handoff` is a handoff's state, or `any`, `open` or `none`; `text` is part of a name, an address or an id.
    """

    status: str = ""
    control: str = ""
    handoff: str = ""
    text: str = ""

    @property
    def sql(self) -> str:
        """Say it in SQL: the tables, and which rows."""
        where = " WHERE c.organisation = :organisation"
        if self.status:
            where += " AND c.status = :status"
        if self.control:
            where += " AND c.control = :control"
        if self.handoff == "none":
            where += " AND h.id IS NULL"
        elif self.handoff == "any":
            where += " AND h.id IS NOT NULL"
        elif self.handoff == "open":
            where += " AND h.state IN ('requested', 'queued', 'with_agent', 'asynchronous')"
        elif self.handoff:
            where += " AND h.state = :handoff"
        if self.text:
            # Left alone, one engine heeds case and the other does not.
            columns = ("u.name", "u.email", "c.id", "u.id")
            like = " OR ".join(f"lower({column}) LIKE lower(:text) ESCAPE '\\'" for column in columns)
            where += f" AND ({like})"
        return (
            " FROM conversation c JOIN customer u ON u.organisation = c.organisation AND u.id = c.customer"
            " LEFT JOIN handoff h ON h.id = c.handoff" + where
        )

    @property
    def values(self) -> dict[str, str]:
        """Give what the SQL names."""
        escaped = self.text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return {"status": self.status, "control": self.control, "handoff": self.handoff, "text": f"%{escaped}%"}


def list_conversations(
    tx: Tx, organisation: OrganisationId, wanted: Wanted, *, offset: int = 0, limit: int = 50
) -> tuple[int, list[Row]]:
    """Count and list the conversations that are wanted, the last changed first."""
    total = int(tx.value("SELECT count(*)" + wanted.sql, organisation=organisation, **wanted.values))
    rows = tx.all(
        "SELECT c.id, c.status, c.control, c.created_at, c.updated_at, c.last_seq, u.id AS customer, u.name, u.email,"
        " u.verified, h.state AS handoff_state, h.body AS handoff_body,"
        " (SELECT m.text FROM message m WHERE m.organisation = c.organisation AND m.conversation = c.id"
        "  AND m.role = 'customer' ORDER BY m.seq DESC LIMIT 1) AS said,"
        " (SELECT count(*) FROM delivery d WHERE d.organisation = c.organisation AND d.conversation = c.id"
        "  AND d.state = 'refused') AS refused" + wanted.sql + " ORDER BY c.updated_at DESC, c.id"
        " LIMIT :limit OFFSET :offset",
        organisation=organisation,
        limit=limit,
        offset=offset,
        **wanted.values,
    )
    return total, rows


def list_deliveries(
    tx: Tx, organisation: OrganisationId, *, states: tuple[str, ...] = (), offset: int = 0, limit: int = 50
) -> tuple[int, list[Row]]:
    """Count and list deliveries with what their last attempt brought, newest first."""
    names = {f"state_{n}": state for n, state in enumerate(states)}
    where = " WHERE d.organisation = :organisation"
    if names:
        where += " AND d.state IN (" + ", ".join(f":{name}" for name in names) + ")"
    total = int(tx.value("SELECT count(*) FROM delivery d" + where, organisation=organisation, **names))
    rows = tx.all(
        "SELECT d.*, a.verdict, a.status AS answer_status, a.detail, a.ended_at, u.name AS customer_name,"
        " u.email AS customer_email FROM delivery d"
        " JOIN conversation c ON c.organisation = d.organisation AND c.id = d.conversation"
        " JOIN customer u ON u.organisation = c.organisation AND u.id = c.customer"
        " LEFT JOIN attempt a ON a.id = (SELECT max(id) FROM attempt WHERE delivery = d.id)"
        + where
        + " ORDER BY d.id DESC"
        " LIMIT :limit OFFSET :offset",
        organisation=organisation,
        limit=limit,
        offset=offset,
        **names,
    )
    return total, rows


def delivery_states(tx: Tx, organisation: OrganisationId) -> dict[str, int]:
    """Count deliveries by state."""
    rows = tx.all(
        "SELECT state, count(*) AS n FROM delivery WHERE organisation = :organisation GROUP BY state",
        organisation=organisation,
    )
    return {row["state"]: int(row["n"]) for row in rows}


def changes(tx: Tx, organisation: OrganisationId, *, offset: int = 0, limit: int = 50) -> tuple[int, list[Row]]:
    """Count and list the changes people made, newest first."""
    total = int(tx.value("SELECT count(*) FROM audit WHERE organisation = :organisation", organisation=organisation))
    rows = tx.all(
        "SELECT at, who, what, detail FROM audit WHERE organisation = :organisation ORDER BY id DESC"
        " LIMIT :limit OFFSET :offset",
        organisation=organisation,
        limit=limit,
        offset=offset,
    )
    return total, rows


def operators_of(tx: Tx, organisation: OrganisationId) -> list[Row]:
    """List who may use the console."""
    return tx.all(
        "SELECT email, role, created_at FROM operator WHERE organisation = :organisation ORDER BY email",
        organisation=organisation,
    )


def last_delivery(tx: Tx, organisation: OrganisationId, conversation: ConversationId) -> int:
    """Name the newest delivery of a conversation, or 0."""
    return int(
        tx.value(
            "SELECT coalesce(max(id), 0) FROM delivery"
            " WHERE organisation = :organisation AND conversation = :conversation",
            organisation=organisation,
            conversation=conversation,
        )
    )


def effects_after(tx: Tx, organisation: OrganisationId, conversation: ConversationId, delivery: int) -> list[str]:
    """List the effects owed after a delivery, in order."""
    rows = tx.all(
        "SELECT effect FROM delivery WHERE organisation = :organisation AND conversation = :conversation"
        " AND id > :delivery ORDER BY id",
        organisation=organisation,
        conversation=conversation,
        delivery=delivery,
    )
    return [row["effect"] for row in rows]
