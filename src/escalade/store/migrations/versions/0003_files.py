"""Files: what is known of each, and its bytes in pieces small enough not to hold up anybody's message."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the two tables."""
    op.create_table(
        "file",
        sa.Column("organisation", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("conversation", sa.Text, nullable=False),
        sa.Column("message", sa.Text),  # none: uploaded, and not yet sent with a message
        sa.Column("channel", sa.Text),  # who has it, where it came from an agent
        sa.Column("url", sa.Text, nullable=False, server_default=""),  # and where they have it
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("media_type", sa.Text),
        sa.Column("size", sa.BigInteger),
        sa.Column("received", sa.Text),  # SHA-256 of what arrived: the same id with other bytes is a conflict
        sa.Column("digest", sa.Text),  # SHA-256 of what is kept; a picture is kept written anew
        sa.Column("state", sa.Text, nullable=False),  # arriving -> kept; awaited -> kept | lost | flagged
        sa.Column("why", sa.Text, nullable=False, server_default=""),
        sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
        sa.Column("asked_at", sa.BigInteger),  # since when it is being fetched
        sa.Column("due_at", sa.BigInteger),  # when to fetch it next
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("organisation", "id"),
    )
    op.create_index("file_of", "file", ["organisation", "conversation"])
    op.create_index("file_due", "file", ["due_at"])
    op.create_index("file_unsent", "file", ["message", "created_at"])
    op.create_table(
        "file_piece",
        sa.Column("organisation", sa.Text, nullable=False),
        sa.Column("file", sa.Text, nullable=False),
        sa.Column("n", sa.Integer, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("organisation", "file", "n"),
    )
