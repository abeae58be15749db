"""Organisations, their settings and secrets, and the tokens that open their doors.

Tokens are kept as SHA-256 only; secrets are sealed. Both are written here and nowhere else.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import msgspec

from escalade.domain.model import CustomerId, Millis, OrganisationId
from escalade.domain.organisation import Organisation, Settings
from escalade.store.database import Row, Tx

_settings = msgspec.json.Decoder(Settings)
_json = msgspec.json.Encoder()

ROTATION_WINDOW_MS = 24 * 3600 * 1000  # both tokens open the door this long


def digest(token: str) -> str:
    """Give the SHA-256 under which a token is kept; comparing digests leaks nothing of the token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def create(tx: Tx, organisation: Organisation, now: Millis) -> None:
    """Add an organisation."""
    tx.run(
        "INSERT INTO organisation (id, name, widget_key, settings, created_at)"
        " VALUES (:organisation, :name, :widget_key, :settings, :now)",
        organisation=organisation.id,
        name=organisation.name,
        widget_key=organisation.widget_key,
        settings=_json.encode(organisation.settings).decode(),
        now=now,
    )


def load(tx: Tx, id: OrganisationId) -> Organisation | None:
    """Give an organisation by its id."""
    return _organisation(tx.one("SELECT * FROM organisation WHERE id = :organisation", organisation=id))


def lock(tx: Tx, id: OrganisationId) -> None:
    """Wait until nobody else changes this organisation's settings, and keep it so until the commit."""
    if tx.shared:
        tx.run("SELECT 1 FROM organisation WHERE id = :organisation FOR NO KEY UPDATE", organisation=id)


def named(tx: Tx, name_or_id: str) -> Organisation | None:
    """Give an organisation by id or, where no two share it, by name."""
    found = tx.everywhere().all("SELECT * FROM organisation WHERE id = :it OR name = :it", it=name_or_id)
    exact = [row for row in found if row["id"] == name_or_id]
    return _organisation(exact[0] if exact else found[0] if len(found) == 1 else None)


def by_widget_key(tx: Tx, key: str) -> Organisation | None:
    """Give the organisation a widget speaks for."""
    return _organisation(tx.everywhere().one("SELECT * FROM organisation WHERE widget_key = :key", key=key))


def everyone(tx: Tx) -> list[Organisation]:
    """List the organisations of this deployment."""
    return [
        organisation
        for row in tx.everywhere().all("SELECT * FROM organisation ORDER BY created_at, id")
        if (organisation := _organisation(row)) is not None
    ]


def _organisation(row: Row | None) -> Organisation | None:
    if row is None:
        return None
    return Organisation(
        id=OrganisationId(row["id"]),
        name=row["name"],
        widget_key=row["widget_key"],
        settings=_settings.decode(row["settings"]),
        zendesk_account_id=row["zendesk_account_id"],
    )


def save_settings(tx: Tx, id: OrganisationId, settings: Settings) -> None:
    """Replace the settings tree."""
    tx.run(
        "UPDATE organisation SET settings = :settings WHERE id = :organisation",
        organisation=id,
        settings=_json.encode(settings).decode(),
    )


def learn_account(tx: Tx, id: OrganisationId, account_id: str) -> None:
    """Remember which Zendesk account speaks for this organisation."""
    tx.run(
        "UPDATE organisation SET zendesk_account_id = :account WHERE id = :organisation",
        organisation=id,
        account=account_id,
    )


def forget_account(tx: Tx, id: OrganisationId) -> None:
    """Forget which Zendesk account speaks for this organisation: the next genuine webhook tells."""
    tx.run("UPDATE organisation SET zendesk_account_id = NULL WHERE id = :organisation", organisation=id)


# secrets


def save_secret(tx: Tx, id: OrganisationId, name: str, sealed: str, last4: str, now: Millis) -> None:
    """Replace a sealed secret."""
    tx.run(
        "INSERT INTO secret (organisation, name, sealed, last4, set_at)"
        " VALUES (:organisation, :name, :sealed, :last4, :now)"
        " ON CONFLICT (organisation, name) DO UPDATE SET sealed = excluded.sealed, last4 = excluded.last4,"
        " set_at = excluded.set_at",
        organisation=id,
        name=name,
        sealed=sealed,
        last4=last4,
        now=now,
    )


def forget_secret(tx: Tx, id: OrganisationId, name: str) -> None:
    """Remove a secret."""
    tx.run("DELETE FROM secret WHERE organisation = :organisation AND name = :name", organisation=id, name=name)


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedSecret:
    """A secret as it lies in the table."""

    sealed: str
    last4: str
    set_at: Millis


def secrets(tx: Tx, id: OrganisationId) -> dict[str, SealedSecret]:
    """Give every sealed secret of an organisation by its place in the settings tree."""
    rows = tx.all("SELECT name, sealed, last4, set_at FROM secret WHERE organisation = :organisation", organisation=id)
    return {row["name"]: SealedSecret(sealed=row["sealed"], last4=row["last4"], set_at=row["set_at"]) for row in rows}


def sealing_keys(tx: Tx) -> list[str]:
    """Name every master key that something is sealed with, by its id."""
    rows = tx.everywhere().all("SELECT DISTINCT substr(sealed, 1, 8) AS id FROM secret ORDER BY id")
    return [row["id"] for row in rows]


def sealed_after(tx: Tx, organisation: str, name: str, limit: int) -> list[Row]:
    """List sealed secrets of the whole deployment, from behind a place on."""
    return tx.everywhere().all(
        "SELECT organisation, name, sealed FROM secret"
        " WHERE organisation > :organisation OR (organisation = :organisation AND name > :name)"
        " ORDER BY organisation, name LIMIT :limit",
        organisation=organisation,
        name=name,
        limit=limit,
    )


def seal_anew(tx: Tx, organisation: str, name: str, before: str, after: str) -> None:
    """Put the same secret under another key; one that was replaced meanwhile stays as it is."""
    tx.run(
        "UPDATE secret SET sealed = :after WHERE organisation = :organisation AND name = :name AND sealed = :before",
        organisation=organisation,
        name=name,
        before=before,
        after=after,
    )


# tokens


def add_token(tx: Tx, id: OrganisationId, kind: str, token: str, now: Millis) -> None:
    """Let a token open the organisation's door of this kind."""
    tx.run(
        "INSERT INTO token (digest, organisation, kind, created_at) VALUES (:digest, :organisation, :kind, :now)",
        digest=digest(token),
        organisation=id,
        kind=kind,
        now=now,
    )


def rotate_token(tx: Tx, id: OrganisationId, kind: str, token: str, now: Millis) -> None:
    """Add a new token; the old ones open the door for one more day."""
    tx.run(
        "UPDATE token SET expires_at = :until"
        " WHERE organisation = :organisation AND kind = :kind AND expires_at IS NULL",
        organisation=id,
        kind=kind,
        until=now + ROTATION_WINDOW_MS,
    )
    add_token(tx, id, kind, token, now)


def token_owner(tx: Tx, kind: str, token_digest: str, now: Millis) -> OrganisationId | None:
    """Say whose door a token opens."""
    found = tx.everywhere().value(
        "SELECT organisation FROM token WHERE digest = :digest AND kind = :kind"
        " AND (expires_at IS NULL OR expires_at > :now)",
        digest=token_digest,
        kind=kind,
        now=now,
    )
    return None if found is None else OrganisationId(found)


def tokens(tx: Tx, id: OrganisationId, kind: str) -> list[Row]:
    """List an organisation's tokens of a kind, without the tokens."""
    return tx.all(
        "SELECT created_at, expires_at, used_at FROM token WHERE organisation = :organisation AND kind = :kind"
        " ORDER BY created_at DESC",
        organisation=id,
        kind=kind,
    )


def used_token(tx: Tx, token_digest: str, now: Millis) -> None:
    """Remember when a token was last used."""
    tx.everywhere().run("UPDATE token SET used_at = :now WHERE digest = :digest", digest=token_digest, now=now)


# visitors


def add_visitor(tx: Tx, id: OrganisationId, customer: CustomerId, token: str, origin: str, now: Millis) -> None:
    """Give a browser its session."""
    tx.run(
        "INSERT INTO visitor (digest, organisation, customer, origin, created_at, used_at)"
        " VALUES (:digest, :organisation, :customer, :origin, :now, :now)",
        digest=digest(token),
        organisation=id,
        customer=customer,
        origin=origin,
        now=now,
    )


def visitor(tx: Tx, token: str, *, unused_since: Millis, created_since: Millis) -> Row | None:
    """Give the browser session a token belongs to, unless it is too old."""
    return tx.everywhere().one(
        "SELECT organisation, customer, origin, used_at FROM visitor WHERE digest = :digest"
        " AND used_at > :unused_since AND created_at > :created_since",
        digest=digest(token),
        unused_since=unused_since,
        created_since=created_since,
    )
