"""Find the message that says what a handoff is about, when a person is asked for."""

from __future__ import annotations

import structlog

from escalade.assistant.substance import says_what_it_is_about
from escalade.domain.model import Conversation, MessageId, Role
from escalade.store import messages
from escalade.store.database import Database

log = structlog.get_logger()

MOST = 40  # messages that are looked at, the newest


async def wanted(database: Database, conversation: Conversation) -> MessageId | None:
    """Give the customer's last message of substance since people had the conversation; nothing if there is none.

    Who has said nothing since means what they said before.
    """
    after = max(conversation.last_seq - MOST, 0)
    said = await database.read(
        lambda tx: messages.of(tx, conversation.organisation, conversation.id, after=after, limit=MOST)
    )
    own = [m for m in said if m.role is Role.CUSTOMER and m.seq <= conversation.last_seq]
    since = [m for m in own if m.seq > conversation.people_had_it_until]
    try:
        return next((m.id for m in reversed(since or own) if says_what_it_is_about(m.text)), None)
    except Exception:  # a person comes all the same: the agent then reads the last message first
        log.exception("want_not_found", conversation=conversation.id)
        return None
