"""Attempts: each try at a delivery, written down before it starts, so that what a crash cuts short is known."""

from __future__ import annotations

from escalade.domain.model import Millis
from escalade.store import deliveries
from escalade.store.database import Tx
from escalade.store.deliveries import Delivery
from escalade.store.lanes import LONGEST_TOLD_MS, Lane


def begin(tx: Tx, delivery: Delivery, *, kind: str, frozen: str | None, now: Millis) -> int:
    """Write down that an attempt starts, before it does: what a crash leaves here may have arrived."""
    sends = kind == "send"
    tx.run(
        "UPDATE delivery SET state = 'sending', frozen = coalesce(frozen, :frozen),"
        " tries = tries + :send, looks = CASE WHEN :send = 1 THEN 0 ELSE looks + 1 END,"
        " first_try_at = coalesce(first_try_at, :now),"
        " tried_at = CASE WHEN :send = 1 THEN :now ELSE tried_at END WHERE organisation = :organisation AND id = :id",
        organisation=delivery.lane.organisation,
        id=delivery.id,
        frozen=frozen,
        send=int(sends),
        now=now,
    )
    return tx.insert(
        "INSERT INTO attempt (delivery, number, kind, verdict, started_at)"
        " VALUES (:delivery, (SELECT count(*) + 1 FROM attempt WHERE delivery = :delivery), :kind, 'under_way', :now)"
        " RETURNING id",
        delivery=delivery.id,
        kind=kind,
        now=now,
    )


def give_up(tx: Tx, delivery: Delivery, now: Millis) -> None:
    """Say when a try without an answer was given up: the last of its requests may have begun as late as that.

    Files are handed over and lists are read before it, so a try may begin minutes earlier.
    """
    tx.run(
        "UPDATE delivery SET tried_at = :now WHERE organisation = :organisation AND id = :id",
        organisation=delivery.lane.organisation,
        id=delivery.id,
        now=now,
    )


def was_uncertain(tx: Tx, delivery: int) -> bool:
    """Say whether any attempt of a delivery may have arrived; also one whose outcome we could not write down."""
    found = tx.value(
        "SELECT 1 FROM attempt WHERE delivery = :delivery"
        " AND (verdict IN ('uncertain', 'cut_short') OR (verdict = 'under_way' AND kind = 'send')) LIMIT 1",
        delivery=delivery,
    )
    return found is not None


def last_doubt(tx: Tx, delivery: int) -> Millis | None:
    """Say when the last attempt that may have arrived, or arrive yet, was given up; nothing if none may."""
    found: Millis | None = tx.value(
        "SELECT max(coalesce(ended_at, started_at)) FROM attempt WHERE delivery = :delivery AND kind = 'send'"
        " AND verdict IN ('uncertain', 'cut_short', 'under_way')",
        delivery=delivery,
    )
    return found


def end(tx: Tx, attempt: int, *, verdict: str, status: int | None, detail: str, now: Millis) -> None:
    """Write down what came of an attempt."""
    tx.run(
        "UPDATE attempt SET verdict = :verdict, status = :status, detail = :detail, ended_at = :now WHERE id = :id",
        id=attempt,
        verdict=verdict,
        status=status,
        detail=detail[:2000],
        now=now,
    )


def recover(tx: Tx, now: Millis) -> int:
    """After a start: what was under way when we died may have arrived, so it is unsure, never new.

    How long ago that was nobody knows: the clock may have been set meanwhile. So every wait begins anew. What is
    unsure waits in full before a look may deny it, back-off is over, and nothing lies further ahead than we may be
    told to wait.
    """
    tx = tx.everywhere()
    tx.run(
        "UPDATE attempt SET verdict = 'cut_short', ended_at = :now, detail = 'the process ended during this attempt'"
        " WHERE verdict = 'under_way'",
        now=now,
    )
    cut_short = tx.run("UPDATE delivery SET state = 'unsure' WHERE state = 'sending'")
    tx.run(
        "UPDATE delivery SET first_try_at = :now, tried_at = :now, looks = 0 WHERE tried_at IS NOT NULL AND id IN"
        " (SELECT d.id FROM lane l JOIN delivery d ON d.organisation = l.organisation"
        " AND d.conversation = l.conversation AND d.lane = l.name AND d.position = l.head + 1"
        " WHERE l.due_at IS NOT NULL)",
        now=now,
    )
    tx.run(
        "UPDATE lane SET due_at = :now, failures = 0 WHERE due_at IS NOT NULL AND (told = 0 OR due_at > :latest)",
        now=now,
        latest=now + LONGEST_TOLD_MS,
    )
    return cut_short


def take_over(tx: Tx, lane: Lane, now: Millis) -> None:
    """Call unsure what a sender before us left under way in a lane; how long ago nobody knows, so we wait in full."""
    found = deliveries.head(tx, lane)
    if found is None or found.state != "sending":
        return
    tx.run(
        "UPDATE attempt SET verdict = 'cut_short', ended_at = :now, detail = 'its sender ended during this attempt'"
        " WHERE delivery = :id AND verdict = 'under_way'",
        id=found.id,
        now=now,
    )
    tx.run(
        "UPDATE delivery SET state = 'unsure', tried_at = :now, looks = 0 WHERE id = :id AND state = 'sending'",
        id=found.id,
        now=now,
    )
