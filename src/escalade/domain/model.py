"""The nouns: what a conversation is, who speaks in it, and how far a handoff has come.

Every value is frozen; a change is a new value. Instants are UTC milliseconds as integers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NewType

OrganisationId = NewType("OrganisationId", str)  # unique in this deployment
CustomerId = NewType("CustomerId", str)  # unique in this deployment
ConversationId = NewType("ConversationId", str)  # unique within one organisation
MessageId = NewType("MessageId", str)  # unique within one conversation; a customer's is made by the browser
HandoffId = NewType("HandoffId", str)  # unique in this deployment
TicketId = NewType("TicketId", str)  # unique within one Zendesk account; digits
AgentId = NewType("AgentId", str)  # Zendesk's user id; unique within one Zendesk account
FileId = NewType("FileId", str)  # unique within one organisation

Millis = int

VISITOR = "v-"  # how the id of a widget's visitor begins


class Status(StrEnum):
    """Tell the life of a conversation; independent of control."""

    OPEN = "open"
    CLOSED = "closed"


class Control(StrEnum):
    """Tell who may answer now."""

    ASSISTANT = "assistant"
    PENDING = "pending"  # asked for a person; none has come yet
    AGENT = "agent"
    NOBODY = "nobody"  # the conversation is closed


class Role(StrEnum):
    """Tell which kind of participant speaks. An agent is always a human, the assistant always the machine."""

    CUSTOMER = "customer"
    ASSISTANT = "assistant"
    AGENT = "agent"
    SYSTEM = "system"


class Mode(StrEnum):
    """Tell how a handoff reaches people."""

    LIVE = "live"
    TICKET = "ticket"


class Wish(StrEnum):
    """Tell which mode was asked for; `auto` is live if enabled and staffed, else a ticket."""

    AUTO = "auto"
    LIVE = "live"
    TICKET = "ticket"


class HandoffState(StrEnum):
    """Tell how far a handoff has come."""

    REQUESTED = "requested"  # durable here, Zendesk not told yet
    QUEUED = "queued"  # agents have control, none has answered
    WITH_AGENT = "with_agent"
    ASYNCHRONOUS = "asynchronous"  # a ticket; answers come when they come
    ENDED = "ended"
    FAILED = "failed"  # Zendesk refused both ways; an operator must act


OPEN_STATES = frozenset(
    {HandoffState.REQUESTED, HandoffState.QUEUED, HandoffState.WITH_AGENT, HandoffState.ASYNCHRONOUS}
)


class Reason(StrEnum):
    """Tell why a person was asked for."""

    ASKED_FOR_PERSON = "asked_for_person"
    NO_ANSWER = "no_answer"
    UNHELPFUL = "unhelpful"
    TOPIC = "topic"
    FRUSTRATION = "frustration"
    LOOP = "loop"  # the same answer would be given again and again
    ERROR = "error"
    API = "api"
    FOLLOW_UP = "follow_up"  # where it was before, nothing more is taken


class SummaryBy(StrEnum):
    """Tell who wrote a handoff's summary, if there is one."""

    ASKER = "asker"  # who asked for the person: a program, an own bot
    MODEL = "model"  # a language model; without a summary: its turn is over, and gave none that can be used


class Ending(StrEnum):
    """Tell which end a handoff came to; the customer is told the same."""

    BY_AGENT = "by_agent"
    INACTIVE = "inactive"
    BY_CUSTOMER = "by_customer"
    CLOSED = "closed"  # the ticket was closed or deleted, or takes nothing more
    UNKNOWN = "unknown"  # Zendesk said it ended and could not be asked which way


class Notice(StrEnum):
    """Name what a system message announces, so that a screen can draw it."""

    HANDOFF_REQUESTED = "handoff_requested"
    WAITING = "waiting"
    AGENT_JOINED = "agent_joined"
    AGENT_CHANGED = "agent_changed"
    TICKET_CREATED = "ticket_created"
    ASYNCHRONOUS = "asynchronous"
    ENDED = "ended"
    INACTIVE = "inactive"
    HANDOFF_FAILED = "handoff_failed"
    NOT_DELIVERED = "not_delivered"
    DELAYED = "delayed"
    FILE_NOT_DELIVERED = "file_not_delivered"  # its message arrived, the file did not
    BACK_TO_ASSISTANT = "back_to_assistant"
    ANNOUNCEMENT = "announcement"  # a Zendesk trigger's or bot's automatic text, never shown as a person's


class DeliveryView(StrEnum):
    """Tell a sender what became of a message."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    NONE = "none"  # it goes nowhere but the widget


class Feedback(StrEnum):
    """Tell what the customer found of an answer of the assistant."""

    HELPFUL = "helpful"
    NOT_HELPFUL = "not_helpful"


class FileState(StrEnum):
    """Tell whether a file's bytes are here."""

    ARRIVING = "arriving"  # being written down
    KEPT = "kept"
    AWAITED = "awaited"  # Zendesk has it, and we are fetching it
    LOST = "lost"  # it could not be fetched; it may be asked for again
    FLAGGED = "flagged"  # Zendesk's scanner found something in it; it is not passed on


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """A person who answers. `id` is missing where Zendesk named the person but not the account."""

    id: AgentId | None = None
    name: str
    avatar_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """The person in the widget. `verified` means the address was proved by a signed token."""

    id: CustomerId
    external_id: str | None = None
    name: str | None = None
    email: str | None = None
    locale: str | None = None
    verified: bool = False
    erased: bool = False  # nothing is kept of them any longer, and nothing new is

    @property
    def is_visitor(self) -> bool:
        """Say whether they came through our widget, where nobody else could answer them."""
        return self.id.startswith(VISITOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """An article an answer rests on; `n` is the number in the text."""

    n: int
    title: str
    url: str | None
    source_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file of a message; `id` is ours once we know of it, `url` where Zendesk has it, never shown to anyone."""

    name: str
    url: str = ""
    media_type: str | None = None
    id: FileId | None = None
    size: int | None = None
    state: FileState = FileState.AWAITED


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """Something said, before it has a place in the transcript."""

    id: MessageId | None = None  # none: the one who appends makes it
    role: Role
    text: str
    name: str | None = None
    avatar_url: str | None = None
    citations: tuple[Citation, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    notice: Notice | None = None
    tracked: bool = False  # it is owed to the desk, so its sender is told what became of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One utterance in its place: `seq` starts at 1 and has no gaps; never edited, only followed."""

    id: MessageId
    seq: int
    role: Role
    text: str
    name: str | None
    avatar_url: str | None
    citations: tuple[Citation, ...]
    attachments: tuple[Attachment, ...]
    notice: Notice | None
    delivery: DeliveryView
    created_at: Millis
    feedback: Feedback | None = None  # the customer's, of an answer of the assistant


@dataclass(frozen=True, slots=True, kw_only=True)
class Handoff:
    """One stretch of human help: asked, accepted, ended, with a reason for each."""

    id: HandoffId
    mode: Mode
    state: HandoffState
    reason: Reason
    asked_at: Millis
    asked_seq: int = 0  # how far the transcript went when it was asked for
    evidence: str = ""  # the customer's words or the rule that fired
    summary: str = ""
    summary_by: SummaryBy = SummaryBy.ASKER
    note: str = ""
    about: MessageId | None = None  # the customer's message that led here
    wanted: MessageId | None = None  # the one that says what it is about; nothing if none does
    ticket_id: TicketId | None = None
    ticket_attempted: bool = False  # a ticket may exist although we do not know its number yet
    queued_at: Millis | None = None
    answered: bool = False  # an agent has written since it was queued; being assigned is not an answer
    delay_told: bool = False  # the customer knows that our team cannot be reached at the moment
    agent: Agent | None = None
    ended: Ending | None = None
    ended_at: Millis | None = None
    ended_seq: int = 0  # how far the transcript went when it ended

    @property
    def is_open(self) -> bool:
        """Say whether people are still owed something."""
        return self.state in OPEN_STATES


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """Everything exchanged with one customer in one thread; the aggregate we lock."""

    id: ConversationId
    organisation: OrganisationId
    customer: Customer
    status: Status
    control: Control
    created_at: Millis
    updated_at: Millis
    last_seq: int = 0
    handoff: Handoff | None = None  # the current one, or the last
    context: dict[str, Any] = field(default_factory=dict)
    turns: int = 0  # questions the assistant has answered since control was last its own

    @property
    def open_handoff(self) -> Handoff | None:
        """Give the handoff that is under way, or nothing."""
        return self.handoff if self.handoff is not None and self.handoff.is_open else None

    @property
    def people_had_it_until(self) -> int:
        """Give how far the transcript went when people last had the conversation, or were last asked for."""
        return max(self.handoff.asked_seq, self.handoff.ended_seq) if self.handoff is not None else 0
