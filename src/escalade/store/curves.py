"""Keep the last measurement of an organisation's assistant, as the text its service writes."""

from __future__ import annotations

from escalade.domain.model import Millis, OrganisationId
from escalade.store.database import Tx


def put(tx: Tx, organisation: OrganisationId, body: str, at: Millis) -> None:
    """Keep a measurement in the place of an older one."""
    tx.run(
        "INSERT INTO curve (organisation, body, measured_at) VALUES (:organisation, :body, :at)"
        " ON CONFLICT (organisation) DO UPDATE SET body = excluded.body, measured_at = excluded.measured_at",
        organisation=organisation,
        body=body,
        at=at,
    )


def of(tx: Tx, organisation: OrganisationId) -> str | None:
    """Give the measurement, if there is one."""
    found: str | None = tx.value("SELECT body FROM curve WHERE organisation = :organisation", organisation=organisation)
    return found
