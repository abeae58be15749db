"""What the developer API answers: the shape of every body, from which its description is made.

What writes an answer names one of these as its type, so that mypy refuses what the description does not say. Where the
widget answers the same, the shape is the same. They may get fields: whoever reads one lets pass what they do not know.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from escalade.domain.model import (
    Control,
    DeliveryView,
    Ending,
    Feedback,
    FileState,
    HandoffState,
    Mode,
    Notice,
    Reason,
    Role,
    Status,
)

Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]  # RFC 3339 in UTC


class Customer(TypedDict):
    """The person in the conversation; nothing said of them is proof."""

    id: str
    name: str | None
    email: str | None
    locale: str | None


class Author(TypedDict):
    """Who said a message."""

    role: Role
    name: str | None
    avatar_url: NotRequired[str]


class File(TypedDict):
    """A file of a message, or one that waits for its message."""

    id: str | None
    name: str
    media_type: str | None
    size: int | None
    state: FileState
    scanned: Literal[False]


class Citation(TypedDict):
    """A source of an answer; `n` is the number in the text."""

    n: int
    title: str
    url: str | None
    source_id: str


class Message(TypedDict):
    """One thing said, in its place: `seq` starts at 1 and has no gaps."""

    id: str
    seq: int
    author: Author
    text: str
    attachments: list[File]
    citations: list[Citation]
    created_at: Moment
    delivery: DeliveryView
    notice: NotRequired[Notice]  # of the system's messages
    feedback: NotRequired[Feedback | None]  # of the assistant's messages


class MessageDelivery(TypedDict):
    """What has become of a message by now."""

    id: str
    delivery: DeliveryView


class MessageFeedback(TypedDict):
    """What the customer found of an answer of the assistant; null: nothing, or taken back."""

    id: str
    feedback: Feedback | None


class Draft(TypedDict):
    """How far an answer has come; the message of the same id takes its place."""

    id: str
    text: str
    citations: list[Citation]


class Agent(TypedDict):
    """A person who answers."""

    name: str
    avatar_url: str | None


class Handoff(TypedDict):
    """One stretch of human help: asked for, accepted, ended."""

    id: str
    state: HandoffState
    mode: Mode
    reason: Reason
    ticket_id: str | None
    agent: Agent | None
    ended: Ending | None
    needs_email: bool


class AskedForPerson(TypedDict):
    """A person was asked for."""

    handoff: Handoff


class ConversationState(TypedDict):
    """How a conversation stands, as every list of messages carries it."""

    status: Status
    control: Control
    handoff: Handoff | None


class Conversation(TypedDict):
    """A conversation as it is given to whoever opens it."""

    id: str
    status: Status
    control: Control
    customer: Customer
    created_at: Moment


class ConversationWithHandoff(Conversation):
    """A conversation, and who may answer in it."""

    handoff: Handoff | None


class Ticket(TypedDict):
    """Zendesk's record of the work."""

    id: str


class WholeConversation(ConversationWithHandoff):
    """All of a conversation but what was said in it."""

    ticket: Ticket | None
    context: dict[str, Any]
    counts: dict[str, int]  # messages, receipts, and `deliveries_<state>` for each state there is
    updated_at: Moment


class ListedConversation(ConversationState):
    """A conversation in a list."""

    id: str
    created_at: Moment
    updated_at: Moment


class Messages(TypedDict):
    """What was said after a place, and how everything stands."""

    messages: list[Message]
    conversation: ConversationState
    deliveries: list[MessageDelivery]  # of the customer's last messages, and of whatever is owed to people
    files: list[File]
    feedback: list[MessageFeedback]


class FoundPassage(TypedDict):
    """A passage that speaks to a question; the best has the highest score."""

    title: str
    source_id: str
    score: float
    text: str


class Verdict(TypedDict):
    """What the assistant would do about a question, and the evidence for it. `confidence` is in percent."""

    decision: Literal["answer", "escalate"]
    reason: Reason | None
    confidence: int
    text: str
    evidence: str
    citations: list[Citation]
    passages: list[FoundPassage]


class Attempt(TypedDict):
    """One try at a delivery: a send or a look, with its verdict."""

    number: int
    kind: str
    verdict: str
    status: int | None  # of HTTP, where there was an answer
    detail: str
    started_at: Moment
    ended_at: Moment | None


class Delivery(TypedDict):
    """One effect that is or was owed, and what became of it."""

    id: int
    conversation: str
    lane: str
    position: int
    effect: str
    message: str | None
    state: str
    why: str
    created_at: Moment
    settled_at: Moment | None
    attempts: list[Attempt]


class Deliveries(TypedDict):
    """What is owed, newest first."""

    deliveries: list[Delivery]


class Resent(TypedDict):
    """A delivery is owed again."""

    status: Literal["pending"]


class Skipped(TypedDict):
    """A delivery was given up."""

    status: Literal["skipped"]


class Receipt(TypedDict):
    """One thing that came in, and what became of it."""

    id: int
    source: str
    kind: str
    key: str
    conversation: str | None
    state: str
    outcome: str
    received_at: Moment
    settled_at: Moment | None


class Receipts(TypedDict):
    """What came in, newest first."""

    receipts: list[Receipt]


class Secret(TypedDict):
    """Whether a secret is set, and how it ends; nothing gives it out."""

    set: bool
    last4: NotRequired[str]


class Webhooks(TypedDict):
    """The secrets that Zendesk's webhooks are signed with."""

    signing_secrets: list[Secret]


class WrongField(TypedDict):
    """Where in a request something is wrong, as a JSON pointer, and what."""

    pointer: str
    detail: str


class Problem(TypedDict):
    """What is wrong, by https://www.rfc-editor.org/rfc/rfc9457"""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: NotRequired[list[WrongField]]
