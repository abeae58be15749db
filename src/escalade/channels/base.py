"""What every channel offers, in our words. Services know this page; concrete channels are named in `product.py` alone.

A channel performs one effect at a time and says what came of it by returning `Sent` or raising one of three verdicts:
`Retryable` (try later), `Uncertain` (it may have arrived: `find` it before the next send), `Refused` (a lasting no).
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from escalade.domain.effects import Effect
from escalade.domain.model import (
    Agent,
    Attachment,
    Citation,
    Conversation,
    FileId,
    Message,
    Millis,
    OrganisationId,
    Reason,
    Role,
)
from escalade.domain.organisation import AuthType, Settings


class ChannelName(StrEnum):
    """Name a system we exchange messages with."""

    ZENDESK = "zendesk"
    SUNSHINE = "sunshine"


class LinkKind(StrEnum):
    """Name what a remote id identifies; unique within one account and kind."""

    USER = "user"  # Sunshine user
    CONVERSATION = "conversation"  # Sunshine conversation
    MESSAGE = "message"  # Sunshine message, or Zendesk comment
    TICKET = "ticket"
    REQUESTER = "requester"  # Zendesk user who is the customer


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Their id for something of ours: the handoff, or for `MESSAGE` the message."""

    channel: ChannelName
    kind: LinkKind
    theirs: str
    ours: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ZendeskAccount:
    """How to reach one Zendesk Support account. `base_url` is everything before `/api/v2` and `/oauth`."""

    base_url: str
    auth: AuthType
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    email: str = ""
    token: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SunshineApp:
    """How to reach one Sunshine Conversations app. `base_url` is everything before `/v2/apps`, with `/sc`."""

    base_url: str
    app_id: str
    key_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BotAccount:
    """How to reach an organisation's own bot, and how long to wait for its whole answer, in seconds."""

    url: str
    secret: str = field(repr=False)
    wait_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BotReply:
    """What a bot answered: words, or with a reason that a person must."""

    text: str = ""
    citations: tuple[Citation, ...] = ()
    reason: Reason | None = None
    summary: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What an organisation lets us use of Zendesk, and its own bot; a part it has not set up is missing."""

    organisation: OrganisationId
    settings: Settings
    zendesk: ZendeskAccount | None = None
    sunshine: SunshineApp | None = None
    bot: BotAccount | None = None


ReadFile = Callable[[FileId], Awaitable[bytes]]


async def no_files(id: FileId) -> bytes:
    """Give no file: for a job whose messages carry none."""
    raise LookupError(id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One delivery with all that is needed to build its request, read at send time."""

    key: str  # the same on every attempt; at most 255 characters
    effect: Effect
    conversation: Conversation
    links: Mapping[tuple[ChannelName, LinkKind], str]  # their ids for this handoff
    transcript: tuple[Message, ...] = ()  # every message up to and including what the effect speaks of
    message: Message | None = None  # the one an effect such as `Post` carries
    frozen: str | None = None  # the request body of the first attempt, where the receiver compares bytes
    attempts: int = 0  # how many came before this one
    first_attempt_at: Millis | None = None  # when the first one started
    now: Millis = 0
    read_file: ReadFile = no_files  # gives the bytes of a file its messages carry


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A ticket as it would be opened, read back from the very request that would open it. Nothing is sent."""

    subject: str
    first: str  # the first comment, as the customer's words show in Zendesk
    requester: str  # a name, and an address where there is one
    tags: tuple[str, ...]
    fields: tuple[tuple[str, str], ...]  # priority, group and whatever else is chosen, by Zendesk's names
    notes: tuple[str, ...]  # the internal notes that follow
    files: tuple[str, ...]  # that come with the first of them
    request: str  # the body, as JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What came of an attempt: the ids learnt, and the receiver's answer in short for the ledger.

    `cursor` is where the list is to be read from, where what stands there already is none of the handoff's.
    """

    links: tuple[Link, ...] = ()
    status: int | None = None
    answer: str = ""
    cursor: str | None = None
    lost: tuple[FileId, ...] = ()  # files that are not taken there; a line says so in their place


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One message read from a channel's own list, in the list's order.

    `role` is `AGENT` for a person, `SYSTEM` for an automatic text; our own echoes and the customer's are `ours`.
    `mark` is what we wrote on an echo when we sent it.
    """

    id: str
    ours: bool
    role: Role
    text: str
    agent: Agent | None = None
    attachments: tuple[Attachment, ...] = ()
    mark: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a list held after a cursor, and the cursor for the next look."""

    heard: tuple[Heard, ...]
    cursor: str | None


class Session(StrEnum):
    """Tell what Zendesk says of a live session when asked."""

    ACTIVE = "active"  # agents still have control
    ENDED = "ended"
    CLOSED = "closed"  # the ticket is closed or deleted


class ArrivalKind(StrEnum):
    """Name what an inbound event tells us; each is a doorbell, the provider's own list is the truth."""

    MESSAGE_ADDED = "message_added"
    COMMENT_ADDED = "comment_added"
    STATUS_CHANGED = "status_changed"
    ASSIGNMENT_CHANGED = "assignment_changed"
    SESSION_END = "session_end"  # the documented trigger: the session is no longer active
    CONTROL_LEFT = "control_left"  # agents no longer have control of the Sunshine conversation
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One inbound event in our words, before it is known whose conversation it is about."""

    kind: ArrivalKind
    key: str  # the same for every delivery of the same event
    ticket_id: str | None = None
    conversation_id: str | None = None  # Sunshine's
    message_id: str | None = None
    actor_type: str | None = None
    agent_id: str | None = None
    agent_name: str | None = None
    text: str = ""
    status: str | None = None
    sent_at: Millis | None = None  # signed by the sender, where it signs


@dataclass(frozen=True, slots=True, kw_only=True)
class MissedCall:
    """A call of a webhook that failed. `body` is missing where it was never sent; `ended` is by the sender's clock."""

    invocation: str
    ended: str
    body: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallsTo:
    """Every call of a webhook that came to its end before an instant by the sender's clock has been seen to."""

    ended: str


def delivery_key(invocation: str | None, body: bytes, new_id: Callable[[], str]) -> str:
    """Name a delivery that carries no id of its own: the invocation, which is the same on every repetition.

    The header is not signed, so the body belongs to the name. Without the header each call is its own.
    """
    if invocation is None:
        return f"call:{new_id()}"
    return f"invocation:{invocation[:128]}:{hashlib.sha256(body).hexdigest()[:16]}"


class After(StrEnum):
    """Tell what an uncertain attempt asks for before the next send."""

    REPEAT = "repeat"  # the receiver recognises a repetition
    LOOK = "look"  # it does not: look for our mark first, and wait until a late arrival is impossible


class Channel(Protocol):
    """A system we deliver to and hear from."""

    name: ChannelName

    def freeze(self, account: Account, job: Job) -> str | None:
        """Build the body that must be the same on every attempt, or nothing where it need not be."""
        ...

    def after_uncertain(self, job: Job) -> After:
        """Say whether an uncertain attempt may simply be repeated."""
        ...

    async def send(self, account: Account, job: Job) -> Sent:
        """Perform the effect once."""
        ...

    async def find(self, account: Account, job: Job) -> Sent | None:
        """Look for the trace of an earlier attempt."""
        ...

    async def fetch(self, account: Account, url: str) -> bytes:
        """Fetch a file an agent sent."""
        ...

    async def heard_since(
        self, account: Account, links: Mapping[tuple[ChannelName, LinkKind], str], cursor: str | None
    ) -> Page:
        """List what was said after a cursor, oldest first."""
        ...
