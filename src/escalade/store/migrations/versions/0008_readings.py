"""When a source of knowledge is read again, how far a reading is, and where one that was cut short goes on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the columns; sources that are there fall due at once, one after the other."""
    for column in (
        sa.Column("due_at", sa.BigInteger),  # when to read it next; none: it was never begun
        sa.Column("wanted_at", sa.BigInteger),  # since when an operator wants it read now
        sa.Column("reading_at", sa.BigInteger),  # the last sign of life of whoever reads it; none: nobody does
        sa.Column("reading_done", sa.Integer),
        sa.Column("reading_total", sa.Integer),  # none: not known
        sa.Column("reading_title", sa.Text),
        sa.Column("bookmark", sa.Text, nullable=False, server_default=""),  # JSON of `importing.Bookmark`
    ):
        op.add_column("knowledge_source", column)
    op.add_column("knowledge_document", sa.Column("seen", sa.BigInteger))  # in which whole reading it was seen last
    op.execute("UPDATE knowledge_source SET due_at = 0")
    op.create_index("knowledge_source_due", "knowledge_source", ["due_at"])
