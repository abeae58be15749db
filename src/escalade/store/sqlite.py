"""SQLite: one file, one writer, a few readers. The default engine.

`synchronous=FULL` is set and checked. SQLite before 3.51.3 can corrupt its log when two connections write and
checkpoint at once, so only the serving process checkpoints (`checkpoint=True`), from its writer.
"""

from __future__ import annotations

import asyncio
import functools
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy
from sqlalchemy.engine import Engine

from escalade.domain.errors import ConfigError, Unavailable
from escalade.store.database import Tx, parse
from escalade.store.writer import GroupedWrites, Unit

T = TypeVar("T")

BUSY_TIMEOUT_MS = 5_000


class SqliteDatabase(GroupedWrites):
    """The default engine: one file, one writer thread, a few readers."""

    def __init__(self, url: str, *, readers: int = 2, checkpoint: bool = True) -> None:
        self.path = sqlite_path(url)
        self._engine = make_engine(url, checkpoint=checkpoint)
        super().__init__(_Committer(self._engine))
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="reader")
        self._local = threading.local()
        self._reader_connections: list[sqlite3.Connection] = []

    async def close(self) -> None:
        """Finish what was begun and close every connection; what comes from now on is told so."""
        await super().close()
        self._readers.shutdown(wait=True)
        for connection in self._reader_connections:
            connection.close()
        self._engine.dispose()

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Run `work` on a snapshot of its own; it cannot write."""
        if self._closing:
            raise Unavailable("the database is not open")
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._readers, functools.partial(self._read, work))
        except sqlite3.OperationalError as error:
            raise Unavailable(str(error)) from error

    # the reader threads

    def _open_reader(self) -> sqlite3.Connection:
        """Open this thread's connection, at its first read; where it cannot be had, the next who reads tries again."""
        pooled = self._engine.raw_connection()
        connection = _driver(pooled)
        connection.execute("PRAGMA query_only=ON")
        self._local.pooled = pooled  # kept, or the pool would take the connection back
        self._local.connection = connection
        self._reader_connections.append(connection)
        return connection

    def _read(self, work: Callable[[Tx], T]) -> T:
        connection: sqlite3.Connection = getattr(self._local, "connection", None) or self._open_reader()
        connection.execute("BEGIN")
        try:
            return work(Tx(connection))
        finally:
            connection.execute("ROLLBACK")


class _Committer:
    """The writer's connection."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def open(self) -> None:
        self._pooled = self._engine.raw_connection()
        self._connection = _driver(self._pooled)
        _check_durable(self._connection)

    def shut(self) -> None:
        self._pooled.close()

    def commit(self, group: list[Unit]) -> Iterator[list[Unit]]:
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            for unit in group:
                connection.execute("SAVEPOINT unit")
                try:
                    unit.run(Tx(connection))
                except BaseException as error:
                    connection.execute("ROLLBACK TO unit")
                    unit.fail(_translated(error))
                connection.execute("RELEASE unit")
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            for unit in group:
                unit.fail(_translated(error))
        yield group


def sqlite_path(url: str) -> Path:
    """Give the file of a `sqlite:///` address."""
    parsed = parse(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        raise ConfigError("ESCALADE_DATABASE_URL: no file of ours; use one such as sqlite:///escalade.db")
    return Path(parsed.database)


def make_folder(url: str) -> None:
    """Make the folder of the file where there is none, or say why there can be none."""
    folder = sqlite_path(url).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"ESCALADE_DATABASE_URL: {folder} cannot be made ({error.strerror})") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ConfigError(f"ESCALADE_DATABASE_URL: nothing can be written in {folder}")


def make_engine(url: str, *, checkpoint: bool = True) -> Engine:
    """Make the engine; every connection waits for locks, logs ahead and syncs in full."""
    sqlite_path(url)
    engine = sqlalchemy.create_engine(
        url, connect_args={"check_same_thread": False, "isolation_level": None}, pool_size=8, max_overflow=8
    )

    @sqlalchemy.event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.row_factory = sqlite3.Row
        connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        # A new file gets its log in a transaction that ends with the deletion of a journal: should the power go before
        # the directory has reached the disk, that journal comes back and undoes everything since. EXTRA syncs it.
        # https://www.sqlite.org/pragma.html#pragma_synchronous
        connection.execute("PRAGMA synchronous=EXTRA")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA secure_delete=ON")  # what is erased is overwritten, not merely let go
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute(f"PRAGMA wal_autocheckpoint={4000 if checkpoint else 0}")

    return engine


@contextmanager
def transaction(engine: Engine) -> Iterator[Tx]:
    """Run one transaction of a command; safe beside a running server on the same database."""
    pooled = engine.raw_connection()
    connection = _driver(pooled)
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield Tx(connection)
        connection.execute("COMMIT")
    except BaseException as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        told = _translated(error)
        if told is error:
            raise
        raise told from error
    finally:
        pooled.close()


def damage(engine: Engine) -> str | None:
    """Say what is wrong with the file, or nothing if it is whole."""
    with engine.connect() as connection:
        found = connection.execute(sqlalchemy.text("PRAGMA integrity_check")).scalar()
    return None if found == "ok" else f"the database is damaged: {found}"


def _driver(pooled: Any) -> sqlite3.Connection:
    connection = pooled.driver_connection
    assert isinstance(connection, sqlite3.Connection)
    return connection


def _check_durable(connection: sqlite3.Connection) -> None:
    mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    level = connection.execute("PRAGMA synchronous").fetchone()[0]
    if mode != "wal" or level != 2:
        raise ConfigError(f"the database is not durable (journal_mode={mode}, synchronous={level}); use a local disk")


def _translated(error: BaseException) -> BaseException:
    """Call a store that cannot take the work `Unavailable`; leave every other error as it is."""
    if isinstance(error, sqlite3.OperationalError):
        unavailable = Unavailable(str(error))
        unavailable.__cause__ = error
        return unavailable
    return error
