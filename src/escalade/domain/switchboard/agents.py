"""Agents come, speak and leave: control is theirs while one is there."""

from __future__ import annotations

from dataclasses import replace

from escalade.domain import policy as words
from escalade.domain.effects import Post
from escalade.domain.events import DeskSaid
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
    Role,
    Status,
    Utterance,
)
from escalade.domain.switchboard.decision import Decision, ignored, says


def desk_said(conversation: Conversation, event: DeskSaid) -> Decision:
    """An agent, or the desk itself, says something."""
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
    if event.role is not Role.AGENT or not current or conversation.status is Status.CLOSED or event.follows:
        # A late word from an earlier handoff is shown, but it does not take control; nobody comes with files alone.
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
        return (says(words.JOINED.format(name=agent.name), Notice.AGENT_JOINED),)
    same = before.name == agent.name if agent.id is None or before.id is None else before.id == agent.id
    return () if same else (says(words.CHANGED.format(name=agent.name), Notice.AGENT_CHANGED),)


def agent_assigned(conversation: Conversation, handoff: Handoff, agent: Agent | None, now: Millis) -> Decision:
    """Somebody is named to the ticket, or nobody any more."""
    if agent is None:
        if conversation.control is not Control.AGENT:
            return ignored(conversation, "nobody was assigned before")
        waiting = replace(handoff, agent=None, state=_waiting_state(handoff), queued_at=now, answered=False)
        return Decision(
            conversation=replace(conversation, control=Control.PENDING, handoff=waiting),
            says=(says(words.QUEUED, Notice.WAITING),),
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
