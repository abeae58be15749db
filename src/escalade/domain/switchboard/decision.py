"""What an event means, as the switchboard says it."""

from __future__ import annotations

from dataclasses import dataclass

from escalade.domain.effects import Effect
from escalade.domain.model import Conversation, Handoff, Notice, Role, Utterance


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What an event means: the new state, what is said, and what must happen outside."""

    conversation: Conversation
    says: tuple[Utterance, ...] = ()
    effects: tuple[Effect, ...] = ()
    leaves: Handoff | None = None  # the handoff that ended for another to go on from it
    withdraws: bool = False  # drop what the handoff still owes before adding the effects
    ignored: str = ""  # why nothing follows


def ignored(conversation: Conversation, why: str) -> Decision:
    """Nothing follows, and why."""
    return Decision(conversation=conversation, ignored=why)


def says(text: str, notice: Notice) -> Utterance:
    """Tell the customer something in the system's own voice."""
    return Utterance(role=Role.SYSTEM, text=text, notice=notice)
