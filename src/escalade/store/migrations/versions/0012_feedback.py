"""What the customer found of an answer of the assistant."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add it to the messages, which it comes and goes with; most have none, so the index is of those that do."""
    op.add_column("message", sa.Column("feedback", sa.Text))  # helpful | not_helpful; none: not given, or taken back
    op.add_column("message", sa.Column("feedback_at", sa.BigInteger))  # when it was given, changed or taken back last
    op.execute("CREATE INDEX message_feedback ON message (organisation, feedback_at) WHERE feedback_at IS NOT NULL")
