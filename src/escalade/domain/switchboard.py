"""The rules that move control: one total function from a fact to what must follow.

Nothing is performed here. Every event has an answer in every control, so the same function serves the live service,
a simulator, a replay with a dry run, and the question "why did this escalate".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import assert_never

from escalade.domain import policy as words
from escalade.domain.effects import (
    AddNote,
    Answer,
    ConfirmControl,
    Effect,
    EnsureConversation,
    EnsureUser,
    NameRequester,
    OpenTicket,
    PassToAgents,
    Post,
    PostContext,
    ReleaseControl,
    TakeControl,
)
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
from escalade.domain.model import (
    Agent,
    Control,
    Conversation,
    Ending,
    Handoff,
    HandoffState,
    Millis,
    Mode,
    Notice,
    Reason,
    Role,
    Status,
    TicketId,
    Utterance,
    Wish,
)
from escalade.domain.policy import Policy

GONE = frozenset(
    {"closed", "deleted", "archived", "scrubbed"}
)  # https://developer.zendesk.com/api-reference/webhooks/event-types/ticket-events/


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What an event means: the new state, what is said, and what must happen outside."""

    conversation: Conversation
    says: tuple[Utterance, ...] = ()
    effects: tuple[Effect, ...] = ()
    leaves: Handoff | None = None  # the handoff that ended for another to go on from it
    withdraws: bool = False  # drop what the handoff still owes before adding the effects
    ignored: str = ""  # why nothing follows


def decide(conversation: Conversation, event: Event, policy: Policy, now: Millis) -> Decision:
    """Say what an event means for a conversation, and do none of it."""
    if conversation.customer.erased:
        return _ignored(conversation, "the customer was erased")
    match event:
        case CustomerSaid(message=message):
            return _customer_said(conversation, message, policy)
        case AssistantSaid():
            return _assistant_said(conversation, event)
        case HandoffAsked():
            return _handoff_asked(conversation, event, policy, now)
        case CustomerIdentified():
            return _identified(conversation, event)
        case Released():
            return _released(conversation, now)
        case Closed():
            return _closed(conversation, now)
        case Unknown(kind=kind):
            return _ignored(conversation, f"no meaning for {kind!r}")
        case PostRefused():
            return _post_refused(conversation, event, policy, now)
        case FilesRefused(names=names):
            text = words.FILES_NOT_DELIVERED.format(names=", ".join(names))
            return Decision(conversation=conversation, says=(_says(text, Notice.FILE_NOT_DELIVERED),))
        case DeskSaid():
            return _desk_said(conversation, event)
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
        return _ignored(conversation, "about an earlier handoff")
    match event:
        case TicketOpened(ticket_id=ticket_id):
            return _ticket_opened(conversation, handoff, ticket_id)
        case HandoffRetried():
            return _handoff_retried(conversation, handoff, event)
        case _ if not handoff.is_open:
            return _ignored(conversation, f"the handoff is {handoff.state.value}")
        case TicketMoved(ticket_id=ticket_id):
            text = words.TICKET_MOVED.format(ticket=ticket_id)
            return Decision(
                conversation=replace(conversation, handoff=replace(handoff, ticket_id=ticket_id)),
                says=(_says(text, Notice.TICKET_CREATED),),
            )
        case HandoffQueued():
            return _queued(conversation, handoff, now)
        case HandoffRefused(step=step, why=why):
            return _handoff_refused(conversation, handoff, step, why)
        case AgentAssigned(agent=agent):
            return _assigned(conversation, handoff, agent, now)
        case TicketStatusChanged(status=status):
            if status in GONE:
                return _end(conversation, handoff, Ending.CLOSED, now)
            # Solved is not an end: Zendesk reopens the ticket when the customer writes again.
            return _ignored(conversation, f"the ticket is {status}; the chat goes on")
        case SessionEnded(ending=ending):
            return _end(conversation, handoff, ending, now)
        case PostDelayed():
            if handoff.mode is not Mode.LIVE or handoff.delay_told:
                return _ignored(conversation, "the customer knows")
            told = replace(handoff, delay_told=True)
            return Decision(
                conversation=replace(conversation, handoff=told), says=(_says(words.DELAYED, Notice.DELAYED),)
            )
        case NobodyAnswered():
            return _nobody_answered(conversation, handoff)
        case _:
            assert_never(event)


def _ignored(conversation: Conversation, why: str) -> Decision:
    return Decision(conversation=conversation, ignored=why)


def _says(text: str, notice: Notice) -> Utterance:
    return Utterance(role=Role.SYSTEM, text=text, notice=notice)


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
            return _ignored(conversation, "the conversation is closed")


def _assistant_said(conversation: Conversation, event: AssistantSaid) -> Decision:
    if conversation.control is not Control.ASSISTANT:
        # The assistant finishes its sentence after a person was asked for: it must not talk over them.
        return _ignored(conversation, "the assistant spoke out of turn")
    said = Utterance(id=event.id, role=Role.ASSISTANT, text=event.text, name=event.name, citations=event.citations)
    return Decision(conversation=replace(conversation, turns=conversation.turns + 1), says=(said,))


def _handoff_asked(conversation: Conversation, event: HandoffAsked, policy: Policy, now: Millis) -> Decision:
    if conversation.status is Status.CLOSED:
        return _ignored(conversation, "the conversation is closed")
    if not policy.zendesk_connected:
        return Decision(conversation=conversation, says=(_says(words.NOT_CONNECTED, Notice.HANDOFF_FAILED),))
    under_way = conversation.open_handoff
    if under_way is not None:
        if event.wish is Wish.TICKET and under_way.state is HandoffState.QUEUED:
            # The customer would rather not wait: the request stays where it is; the chat goes on when someone writes.
            return _nobody_answered(conversation, under_way, words.RATHER_LEAVE)
        may_upgrade = event.wish is Wish.LIVE and policy.live_enabled and under_way.mode is Mode.TICKET
        if not may_upgrade or under_way.ticket_id is not None or under_way.ticket_attempted:
            return _ignored(conversation, "a handoff is under way")
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
        note=event.note,
        about=event.about,
    )
    waiting = tuple(Post(handoff=handoff.id, message=message) for message in event.waiting)
    asked = words.ASKED_LIVE if mode is Mode.LIVE else words.ASKED_TICKET
    return Decision(
        conversation=replace(conversation, control=Control.PENDING, handoff=handoff),
        says=(_says(asked, Notice.HANDOFF_REQUESTED),),
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


def _queued(conversation: Conversation, handoff: Handoff, now: Millis) -> Decision:
    if handoff.state is not HandoffState.REQUESTED:
        return _ignored(conversation, f"the handoff is {handoff.state.value}")
    queued = replace(handoff, state=HandoffState.QUEUED, queued_at=now)
    return Decision(conversation=replace(conversation, handoff=queued), says=(_says(words.QUEUED, Notice.WAITING),))


def _ticket_opened(conversation: Conversation, handoff: Handoff, ticket_id: TicketId) -> Decision:
    if handoff.ticket_id is not None:
        return _ignored(conversation, "the ticket is known")
    known = replace(handoff, ticket_id=ticket_id)
    if handoff.mode is Mode.LIVE or not handoff.is_open:
        return Decision(conversation=replace(conversation, handoff=known))
    known = replace(known, state=HandoffState.ASYNCHRONOUS)
    return Decision(
        conversation=replace(conversation, handoff=known),
        says=(_says(words.TICKET.format(ticket=ticket_id), Notice.TICKET_CREATED),),
    )


def _handoff_refused(conversation: Conversation, handoff: Handoff, step: str, why: str) -> Decision:
    if handoff.mode is Mode.LIVE and handoff.state is HandoffState.REQUESTED:
        # What the chat may have left over there is given up: its ticket is not this handoff's, and agents are told.
        degraded = replace(handoff, mode=Mode.TICKET, ticket_id=None)
        return Decision(
            conversation=replace(conversation, handoff=degraded),
            says=(_says(words.LIVE_FAILED, Notice.ASYNCHRONOUS),),
            effects=(ReleaseControl(handoff=handoff.id),),
        )
    if step == OpenTicket.__name__:
        failed = replace(handoff, state=HandoffState.FAILED)
        return Decision(
            conversation=replace(conversation, control=Control.ASSISTANT, handoff=failed),
            says=(_says(words.FAILED, Notice.HANDOFF_FAILED),),
        )
    return _ignored(conversation, f"{step} was refused ({why}); the handoff goes on without it")


def _handoff_retried(conversation: Conversation, handoff: Handoff, event: HandoffRetried) -> Decision:
    if handoff.state is not HandoffState.FAILED or conversation.status is Status.CLOSED:
        return _ignored(conversation, f"the handoff is {handoff.state.value}")
    again = replace(handoff, mode=Mode.TICKET, state=HandoffState.REQUESTED, delay_told=False)
    return Decision(
        conversation=replace(conversation, control=Control.PENDING, handoff=again),
        says=(_says(words.ASKED_TICKET, Notice.HANDOFF_REQUESTED),),
        effects=plan(again) + tuple(Post(handoff=again.id, message=id) for id in event.waiting if id != again.about),
    )


def _post_refused(conversation: Conversation, event: PostRefused, policy: Policy, now: Millis) -> Decision:
    """Go on in another handoff, or tell the customer at once; the text shown is filled in where the message is known.

    A second handoff on the same message is a ticket: its first comment is the message, so there is no third.
    """
    before = conversation.handoff
    if before is None or event.follow_up is None or not may_follow_up(conversation, event, policy):
        return Decision(conversation=conversation, says=(_says(event.why, Notice.NOT_DELIVERED),))
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
            *((_says(words.MOVED_ON, Notice.ENDED),) if before.is_open else ()),
            _says(words.FOLLOW_UP, Notice.HANDOFF_REQUESTED),
        ),
        effects=leave + plan(handoff) + tuple(Post(handoff=handoff.id, message=id) for id in event.waiting),
        leaves=_ended(conversation, before, Ending.CLOSED, now) if before.is_open else None,
        withdraws=True,
    )


def may_follow_up(conversation: Conversation, event: PostRefused, policy: Policy) -> bool:
    """Say whether words that are not taken where they were going open a request of their own."""
    handoff = conversation.handoff
    if event.follow_up is None or handoff is None or handoff.id != event.handoff or not policy.zendesk_connected:
        return False
    over = handoff.ended is Ending.CLOSED and conversation.control is Control.ASSISTANT
    return conversation.status is Status.OPEN and (handoff.is_open or over)


def _desk_said(conversation: Conversation, event: DeskSaid) -> Decision:
    said = Utterance(
        id=event.id,
        role=event.role,
        text=event.text,
        name=event.agent.name if event.agent else None,
        avatar_url=event.agent.avatar_url if event.agent else None,
        attachments=event.attachments,
        notice=Notice.ANNOUNCEMENT if event.role is Role.SYSTEM else None,
    )
    handoff = conversation.handoff
    current = handoff is not None and handoff.id == event.handoff
    if event.role is not Role.AGENT or not current or conversation.status is Status.CLOSED:
        # A late word from an earlier handoff is shown, but it does not take control.
        return Decision(conversation=conversation, says=(said,))
    assert handoff is not None
    if not handoff.is_open and handoff.ended not in {Ending.INACTIVE, Ending.UNKNOWN}:
        return Decision(conversation=conversation, says=(said,))
    # An agent who writes after a quiet spell opens the chat again.
    state = HandoffState.WITH_AGENT if handoff.mode is Mode.LIVE else HandoffState.ASYNCHRONOUS
    agent = event.agent or handoff.agent
    joined = replace(handoff, state=state, agent=agent, answered=True, ended=None, ended_at=None)
    return Decision(
        conversation=replace(conversation, control=Control.AGENT, handoff=joined),
        says=(*_introduction(handoff, event.agent), said),
        effects=tuple(Post(handoff=handoff.id, message=message) for message in event.waiting),
    )


def _introduction(handoff: Handoff, agent: Agent | None) -> tuple[Utterance, ...]:
    """Announce an agent the first time, and again when another takes over."""
    if agent is None:
        return ()
    before = handoff.agent
    if before is None:
        return (_says(words.JOINED.format(name=agent.name), Notice.AGENT_JOINED),)
    same = before.name == agent.name if agent.id is None or before.id is None else before.id == agent.id
    return () if same else (_says(words.CHANGED.format(name=agent.name), Notice.AGENT_CHANGED),)


def _assigned(conversation: Conversation, handoff: Handoff, agent: Agent | None, now: Millis) -> Decision:
    if agent is None:
        if conversation.control is not Control.AGENT:
            return _ignored(conversation, "nobody was assigned before")
        waiting = replace(handoff, agent=None, state=_waiting_state(handoff), queued_at=now, answered=False)
        return Decision(
            conversation=replace(conversation, control=Control.PENDING, handoff=waiting),
            says=(_says(words.QUEUED, Notice.WAITING),),
        )
    if handoff.mode is Mode.TICKET:
        # On a ticket an assignee is an owner, not someone who has come to talk.
        known = replace(handoff, agent=handoff.agent or agent)
        return Decision(conversation=replace(conversation, handoff=known))
    joined = replace(handoff, state=HandoffState.WITH_AGENT, agent=agent)
    return Decision(
        conversation=replace(conversation, control=Control.AGENT, handoff=joined),
        says=_introduction(handoff, agent),
    )


def _waiting_state(handoff: Handoff) -> HandoffState:
    return HandoffState.QUEUED if handoff.mode is Mode.LIVE else HandoffState.ASYNCHRONOUS


def _nobody_answered(conversation: Conversation, handoff: Handoff, text: str = words.ASYNCHRONOUS) -> Decision:
    match handoff.state:
        case HandoffState.REQUESTED if not handoff.delay_told:
            # Zendesk has not taken it yet: silence would be worse than saying so, once.
            return Decision(
                conversation=replace(conversation, handoff=replace(handoff, delay_told=True)),
                says=(_says(words.STILL_TRYING, Notice.WAITING),),
            )
        case HandoffState.QUEUED | HandoffState.WITH_AGENT if not handoff.answered and handoff.mode is Mode.LIVE:
            waiting = replace(handoff, state=HandoffState.ASYNCHRONOUS)
            return Decision(
                conversation=replace(conversation, control=Control.PENDING, handoff=waiting),
                says=(_says(text, Notice.ASYNCHRONOUS),),
            )
        case _:
            return _ignored(conversation, f"the handoff is {handoff.state.value}")


def _end(conversation: Conversation, handoff: Handoff, ending: Ending, now: Millis) -> Decision:
    ended = _ended(conversation, handoff, ending, now)
    notice = Notice.INACTIVE if ending is Ending.INACTIVE else Notice.ENDED
    return Decision(
        conversation=replace(conversation, control=Control.ASSISTANT, handoff=ended, turns=0),
        says=(_says(words.ENDED[ending], notice),),
    )


def _ended(conversation: Conversation, handoff: Handoff, ending: Ending, now: Millis) -> Handoff:
    seq = conversation.last_seq
    return replace(handoff, state=HandoffState.ENDED, ended=ending, ended_at=now, ended_seq=seq)


def _released(conversation: Conversation, now: Millis) -> Decision:
    handoff = conversation.open_handoff
    if handoff is None:
        return _ignored(conversation, "the assistant has control")
    ended = _ended(conversation, handoff, Ending.BY_CUSTOMER, now)
    leave: tuple[Effect, ...] = (ReleaseControl(handoff=handoff.id),) if handoff.mode is Mode.LIVE else ()
    return Decision(
        conversation=replace(conversation, control=Control.ASSISTANT, handoff=ended, turns=0),
        says=(_says(words.BACK, Notice.BACK_TO_ASSISTANT),),
        effects=leave,
    )


def _closed(conversation: Conversation, now: Millis) -> Decision:
    if conversation.status is Status.CLOSED:
        return _ignored(conversation, "already closed")
    handoff = conversation.open_handoff
    leave: tuple[Effect, ...] = ()
    after = conversation.handoff
    if handoff is not None:
        after = _ended(conversation, handoff, Ending.BY_CUSTOMER, now)
        leave = (ReleaseControl(handoff=handoff.id),) if handoff.mode is Mode.LIVE else ()
    return Decision(
        conversation=replace(conversation, status=Status.CLOSED, control=Control.NOBODY, handoff=after),
        says=(_says(words.CLOSED_BY_CUSTOMER, Notice.ENDED),),
        effects=leave,
    )


def _identified(conversation: Conversation, event: CustomerIdentified) -> Decision:
    customer = replace(
        conversation.customer,
        name=event.name or conversation.customer.name,
        email=event.email or conversation.customer.email,
    )
    if customer == conversation.customer:
        return _ignored(conversation, "nothing new")
    handoff = conversation.open_handoff
    effects: tuple[Effect, ...] = ()
    if handoff is not None and handoff.mode is Mode.TICKET:
        effects = (NameRequester(handoff=handoff.id),)
    return Decision(conversation=replace(conversation, customer=customer), effects=effects)
