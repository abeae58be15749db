"""What the passages of the knowledge mean, as vectors of the embedding model."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

OURS = "(SELECT nullif(current_setting('escalade.organisation', true), ''))"
EVERYWHERE = "(SELECT current_setting('escalade.everywhere', true)) = 'on'"


def upgrade() -> None:
    """Add the table; what is there already gets its vectors while the product runs."""
    op.create_table(
        "knowledge_vector",
        sa.Column(  # never given twice, so that the newest id and the count tell any change
            "id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), sa.Identity(), primary_key=True
        ),
        sa.Column("organisation", sa.Text, nullable=False),
        sa.Column("passage", sa.BigInteger, nullable=False, unique=True),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("headings", sa.Integer, nullable=False),  # how many rows are of headings
        sa.Column("rows", sa.LargeBinary, nullable=False),  # 384 numbers of 16 bits each, little end first
        sqlite_autoincrement=True,
    )
    op.create_index("knowledge_vector_of", "knowledge_vector", ["organisation", "model", "id"])
    if op.get_context().dialect.name == "postgresql":
        op.execute("ALTER TABLE knowledge_vector ENABLE ROW LEVEL SECURITY")
        op.execute("ALTER TABLE knowledge_vector FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY sight ON knowledge_vector USING (organisation = {OURS} OR {EVERYWHERE})")
