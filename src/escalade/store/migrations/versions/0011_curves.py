"""What the assistant was measured to be worth on an organisation's own questions, the last time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

OURS = "(SELECT nullif(current_setting('escalade.organisation', true), ''))"
EVERYWHERE = "(SELECT current_setting('escalade.everywhere', true)) = 'on'"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "curve",
        sa.Column("organisation", sa.Text, primary_key=True),
        sa.Column("body", sa.Text, nullable=False),  # the whole value as JSON; no question stands in it
        sa.Column("measured_at", sa.BigInteger, nullable=False),
    )
    if op.get_context().dialect.name == "postgresql":
        op.execute("ALTER TABLE curve ENABLE ROW LEVEL SECURITY")
        op.execute("ALTER TABLE curve FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY sight ON curve USING (organisation = {OURS} OR {EVERYWHERE})")
