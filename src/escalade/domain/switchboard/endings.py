"""A handoff ends: by an agent, by the customer, by silence, or because its ticket is gone."""

from __future__ import annotations

from dataclasses import replace

from escalade.domain import policy as words
from escalade.domain.effects import Effect, ReleaseControl
from escalade.domain.model import Control, Conversation, Ending, Handoff, HandoffState, Millis, Mode, Notice, Status
from escalade.domain.switchboard.decision import Decision, ignored, says

# https://developer.zendesk.com/api-reference/webhooks/event-types/ticket-events/
GONE = frozenset({"closed", "deleted", "archived", "scrubbed"})


def handoff_ended(conversation: Conversation, handoff: Handoff, ending: Ending, now: Millis) -> Decision:
    """Give control back to the assistant."""
    over = as_ended(conversation, handoff, ending, now)
    notice = Notice.INACTIVE if ending is Ending.INACTIVE else Notice.ENDED
    return Decision(
        conversation=replace(conversation, control=Control.ASSISTANT, handoff=over, turns=0),
        says=(says(words.ENDED[ending], notice),),
    )


def as_ended(conversation: Conversation, handoff: Handoff, ending: Ending, now: Millis) -> Handoff:
    """Give a handoff as it is once ended."""
    seq = conversation.last_seq
    return replace(handoff, state=HandoffState.ENDED, ended=ending, ended_at=now, ended_seq=seq)


def released(conversation: Conversation, now: Millis) -> Decision:
    """The customer goes back to the assistant."""
    handoff = conversation.open_handoff
    if handoff is None:
        return ignored(conversation, "the assistant has control")
    over = as_ended(conversation, handoff, Ending.BY_CUSTOMER, now)
    leave: tuple[Effect, ...] = (ReleaseControl(handoff=handoff.id),) if handoff.mode is Mode.LIVE else ()
    return Decision(
        conversation=replace(conversation, control=Control.ASSISTANT, handoff=over, turns=0),
        says=(says(words.BACK, Notice.BACK_TO_ASSISTANT),),
        effects=leave,
    )


def closed(conversation: Conversation, now: Millis) -> Decision:
    """The customer ends the conversation for good."""
    if conversation.status is Status.CLOSED:
        return ignored(conversation, "already closed")
    handoff = conversation.open_handoff
    leave: tuple[Effect, ...] = ()
    after = conversation.handoff
    if handoff is not None:
        after = as_ended(conversation, handoff, Ending.BY_CUSTOMER, now)
        leave = (ReleaseControl(handoff=handoff.id),) if handoff.mode is Mode.LIVE else ()
    return Decision(
        conversation=replace(conversation, status=Status.CLOSED, control=Control.NOBODY, handoff=after),
        says=(says(words.CLOSED_BY_CUSTOMER, Notice.ENDED),),
        effects=leave,
    )
