"""Whole lists, read page by page: whatever is written meanwhile, each row comes once.

A page begins behind the last row of the page before it, so nothing has to be held open between two.
"""

from __future__ import annotations

from escalade.domain.model import OrganisationId
from escalade.store.database import Row, Tx
from escalade.store.overview import Wanted

A_PAGE = 500


def conversations(tx: Tx, organisation: OrganisationId, wanted: Wanted, after: Row | None) -> list[Row]:
    """Give a page of the conversations that are wanted, the newest first."""
    further = "" if after is None else " AND (c.created_at, c.id) < (:at, :id)"
    return tx.all(
        "SELECT c.id, c.status, c.control, c.created_at, c.updated_at, c.last_seq, u.id AS customer, u.name, u.email,"
        " u.verified, u.locale, h.body AS handoff_body,"
        " (SELECT m.text FROM message m WHERE m.organisation = c.organisation AND m.conversation = c.id"
        "  AND m.role = 'customer' ORDER BY m.seq DESC LIMIT 1) AS said"
        + wanted.sql
        + further
        + " ORDER BY c.created_at DESC, c.id DESC LIMIT :limit",
        organisation=organisation,
        at=None if after is None else after["created_at"],
        id=None if after is None else after["id"],
        limit=A_PAGE,
        **wanted.values,
    )


def deliveries(tx: Tx, organisation: OrganisationId, states: tuple[str, ...], after: Row | None) -> list[Row]:
    """Give a page of the deliveries in these states, or in any, with what the last attempt brought; newest first."""
    names = {f"state_{n}": state for n, state in enumerate(states)}
    where = " WHERE d.organisation = :organisation"
    if names:
        where += " AND d.state IN (" + ", ".join(f":{name}" for name in names) + ")"
    return tx.all(
        "SELECT d.*, a.kind, a.verdict, a.status, a.ended_at FROM delivery d LEFT JOIN attempt a"
        " ON a.id = (SELECT max(id) FROM attempt WHERE delivery = d.id)"
        + where
        + ("" if after is None else " AND d.id < :id")
        + " ORDER BY d.id DESC LIMIT :limit",
        organisation=organisation,
        id=None if after is None else after["id"],
        limit=A_PAGE,
        **names,
    )


def receipts(tx: Tx, organisation: OrganisationId, after: Row | None) -> list[Row]:
    """Give a page of what came in, the newest first."""
    return tx.all(
        "SELECT * FROM receipt WHERE organisation = :organisation"
        + ("" if after is None else " AND id < :id")
        + " ORDER BY id DESC LIMIT :limit",
        organisation=organisation,
        id=None if after is None else after["id"],
        limit=A_PAGE,
    )
