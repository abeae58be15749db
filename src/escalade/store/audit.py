"""Who changed what, in a chain: each row carries the digest of the one before it.

The organisation's own row keeps the number and digest of the newest, so that a row that was edited, removed, put in or
cut off at the end is found by `broken`. Whoever can write to the database can also write the whole chain anew: note
the head that `escalade db check` prints somewhere else to see that too.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from escalade.domain.model import Millis, OrganisationId
from escalade.store.database import Row, Tx

_json = msgspec.json.Encoder()


def record(tx: Tx, organisation: OrganisationId, who: str, what: str, detail: Any, now: Millis) -> None:
    """Write down a change someone made, behind all earlier ones."""
    # Touching the organisation's row first holds back whoever else is about to append.
    before = tx.one(
        "UPDATE organisation SET audits = audits + 1 WHERE id = :organisation RETURNING audits, audit_head",
        organisation=organisation,
    )
    assert before is not None
    written = {
        "organisation": organisation,
        "number": before["audits"],
        "at": now,
        "who": who,
        "what": what,
        "detail": _json.encode(detail).decode(),
    }
    digest = _digest(written, before["audit_head"])
    tx.run(
        "INSERT INTO audit (organisation, number, at, who, what, detail, digest)"
        " VALUES (:organisation, :number, :at, :who, :what, :detail, :digest)",
        **written,
        digest=digest,
    )
    tx.run(
        "UPDATE organisation SET audit_head = :digest WHERE id = :organisation",
        organisation=organisation,
        digest=digest,
    )


def has(tx: Tx, organisation: OrganisationId, what: str, detail: Any) -> bool:
    """Say whether a change was ever made."""
    found = tx.value(
        "SELECT 1 FROM audit WHERE organisation = :organisation AND what = :what AND detail = :detail LIMIT 1",
        organisation=organisation,
        what=what,
        detail=_json.encode(detail).decode(),
    )
    return found is not None


def broken(tx: Tx, organisation: OrganisationId) -> str | None:
    """Say where an organisation's chain does not hold, or nothing if it does."""
    head = tx.one("SELECT audits, audit_head FROM organisation WHERE id = :organisation", organisation=organisation)
    assert head is not None
    rows = tx.all(
        "SELECT organisation, number, at, who, what, detail, digest FROM audit"
        " WHERE organisation = :organisation AND number IS NOT NULL ORDER BY number",
        organisation=organisation,
    )
    before, expected = "", 1
    for row in rows:
        if row["number"] != expected:
            return f"row {expected} is missing"
        if row["digest"] != _digest(row, before):
            return f"row {expected} was changed, or put in"
        before, expected = row["digest"], expected + 1
    if expected - 1 != head["audits"] or before != head["audit_head"]:
        return f"the rows after {expected - 1} are missing" if expected <= head["audits"] else "rows were added"
    return None


def head(tx: Tx, organisation: OrganisationId) -> str:
    """Give the newest row's number and digest: all that has to be kept elsewhere to prove the rows before it."""
    row = tx.one("SELECT audits, audit_head FROM organisation WHERE id = :organisation", organisation=organisation)
    assert row is not None
    return f"{row['audits']}:{row['audit_head'][:16]}"


def _digest(row: Row | dict[str, Any], before: str) -> str:
    fields = [row[name] for name in ("organisation", "number", "at", "who", "what", "detail")]
    return hashlib.sha256(_json.encode([*fields, before])).hexdigest()
