"""The webhooks of each organisation's Zendesk, and how far their failures have been read back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "webhook",
        sa.Column("organisation", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),  # Zendesk's, learnt from its genuine calls
        sa.Column("read_to", sa.Text),  # when the newest failure that was read had come to its end, by their clock
        sa.Column("read_at", sa.BigInteger, nullable=False, server_default="0"),
    )
