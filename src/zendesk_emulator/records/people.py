"""Users and groups of the Support side."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from zendesk_emulator.records.json import Json


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
