"""Customers: who they say they are; nothing of it is proof unless `verified`."""

from __future__ import annotations

from escalade.domain.model import Customer, CustomerId, Millis, OrganisationId
from escalade.store.database import Tx


def save(tx: Tx, organisation: OrganisationId, customer: Customer, now: Millis) -> None:
    """Create a customer, or replace what is known of them."""
    tx.run(
        "INSERT INTO customer (organisation, id, external_id, name, email, locale, verified, created_at)"
        " VALUES (:organisation, :id, :external_id, :name, :email, :locale, :verified, :now)"
        " ON CONFLICT (organisation, id) DO UPDATE SET external_id = excluded.external_id, name = excluded.name,"
        " email = excluded.email, locale = excluded.locale, verified = excluded.verified",
        organisation=organisation,
        id=customer.id,
        external_id=customer.external_id,
        name=customer.name,
        email=customer.email,
        locale=customer.locale,
        verified=int(customer.verified),
        now=now,
    )


def load(tx: Tx, organisation: OrganisationId, id: CustomerId) -> Customer | None:
    """Give a customer of this organisation."""
    row = tx.one(
        "SELECT * FROM customer WHERE organisation = :organisation AND id = :id", organisation=organisation, id=id
    )
    if row is None:
        return None
    return Customer(
        id=CustomerId(row["id"]),
        external_id=row["external_id"],
        name=row["name"],
        email=row["email"],
        locale=row["locale"],
        verified=bool(row["verified"]),
    )
