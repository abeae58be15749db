"""What must never be found in the database: promises of docs/promises.md, held against what has changed lately."""

from __future__ import annotations

from typing import NamedTuple

from escalade.domain.model import ConversationId, Millis, OrganisationId
from escalade.store.database import Tx
from escalade.store.erasure import TOMBSTONE

_OPEN = "('requested', 'queued', 'with_agent', 'asynchronous')"
# What changed lately and stays: neither an erased customer's nor a removed organisation's.
_LATELY = (
    f"c.updated_at >= :since AND substr(c.customer, 1, {len(TOMBSTONE)}) <> '{TOMBSTONE}'"
    " AND EXISTS (SELECT 1 FROM organisation o WHERE o.id = c.organisation)"
)

QUERIES = {
    # A second copy of a customer's message was at the desk; services/echoes.py has it taken away.
    "I2": "SELECT c.organisation, c.id FROM link l JOIN handoff h ON h.id = l.handoff JOIN conversation c"
    " ON c.organisation = h.organisation AND c.id = h.conversation WHERE l.kind = 'message' AND"
    " {lately} GROUP BY c.organisation, c.id, l.handoff, l.channel, l.ours HAVING count(*) > 1",
    # Whoever has control, and whether people are asked for, do not agree; or they are asked for twice.
    "I11": "SELECT c.organisation, c.id FROM conversation c WHERE"
    " {lately} AND (SELECT count(*) FROM handoff h WHERE h.organisation = c.organisation AND h.conversation = c.id"
    f" AND h.state IN {_OPEN}) <> CASE WHEN c.control IN ('pending', 'agent') THEN 1 ELSE 0 END",
    # What was acknowledged is not there: places have a gap, or there are more or fewer than were given out.
    "I12": "SELECT c.organisation, c.id FROM conversation c WHERE"
    " {lately} AND c.last_seq <> (SELECT count(*) FROM message m"
    " WHERE m.organisation = c.organisation AND m.conversation = c.id)",
    # A message is shown as under way and nothing is owed, or as delivered and nothing was.
    "I13": "SELECT c.organisation, c.id FROM conversation c JOIN message m"
    " ON m.organisation = c.organisation AND m.conversation = c.id WHERE"
    " {lately} AND m.delivery IN ('pending', 'delivered') AND NOT EXISTS (SELECT 1 FROM delivery d"
    " WHERE d.organisation = c.organisation AND d.conversation = c.id AND d.message = m.id AND CASE m.delivery"
    " WHEN 'pending' THEN d.state IN ('pending', 'sending', 'unsure') ELSE d.state IN ('delivered', 'covered') END)",
}


class Breach(NamedTuple):
    """A promise that does not hold in a conversation."""

    invariant: str
    organisation: OrganisationId
    conversation: ConversationId


def found(tx: Tx, since: Millis, organisation: OrganisationId | None = None) -> set[Breach]:
    """Look at every conversation, or at an organisation's, that has changed since an instant."""
    sees = tx.everywhere() if organisation is None else tx
    lately = _LATELY if organisation is None else f"c.organisation = :organisation AND {_LATELY}"
    return {
        Breach(invariant, OrganisationId(row["organisation"]), ConversationId(row["id"]))
        for invariant, query in QUERIES.items()
        for row in sees.all(query.replace("{lately}", lately), since=since, organisation=organisation)
    }
