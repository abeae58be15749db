"""The rules that move control: one total function from a fact to what must follow.

Nothing is performed here. Every event has an answer in every control, so the same function serves the live service,
a simulator, a replay with a dry run, and the question "why did this escalate".
"""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from escalade.domain import policy as words
from escalade.domain.effects import Answer, Effect, NameRequester, Post
from escalade.domain.events import (
    AgentAssigned,
    AssistantSaid,
    Closed,
    CustomerIdentified,
    CustomerSaid,
    DeskSaid,
    Event,
    FilesRefused,
    HandoffAsked,
    HandoffQueued,
    HandoffRefused,
    HandoffRetried,
    NobodyAnswered,
    PostDelayed,
    PostRefused,
    Released,
    SessionEnded,
    TicketMoved,
    TicketOpened,
    TicketStatusChanged,
    Unknown,
)
from escalade.domain.model import Control, Conversation, Ending, Millis, Mode, Notice, Role, Utterance
from escalade.domain.policy import Policy
from escalade.domain.switchboard.agents import agent_assigned, desk_said
from escalade.domain.switchboard.decision import Decision, ignored, says
from escalade.domain.switchboard.endings import GONE, closed, handoff_ended, released
from escalade.domain.switchboard.follow_ups import post_refused
from escalade.domain.switchboard.handoffs import (
    handoff_asked,
    handoff_queued,
    handoff_refused,
    handoff_retried,
    nobody_answered,
    ticket_opened,
)


def decide(conversation: Conversation, event: Event, policy: Policy, now: Millis) -> Decision:
    """Say what an event means for a conversation, and do none of it."""
    if conversation.customer.erased:
        return ignored(conversation, "the customer was erased")
    match event:
        case CustomerSaid(message=message):
            return _customer_said(conversation, message, policy)
        case AssistantSaid():
            return _assistant_said(conversation, event)
        case HandoffAsked():
            return handoff_asked(conversation, event, policy, now)
        case CustomerIdentified():
            return _identified(conversation, event)
        case Released():
            return released(conversation, now)
        case Closed():
            return closed(conversation, now)
        case Unknown(kind=kind):
            return ignored(conversation, f"no meaning for {kind!r}")
        case PostRefused():
            return post_refused(conversation, event, policy, now)
        case FilesRefused(names=names):
            text = words.FILES_NOT_DELIVERED.format(names=", ".join(names))
            return Decision(conversation=conversation, says=(says(text, Notice.FILE_NOT_DELIVERED),))
        case DeskSaid():
            return desk_said(conversation, event)
        case _:
            return _about_handoff(conversation, event, now)


def _about_handoff(
    conversation: Conversation,
    event: HandoffQueued
    | TicketOpened
    | TicketMoved
    | HandoffRefused
    | HandoffRetried
    | AgentAssigned
    | TicketStatusChanged
    | SessionEnded
    | PostDelayed
    | NobodyAnswered,
    now: Millis,
) -> Decision:
    """Answer the events that speak of one handoff, which may no longer be the current one."""
    handoff = conversation.handoff
    if handoff is None or handoff.id != event.handoff:
        return ignored(conversation, "about an earlier handoff")
    match event:
        case TicketOpened(ticket_id=ticket_id):
            return ticket_opened(conversation, handoff, ticket_id)
        case HandoffRetried():
            return handoff_retried(conversation, handoff, event)
        case _ if not handoff.is_open:
            return ignored(conversation, f"the handoff is {handoff.state.value}")
        case TicketMoved(ticket_id=ticket_id):
            text = words.TICKET_MOVED.format(ticket=ticket_id)
            return Decision(
                conversation=replace(conversation, handoff=replace(handoff, ticket_id=ticket_id)),
                says=(says(text, Notice.TICKET_CREATED),),
            )
        case HandoffQueued():
            return handoff_queued(conversation, handoff, now)
        case HandoffRefused(step=step, why=why):
            return handoff_refused(conversation, handoff, step, why)
        case AgentAssigned(agent=agent):
            return agent_assigned(conversation, handoff, agent, now)
        case TicketStatusChanged(status=status):
            if status in GONE:
                return handoff_ended(conversation, handoff, Ending.CLOSED, now)
            # Solved is not an end: Zendesk reopens the ticket when the customer writes again.
            return ignored(conversation, f"the ticket is {status}; the chat goes on")
        case SessionEnded(ending=ending):
            return handoff_ended(conversation, handoff, ending, now)
        case PostDelayed():
            if handoff.mode is not Mode.LIVE or handoff.delay_told:
                return ignored(conversation, "the customer knows")
            told = replace(handoff, delay_told=True)
            return Decision(
                conversation=replace(conversation, handoff=told), says=(says(words.DELAYED, Notice.DELAYED),)
            )
        case NobodyAnswered():
            return nobody_answered(conversation, handoff)
        case _:
            assert_never(event)


def _customer_said(conversation: Conversation, message: Utterance, policy: Policy) -> Decision:
    assert message.id is not None
    match conversation.control:
        case Control.ASSISTANT:
            # Also where the assistant is switched off: a request for a person is heard all the same.
            return Decision(conversation=conversation, says=(message,), effects=(Answer(message=message.id),))
        case Control.PENDING | Control.AGENT:
            handoff = conversation.open_handoff
            if handoff is None:  # no such state is ever stored; losing the message would be worse than asking again
                return _customer_said(replace(conversation, control=Control.ASSISTANT), message, policy)
            owed = Post(handoff=handoff.id, message=message.id)
            return Decision(conversation=conversation, says=(replace(message, tracked=True),), effects=(owed,))
        case Control.NOBODY:
            return ignored(conversation, "the conversation is closed")


def _assistant_said(conversation: Conversation, event: AssistantSaid) -> Decision:
    if conversation.control is not Control.ASSISTANT:
        # The assistant finishes its sentence after a person was asked for: it must not talk over them.
        return ignored(conversation, "the assistant spoke out of turn")
    said = Utterance(id=event.id, role=Role.ASSISTANT, text=event.text, name=event.name, citations=event.citations)
    return Decision(conversation=replace(conversation, turns=conversation.turns + 1), says=(said,))


def _identified(conversation: Conversation, event: CustomerIdentified) -> Decision:
    customer = replace(
        conversation.customer,
        name=event.name or conversation.customer.name,
        email=event.email or conversation.customer.email,
    )
    if customer == conversation.customer:
        return ignored(conversation, "nothing new")
    handoff = conversation.open_handoff
    effects: tuple[Effect, ...] = ()
    if handoff is not None and handoff.mode is Mode.TICKET:
        effects = (NameRequester(handoff=handoff.id),)
    return Decision(conversation=replace(conversation, customer=customer), effects=effects)
