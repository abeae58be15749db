"""On PostgreSQL each row is seen by who works for its organisation, and by nobody else: not even the tables' owner.

A transaction says whose rows it works on (`database.Tx`). One that says nothing sees nothing and can add nothing.
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"

# Asked once for each statement, not for each row; an empty name is nobody's.
OURS = "(SELECT nullif(current_setting('escalade.organisation', true), ''))"
EVERYWHERE = "(SELECT current_setting('escalade.everywhere', true)) = 'on'"

BY_COLUMN = {"organisation": "id"} | dict.fromkeys(
    (
        "audit",
        "conversation",
        "customer",
        "delivery",
        "door",
        "file",
        "file_piece",
        "handoff",
        "knowledge_document",
        "knowledge_index",
        "knowledge_passage",
        "knowledge_source",
        "lane",
        "link",
        "message",
        "operator",
        "receipt",
        "secret",
        "token",
        "visitor",
        "webhook",
    ),
    "organisation",
)
BY_PARENT = {"attempt": "delivery", "console_session": "operator", "sign_in_link": "operator"}


def upgrade() -> None:
    """Give every table its policy; SQLite has one process, and nothing to turn on."""
    if op.get_context().dialect.name != "postgresql":
        return
    for table, column in BY_COLUMN.items():
        _protect(table, f"{column} = {OURS} OR {EVERYWHERE}")
    for table, parent in BY_PARENT.items():  # what is out of sight there is out of sight here
        _protect(table, f"EXISTS (SELECT 1 FROM {parent} p WHERE p.id = {table}.{parent})")


def _protect(table: str, sight: str) -> None:
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")  # for the owner too: that is who we are
    op.execute(f"CREATE POLICY sight ON {table} USING ({sight})")
