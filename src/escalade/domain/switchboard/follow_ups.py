"""Words that are not taken where they were going: another handoff goes on with them, or the customer is told."""

from __future__ import annotations

from dataclasses import replace

from escalade.domain import policy as words
from escalade.domain.effects import Effect, Post, ReleaseControl
from escalade.domain.events import PostRefused
from escalade.domain.model import (
    Control,
    Conversation,
    Ending,
    Handoff,
    HandoffState,
    Millis,
    Mode,
    Notice,
    Reason,
    Status,
)
from escalade.domain.policy import Policy
from escalade.domain.switchboard.decision import Decision, says
from escalade.domain.switchboard.endings import as_ended
from escalade.domain.switchboard.handoffs import plan


def post_refused(conversation: Conversation, event: PostRefused, policy: Policy, now: Millis) -> Decision:
    """Go on in another handoff, or tell the customer at once; the text shown is filled in where the message is known.

    A second handoff on the same message is a ticket: its first comment is the message, so there is no third.
    """
    before = conversation.handoff
    if before is None or event.follow_up is None or not may_follow_up(conversation, event, policy):
        return Decision(conversation=conversation, says=(says(event.why, Notice.NOT_DELIVERED),))
    live = before.mode is Mode.LIVE and policy.live_enabled and event.message != before.about
    handoff = Handoff(
        id=event.follow_up,
        mode=Mode.LIVE if live else Mode.TICKET,
        state=HandoffState.REQUESTED,
        reason=Reason.FOLLOW_UP,
        asked_at=now,
        asked_seq=conversation.last_seq,
        evidence=f"ticket {before.ticket_id}" if before.ticket_id else "",
        summary=before.summary,
        note=before.note,
        about=event.message,
    )
    leave: tuple[Effect, ...] = ()
    if before.mode is Mode.LIVE and before.is_open:
        leave = (ReleaseControl(handoff=before.id),)
    return Decision(
        conversation=replace(conversation, control=Control.PENDING, handoff=handoff),
        says=(
            *((says(words.MOVED_ON, Notice.ENDED),) if before.is_open else ()),
            says(words.FOLLOW_UP, Notice.HANDOFF_REQUESTED),
        ),
        effects=leave + plan(handoff) + tuple(Post(handoff=handoff.id, message=id) for id in event.waiting),
        leaves=as_ended(conversation, before, Ending.CLOSED, now) if before.is_open else None,
        withdraws=True,
    )


def may_follow_up(conversation: Conversation, event: PostRefused, policy: Policy) -> bool:
    """Say whether words that are not taken where they were going open a request of their own."""
    handoff = conversation.handoff
    if event.follow_up is None or handoff is None or handoff.id != event.handoff or not policy.zendesk_connected:
        return False
    over = handoff.ended is Ending.CLOSED and conversation.control is Control.ASSISTANT
    return conversation.status is Status.OPEN and (handoff.is_open or over)
