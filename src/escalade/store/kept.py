"""What is given out of what is kept about a customer: each table with the columns that are somebody's and not ours.

The shape of a row is what is asked of its table, so neither can have what the other has not.
"""

from __future__ import annotations

from typing import Any, TypeVar, cast

from typing_extensions import TypedDict

from escalade.domain.model import OrganisationId
from escalade.store.database import Tx

Shape = TypeVar("Shape")

OF = " WHERE organisation = :organisation AND conversation = :conversation"


class KeptMessage(TypedDict):
    """A message as it is kept; `citations` is JSON."""

    seq: int
    id: str
    role: str
    text: str
    name: str | None
    notice: str | None
    citations: str | None
    delivery: str
    feedback: str | None
    created_at: int


class KeptFile(TypedDict):
    """What is kept beside a file's bytes."""

    id: str
    message: str | None
    name: str
    media_type: str | None
    size: int | None
    state: str
    why: str
    created_at: int


class KeptHandoff(TypedDict):
    """A handoff as it is kept; `body` is JSON."""

    id: str
    state: str
    ticket_id: str | None
    body: str
    asked_at: int
    ended_at: int | None


class KeptReceipt(TypedDict):
    """What came in, raw."""

    id: int
    source: str
    kind: str
    key: str
    body: str
    state: str
    outcome: str
    received_at: int


class KeptDelivery(TypedDict):
    """What was owed; `frozen` is the request of the first attempt, where the receiver compares bytes."""

    id: int
    effect: str
    message: str | None
    state: str
    why: str
    frozen: str | None
    created_at: int
    settled_at: int | None


class KeptAttempt(TypedDict):
    """One try at a delivery."""

    id: int
    delivery: int
    kind: str
    verdict: str
    status: int | None
    detail: str
    started_at: int
    ended_at: int | None


class Kept(TypedDict):
    """Every row of a conversation, by what it is. Instants are milliseconds in UTC."""

    messages: list[KeptMessage]
    files: list[KeptFile]
    handoffs: list[KeptHandoff]
    receipts: list[KeptReceipt]
    deliveries: list[KeptDelivery]
    attempts: list[KeptAttempt]


def kept(tx: Tx, organisation: OrganisationId, conversation: str) -> Kept:
    """Give every row of a conversation, by what it is."""

    def rows(shape: type[Shape], table: str, of: str = OF) -> list[Shape]:
        sql = "SELECT " + ", ".join(shape.__annotations__) + " FROM " + table + of + " ORDER BY 1"
        found: list[Any] = tx.all(sql, organisation=organisation, conversation=conversation)
        return [cast(Shape, dict(row)) for row in found]

    return {
        "messages": rows(KeptMessage, "message"),
        "files": rows(KeptFile, "file"),
        "handoffs": rows(KeptHandoff, "handoff"),
        "receipts": rows(KeptReceipt, "receipt"),
        "deliveries": rows(KeptDelivery, "delivery"),
        "attempts": rows(KeptAttempt, "attempt", " WHERE delivery IN (SELECT id FROM delivery" + OF + ")"),
    }
