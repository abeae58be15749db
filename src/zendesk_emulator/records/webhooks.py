"""Webhooks, and every try to deliver what they had to."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from zendesk_emulator.records.json import Json


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
