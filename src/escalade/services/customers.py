"""What a customer may ask of us: everything we keep about them, or that none of it is kept any longer.

What Zendesk keeps is Zendesk's to give and to delete. An erasure names each of its records, so that nobody has to look
for them when it is too late to know.
"""

from __future__ import annotations

import hashlib
import json
from functools import partial
from typing import Any, Literal

from typing_extensions import TypedDict

from escalade.domain.errors import NotFound
from escalade.domain.events import Closed
from escalade.domain.model import ConversationId, CustomerId, OrganisationId
from escalade.services.intake import Intake, policy_of
from escalade.services.ports import Ports
from escalade.store import audit, conversations, customers, erasure
from escalade.store.database import Database, Row, Tx
from escalade.store.kept import Kept, kept

ERASED = "customer.erased"


class KeptCustomer(TypedDict):
    """A customer as they are kept."""

    id: str
    external_id: str | None
    name: str | None
    email: str | None
    locale: str | None
    verified: bool


class KeptConversation(Kept):
    """A conversation as it is kept, with all that belongs to it. Instants are milliseconds in UTC."""

    id: str
    status: str
    control: str
    context: dict[str, Any]
    created_at: int
    updated_at: int


class ZendeskRecord(TypedDict):
    """What Zendesk has of a customer."""

    kind: str
    id: str


class RecordLeft(ZendeskRecord):
    """What is left to be deleted there."""

    state: Literal["pending"]


class Export(TypedDict):
    """Everything that is kept about a customer, and what Zendesk has."""

    customer: KeptCustomer
    conversations: list[KeptConversation]
    at_zendesk: list[ZendeskRecord]


class Erasure(TypedDict):
    """How much was taken away, and what is left to do in Zendesk."""

    status: Literal["erased"]
    conversations: int
    at_zendesk: list[RecordLeft]


class Customers:
    """Exports and erases."""

    def __init__(self, database: Database, ports: Ports, intake: Intake) -> None:
        self._database = database
        self._ports = ports
        self._intake = intake

    async def export(self, organisation: OrganisationId, customer: CustomerId, who: str) -> Export:
        """Give everything that is kept about a customer."""

        def work(tx: Tx) -> Export:
            found = customers.load(tx, organisation, customer)
            if found is None:
                raise NotFound("no such customer")
            audit.record(tx, organisation, who, "customer.exported", _named(customer), self._ports.wall())
            return {
                "customer": {
                    "id": found.id,
                    "external_id": found.external_id,
                    "name": found.name,
                    "email": found.email,
                    "locale": found.locale,
                    "verified": found.verified,
                },
                "conversations": [
                    _conversation(row, kept(tx, organisation, row["id"]))
                    for row in erasure.conversations_of(tx, organisation, customer)
                ],
                "at_zendesk": [_record(row) for row in erasure.at_zendesk(tx, organisation, customer)],
            }

        return await self._database.write(work)

    async def erase(self, organisation: OrganisationId, customer: CustomerId, who: str) -> Erasure:
        """Take away everything that is kept about a customer; erasing twice is the same as once.

        1. List what Zendesk has.
        2. End what is open, so that agents see the customer leave.
        3. Blank every word; the bare rows go when nothing of them is under way.
        """

        def work(tx: Tx) -> Erasure:
            found = customers.load(tx, organisation, customer)
            if found is None:
                if audit.has(tx, organisation, ERASED, _named(customer)):
                    return {"status": "erased", "conversations": 0, "at_zendesk": []}
                raise NotFound("no such customer")
            records = [_left(row) for row in erasure.at_zendesk(tx, organisation, customer)]
            mine = erasure.conversations_of(tx, organisation, customer)
            for row in mine:
                conversations.lock(tx, organisation, ConversationId(row["id"]))
                current = conversations.load(tx, organisation, ConversationId(row["id"]))
                assert current is not None
                self._intake.apply(tx, current, Closed(), policy_of(tx, organisation))
                tx.ring("conversation", conversations.topic(organisation, row["id"]))
            tombstone = CustomerId(erasure.TOMBSTONE + self._ports.new_id())
            erasure.take_away(tx, organisation, customer, tombstone, self._ports.now())
            audit.record(tx, organisation, who, ERASED, _named(customer), self._ports.wall())
            tx.ring("lane", "desk")
            return {"status": "erased", "conversations": len(mine), "at_zendesk": records}

        return await self._database.write(work)

    async def sweep(self) -> None:
        """Remove what erased customers have left."""
        if await self._database.read(erasure.under_way):
            await self._database.write(partial(erasure.sweep, now=self._ports.now()))


def _named(customer: CustomerId) -> dict[str, str]:
    """Name a customer in the audit log so that only who knows the id already can tell."""
    return {"customer": hashlib.sha256(customer.encode()).hexdigest()}


def _conversation(row: Row, rest: Kept) -> KeptConversation:
    return {
        "id": row["id"],
        "status": row["status"],
        "control": row["control"],
        "context": json.loads(row["context"]),
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        **rest,
    }


def _record(row: Row) -> ZendeskRecord:
    return {"kind": row["kind"], "id": row["id"]}


def _left(row: Row) -> RecordLeft:
    return {**_record(row), "state": "pending"}
