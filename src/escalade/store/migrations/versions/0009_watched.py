"""How long the desk's list was watched after a handoff's end: no clock that is set makes that hour shorter."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

HOUR = 3600_000


def upgrade() -> None:
    """Add the column; what was read an hour after its end by the clock is let be."""
    op.add_column("handoff", sa.Column("watched", sa.BigInteger, nullable=False, server_default="0"))
    if op.get_context().dialect.name == "postgresql":
        op.execute("SELECT set_config('escalade.everywhere', 'on', true)")
    op.execute(f"UPDATE handoff SET watched = {HOUR} WHERE looked_at >= ended_at + {HOUR}")
