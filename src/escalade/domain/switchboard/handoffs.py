"""A person is asked for: how a handoff is laid out, and what becomes of it until somebody answers."""

from __future__ import annotations

from dataclasses import replace

from escalade.domain import policy as words
from escalade.domain.effects import (
    AddNote,
    ConfirmControl,
    Effect,
    EnsureConversation,
    EnsureUser,
    OpenTicket,
    PassToAgents,
    Post,
    PostContext,
    ReleaseControl,
    TakeControl,
)
from escalade.domain.events import HandoffAsked, HandoffRetried
from escalade.domain.model import (
    Control,
    Conversation,
    Handoff,
    HandoffState,
    Millis,
    Mode,
    Notice,
    Status,
    TicketId,
    Wish,
)
from escalade.domain.policy import Policy
from escalade.domain.switchboard.decision import Decision, ignored, says


def handoff_asked(conversation: Conversation, event: HandoffAsked, policy: Policy, now: Millis) -> Decision:
    """Lay out a handoff, or change the one under way: to live where it may, to waiting where that is wished."""
    if conversation.status is Status.CLOSED:
        return ignored(conversation, "the conversation is closed")
    if not policy.zendesk_connected:
        return Decision(conversation=conversation, says=(says(words.NOT_CONNECTED, Notice.HANDOFF_FAILED),))
    under_way = conversation.open_handoff
    if under_way is not None:
        if event.wish is Wish.TICKET and under_way.state is HandoffState.QUEUED:
            # The customer would rather not wait: the request stays where it is; the chat goes on when someone writes.
            return nobody_answered(conversation, under_way, words.RATHER_LEAVE)
        may_upgrade = event.wish is Wish.LIVE and policy.live_enabled and under_way.mode is Mode.TICKET
        if not may_upgrade or under_way.ticket_id is not None or under_way.ticket_attempted:
            return ignored(conversation, "a handoff is under way")
        upgraded = replace(under_way, mode=Mode.LIVE)
        waiting = tuple(Post(handoff=upgraded.id, message=id) for id in event.waiting if id != upgraded.about)
        return Decision(
            conversation=replace(conversation, handoff=upgraded),
            effects=plan(upgraded) + waiting,
            withdraws=True,
        )
    mode = choose_mode(event, policy)
    handoff = Handoff(
        id=event.id,
        mode=mode,
        state=HandoffState.REQUESTED,
        reason=event.reason,
        asked_at=now,
        asked_seq=conversation.last_seq,
        evidence=event.evidence,
        summary=event.summary,
        summary_by=event.summary_by,
        note=event.note,
        about=event.about,
        wanted=event.wanted,
    )
    waiting = tuple(Post(handoff=handoff.id, message=message) for message in event.waiting)
    asked = words.ASKED_LIVE if mode is Mode.LIVE else words.ASKED_TICKET
    return Decision(
        conversation=replace(conversation, control=Control.PENDING, handoff=handoff),
        says=(says(asked, Notice.HANDOFF_REQUESTED),),
        effects=plan(handoff) + waiting,
    )


def choose_mode(event: HandoffAsked, policy: Policy) -> Mode:
    """Say how a handoff reaches people: live only if it is enabled and, where asked for, staffed.

    Where Zendesk could not say who is online, live is tried: the customer is protected by `answer_within_s`.
    """
    if not policy.live_enabled or event.wish is Wish.TICKET:
        return Mode.TICKET
    if event.wish is Wish.LIVE:
        return Mode.LIVE
    return Mode.TICKET if policy.require_online_agent and event.staffed is False else Mode.LIVE


def plan(handoff: Handoff) -> tuple[Effect, ...]:
    """Lay out a handoff in its lane.

    The live way carries the ticket behind it: if a step is refused, the mode changes and the lane simply goes on.
    """
    id = handoff.id
    live: tuple[Effect, ...] = (
        EnsureUser(handoff=id),
        EnsureConversation(handoff=id),
        TakeControl(handoff=id),
        PostContext(handoff=id),
        PassToAgents(handoff=id),
        ConfirmControl(handoff=id),
    )
    ticket: tuple[Effect, ...] = (OpenTicket(handoff=id), AddNote(handoff=id))
    about: tuple[Effect, ...] = (Post(handoff=id, message=handoff.about),) if handoff.about else ()
    return (*(live if handoff.mode is Mode.LIVE else ()), *ticket, *about)


def handoff_queued(conversation: Conversation, handoff: Handoff, now: Millis) -> Decision:
    """Agents have it."""
    if handoff.state is not HandoffState.REQUESTED:
        return ignored(conversation, f"the handoff is {handoff.state.value}")
    queued = replace(handoff, state=HandoffState.QUEUED, queued_at=now)
    return Decision(conversation=replace(conversation, handoff=queued), says=(says(words.QUEUED, Notice.WAITING),))


def ticket_opened(conversation: Conversation, handoff: Handoff, ticket_id: TicketId) -> Decision:
    """The ticket's number is known."""
    if handoff.ticket_id is not None:
        return ignored(conversation, "the ticket is known")
    known = replace(handoff, ticket_id=ticket_id)
    if handoff.mode is Mode.LIVE or not handoff.is_open:
        return Decision(conversation=replace(conversation, handoff=known))
    known = replace(known, state=HandoffState.ASYNCHRONOUS)
    return Decision(
        conversation=replace(conversation, handoff=known),
        says=(says(words.TICKET.format(ticket=ticket_id), Notice.TICKET_CREATED),),
    )


def handoff_refused(conversation: Conversation, handoff: Handoff, step: str, why: str) -> Decision:
    """A step was refused for good: live gives way to the ticket, and without a ticket the handoff has failed."""
    if handoff.mode is Mode.LIVE and handoff.state is HandoffState.REQUESTED:
        # What the chat may have left over there is given up: its ticket is not this handoff's, and agents are told.
        degraded = replace(handoff, mode=Mode.TICKET, ticket_id=None)
        return Decision(
            conversation=replace(conversation, handoff=degraded),
            says=(says(words.LIVE_FAILED, Notice.ASYNCHRONOUS),),
            effects=(ReleaseControl(handoff=handoff.id),),
        )
    if step == OpenTicket.__name__:
        failed = replace(handoff, state=HandoffState.FAILED)
        return Decision(
            conversation=replace(conversation, control=Control.ASSISTANT, handoff=failed),
            says=(says(words.FAILED, Notice.HANDOFF_FAILED),),
        )
    return ignored(conversation, f"{step} was refused ({why}); the handoff goes on without it")


def handoff_retried(conversation: Conversation, handoff: Handoff, event: HandoffRetried) -> Decision:
    """An operator has a failed handoff tried again, with what the customer said since."""
    if handoff.state is not HandoffState.FAILED or conversation.status is Status.CLOSED:
        return ignored(conversation, f"the handoff is {handoff.state.value}")
    again = replace(handoff, mode=Mode.TICKET, state=HandoffState.REQUESTED, delay_told=False)
    return Decision(
        conversation=replace(conversation, control=Control.PENDING, handoff=again),
        says=(says(words.ASKED_TICKET, Notice.HANDOFF_REQUESTED),),
        effects=plan(again) + tuple(Post(handoff=again.id, message=id) for id in event.waiting if id != again.about),
    )


def nobody_answered(conversation: Conversation, handoff: Handoff, text: str = words.ASYNCHRONOUS) -> Decision:
    """Nobody has come within the time: the customer is told, and need not wait here."""
    match handoff.state:
        case HandoffState.REQUESTED if not handoff.delay_told:
            # Zendesk has not taken it yet: silence would be worse than saying so, once.
            return Decision(
                conversation=replace(conversation, handoff=replace(handoff, delay_told=True)),
                says=(says(words.STILL_TRYING, Notice.WAITING),),
            )
        case HandoffState.QUEUED | HandoffState.WITH_AGENT if not handoff.answered and handoff.mode is Mode.LIVE:
            waiting = replace(handoff, state=HandoffState.ASYNCHRONOUS)
            return Decision(
                conversation=replace(conversation, control=Control.PENDING, handoff=waiting),
                says=(says(text, Notice.ASYNCHRONOUS),),
            )
        case _:
            return ignored(conversation, f"the handoff is {handoff.state.value}")
