"""Keep when a source of knowledge is read next, how far a reading is, and where one that was cut short goes on."""

from __future__ import annotations

from collections.abc import Collection

from escalade.domain.model import Millis, OrganisationId
from escalade.store.database import Tx
from escalade.store.knowledge import COLUMNS, Source


def begin(tx: Tx, organisation: OrganisationId, source: str, *, now: Millis) -> str:
    """Write down that a source is being read, and give its bookmark."""
    tx.run(
        "UPDATE knowledge_source SET reading_at = :now, reading_done = 0, reading_total = NULL, reading_title = NULL,"
        " wanted_at = NULL, due_at = COALESCE(due_at, :now) WHERE organisation = :organisation AND id = :source",
        organisation=organisation,
        source=source,
        now=now,
    )
    found = tx.value(
        "SELECT bookmark FROM knowledge_source WHERE organisation = :organisation AND id = :source",
        organisation=organisation,
        source=source,
    )
    return str(found or "")


def progress(
    tx: Tx, organisation: OrganisationId, source: str, *, now: Millis, done: int, total: int | None, title: str
) -> None:
    """Write down how far a reading is."""
    tx.run(
        "UPDATE knowledge_source SET reading_at = :now, reading_done = :done, reading_total = :total,"
        " reading_title = :title WHERE organisation = :organisation AND id = :source",
        organisation=organisation,
        source=source,
        now=now,
        done=done,
        total=total,
        title=title[:200],
    )


def end(tx: Tx, organisation: OrganisationId, source: str, *, due_at: Millis) -> None:
    """Write down that nobody reads a source any more, and when to read it next."""
    tx.run(
        "UPDATE knowledge_source SET reading_at = NULL, due_at = :due_at"
        " WHERE organisation = :organisation AND id = :source",
        organisation=organisation,
        source=source,
        due_at=due_at,
    )


def want(tx: Tx, organisation: OrganisationId, source: str, *, now: Millis) -> bool:
    """Have a source read as soon as may be; say whether there is such a source."""
    found = tx.run(
        "UPDATE knowledge_source SET wanted_at = COALESCE(wanted_at, :now)"
        " WHERE organisation = :organisation AND id = :source",
        organisation=organisation,
        source=source,
        now=now,
    )
    return found > 0


def next_due(tx: Tx, *, now: Millis, silent_since: Millis, by_schedule: bool) -> Source | None:
    """Give the source of any organisation to read next.

    What was asked for comes first; without a schedule nothing else comes. A source that somebody is reading, and who
    gave a sign of life since `silent_since`, is left to them.
    """
    row = tx.everywhere().one(
        f"SELECT {COLUMNS} FROM knowledge_source"
        " WHERE (reading_at IS NULL OR reading_at < :silent_since)"
        " AND (wanted_at IS NOT NULL OR (:by_schedule = 1 AND due_at <= :now))"
        " ORDER BY CASE WHEN wanted_at IS NULL THEN 1 ELSE 0 END, wanted_at, due_at, id LIMIT 1",
        now=now,
        silent_since=silent_since,
        by_schedule=int(by_schedule),
    )
    return None if row is None else Source(**dict(row))


def mark(tx: Tx, organisation: OrganisationId, source: str, bookmark: str) -> None:
    """Remember where the next reading goes on."""
    tx.run(
        "UPDATE knowledge_source SET bookmark = :bookmark WHERE organisation = :organisation AND id = :source",
        organisation=organisation,
        source=source,
        bookmark=bookmark,
    )


def see(tx: Tx, organisation: OrganisationId, source: str, documents: Collection[str], *, reading: Millis) -> None:
    """Remember that a reading has seen documents, named by their ids at the source."""
    tx.many(
        "UPDATE knowledge_document SET seen = :reading"
        " WHERE organisation = :organisation AND source = :source AND source_id = :source_id",
        (
            {"organisation": organisation, "source": source, "source_id": source_id, "reading": reading}
            for source_id in documents
        ),
    )


def seen(tx: Tx, organisation: OrganisationId, source: str, *, reading: Millis) -> set[str]:
    """Give what a reading has seen so far."""
    rows = tx.all(
        "SELECT source_id FROM knowledge_document"
        " WHERE organisation = :organisation AND source = :source AND seen = :reading",
        organisation=organisation,
        source=source,
        reading=reading,
    )
    return {row["source_id"] for row in rows}
