"""The audit log becomes a chain, and a customer can be on the way out.

Rows of the audit log from before have no number: the chain vouches for what came after it began.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"

STATEMENTS = (
    "ALTER TABLE organisation ADD COLUMN audits BIGINT NOT NULL DEFAULT 0",  # how many rows its chain has
    "ALTER TABLE organisation ADD COLUMN audit_head TEXT NOT NULL DEFAULT ''",  # the digest of the newest
    "ALTER TABLE audit ADD COLUMN number BIGINT",
    "ALTER TABLE audit ADD COLUMN digest TEXT",
    "CREATE UNIQUE INDEX audit_chain ON audit (organisation, number)",
    "ALTER TABLE customer ADD COLUMN erased_at BIGINT",  # everything said of them is gone; the rows follow
)


def upgrade() -> None:
    """Add the columns."""
    for statement in STATEMENTS:
        op.execute(statement)
