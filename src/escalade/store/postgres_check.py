"""What a PostgreSQL must be like before we serve on it; what is wrong is told with the way to mend it."""

from __future__ import annotations

import os
import queue
import threading
from contextlib import ExitStack, closing

import psycopg

from escalade.domain.errors import ConfigError
from escalade.store.postgres import Connection, connect, conninfo, scalar

OTHERS = 4  # connections that crowd the first one out where a proxy hands sessions round
PATIENCE_S = 10.0
FALSE = frozenset({"off", "false", "no", "0"})


def check(url: str, *, development: bool = False) -> str | None:
    """Refuse a server that may lose what it acknowledged, or a proxy that hands our session to others.

    A role for which row-level security does not hold is refused, too; in development it is told of and let pass.
    """
    try:
        with closing(connect(conninfo(url))) as connection:
            check_durable(connection)
            wrong = role_problem(connection)
        check_sessions(url)
    except psycopg.OperationalError as error:
        told = str(error).strip().partition("\n")[0]
        raise ConfigError(f"ESCALADE_DATABASE_URL: the database cannot be reached ({told})") from error
    if wrong is not None and not development:
        raise ConfigError(wrong)
    return wrong


def role_problem(connection: Connection) -> str | None:
    """Say what is wrong with a role for which row-level security does not hold, and how to mend it."""
    row = connection.execute(
        "SELECT rolname, rolsuper OR rolbypassrls AS sees_all FROM pg_roles WHERE rolname = current_user"
    ).fetchone()
    if row is None or not row["sees_all"]:
        return None
    name = row["rolname"]
    return (
        f"ESCALADE_DATABASE_URL: PostgreSQL does not keep organisations apart for the role {name}; name one that owns"
        " the database and does not see everything (CREATE ROLE escalade LOGIN NOSUPERUSER NOBYPASSRLS)"
    )


def check_durable(connection: Connection) -> None:
    """Refuse a server that may lose what it has acknowledged."""
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        found = str(scalar(connection, f"SELECT current_setting('{name}')"))
        if found in FALSE:
            raise ConfigError(
                f"the database is not durable ({name}={found}): what it has acknowledged can be lost;"
                f" set {name}=on in postgresql.conf, and for our role"
            )


def check_sessions(url: str) -> None:
    """Refuse a transaction-pooling proxy: a lock of our session would be held by whoever comes next.

    Behind one, a connection gets some server process for each transaction. So we see whether ours stays the same while
    others crowd in, and whether a lock taken in one transaction is still ours in the next.
    """
    found: queue.SimpleQueue[bool | psycopg.Error] = queue.SimpleQueue()

    def look() -> None:
        try:
            found.put(_sessions_are_ours(conninfo(url)))
        except psycopg.Error as error:
            found.put(error)

    threading.Thread(target=look, name="session check", daemon=True).start()
    try:
        ours = found.get(timeout=PATIENCE_S)
    except queue.Empty:
        ours = False  # a small pool is used up by a few open transactions
    if isinstance(ours, psycopg.Error):
        raise ours
    if not ours:
        raise ConfigError(
            "ESCALADE_DATABASE_URL: this address leads through a proxy that pools transactions, where nobody can own a"
            " conversation; name PostgreSQL itself, or a pool in session mode (PgBouncer: pool_mode = session)"
        )


def _sessions_are_ours(url: str) -> bool:
    key = int.from_bytes(os.urandom(7))
    with ExitStack() as opened:
        ours = opened.enter_context(closing(connect(url)))
        first = scalar(ours, f"SELECT pg_backend_pid() WHERE pg_try_advisory_lock({key})")
        seen = set()
        for _ in range(OTHERS):
            other = opened.enter_context(closing(connect(url)))
            other.execute("BEGIN")
            seen.add(scalar(other, "SELECT pg_backend_pid()"))
        later = scalar(ours, "SELECT pg_backend_pid()")
        return first == later and first not in seen and bool(scalar(ours, f"SELECT pg_advisory_unlock({key})"))
