"""Know a message of ours again in the desk's list, and a second copy for what it is.

Before we send again we wait until a lost request can no longer arrive. Should one arrive all the same, the list shows
the same mark twice. Nothing could have prevented that; so the later copy is taken away, counted, and shown to the
operator as a delivery of its own.
"""

from __future__ import annotations

import structlog

from escalade.channels.base import Heard, LinkKind
from escalade.domain import transcript
from escalade.domain.effects import RemoveDouble
from escalade.domain.model import Conversation, Handoff, MessageId, Millis, Role
from escalade.store import deliveries, links, messages
from escalade.store.database import Tx

log = structlog.get_logger()


def recognise(tx: Tx, conversation: Conversation, handoff: Handoff, channel: str, echo: Heard, now: Millis) -> None:
    """Tie an echo to the customer's message it is; owe the removal of every copy but the first."""
    assert echo.mark is not None
    if not _is_ours(tx, conversation, echo.mark, echo.text):
        return
    known = links.copies(tx, handoff.id, channel=channel, ours=echo.mark)
    if echo.id in known:
        return
    links.tie(
        tx,
        conversation.organisation,
        handoff.id,
        channel=channel,
        kind=LinkKind.MESSAGE,
        theirs=echo.id,
        ours=echo.mark,
    )
    if known:
        double = max(known[0], echo.id)
        deliveries.put(
            tx, conversation.organisation, conversation.id, RemoveDouble(handoff=handoff.id, theirs=double), now
        )
        log.warning("double_found", handoff=handoff.id, message=echo.mark)


def _is_ours(tx: Tx, conversation: Conversation, mark: str, text: str) -> bool:
    """Say whether a mark names a message of this conversation with these words; the same mark alone proves nothing."""
    whole, _, part = mark.rpartition(":")
    for id, n in ((mark, None), (whole, part)):
        message = messages.load(tx, conversation.organisation, conversation.id, MessageId(id))
        if message is None or message.role is not Role.CUSTOMER:
            continue
        if n is None:
            return message.text.strip() == text.strip()
        parts = transcript.parts(message.text)
        return n.isdigit() and int(n) < len(parts) and parts[int(n)].strip() == text.strip()
    return False
