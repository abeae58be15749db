"""What must never be found in the database: promises of docs/promises.md, held against what has changed lately."""

from __future__ import annotations

from typing import NamedTuple

from escalade.domain.model import ConversationId, Millis, OrganisationId
from escalade.store.database import Tx
from escalade.store.erasure import TOMBSTONE

_OPEN = "('requested', 'queued', 'with_agent', 'asynchronous')"
# What changed lately and stays: not an erased customer's. By its organisation, since that is how it can be found fast.
_LATELY = (
    " c.organisation = :organisation AND c.updated_at >= :since"
    f" AND substr(c.customer, 1, {len(TOMBSTONE)}) <> '{TOMBSTONE}'"
)

QUERIES = {
    # A second copy of a customer's message was at the desk; services/echoes.py has it taken away.
    # CROSS JOIN keeps SQLite's planner from walking through every handoff there is.
    "I2": "SELECT max(c.id) AS id FROM conversation c CROSS JOIN handoff h"
    " JOIN link l ON l.handoff = h.id AND l.kind = 'message'"
    " WHERE h.organisation = c.organisation AND h.conversation = c.id AND"
    + _LATELY
    + " GROUP BY l.handoff, l.channel, l.ours HAVING count(*) > 1",
    # Whoever has control, and whether people are asked for, do not agree; or they are asked for twice.
    "I11": "SELECT c.id FROM conversation c WHERE"
    + _LATELY
    + " AND (SELECT count(*) FROM handoff h WHERE h.organisation = c.organisation AND h.conversation = c.id"
    f" AND h.state IN {_OPEN}) <> CASE WHEN c.control IN ('pending', 'agent') THEN 1 ELSE 0 END",
    # What was acknowledged is not there: places have a gap, or there are more or fewer than were given out.
    "I12": "SELECT c.id FROM conversation c WHERE" + _LATELY + " AND c.last_seq <> (SELECT count(*) FROM message m"
    " WHERE m.organisation = c.organisation AND m.conversation = c.id)",
    # A message is shown as under way and nothing is owed, or as delivered and nothing was.
    "I13": "SELECT c.id FROM conversation c JOIN message m"
    " ON m.organisation = c.organisation AND m.conversation = c.id WHERE"
    + _LATELY
    + " AND m.delivery IN ('pending', 'delivered') AND NOT EXISTS (SELECT 1 FROM delivery d"
    " WHERE d.organisation = c.organisation AND d.conversation = c.id AND d.message = m.id AND CASE m.delivery"
    " WHEN 'pending' THEN d.state IN ('pending', 'sending', 'unsure') ELSE d.state IN ('delivered', 'covered') END)",
}


class Breach(NamedTuple):
    """A promise that does not hold in a conversation."""

    invariant: str
    organisation: OrganisationId
    conversation: ConversationId


def found(tx: Tx, organisation: OrganisationId, since: Millis) -> set[Breach]:
    """Look at every conversation of an organisation that has changed since an instant."""
    return {
        Breach(invariant, organisation, ConversationId(row["id"]))
        for invariant, query in QUERIES.items()
        for row in tx.all(query, organisation=organisation, since=since)
    }
