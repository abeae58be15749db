"""PostgreSQL: many processes on one database.

Commits are grouped as they are on SQLite, on one connection that writes; reads have connections of their own, each
read one snapshot. Three things make many writers safe:

1. *A unit that decides about a conversation locks its row first* (`conversations.lock`), so that units of one
   conversation follow each other, whichever process they run in. Within a unit: conversation, then whatever hangs off
   it. What a unit saw before it had the lock is read again after.
2. *A group never waits while it holds.* Only the unit that comes first in a transaction may wait for a lock; one that
   would have to wait later goes back to its savepoint and comes first in the next. So no two groups can wait for
   each other, whatever their units lock.
3. *A commit whose answer was lost is looked up* by its transaction id. Where that cannot be told (the server is gone,
   or another one has taken its place) the callers are told so, and repeat with the same ids.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import psycopg
import sqlalchemy
from psycopg import errors
from psycopg.rows import dict_row
from sqlalchemy.engine import Engine

from escalade.domain.errors import Unavailable
from escalade.store.database import Tx, parse
from escalade.store.sql import Dialect
from escalade.store.writer import GroupedWrites, Unit

T = TypeVar("T")
Connection = psycopg.Connection[dict[str, Any]]

CONNECT_S = 3
LOCK_WAIT_MS = 500  # for the first unit of a transaction; the others do not wait
MOST_TRIES = 6
MOST_CLASHES = 3
# A process that stands still in the middle of a transaction must not hold everybody else's rows.
SESSION = (
    "SET idle_in_transaction_session_timeout = '10s'; SET statement_timeout = '30s'; SET TimeZone = 'UTC';"
    " SET default_transaction_isolation = 'read committed'"
)
# What one unit was about is out of the next one's sight; a savepoint that is rolled back to forgets it by itself.
BLIND = "SET LOCAL escalade.organisation = ''; SET LOCAL escalade.everywhere = 'off'"
TRY_AGAIN = (errors.LockNotAvailable, errors.DeadlockDetected, errors.SerializationFailure)
LOST = (psycopg.OperationalError, psycopg.InterfaceError, errors.IdleInTransactionSessionTimeout)
# Where a transaction id has a meaning: this cluster, on this line of its history.
PLACE = (
    "SELECT system_identifier::text || '/' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) AS place"
    " FROM pg_control_system()"
)
RESOLVE_AFTER_S = (0.0, 0.05, 0.1, 0.25, 0.5, 1.0)


class PostgresDatabase(GroupedWrites):
    """One connection that writes in groups, and a few that read."""

    def __init__(self, url: str, *, readers: int = 4) -> None:
        self.url = conninfo(url)
        super().__init__(_Committer(self.url))
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="reader")
        self._local = threading.local()
        self._reader_connections: list[Connection] = []

    async def close(self) -> None:
        """Finish what was begun and close every connection; what comes from now on is told so."""
        await super().close()
        self._readers.shutdown(wait=True)
        for connection in self._reader_connections:
            connection.close()

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Run `work` on a snapshot of its own; it cannot write."""
        if self._closing:
            raise Unavailable("the database is not open")
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, work)

    # the reader threads

    def _read(self, work: Callable[[Tx], T]) -> T:
        """Read; a connection found dead is replaced once, since a read that failed has changed nothing."""
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is not None and not connection.closed:
            try:
                return _read(connection, work)
            except LOST as error:
                if not _is_lost(connection):
                    raise translated(error) from error
        try:
            return _read(self._open_reader(), work)
        except psycopg.Error as error:
            told = translated(error)
            if told is error:
                raise
            raise told from error

    def _open_reader(self) -> Connection:
        old: Connection | None = getattr(self._local, "connection", None)
        if old is not None:
            old.close()
            self._reader_connections.remove(old)
            self._local.connection = None  # the next may not be had for a while
        connection = connect(self.url)
        self._local.connection = connection
        self._reader_connections.append(connection)
        return connection


def _read(connection: Connection, work: Callable[[Tx], T]) -> T:
    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    try:
        return work(Tx(connection, Dialect.POSTGRES))
    finally:
        with suppress(psycopg.Error):
            connection.execute("ROLLBACK")


class _Lost(Exception):  # it carries where the transaction stood, for who decides what that means
    """The connection is gone."""


class _Committer:
    """The writer's connection; it is replaced when it is lost."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: Connection | None = None
        self._place = ""

    def open(self) -> None:
        self._connected()

    def shut(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def commit(self, group: list[Unit]) -> Iterator[list[Unit]]:
        """Commit units until each has its outcome: those that had to wait come first in the next transaction."""
        while group:
            try:
                done, group = self._transaction(self._connected(), group)
            except (_Lost, *LOST) as error:
                done, group = self._again(group, error)
            yield done

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = connect(self._url)
            self._place = str(scalar(self._connection, PLACE))
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
            self._connection = None

    def _again(self, group: list[Unit], error: BaseException) -> tuple[list[Unit], list[Unit]]:
        """Sort a group whose transaction certainly did not commit: once more, or told that the store is not there."""
        no_server = self._connection is None
        self._drop()
        done = []
        for unit in group:
            unit.tries += 1
            if no_server or unit.tries >= MOST_TRIES:
                unit.fail(Unavailable(f"the database cannot be reached: {_first_line(error)}"))
                done.append(unit)
        return done, [unit for unit in group if unit not in done]

    def _transaction(self, connection: Connection, group: list[Unit]) -> tuple[list[Unit], list[Unit]]:
        """Run units in one transaction and commit it; give those that have an outcome, and those to run again."""
        xid = _begin(connection)
        done: list[Unit] = []
        again: list[Unit] = []
        for unit in group:
            if not self._run(connection, unit):
                again.append(unit)
                continue
            done.append(unit)
            if unit.error is None and unit is not group[-1]:
                # From here on the transaction holds something, so nobody in it waits any more.
                _say(connection, f"RELEASE SAVEPOINT unit; SET LOCAL lock_timeout = '1ms'; {BLIND}; SAVEPOINT unit")
        if self._committed(connection, xid):
            return done, again
        for unit in done:
            unit.fail(Unavailable("nobody can tell whether this was kept; repeat it with the same id"))
        return done, again

    def _run(self, connection: Connection, unit: Unit) -> bool:
        """Run one unit in its savepoint; say whether it has an outcome."""
        unit.tries += 1
        try:
            unit.run(Tx(connection, Dialect.POSTGRES, shared=True))
        except BaseException as error:
            _say(connection, "ROLLBACK TO SAVEPOINT unit")
            # A row that another process inserted meanwhile is seen by the next try.
            clash = isinstance(error, errors.UniqueViolation) and unit.tries < MOST_CLASHES
            if clash or (isinstance(error, TRY_AGAIN) and unit.tries < MOST_TRIES):
                return False
            unit.fail(translated(error))
        return True

    def _committed(self, connection: Connection, xid: str) -> bool:
        """Commit; where the answer is lost, find out. Says no only if nobody can tell."""
        try:
            connection.execute("COMMIT")
        except psycopg.Error as error:
            if not _is_lost(connection):
                _say(connection, "ROLLBACK")
                raise _Lost from error
            self._drop()
            return self._look_up(xid)
        return True

    def _look_up(self, xid: str) -> bool:
        before = self._place
        for pause in RESOLVE_AFTER_S:
            time.sleep(pause)
            try:
                connection = self._connected()
                if self._place != before:
                    return False  # another server, or another history: the number means something else there
                row = connection.execute("SELECT pg_xact_status(%s::xid8) AS status", (xid,)).fetchone()
            except psycopg.Error:
                self._drop()
                continue
            status = row and row["status"]
            if status == "committed":
                return True
            if status == "aborted":
                raise _Lost
            if status is None:
                return False
        return False


def _begin(connection: Connection) -> str:
    """Begin a transaction with its first savepoint and give its id, in one round trip."""
    cursor = connection.execute(
        f"BEGIN; SET LOCAL lock_timeout = '{LOCK_WAIT_MS}ms'; SELECT pg_current_xact_id()::text AS xid; SAVEPOINT unit",
        prepare=False,
    )
    while cursor.description is None:
        assert cursor.nextset()
    row = cursor.fetchone()
    assert row is not None
    return str(row["xid"])


def _say(connection: Connection, sql: str) -> None:
    """Run what steers a transaction; if that fails the connection is of no use any more."""
    try:
        connection.execute(sql, prepare=False)
    except psycopg.Error as error:
        raise _Lost from error


def scalar(connection: Connection, sql: str) -> Any:
    """Give the first column of the first row, or nothing."""
    row = connection.execute(sql).fetchone()
    return None if row is None else next(iter(row.values()))


def _is_lost(connection: Connection) -> bool:
    """Say whether a connection has ended; a server that says goodbye is noticed at the next word."""
    if not connection.closed:
        with suppress(psycopg.Error):
            connection.execute("")
    return connection.closed


def conninfo(url: str) -> str:
    """Give the address as the driver reads it."""
    found = parse(url).set(drivername="postgresql")
    return found.render_as_string(hide_password=False)


def connect(url: str) -> Connection:
    """Open a connection that notices soon when the other side is gone."""
    connection: Connection = psycopg.connect(
        url,
        autocommit=True,
        row_factory=dict_row,
        connect_timeout=CONNECT_S,
        application_name="escalade",
        keepalives_idle=5,
        keepalives_interval=2,
        keepalives_count=3,
        tcp_user_timeout=15_000,
    )
    try:
        connection.execute(SESSION, prepare=False)
    except psycopg.Error:
        connection.close()
        raise
    return connection


def make_engine(url: str) -> Engine:
    """Make an engine for migrations and commands: a connection for each use, closed after it."""
    return sqlalchemy.create_engine(
        parse(url).set(drivername="postgresql+psycopg"),
        poolclass=sqlalchemy.NullPool,
        connect_args={"connect_timeout": CONNECT_S, "application_name": "escalade"},
    )


@contextmanager
def transaction(engine: Engine) -> Iterator[Tx]:
    """Run one transaction of a command; safe beside running servers on the same database."""
    try:
        connection = connect(conninfo(engine.url.render_as_string(hide_password=False)))
    except psycopg.Error as error:
        raise translated(error) from error
    try:
        connection.execute("BEGIN")
        yield Tx(connection, Dialect.POSTGRES, shared=True)
        connection.execute("COMMIT")
    except BaseException as error:
        told = translated(error)
        if told is error:
            raise
        raise told from error
    finally:
        connection.close()  # what was not committed is taken back with it


def translated(error: BaseException) -> BaseException:
    """Call a store that cannot take the work `Unavailable`; leave every other error as it is."""
    if isinstance(error, (*LOST, errors.ReadOnlySqlTransaction, *TRY_AGAIN, errors.QueryCanceled)):
        unavailable = Unavailable(_first_line(error))
        unavailable.__cause__ = error
        return unavailable
    return error


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
