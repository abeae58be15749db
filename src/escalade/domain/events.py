"""Facts: what happened, in our words. A channel reads its own language into these; `decide` says what they mean."""

from __future__ import annotations

from dataclasses import dataclass

from escalade.domain.model import (
    Agent,
    Attachment,
    Citation,
    Ending,
    HandoffId,
    MessageId,
    Reason,
    Role,
    SummaryBy,
    TicketId,
    Utterance,
    Wish,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerSaid:
    """A customer wrote."""

    message: Utterance


@dataclass(frozen=True, slots=True, kw_only=True)
class AssistantSaid:
    """The assistant answered. `answers` is the question, or nothing when a bot of one's own speaks."""

    id: MessageId | None = None
    text: str
    name: str | None = None
    citations: tuple[Citation, ...] = ()
    answers: MessageId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffAsked:
    """Someone wants a person: the customer, the assistant, or the API.

    `staffed` is what Zendesk said of agents online, or nothing if it could not be asked. `wanted` is the customer's
    message that says what it is about. `waiting` are those that the desk has yet to hear beside `about`, in order.
    """

    id: HandoffId
    reason: Reason
    wish: Wish = Wish.AUTO
    staffed: bool | None = None
    evidence: str = ""
    summary: str = ""
    summary_by: SummaryBy = SummaryBy.ASKER
    note: str = ""
    about: MessageId | None = None
    wanted: MessageId | None = None
    waiting: tuple[MessageId, ...] = ()
    answers: MessageId | None = None  # the question the assistant could not answer; stale if control has moved on


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffQueued:
    """Zendesk's agents have control of the live conversation."""

    handoff: HandoffId


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketOpened:
    """The ticket of a handoff exists; for a live one, its number was learnt."""

    handoff: HandoffId
    ticket_id: TicketId


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketMoved:
    """A request has had two tickets, and people work on the one we did not know."""

    handoff: HandoffId
    ticket_id: TicketId


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffRefused:
    """Zendesk refused a step of the handoff for good, or did not confirm it in time."""

    handoff: HandoffId
    step: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffRetried:
    """Somebody has mended what made a handoff fail: its ticket is to be opened after all."""

    handoff: HandoffId
    waiting: tuple[MessageId, ...] = ()  # the customer's words that did not reach the desk, in order


@dataclass(frozen=True, slots=True, kw_only=True)
class PostRefused:
    """A customer's message will not reach the desk where its handoff is.

    Where nothing more is taken there, `follow_up` is the id of a handoff that may go on with it, and `waiting` are the
    customer's messages that come after it, in order.
    """

    handoff: HandoffId
    message: MessageId
    why: str
    follow_up: HandoffId | None = None
    waiting: tuple[MessageId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesRefused:
    """Files of the customer's will not reach the desk; the words around them did."""

    handoff: HandoffId
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PostDelayed:
    """A customer's message in a live chat has not reached the desk for longer than anyone waits without a word."""

    handoff: HandoffId


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskSaid:
    """Someone or something on the desk's side wrote: an agent, or an automatic text (`role` system)."""

    handoff: HandoffId
    id: MessageId
    role: Role
    text: str
    agent: Agent | None = None
    attachments: tuple[Attachment, ...] = ()
    waiting: tuple[MessageId, ...] = ()  # what the customer has asked since a quiet end and nobody has answered
    follows: bool = False  # the files alone of words that are shown already


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentAssigned:
    """The ticket was assigned to an agent, or to nobody."""

    handoff: HandoffId
    agent: Agent | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketStatusChanged:
    """The ticket's status changed; `status` is Zendesk's word in lower case."""

    handoff: HandoffId
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEnded:
    """The live session is over on Zendesk's side."""

    handoff: HandoffId
    ending: Ending


@dataclass(frozen=True, slots=True, kw_only=True)
class NobodyAnswered:
    """No agent answered within the time the organisation promised."""

    handoff: HandoffId


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerIdentified:
    """The customer gave a name or an address."""

    name: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """The customer, or the API for them, goes back to the assistant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """The conversation is over for good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A genuine event without a meaning for us."""

    kind: str


Event = (
    CustomerSaid
    | AssistantSaid
    | HandoffAsked
    | HandoffQueued
    | TicketOpened
    | TicketMoved
    | HandoffRefused
    | HandoffRetried
    | PostRefused
    | PostDelayed
    | FilesRefused
    | DeskSaid
    | AgentAssigned
    | TicketStatusChanged
    | SessionEnded
    | NobodyAnswered
    | CustomerIdentified
    | Released
    | Closed
    | Unknown
)

BY_NAME: dict[str, type[Event]] = {
    kind.__name__: kind
    for kind in (
        CustomerSaid,
        AssistantSaid,
        HandoffAsked,
        HandoffQueued,
        TicketOpened,
        TicketMoved,
        HandoffRefused,
        HandoffRetried,
        PostRefused,
        PostDelayed,
        FilesRefused,
        DeskSaid,
        AgentAssigned,
        TicketStatusChanged,
        SessionEnded,
        NobodyAnswered,
        CustomerIdentified,
        Released,
        Closed,
        Unknown,
    )
}
