"""Intents: what must happen outside. Each is one delivery in a lane: repeatable, and built into a request late.

The lane `desk` leads to Zendesk, whichever door is open; the lane `assistant` to the machine. Within a lane the
order of effects is the order of delivery, so a later effect may rely on every earlier one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from escalade.domain.model import HandoffId, MessageId


class LaneName(StrEnum):
    """Name where a conversation's deliveries queue."""

    DESK = "desk"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Have the assistant answer a message, or say that a person must."""

    message: MessageId


@dataclass(frozen=True, slots=True, kw_only=True)
class EnsureUser:
    """Make the customer known to Sunshine Conversations."""

    handoff: HandoffId


@dataclass(frozen=True, slots=True, kw_only=True)
class EnsureConversation:
    """Open the Sunshine conversation of this handoff."""

    handoff: HandoffId


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeControl:
    """Take the new conversation from Zendesk's own bot before anything is said in it."""

    handoff: HandoffId


@dataclass(frozen=True, slots=True, kw_only=True)
class PostContext:
    """Tell the agents what was said and tried before."""

    handoff: HandoffId


@dataclass(frozen=True, slots=True, kw_only=True)
class PassToAgents:
    """Give Zendesk's agents control of the conversation."""

    handoff: HandoffId


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmControl:
    """See for ourselves that the agents have control: an accepted request is not yet a fact."""

    handoff: HandoffId


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTicket:
    """Open the ticket of this handoff; dropped where the live way worked."""

    handoff: HandoffId


@dataclass(frozen=True, slots=True, kw_only=True)
class AddNote:
    """Leave the agents an internal note: what they want, what was tried, why it came here."""

    handoff: HandoffId


@dataclass(frozen=True, slots=True, kw_only=True)
class NameRequester:
    """Give the ticket the name and address the customer has given meanwhile."""

    handoff: HandoffId


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """Show a customer's message to the people on the other side."""

    handoff: HandoffId
    message: MessageId


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseControl:
    """Tell Zendesk that the customer has left the live conversation."""

    handoff: HandoffId


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveDouble:
    """Take away a second copy of a customer's message, which arrived after it could no longer arrive."""

    handoff: HandoffId
    theirs: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeTicket:
    """Close a second ticket of the same request by merging it into the one that goes on."""

    handoff: HandoffId
    theirs: str


LiveStep = EnsureUser | EnsureConversation | TakeControl | PostContext | PassToAgents | ConfirmControl
Effect = Answer | LiveStep | OpenTicket | AddNote | NameRequester | Post | ReleaseControl | RemoveDouble | MergeTicket

LIVE_STEPS = (EnsureUser, EnsureConversation, TakeControl, PostContext, PassToAgents, ConfirmControl)

BY_NAME: dict[str, type[Effect]] = {
    kind.__name__: kind
    for kind in (
        Answer,
        *LIVE_STEPS,
        OpenTicket,
        AddNote,
        NameRequester,
        Post,
        ReleaseControl,
        RemoveDouble,
        MergeTicket,
    )
}


def lane_of(effect: Effect) -> LaneName:
    """Say in which lane an effect queues."""
    return LaneName.ASSISTANT if isinstance(effect, Answer) else LaneName.DESK
