"""The webhooks Zendesk calls us with, known from their own calls, and how far their failures have been read back."""

from __future__ import annotations

from dataclasses import dataclass

from escalade.domain.model import Millis, OrganisationId
from escalade.store.database import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """One webhook of one organisation's Zendesk."""

    organisation: OrganisationId
    id: str
    read_to: str | None


def learn(tx: Tx, organisation: OrganisationId, id: str) -> None:
    """Remember a webhook; learning it twice is the same as once."""
    tx.run(
        "INSERT INTO webhook (organisation, id) VALUES (:organisation, :id) ON CONFLICT (organisation, id) DO NOTHING",
        organisation=organisation,
        id=id,
    )


def take_due(tx: Tx, now: Millis, every: Millis) -> list[Webhook]:
    """Take the webhooks that have not been read for a while; nobody else takes them until then."""
    rows = tx.everywhere().all(
        "UPDATE webhook SET read_at = :now WHERE read_at <= :before OR read_at > :now"
        " RETURNING organisation, id, read_to",
        now=now,
        before=now - every,
    )
    return [
        Webhook(organisation=OrganisationId(row["organisation"]), id=row["id"], read_to=row["read_to"]) for row in rows
    ]


def recover(tx: Tx) -> None:
    """After a start: whatever failed while we were away is to be read now."""
    tx.everywhere().run("UPDATE webhook SET read_at = 0")


def read_on(tx: Tx, webhook: Webhook, read_to: str) -> None:
    """Remember how far a webhook's failures were read."""
    tx.run(
        "UPDATE webhook SET read_to = :read_to WHERE organisation = :organisation AND id = :id",
        organisation=webhook.organisation,
        id=webhook.id,
        read_to=read_to,
    )
