"""Everything kept about one customer: listed, and taken away; `kept` gives it out.

Taking away has two halves. `take_away` blanks every word at once and leaves bare rows, so that what is under way with
Zendesk still comes to its end; `sweep` removes those rows when nothing is under way any more.
"""

from __future__ import annotations

from dataclasses import replace

import msgspec

from escalade.domain.model import CustomerId, Handoff, Millis, OrganisationId
from escalade.store.database import Row, Tx
from escalade.store.kept import OF

TOMBSTONE = "erased-"  # how the id begins that stands in for a customer whose rows are on their way out
LONGEST_MS = 7 * 24 * 3600 * 1000  # what Zendesk has not taken by then it never will

_handoff = msgspec.json.Decoder(Handoff)
_json = msgspec.json.Encoder()


def conversations_of(tx: Tx, organisation: OrganisationId, customer: CustomerId) -> list[Row]:
    """List every conversation of a customer, first to last."""
    return tx.all(
        "SELECT id, status, control, context, created_at, updated_at FROM conversation"
        " WHERE organisation = :organisation AND customer = :customer ORDER BY created_at, id",
        organisation=organisation,
        customer=customer,
    )


def at_zendesk(tx: Tx, organisation: OrganisationId, customer: CustomerId) -> list[Row]:
    """List what Zendesk has of a customer, as far as we know of it: tickets, and records of the live chat.

    A ticket that may have been opened without our having been told its number is named by its external id.
    """
    return tx.all(
        "SELECT 'ticket' AS kind, h.ticket_id AS id FROM handoff h JOIN conversation c"
        " ON c.organisation = h.organisation AND c.id = h.conversation"
        " WHERE h.organisation = :organisation AND c.customer = :customer AND h.ticket_id IS NOT NULL"
        " UNION SELECT l.channel || ' ' || l.kind, l.theirs FROM link l JOIN handoff h ON h.id = l.handoff"
        " JOIN conversation c ON c.organisation = h.organisation AND c.id = h.conversation"
        " WHERE h.organisation = :organisation AND c.customer = :customer AND l.kind NOT IN ('message', 'ticket')"
        " UNION SELECT 'ticket by external id', h.id FROM handoff h JOIN conversation c"
        " ON c.organisation = h.organisation AND c.id = h.conversation JOIN delivery d"
        " ON d.organisation = h.organisation AND d.conversation = h.conversation AND d.effect = 'OpenTicket'"
        " AND d.state IN ('sending', 'unsure') AND substr(d.key, 1, length(h.id) + 1) = h.id || '.'"
        " WHERE h.organisation = :organisation AND c.customer = :customer AND h.ticket_id IS NULL"
        " ORDER BY 1, 2",
        organisation=organisation,
        customer=customer,
    )


def take_away(tx: Tx, organisation: OrganisationId, customer: CustomerId, tombstone: CustomerId, now: Millis) -> None:
    """Blank every word of and about a customer; what is owed to Zendesk in their name is owed no more."""
    mine = {"organisation": organisation, "customer": customer}
    of = (
        " WHERE organisation = :organisation AND conversation IN"
        " (SELECT id FROM conversation WHERE organisation = :organisation AND customer = :customer)"
    )
    tx.run("DELETE FROM message" + of, **mine)
    tx.run(
        "DELETE FROM file_piece WHERE organisation = :organisation AND file IN (SELECT id FROM file" + of + ")", **mine
    )
    tx.run("DELETE FROM file" + of, **mine)
    tx.run("UPDATE receipt SET body = '', outcome = '', state = 'ignored'" + of, **mine)
    for row in tx.all("SELECT id, body FROM handoff" + of, **mine):
        body = _bare(row["body"])
        tx.run("UPDATE handoff SET body = :body, looked_at = :now WHERE id = :id", body=body, now=now, id=row["id"])
    tx.run("UPDATE attempt SET detail = '' WHERE delivery IN (SELECT id FROM delivery" + of + ")", **mine)
    tx.run("UPDATE delivery SET frozen = NULL, why = ''" + of, **mine)
    # Leaving the live conversation still has to reach Zendesk; nothing else does.
    tx.run(
        "UPDATE delivery SET state = 'withdrawn', settled_at = :now" + of + " AND effect <> 'ReleaseControl'"
        " AND state IN ('pending', 'sending', 'unsure')",
        **mine,
        now=now,
    )
    tx.run("UPDATE lane SET due_at = :now" + of + " AND head < tail", **mine, now=now)
    tx.run(
        "INSERT INTO customer (organisation, id, created_at, erased_at) VALUES (:organisation, :tombstone, :now, :now)",
        organisation=organisation,
        tombstone=tombstone,
        now=now,
    )
    tx.run(
        "UPDATE conversation SET customer = :tombstone, context = '{}', request = ''"
        " WHERE organisation = :organisation AND customer = :customer",
        **mine,
        tombstone=tombstone,
    )
    tx.run("DELETE FROM visitor WHERE organisation = :organisation AND customer = :customer", **mine)
    tx.run("DELETE FROM customer WHERE organisation = :organisation AND id = :customer", **mine)


def _bare(body: str) -> str:
    """Leave a handoff its ids and its end, and no word of anybody's."""
    handoff = _handoff.decode(body)
    return _json.encode(replace(handoff, evidence="", summary="", note="", agent=None)).decode()


def sweep(tx: Tx, now: Millis) -> int:
    """Remove the bare rows of conversations in which nothing is under way any more; say how many those were."""
    tx = tx.everywhere()
    rows = tx.all(
        "SELECT c.organisation, c.id FROM conversation c JOIN customer u"
        " ON u.organisation = c.organisation AND u.id = c.customer WHERE u.erased_at IS NOT NULL"
        " AND (u.erased_at < :long_ago OR NOT EXISTS (SELECT 1 FROM lane l WHERE l.organisation = c.organisation"
        " AND l.conversation = c.id AND l.head < l.tail)) LIMIT 50",
        long_ago=now - LONGEST_MS,
    )
    for row in rows:
        here = {"organisation": row["organisation"], "conversation": row["id"]}
        tx.run("DELETE FROM attempt WHERE delivery IN (SELECT id FROM delivery" + OF + ")", **here)
        tx.run("DELETE FROM link WHERE handoff IN (SELECT id FROM handoff" + OF + ")", **here)
        for table in ("message", "receipt", "delivery", "lane", "handoff"):
            tx.run(f"DELETE FROM {table}" + OF, **here)
        tx.run("DELETE FROM conversation WHERE organisation = :organisation AND id = :conversation", **here)
    tx.run(
        "DELETE FROM customer WHERE erased_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM conversation c"
        " WHERE c.organisation = customer.organisation AND c.customer = customer.id)"
    )
    return len(rows)


def under_way(tx: Tx) -> bool:
    """Say whether any customer is on the way out."""
    return tx.everywhere().value("SELECT 1 FROM customer WHERE erased_at IS NOT NULL LIMIT 1") is not None
