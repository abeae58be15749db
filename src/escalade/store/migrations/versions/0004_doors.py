"""The doors to an organisation's Zendesk that are shut."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "door",
        sa.Column("organisation", sa.Text, primary_key=True),
        sa.Column("channel", sa.Text, primary_key=True),  # zendesk, sunshine
        sa.Column("state", sa.Text, nullable=False),  # failing, paused, locked
        sa.Column("until", sa.BigInteger, nullable=False),  # nothing goes through before; then one probe at a time
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("probes", sa.Integer, nullable=False, server_default="0"),  # that failed since it was shut
    )
