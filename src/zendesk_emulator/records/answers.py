"""An answer kept to be given again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from zendesk_emulator.records.json import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """What was answered under an idempotency key."""

    request: bytes
    status: int
    headers: dict[str, str]
    body: Json
    expires_at: datetime
