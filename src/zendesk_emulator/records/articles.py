"""An article of the help centre."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


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
