"""The things a Zendesk account holds, as plain mutable records; behaviour lives elsewhere.

Ids keep Zendesk's types: integers on the Support side, ULIDs for webhooks, 24 hex digits on the Sunshine side.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

Json = dict[str, Any]


class Session(StrEnum):
    """The state of a ticket's messaging session."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    ENDED = "ended"


@dataclass(slots=True, kw_only=True)
class User:
    """A Support user: an end user, an agent or an administrator."""

    id: int
    name: str
    email: str | None
    role: str  # "end-user", "agent" or "admin"
    created_at: datetime
    updated_at: datetime
    external_id: str | None = None
    phone: str | None = None
    alias: str | None = None
    locale: str = "en-US"
    suspended: bool = False
    active: bool = True
    verified: bool = True
    tags: list[str] = field(default_factory=list)
    identities: list[Json] = field(default_factory=list)
    user_fields: Json = field(default_factory=dict)
    messaging: str = "offline"  # online, away, transfers_only, offline
    max_capacity: int = 3

    @property
    def is_staff(self) -> bool:
        """Tell agents and administrators from end users."""
        return self.role in ("agent", "admin")

    @property
    def shown_name(self) -> str:
        """Give the name customers see."""
        return self.alias or self.name


@dataclass(slots=True, kw_only=True)
class Group:
    """A group of agents."""

    id: int
    name: str
    created_at: datetime
    description: str = ""
    default: bool = False
    members: list[int] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Attachment:
    """An uploaded file."""

    id: int
    file_name: str
    content_type: str
    data: bytes
    malware: bool = False  # the scanner has found something in it


@dataclass(slots=True, kw_only=True)
class Upload:
    """Files waiting to be put on a comment, behind one token."""

    token: str
    expires_at: datetime
    attachments: list[Attachment] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Comment:
    """Something said on a ticket; not a live chat message."""

    id: int
    author_id: int
    body: str
    html_body: str
    public: bool
    created_at: datetime
    audit_id: int
    via: str = "api"
    attachments: list[Attachment] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Audit:
    """One change of a ticket, with everything it changed."""

    id: int
    author_id: int
    created_at: datetime
    via: str
    custom: Json = field(default_factory=dict)
    events: list[Json] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Ticket:
    """A ticket; a messaging ticket also has a conversation and a session."""

    id: int
    subject: str
    requester_id: int
    submitter_id: int
    created_at: datetime
    updated_at: datetime
    brand_id: int
    form_id: int
    via: str = "api"
    description: str = ""
    status: str = "new"
    priority: str | None = None
    type: str | None = None
    assignee_id: int | None = None
    group_id: int | None = None
    organization_id: int | None = None
    external_id: str | None = None
    recipient: str | None = None
    is_public: bool = True
    tags: list[str] = field(default_factory=list)
    custom_fields: dict[int, Any] = field(default_factory=dict)
    comments: list[Comment] = field(default_factory=list)
    audits: list[Audit] = field(default_factory=list)
    followup_source_id: int | None = None
    merged_into: int | None = None
    # Messaging only:
    conversation_id: str | None = None
    session: Session | None = None
    session_ended_reason: str | None = None
    last_message_at: datetime | None = None
    unread: int = 0

    @property
    def is_messaging(self) -> bool:
        """Tell live chats from ordinary tickets."""
        return self.conversation_id is not None

    @property
    def is_over(self) -> bool:
        """Tell what takes nothing more: closed for good, or deleted."""
        return self.status in ("closed", "deleted")


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One try to deliver a webhook."""

    status: str
    completed_at: datetime
    status_code: int | None = None
    request_headers: list[tuple[str, str]] = field(default_factory=list)
    request_payload: str | None = None
    response_headers: list[tuple[str, str]] = field(default_factory=list)
    response_payload: str | None = None


@dataclass(slots=True, kw_only=True)
class Invocation:
    """One thing a webhook had to deliver, and every try."""

    id: str
    webhook_id: str
    kind: str
    status: str = "accepted"
    status_code: int | None = None
    latest_completed_at: datetime | None = None
    attempts: list[Attempt] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Webhook:
    """A Zendesk webhook: subscribed to events, or connected to triggers, never both."""

    id: str
    name: str
    endpoint: str
    http_method: str
    request_format: str
    status: str
    subscriptions: list[str]
    secret: str
    created_at: datetime
    updated_at: datetime
    created_by: str
    updated_by: str
    description: str | None = None
    authentication: Json | None = None
    custom_headers: dict[str, str] | None = None
    invocations: list[Invocation] = field(default_factory=list)
    # Breaker bookkeeping: (when, failed) of the last five minutes.
    recent: list[tuple[datetime, bool]] = field(default_factory=list)
    broken_until: datetime | None = None
    sent_at: list[datetime] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class TriggerCategory:
    """A drawer of triggers."""

    id: str
    name: str
    position: int
    created_at: datetime


@dataclass(slots=True, kw_only=True)
class Trigger:
    """A business rule: when a ticket changes so, do that."""

    id: int
    title: str
    category_id: str
    conditions: dict[str, list[Json]]
    actions: list[Json]
    position: int
    created_at: datetime
    updated_at: datetime
    description: str | None = None
    active: bool = True


@dataclass(slots=True, kw_only=True)
class OAuthClient:
    """An application allowed to ask for tokens."""

    id: int
    identifier: str
    name: str
    secret: str
    user_id: int
    created_at: datetime
    kind: str = "confidential"
    scopes: list[str] = field(default_factory=list)  # empty: every scope
    redirect_uris: list[str] = field(default_factory=list)
    expires_in: int = 1800
    refresh_expires_in: int = 2_592_000


@dataclass(slots=True, kw_only=True)
class OAuthToken:
    """An access token, perhaps with a refresh token; refreshing kills both."""

    id: int
    access: str
    client_id: int
    user_id: int
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    refresh: str | None = None
    refresh_expires_at: datetime | None = None
    used_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class AuthorizationCode:
    """A code waiting to be exchanged, for two minutes."""

    code: str
    client_id: int
    user_id: int
    scopes: list[str]
    redirect_uri: str
    expires_at: datetime
    challenge: str | None = None


@dataclass(slots=True, kw_only=True)
class ApiToken:
    """A legacy API token."""

    id: int
    token: str
    description: str
    created_at: datetime
    active: bool = True


@dataclass(slots=True, kw_only=True)
class ConversationsKey:
    """A Conversations API key of the whole app."""

    id: str
    secret: str
    display_name: str
    created_at: datetime


@dataclass(slots=True, kw_only=True)
class SunUser:
    """A messaging user; a different record from the Support user."""

    id: str
    created_at: datetime
    external_id: str | None = None
    signed_up_at: datetime | None = None
    to_be_retained: bool = False
    profile: Json = field(default_factory=dict)
    metadata: Json = field(default_factory=dict)
    identities: list[Json] = field(default_factory=list)
    support_user_id: int | None = None


@dataclass(slots=True, kw_only=True)
class Message:
    """One message of a conversation."""

    id: str
    received: datetime
    author: Json
    content: Json
    source: Json
    metadata: Json = field(default_factory=dict)
    activity: Json | None = None


@dataclass(slots=True, kw_only=True)
class Conversation:
    """A messaging conversation and who controls it."""

    id: str
    type: str
    user_id: str
    created_at: datetime
    updated_at: datetime
    is_default: bool = False
    display_name: str | None = None
    description: str | None = None
    icon_url: str | None = None
    metadata: Json = field(default_factory=dict)
    business_last_read: datetime | None = None
    user_last_read: datetime | None = None
    active: str | None = None  # switchboard integration ids
    pending: str | None = None
    ticket_id: int | None = None
    bot_ticket: bool = False  # an AI agent ticket exists: a user wrote while a bot had control
    messages: list[Message] = field(default_factory=list)
    is_full: bool = False  # as if it held all the messages it may


@dataclass(slots=True, kw_only=True)
class SwitchboardIntegration:
    """A seat at the switchboard."""

    id: str
    name: str
    integration_id: str
    integration_type: str
    deliver_standby_events: bool = True
    next_id: str | None = None
    message_history_count: int | None = None


@dataclass(slots=True, kw_only=True)
class SunWebhook:
    """A webhook of a Sunshine integration."""

    id: str
    target: str
    triggers: list[str]
    secret: str
    include_full_user: bool = False
    include_full_source: bool = False


@dataclass(slots=True, kw_only=True)
class Integration:
    """A Sunshine integration; custom ones own webhooks."""

    id: str
    type: str
    display_name: str
    status: str = "active"
    webhooks: list[SunWebhook] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """An installed app that stands beside tickets; its keys are PEM."""

    id: int  # of the installation
    app_id: int
    name: str
    url: str
    signed: bool
    private_key: str
    public_key: str


@dataclass(slots=True, kw_only=True)
class SunAttachment:
    """A file uploaded to, or sent by an agent through, Sunshine."""

    key: str  # "{ulid}/{name}", the tail of its address
    content_type: str
    data: bytes
    conversation_id: str | None = None


@dataclass(slots=True, kw_only=True)
class Article:
    """A help centre article."""

    id: int
    title: str
    body: str | None
    locale: str
    section_id: int
    created_at: datetime
    updated_at: datetime
    draft: bool = False
    user_segment_id: int | None = None
    label_names: list[str] = field(default_factory=list)
    html_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """What was answered under an idempotency key."""

    request: bytes
    status: int
    headers: dict[str, str]
    body: Json
    expires_at: datetime


@dataclass(slots=True, kw_only=True)
class Settings:
    """Switches of the account; each is an option somewhere in a real Admin Center, or a guess made adjustable."""

    multi_conversations: bool = True
    end_session: bool = True
    conversation_control: str = "release"  # on close: "release" or "pass"
    inactive_after_minutes: float | None = None  # Zendesk: about 10; None: only by control call
    private_attachments: bool = True  # of messages
    private_ticket_files: bool = False  # of comments: their addresses ask for a signed-in agent
    conversation_id_in_events: bool = True
    messages_before_ticket_as_events: bool = False  # send message_added for the history a ticket starts with
    bot_ticket_loses_data_capture: bool = True
    agent_typing_events: bool = False
    trial_throttling: bool = False
    rate_limit: int = 700
    help_center_rate_limit: int = 700
    incremental_rate_limit: int = 10
    enforce_rate_limit: bool = False
    webhook_timeout_seconds: float = 12.0
    webhook_retry_seconds: float = 1.0  # first pause; doubles
    sunshine_timeout_seconds: float = 20.0
    sunshine_retry_seconds: float = 2.0  # first pause; times four
    event_delay_seconds: float = 0.0
    api_tokens_allowed: bool = True
    bot_name: str = "Answer Bot"
    messages_per_conversation: int = 30_000
