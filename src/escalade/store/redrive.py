"""What an operator does to a delivery by hand: have it sent again, or give it up."""

from __future__ import annotations

from escalade.domain.model import Millis
from escalade.store import attempts
from escalade.store.database import Tx
from escalade.store.deliveries import Delivery
from escalade.store.lanes import Lane


def newest(tx: Tx, lane: Lane, effect: str) -> int:
    """Name the newest delivery of an effect in a lane."""
    return int(
        tx.value(
            "SELECT max(id) FROM delivery WHERE organisation = :organisation AND conversation = :conversation"
            " AND lane = :name AND effect = :effect",
            organisation=lane.organisation,
            conversation=lane.conversation,
            name=lane.name.value,
            effect=effect,
        )
    )


def resent(tx: Tx, before: Delivery, again: int) -> None:
    """Close a delivery that is owed again; if it may have arrived, the next one looks before it sends."""
    tx.run(
        "UPDATE delivery SET why = why || ' (sent again)', state = 'resent'"
        " WHERE organisation = :organisation AND id = :id",
        organisation=before.lane.organisation,
        id=before.id,
    )
    if attempts.was_uncertain(tx, before.id):
        tx.run(
            "UPDATE delivery SET state = 'unsure', tries = :tries, frozen = :frozen, first_try_at = :first,"
            " tried_at = :tried WHERE id = :id",
            id=again,
            tries=before.tries,
            frozen=before.frozen,
            first=before.first_try_at,
            tried=before.tried_at,
        )


def skip(tx: Tx, delivery: Delivery, now: Millis) -> None:
    """Give a delivery up: what waits behind it may move."""
    tx.run(
        "UPDATE delivery SET state = 'skipped', settled_at = coalesce(settled_at, :now)"
        " WHERE organisation = :organisation AND id = :id",
        organisation=delivery.lane.organisation,
        id=delivery.id,
        now=now,
    )
    tx.run(
        "UPDATE lane SET due_at = :now WHERE organisation = :organisation AND conversation = :conversation"
        " AND name = :name AND due_at IS NOT NULL AND head = :position - 1",
        organisation=delivery.lane.organisation,
        conversation=delivery.lane.conversation,
        name=delivery.lane.name.value,
        position=delivery.position,
        now=now,
    )
    tx.ring("lane", delivery.lane.name.value)
