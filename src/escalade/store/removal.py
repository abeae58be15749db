"""An organisation taken away, with every row that is its own.

`take_away` is one transaction: from its commit on no door opens and nothing more is sent. The rows that are left then,
which may be many, go in batches (`sweep`), so that nobody else waits for them; a process that is killed between two of
them leaves the rest to the next. Whoever had been let in a moment before may still bring rows in: those are swept, too.
What stays is one row that says who was removed, when and by whom, and what was given up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import msgspec

from escalade.domain.model import OPEN_STATES, Millis, OrganisationId
from escalade.domain.organisation import Organisation
from escalade.store import fulltext
from escalade.store.database import Row, Tx
from escalade.store.sql import Dialect

LATE_MS = 10 * 60_000  # so long a call that was let in before may take to come to its end
BATCH = 1000

Hanging = Callable[[Tx, OrganisationId, Sequence[int]], None]


def _remove_attempts(tx: Tx, _: OrganisationId, deliveries: Sequence[int]) -> None:
    tx.many("DELETE FROM attempt WHERE delivery = :id", ({"id": id} for id in deliveries))


# Gone with the first commit: who may come in, and what would move by itself.
AT_ONCE = ("token", "secret", "visitor", "lane", "handoff", "door", "webhook")
OF_OPERATORS = ("sign_in_link", "console_session")
# Then these, each with what hangs off its rows.
IN_BATCHES: dict[str, Hanging | None] = {
    "message": None,
    "file_piece": None,
    "file": None,
    "receipt": None,
    "delivery": _remove_attempts,
    "link": None,
    "conversation": None,
    "customer": None,
    "curve": None,
    "knowledge_vector": None,
    "knowledge_passage": fulltext.remove,
    "knowledge_document": None,
    "knowledge_source": None,
    "audit": None,
    "visitor": None,
    "lane": None,
    "handoff": None,
    "door": None,
    "webhook": None,
}

_json = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What is not finished: handoffs in which customers wait or talk, what is owed, and what came in undecided."""

    handoffs: int = 0
    tickets: tuple[str, ...] = ()  # of these handoffs, where they have one
    deliveries: int = 0
    receipts: int = 0

    def __bool__(self) -> bool:
        """Say whether there is anything."""
        return bool(self.handoffs or self.deliveries or self.receipts)

    def __str__(self) -> str:
        """Say it in words."""
        counted = {
            "open handoffs": self.handoffs,
            "deliveries owed": self.deliveries,
            "receipts waiting": self.receipts,
        }
        parts = [f"{count} {what}" for what, count in counted.items() if count]
        return ", ".join(parts) + (f" (tickets {' '.join(self.tickets)})" if self.tickets else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """The trace of a removed organisation."""

    organisation: OrganisationId
    name: str
    removed_at: Millis
    who: str
    given_up: Waiting
    audit_head: str  # number and digest of the newest row its audit log had
    cleared: bool


def waiting(tx: Tx, organisation: OrganisationId) -> Waiting:
    """Look at what is not finished, and let nobody change it until the commit."""
    if tx.shared:  # conversations first, as everywhere: then whoever decides about one waits for us
        tx.run(
            "SELECT 1 FROM conversation WHERE organisation = :organisation ORDER BY id FOR UPDATE",
            organisation=organisation,
        )
        tx.run("SELECT 1 FROM organisation WHERE id = :organisation FOR UPDATE", organisation=organisation)
    states = ", ".join(f"'{state.value}'" for state in sorted(OPEN_STATES))
    handoffs = tx.all(
        f"SELECT ticket_id FROM handoff WHERE organisation = :organisation AND state IN ({states}) ORDER BY asked_at",
        organisation=organisation,
    )
    return Waiting(
        handoffs=len(handoffs),
        tickets=tuple(row["ticket_id"] for row in handoffs if row["ticket_id"] is not None),
        deliveries=tx.value(
            "SELECT count(*) FROM delivery WHERE organisation = :organisation"
            " AND state IN ('pending', 'sending', 'unsure')",
            organisation=organisation,
        ),
        receipts=tx.value(
            "SELECT count(*) FROM receipt WHERE organisation = :organisation AND state = 'waiting'",
            organisation=organisation,
        ),
    )


def take_away(tx: Tx, organisation: Organisation, given_up: Waiting, who: str, now: Millis) -> None:
    """Shut an organisation's doors and stop what moves; what is left of it goes with the sweeps."""
    its = {"organisation": organisation.id}
    for table in OF_OPERATORS:
        tx.run(
            f"DELETE FROM {table} WHERE operator IN (SELECT id FROM operator WHERE organisation = :organisation)", **its
        )
    for table in (*AT_ONCE, "operator"):
        tx.run(f"DELETE FROM {table} WHERE organisation = :organisation", **its)
    tx.run(
        "INSERT INTO removal (organisation, removed_at, name, who, given_up, audits, audit_head)"
        " SELECT id, :now, name, :who, :given_up, audits, audit_head FROM organisation WHERE id = :organisation",
        **its,
        now=now,
        who=who,
        given_up=_json.encode(asdict(given_up)).decode(),
    )
    tx.run("DELETE FROM organisation WHERE id = :organisation", **its)


def under_way(tx: Tx) -> bool:
    """Say whether a removed organisation may have rows left."""
    return tx.everywhere().value("SELECT 1 FROM removal WHERE cleared_at IS NULL LIMIT 1") is not None


def sweep(tx: Tx, now: Millis, *, most: int = BATCH) -> int:
    """Remove some of what removed organisations have left, of each table so many rows; say how many those were."""
    gone = 0
    open_ones = tx.everywhere().all("SELECT organisation, removed_at FROM removal WHERE cleared_at IS NULL")
    for row in open_ones:
        organisation = OrganisationId(row["organisation"])
        swept = sum(_sweep(tx, organisation, table, hanging, most) for table, hanging in IN_BATCHES.items())
        if not swept and now - row["removed_at"] > LATE_MS:
            clear(tx, organisation, now)
        gone += swept
    return gone


def clear(tx: Tx, organisation: OrganisationId, now: Millis) -> None:
    """Remove all that is left of a removed organisation, and look no more: its id may be another's from now on."""
    tx.run(
        "UPDATE removal SET cleared_at = :now WHERE organisation = :organisation AND cleared_at IS NULL",
        organisation=organisation,
        now=now,
    )
    for table, hanging in IN_BATCHES.items():
        while _sweep(tx, organisation, table, hanging, BATCH):
            pass


def _sweep(tx: Tx, organisation: OrganisationId, table: str, hanging: Hanging | None, most: int) -> int:
    if hanging:
        found = f"SELECT id FROM {table} WHERE organisation = :organisation LIMIT :most"
        ids = [row["id"] for row in tx.all(found, organisation=organisation, most=most)]
        hanging(tx, organisation, ids)
        tx.many(f"DELETE FROM {table} WHERE id = :id", ({"id": id} for id in ids))
        return len(ids)
    place = "ctid" if tx.dialect is Dialect.POSTGRES else "rowid"
    return tx.run(
        f"DELETE FROM {table} WHERE {place} IN"
        f" (SELECT {place} FROM {table} WHERE organisation = :organisation LIMIT :most)",
        organisation=organisation,
        most=most,
    )


def removals(tx: Tx) -> list[Removal]:
    """List the organisations that were removed, the last first."""
    return [
        _removal(row) for row in tx.everywhere().all("SELECT * FROM removal ORDER BY removed_at DESC, organisation")
    ]


def _removal(row: Row) -> Removal:
    return Removal(
        organisation=OrganisationId(row["organisation"]),
        name=row["name"],
        removed_at=row["removed_at"],
        who=row["who"],
        given_up=msgspec.json.decode(row["given_up"], type=Waiting),
        audit_head=f"{row['audits']}:{row['audit_head'][:16]}",
        cleared=row["cleared_at"] is not None,
    )
