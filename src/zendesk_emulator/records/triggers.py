"""Business rules, in their drawers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from zendesk_emulator.records.json import Json


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
