"""The Sunshine side: conversations, who is in them, and who is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from zendesk_emulator.records.json import Json


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


@dataclass(slots=True, kw_only=True)
class SunAttachment:
    """A file uploaded to, or sent by an agent through, Sunshine."""

    key: str  # "{ulid}/{name}", the tail of its address
    content_type: str
    data: bytes
    conversation_id: str | None = None
