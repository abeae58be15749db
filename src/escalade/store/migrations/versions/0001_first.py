"""The first tables.

Every row carries its organisation. Instants are UTC milliseconds. A conversation's id may be made by a caller, so it
is unique within its organisation only.
"""

from __future__ import annotations

from alembic import op

from escalade.store import knowledge

revision = "0001"
down_revision = None

TABLES = (
    """
    CREATE TABLE organisation (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        widget_key TEXT NOT NULL UNIQUE,
        settings TEXT NOT NULL,           -- JSON, without secrets
        zendesk_account_id TEXT,          -- learnt from the first genuine webhook
        created_at BIGINT NOT NULL
    )
    """,
    """
    CREATE TABLE secret (
        organisation TEXT NOT NULL REFERENCES organisation (id),
        name TEXT NOT NULL,               -- its place in the settings tree, such as live.secret
        sealed TEXT NOT NULL,             -- AES-256-GCM, bound to this organisation and name
        last4 TEXT NOT NULL,
        set_at BIGINT NOT NULL,
        PRIMARY KEY (organisation, name)
    )
    """,
    """
    CREATE TABLE token (
        digest TEXT PRIMARY KEY,          -- SHA-256; the token itself is shown once and kept nowhere
        organisation TEXT NOT NULL REFERENCES organisation (id),
        kind TEXT NOT NULL,               -- api, webhook
        created_at BIGINT NOT NULL,
        expires_at BIGINT,                -- set when a newer one replaces it
        used_at BIGINT
    )
    """,
    "CREATE INDEX token_of ON token (organisation, kind)",
    """
    CREATE TABLE customer (
        organisation TEXT NOT NULL,
        id TEXT NOT NULL,
        external_id TEXT,
        name TEXT,
        email TEXT,
        locale TEXT,
        verified INTEGER NOT NULL DEFAULT 0,
        created_at BIGINT NOT NULL,
        PRIMARY KEY (organisation, id)
    )
    """,
    """
    CREATE TABLE visitor (
        digest TEXT PRIMARY KEY,          -- SHA-256 of the browser's token
        organisation TEXT NOT NULL,
        customer TEXT NOT NULL,
        origin TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        used_at BIGINT NOT NULL
    )
    """,
    """
    CREATE TABLE conversation (
        organisation TEXT NOT NULL,
        id TEXT NOT NULL,
        customer TEXT NOT NULL,
        status TEXT NOT NULL,             -- open -> closed
        control TEXT NOT NULL,            -- assistant, pending, agent, nobody
        handoff TEXT,                     -- the current one, or the last
        last_seq INTEGER NOT NULL DEFAULT 0,
        turns INTEGER NOT NULL DEFAULT 0,
        context TEXT NOT NULL DEFAULT '{}',
        request TEXT,                     -- digest of what created it: the same id with other content is a conflict
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        PRIMARY KEY (organisation, id)
    )
    """,
    "CREATE INDEX conversation_of_customer ON conversation (organisation, customer, updated_at)",
    "CREATE INDEX conversation_recent ON conversation (organisation, updated_at)",
    """
    CREATE TABLE handoff (
        id TEXT PRIMARY KEY,
        organisation TEXT NOT NULL,
        conversation TEXT NOT NULL,
        state TEXT NOT NULL,
        body TEXT NOT NULL,               -- the whole value as JSON
        ticket_id TEXT,                   -- from the body: news of a ticket looks here first
        asked_at BIGINT NOT NULL,
        cursor TEXT,                      -- how far Zendesk's own list has been read
        looked_at BIGINT,
        ended_at BIGINT
    )
    """,
    "CREATE INDEX handoff_open ON handoff (state) WHERE state IN ('requested', 'queued', 'with_agent', 'asynchronous')",
    "CREATE INDEX handoff_over ON handoff (ended_at) WHERE ended_at IS NOT NULL",
    "CREATE INDEX handoff_of ON handoff (organisation, conversation)",
    """
    CREATE TABLE message (
        organisation TEXT NOT NULL,
        conversation TEXT NOT NULL,
        seq INTEGER NOT NULL,
        id TEXT NOT NULL,
        role TEXT NOT NULL,
        text TEXT NOT NULL,
        name TEXT,
        avatar_url TEXT,
        citations TEXT,
        attachments TEXT,
        notice TEXT,
        delivery TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        PRIMARY KEY (organisation, conversation, seq),
        UNIQUE (organisation, conversation, id)
    )
    """,
    """
    CREATE TABLE link (                   -- their id <-> ours, unique both ways
        organisation TEXT NOT NULL,
        channel TEXT NOT NULL,
        kind TEXT NOT NULL,
        theirs TEXT NOT NULL,
        ours TEXT NOT NULL,               -- a handoff's id, or a message's
        handoff TEXT NOT NULL,
        PRIMARY KEY (organisation, channel, kind, theirs, ours)
    )
    """,
    "CREATE INDEX link_ours ON link (handoff, channel, kind)",
    """
    CREATE TABLE receipt (                -- one inbound event, raw, accepted once
        id INTEGER PRIMARY KEY,
        organisation TEXT NOT NULL,
        source TEXT NOT NULL,
        key TEXT NOT NULL,
        kind TEXT NOT NULL,
        conversation TEXT,                -- none: not known yet
        handoff TEXT,
        body TEXT NOT NULL,
        state TEXT NOT NULL,              -- waiting -> settled | ignored
        outcome TEXT NOT NULL DEFAULT '',
        received_at BIGINT NOT NULL,
        settled_at BIGINT,
        UNIQUE (organisation, source, key)
    )
    """,
    "CREATE INDEX receipt_waiting ON receipt (organisation, conversation, id) WHERE state = 'waiting'",
    "CREATE INDEX receipt_of ON receipt (organisation, conversation, id)",
    """
    CREATE TABLE lane (                   -- the sequence in which order holds
        organisation TEXT NOT NULL,
        conversation TEXT NOT NULL,
        name TEXT NOT NULL,
        tail INTEGER NOT NULL,            -- deliveries put
        head INTEGER NOT NULL,            -- deliveries settled; the next to send is head + 1
        due_at BIGINT,                    -- none: idle
        failures INTEGER NOT NULL DEFAULT 0,
        told INTEGER NOT NULL DEFAULT 0,  -- due_at is what the receiver asked for, not our own patience
        PRIMARY KEY (organisation, conversation, name)
    )
    """,
    "CREATE INDEX lane_due ON lane (due_at) WHERE due_at IS NOT NULL",
    """
    CREATE TABLE delivery (               -- one effect owed to one channel
        id INTEGER PRIMARY KEY,
        organisation TEXT NOT NULL,
        conversation TEXT NOT NULL,
        lane TEXT NOT NULL,
        position INTEGER NOT NULL,
        key TEXT NOT NULL UNIQUE,         -- the same on every attempt
        effect TEXT NOT NULL,
        body TEXT NOT NULL,
        frozen TEXT,                      -- the request of the first attempt, where the receiver compares bytes
        message TEXT,                     -- whose sender is told what became of it
        state TEXT NOT NULL,              -- pending -> sending -> delivered | unsure | refused; dropped, covered
        why TEXT NOT NULL DEFAULT '',
        tries INTEGER NOT NULL DEFAULT 0,
        looks INTEGER NOT NULL DEFAULT 0, -- since the last try
        first_try_at BIGINT,
        tried_at BIGINT,
        created_at BIGINT NOT NULL,
        settled_at BIGINT,
        UNIQUE (organisation, conversation, lane, position)
    )
    """,
    "CREATE INDEX delivery_state ON delivery (organisation, state, id)",
    "CREATE INDEX delivery_under_way ON delivery (state) WHERE state IN ('sending', 'refused')",
    """
    CREATE TABLE attempt (                -- one try at a delivery
        id INTEGER PRIMARY KEY,
        delivery INTEGER NOT NULL REFERENCES delivery (id),
        number INTEGER NOT NULL,
        kind TEXT NOT NULL,               -- send, look
        verdict TEXT NOT NULL,            -- under_way -> delivered, found, absent, retryable, uncertain, ...
        status INTEGER,
        detail TEXT NOT NULL DEFAULT '',
        started_at BIGINT NOT NULL,
        ended_at BIGINT
    )
    """,
    "CREATE INDEX attempt_of ON attempt (delivery, id)",
    """
    CREATE TABLE operator (
        id TEXT PRIMARY KEY,
        organisation TEXT NOT NULL REFERENCES organisation (id),
        email TEXT NOT NULL,
        role TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        UNIQUE (organisation, email)
    )
    """,
    """
    CREATE TABLE sign_in_link (
        digest TEXT PRIMARY KEY,
        operator TEXT NOT NULL REFERENCES operator (id),
        expires_at BIGINT NOT NULL,
        used_at BIGINT
    )
    """,
    """
    CREATE TABLE console_session (
        digest TEXT PRIMARY KEY,
        operator TEXT NOT NULL REFERENCES operator (id),
        csrf TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL
    )
    """,
    """
    CREATE TABLE audit (
        id INTEGER PRIMARY KEY,
        organisation TEXT NOT NULL,
        at BIGINT NOT NULL,
        who TEXT NOT NULL,
        what TEXT NOT NULL,
        detail TEXT NOT NULL DEFAULT ''
    )
    """,
)


def upgrade() -> None:
    """Create everything; nothing older exists."""
    for statement in (*TABLES, *knowledge.DDL):
        op.execute(statement)
