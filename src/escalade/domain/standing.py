"""What is still true when an effect comes up for sending: the state is read again, and decides."""

from __future__ import annotations

from dataclasses import dataclass

from escalade.domain.effects import (
    AddNote,
    Answer,
    ConfirmControl,
    Effect,
    MergeTicket,
    NameRequester,
    OpenTicket,
    Post,
    ReleaseControl,
    RemoveDouble,
)
from escalade.domain.model import Control, Conversation, Handoff, HandoffId, HandoffState, Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Whether an effect is still to be sent: `send`, `drop` (with a reason), or `covered` by an earlier one."""

    send: bool
    covered: bool = False
    why: str = ""


SEND = Standing(send=True)


def standing(effect: Effect, conversation: Conversation) -> Standing:
    """Read the state again at send time: what control has moved on from is not delivered any more."""
    if isinstance(effect, Answer):
        mute = conversation.control is not Control.ASSISTANT
        return Standing(send=False, why="a person has control") if mute else SEND
    handoff = conversation.handoff
    if handoff is None or handoff.id != effect.handoff:
        return Standing(send=False, why="the handoff is over")
    match effect:
        case OpenTicket():
            if handoff.mode is Mode.LIVE:
                return Standing(send=False, covered=True, why="the live way worked")
            if handoff.ticket_id is not None:
                return Standing(send=False, covered=True, why="the ticket is open")
            # Once a ticket may exist we go on until we know it, or it would be nobody's.
            return SEND if handoff.is_open or handoff.ticket_attempted else _over(handoff)
        case AddNote() | NameRequester():
            if handoff.mode is Mode.LIVE:
                return Standing(send=False, covered=True, why="the live way worked")
            return SEND if handoff.ticket_id is not None else Standing(send=False, why="there is no ticket")
        case Post(message=message):
            if handoff.mode is Mode.TICKET and message == handoff.about:
                if handoff.is_open or handoff.ticket_id is not None:
                    return Standing(send=False, covered=True, why="it opened the ticket")
                return _over(handoff)
            return SEND if handoff.is_open else _over(handoff)
        case RemoveDouble() | MergeTicket():
            return SEND
        case ReleaseControl():
            goes_on = handoff.mode is Mode.LIVE and handoff.is_open
            return Standing(send=False, why="the chat goes on") if goes_on else SEND
        case ConfirmControl() if handoff.mode is Mode.LIVE and handoff.state is HandoffState.WITH_AGENT:
            # Whoever answers at once may have ended the session before we could see that agents had control.
            return Standing(send=False, covered=True, why="an agent is there")
        case _:
            if handoff.mode is Mode.TICKET:
                return Standing(send=False, why="the live way failed")
            return SEND if handoff.is_open else _over(handoff)


def _over(handoff: Handoff) -> Standing:
    return Standing(send=False, why=f"the handoff is {handoff.state.value}")


def handoff_of(effect: Effect) -> HandoffId | None:
    """Name the handoff an effect serves."""
    return None if isinstance(effect, Answer) else effect.handoff
