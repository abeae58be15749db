"""One door to the database: reads beside each other, writes through one thread that commits them in groups.

What `write` acknowledges is durable: `synchronous=FULL` is set and checked. Whatever arrives during a commit shares
the next one, each unit of work in a savepoint of its own, so one failure takes nothing else with it.

SQLite before 3.51.3 can corrupt its log when two connections write and checkpoint at once, so only the serving
process checkpoints (`checkpoint=True`), from its writer.
"""

from __future__ import annotations

import asyncio
import functools
import os
import queue
import sqlite3
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

import sqlalchemy
from sqlalchemy.engine import Engine

from escalade.domain.errors import ConfigError, Unavailable

T = TypeVar("T")
Row = Mapping[str, Any]
Ring = tuple[str, str]  # a topic and what in it changed
Note = tuple[str, Mapping[str, Any]]  # a fact for this process's history: its kind and its fields

BUSY_TIMEOUT_MS = 5_000
LARGEST_GROUP = 256


class Tx:
    """A transaction: runs SQL with `:named` parameters and remembers what is to follow the commit."""

    __slots__ = ("_connection", "notes", "rings")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.rings: set[Ring] = set()
        self.notes: list[Note] | None = None  # none: no history is written

    def run(self, sql: str, **params: Any) -> int:
        """Execute a statement and say how many rows it touched."""
        return self._connection.execute(sql, params).rowcount

    def many(self, sql: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Execute a statement once for each row."""
        self._connection.executemany(sql, rows)

    def insert(self, sql: str, **params: Any) -> int:
        """Execute an insert ending in `RETURNING id` and give that id."""
        row = self._connection.execute(sql, params).fetchone()
        return int(row[0])

    def one(self, sql: str, **params: Any) -> Row | None:
        """Give the first row, or nothing."""
        row: Row | None = self._connection.execute(sql, params).fetchone()
        return row

    def all(self, sql: str, **params: Any) -> list[Row]:
        """Give every row."""
        return self._connection.execute(sql, params).fetchall()

    def value(self, sql: str, **params: Any) -> Any:
        """Give the first column of the first row, or nothing."""
        row = self._connection.execute(sql, params).fetchone()
        return None if row is None else row[0]

    def ring(self, topic: str, what: str = "") -> None:
        """Wake whoever waits for this, once the commit is durable."""
        self.rings.add((topic, what))

    def note(self, kind: str, **fields: Any) -> None:
        """Write a fact into this process's history, once the commit is durable: ids and digests, never a text."""
        if self.notes is not None:
            self.notes.append((kind, fields))


class Database(Protocol):
    """Run plain functions of a transaction; the port behind which a simulator can stand."""

    async def write(self, work: Callable[[Tx], T]) -> T:
        """Run `work` in a transaction; when this returns, it is durable."""
        ...

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Run `work` on a snapshot; it cannot write."""
        ...


class ServedDatabase(Database, Protocol):
    """A database a serving process opens, hears from after each commit, and closes."""

    on_commit: Callable[[set[Ring]], None]
    on_note: Callable[[Note], None] | None  # called for each fact after its commit, before anyone is answered

    def start(self) -> None:
        """Open it on the running event loop."""
        ...

    async def close(self) -> None:
        """Finish what was begun and close it."""
        ...


class _Unit:
    """One caller's work and its outcome."""

    __slots__ = ("error", "future", "notes", "result", "rings", "work")

    def __init__(self, work: Callable[[Tx], Any], future: asyncio.Future[Any]) -> None:
        self.work = work
        self.future = future
        self.result: Any = None
        self.error: BaseException | None = None
        self.rings: set[Ring] = set()
        self.notes: list[Note] = []


class SqliteDatabase:
    """The default engine: one file, one writer thread, a few readers."""

    def __init__(self, url: str, *, readers: int = 2, checkpoint: bool = True) -> None:
        self.path = sqlite_path(url)
        self._engine = make_engine(url, checkpoint=checkpoint)
        self._inbox: queue.SimpleQueue[list[_Unit] | None] = queue.SimpleQueue()
        self._gathered: list[_Unit] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._writer: threading.Thread | None = None
        self._closing = False
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="reader", initializer=self._open_reader)
        self._local = threading.local()
        self._reader_connections: list[sqlite3.Connection] = []
        self.on_commit: Callable[[set[Ring]], None] = lambda _rings: None
        self.on_note: Callable[[Note], None] | None = None

    def start(self) -> None:
        """Open the writer on the running event loop and check that commits are durable."""
        self._loop = asyncio.get_running_loop()
        opened: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write_for_ever, args=(opened,), name="writer", daemon=True)
        self._writer.start()
        error = opened.get()
        if error is not None:
            raise error

    async def close(self) -> None:
        """Finish what was begun and close every connection; what comes from now on is told so."""
        self._closing = True
        if self._writer is not None:
            self._hand_over()
            self._inbox.put(None)
            await asyncio.to_thread(self._writer.join)
            self._writer = None
        self._readers.shutdown(wait=True)
        for connection in self._reader_connections:
            connection.close()
        self._engine.dispose()

    async def write(self, work: Callable[[Tx], T]) -> T:
        """Run `work` in a transaction; when this returns, it is durable."""
        if self._loop is None or self._writer is None or self._closing:
            raise Unavailable("the database is not open")
        future: asyncio.Future[T] = self._loop.create_future()
        if not self._gathered:
            # Handed over once for each turn of the loop: waking the writer for every unit costs more than the unit.
            self._loop.call_soon(self._hand_over)
        self._gathered.append(_Unit(work, future))
        return await future

    def _hand_over(self) -> None:
        if self._gathered:
            self._inbox.put(self._gathered)
            self._gathered = []

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Run `work` on a snapshot of its own; it cannot write."""
        if self._closing:
            raise Unavailable("the database is not open")
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._readers, functools.partial(self._read, work))
        except sqlite3.OperationalError as error:
            raise Unavailable(str(error)) from error

    # the writer thread

    def _write_for_ever(self, opened: queue.SimpleQueue[BaseException | None]) -> None:
        try:
            pooled = self._engine.raw_connection()
            connection = _driver(pooled)
            _check_durable(connection)
        except BaseException as error:
            opened.put(error)
            return
        opened.put(None)
        while True:
            first = self._inbox.get()
            if first is None:
                break
            group = first
            stop = False
            while len(group) < LARGEST_GROUP:
                try:
                    following = self._inbox.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    stop = True
                    break
                group.extend(following)
            try:
                self._commit(connection, group)
            except BaseException:
                # The connection is in no state we know: dying loudly loses nothing acknowledged, going on could.
                traceback.print_exc()
                os._exit(70)
            assert self._loop is not None
            try:
                self._loop.call_soon_threadsafe(self._announce, group)
            except RuntimeError:  # the loop has closed: nobody waits any more
                break
            if stop:
                break
        pooled.close()

    def _commit(self, connection: sqlite3.Connection, group: list[_Unit]) -> None:
        try:
            connection.execute("BEGIN IMMEDIATE")
            for unit in group:
                connection.execute("SAVEPOINT unit")
                tx = Tx(connection)
                if self.on_note is not None:
                    tx.notes = unit.notes
                try:
                    unit.result = unit.work(tx)
                except BaseException as error:
                    connection.execute("ROLLBACK TO unit")
                    unit.error = _translated(error)
                    unit.notes.clear()
                else:
                    unit.rings = tx.rings
                connection.execute("RELEASE unit")
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            for unit in group:
                unit.error = _translated(error)
                unit.rings = set()
            return
        if self.on_note is not None:
            for unit in group:
                for note in unit.notes:
                    self.on_note(note)

    def _announce(self, group: list[_Unit]) -> None:
        rings: set[Ring] = set()
        for unit in group:
            rings |= unit.rings
            if unit.future.done():  # the caller was cancelled; the work stands
                continue
            if unit.error is not None:
                unit.future.set_exception(unit.error)
            else:
                unit.future.set_result(unit.result)
        if rings:
            self.on_commit(rings)

    # the reader threads

    def _open_reader(self) -> None:
        pooled = self._engine.raw_connection()
        connection = _driver(pooled)
        connection.execute("PRAGMA query_only=ON")
        self._local.pooled = pooled  # kept, or the pool would take the connection back
        self._local.connection = connection
        self._reader_connections.append(connection)

    def _read(self, work: Callable[[Tx], T]) -> T:
        connection: sqlite3.Connection = self._local.connection
        connection.execute("BEGIN")
        try:
            return work(Tx(connection))
        finally:
            connection.execute("ROLLBACK")


def sqlite_path(url: str) -> Path:
    """Give the file of a `sqlite:///` address; the only engine this version serves."""
    try:
        parsed = sqlalchemy.make_url(url)
    except sqlalchemy.exc.ArgumentError as error:
        raise ConfigError("ESCALADE_DATABASE_URL: not an address; use one such as sqlite:///escalade.db") from error
    if parsed.get_backend_name() != "sqlite":
        raise ConfigError(
            f"ESCALADE_DATABASE_URL: {parsed.get_backend_name()} is not served by this version; use sqlite:///escalade.db"
        )
    if not parsed.database or parsed.database == ":memory:":
        raise ConfigError("ESCALADE_DATABASE_URL: name a file, such as sqlite:///escalade.db; memory is not durable")
    return Path(parsed.database)


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
