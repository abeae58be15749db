"""Tickets: what is said on them, what changed them, and the files they carry."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from zendesk_emulator.records.json import Json


class Session(StrEnum):
    """The state of a ticket's messaging session."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    ENDED = "ended"


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
