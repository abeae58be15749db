"""What lets somebody in: clients, tokens, codes and keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


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
