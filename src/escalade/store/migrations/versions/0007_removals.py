"""Organisations that were removed: who they were, when, and what was given up with them. No word of a customer's."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

OURS = "(SELECT nullif(current_setting('escalade.organisation', true), ''))"
EVERYWHERE = "(SELECT current_setting('escalade.everywhere', true)) = 'on'"


def upgrade() -> None:
    """Add the table, and the index by which a removed organisation's browsers are found."""
    op.create_table(
        "removal",
        sa.Column("organisation", sa.Text, primary_key=True),
        sa.Column("removed_at", sa.BigInteger, primary_key=True),  # an id can be taken, and removed, again
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("given_up", sa.Text, nullable=False),  # JSON: what was still owed or waiting
        sa.Column("audits", sa.BigInteger, nullable=False),  # the head of its audit log
        sa.Column("audit_head", sa.Text, nullable=False),
        sa.Column("cleared_at", sa.BigInteger),  # none: some of its rows may still be there
    )
    op.create_index("visitor_of", "visitor", ["organisation"])
    if op.get_context().dialect.name == "postgresql":
        op.execute("ALTER TABLE removal ENABLE ROW LEVEL SECURITY")
        op.execute("ALTER TABLE removal FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY sight ON removal USING (organisation = {OURS} OR {EVERYWHERE})")
