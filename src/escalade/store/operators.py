"""People who use the console: who they are, their one-time links and their sessions."""

from __future__ import annotations

from dataclasses import dataclass

from escalade.domain.model import Millis, OrganisationId
from escalade.store.database import Tx
from escalade.store.organisations import digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """A person with a console account in one organisation."""

    id: str
    organisation: OrganisationId
    email: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleSession:
    """A signed-in browser."""

    operator: Operator
    csrf: str


def add(tx: Tx, operator: Operator, now: Millis) -> Operator:
    """Add an operator, or give them another role; one account for each address."""
    row = tx.one(
        "INSERT INTO operator (id, organisation, email, role, created_at)"
        " VALUES (:id, :organisation, :email, :role, :now)"
        " ON CONFLICT (organisation, email) DO UPDATE SET role = excluded.role RETURNING id",
        id=operator.id,
        organisation=operator.organisation,
        email=operator.email,
        role=operator.role,
        now=now,
    )
    assert row is not None
    return Operator(id=row["id"], organisation=operator.organisation, email=operator.email, role=operator.role)


def add_link(tx: Tx, operator: str, token: str, expires_at: Millis) -> None:
    """Let a link sign this operator in once."""
    tx.run(
        "INSERT INTO sign_in_link (digest, operator, expires_at) VALUES (:digest, :operator, :expires_at)",
        digest=digest(token),
        operator=operator,
        expires_at=expires_at,
    )


def use_link(tx: Tx, token: str, now: Millis) -> Operator | None:
    """Use up a link and say whom it signs in; a second use signs in nobody."""
    tx = tx.everywhere()
    changed = tx.run(
        "UPDATE sign_in_link SET used_at = :now WHERE digest = :digest AND used_at IS NULL AND expires_at > :now",
        digest=digest(token),
        now=now,
    )
    if changed != 1:
        return None
    row = tx.one(
        "SELECT o.* FROM sign_in_link l JOIN operator o ON o.id = l.operator WHERE l.digest = :digest",
        digest=digest(token),
    )
    assert row is not None
    return Operator(
        id=row["id"], organisation=OrganisationId(row["organisation"]), email=row["email"], role=row["role"]
    )


def open_session(tx: Tx, operator: str, token: str, csrf: str, now: Millis, expires_at: Millis) -> None:
    """Sign a browser in."""
    tx.everywhere().run(
        "INSERT INTO console_session (digest, operator, csrf, created_at, expires_at)"
        " VALUES (:digest, :operator, :csrf, :now, :expires_at)",
        digest=digest(token),
        operator=operator,
        csrf=csrf,
        now=now,
        expires_at=expires_at,
    )


def session(tx: Tx, token: str, now: Millis) -> ConsoleSession | None:
    """Give the session a browser's token belongs to."""
    row = tx.everywhere().one(
        "SELECT o.*, s.csrf FROM console_session s JOIN operator o ON o.id = s.operator"
        " WHERE s.digest = :digest AND s.expires_at > :now",
        digest=digest(token),
        now=now,
    )
    if row is None:
        return None
    operator = Operator(
        id=row["id"], organisation=OrganisationId(row["organisation"]), email=row["email"], role=row["role"]
    )
    return ConsoleSession(operator=operator, csrf=row["csrf"])


def close_session(tx: Tx, token: str) -> None:
    """Sign a browser out."""
    tx.everywhere().run("DELETE FROM console_session WHERE digest = :digest", digest=digest(token))
