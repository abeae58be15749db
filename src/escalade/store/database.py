"""The one door to the database: reads beside each other, writes in groups, each group one commit.

What `write` acknowledges is durable. Whatever arrives during a commit shares the next one, each unit of work in a
savepoint of its own, so one failure takes nothing else with it. Two engines stand behind the same port: SQLite (one
file, one process) and PostgreSQL (many processes); `sqlite` and `postgres` are their rooms, and the only ones that
know a driver.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import sqlalchemy
from sqlalchemy.engine import URL

from escalade.domain.errors import ConfigError
from escalade.store.sql import Dialect, for_engine, for_psycopg

T = TypeVar("T")
Row = Mapping[str, Any]
Ring = tuple[str, str]  # a topic and what in it changed
Note = tuple[str, Mapping[str, Any]]  # a fact for this process's history: its kind and its fields


class Connection(Protocol):
    """What the drivers have in common."""

    def execute(self, query: Any, params: Any = ..., /) -> Any:
        """Run one statement and give its cursor."""
        ...


# What the policies of row-level security ask for; both end with the transaction, or with the savepoint.
SEE = (
    "SELECT set_config('escalade.organisation', :organisation, true),"
    " set_config('escalade.everywhere', :everywhere, true)"
)
EVERYWHERE = {"organisation": "", "everywhere": "on"}


@dataclass(slots=True)
class _Sight:
    """Whose rows a transaction works on: the organisation named last, and what the database was told."""

    organisation: str | None = None
    told: Mapping[str, str] | None = None


class Tx:
    """A transaction: runs SQL with `:named` parameters and remembers what is to follow the commit.

    `shared` says that others may write beside it, so what is decided about has to be locked first.

    On PostgreSQL a statement sees the rows of one organisation: the one it names as `:organisation`, or the one named
    last. A transaction that has named none yet is told so, instead of finding nothing.
    """

    __slots__ = ("_connection", "_everywhere", "_sight", "dialect", "notes", "rings", "shared")

    def __init__(self, connection: Connection, dialect: Dialect = Dialect.SQLITE, *, shared: bool = False) -> None:
        self._connection = connection
        self._everywhere = False
        self._sight = _Sight()
        self.dialect = dialect
        self.shared = shared
        self.rings: set[Ring] = set()
        self.notes: list[Note] | None = None  # none: no history is written

    def everywhere(self) -> Tx:
        """Give this same transaction with every organisation in sight: for sweeps, and for who is not yet known."""
        wide = Tx(self._connection, self.dialect, shared=self.shared)
        wide._everywhere, wide._sight, wide.rings, wide.notes = True, self._sight, self.rings, self.notes
        return wide

    def _execute(self, sql: str, params: Mapping[str, Any]) -> Any:
        if self.dialect is Dialect.POSTGRES:
            self._look(params)
            return self._connection.execute(for_psycopg(sql), params)
        return self._connection.execute(for_engine(sql, Dialect.SQLITE), params)

    def _look(self, params: Mapping[str, Any]) -> None:
        """Tell the database whose rows the next statement is about, where that has changed."""
        sight = self._sight
        if self._everywhere:
            wanted = EVERYWHERE
        else:
            named = params.get("organisation")
            if named is not None:
                sight.organisation = named
            if sight.organisation is None:
                raise LookupError("a statement has to name its organisation, or to be run everywhere()")
            wanted = {"organisation": sight.organisation, "everywhere": "off"}
        if wanted != sight.told:
            self._connection.execute(for_psycopg(SEE), wanted)
            sight.told = wanted

    def run(self, sql: str, **params: Any) -> int:
        """Execute a statement and say how many rows it touched."""
        return int(self._execute(sql, params).rowcount)

    def many(self, sql: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Execute a statement once for each row."""
        for row in rows:
            self._execute(sql, row)

    def insert(self, sql: str, **params: Any) -> int:
        """Execute an insert ending in `RETURNING id` and give that id."""
        return int(self.value(sql, **params))

    def one(self, sql: str, **params: Any) -> Row | None:
        """Give the first row, or nothing."""
        row: Row | None = self._execute(sql, params).fetchone()
        return row

    def all(self, sql: str, **params: Any) -> list[Row]:
        """Give every row."""
        rows: list[Row] = self._execute(sql, params).fetchall()
        return rows

    def value(self, sql: str, **params: Any) -> Any:
        """Give the first column of the first row, or nothing."""
        row = self._execute(sql, params).fetchone()
        if row is None:
            return None
        return next(iter(row.values())) if isinstance(row, dict) else row[0]

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
        """Run `work` in a transaction; when this returns, it is durable.

        Where the engine has many writers `work` may run more than once before it is: it changes nothing but the
        transaction.
        """
        ...

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Run `work` on a snapshot; it cannot write."""
        ...


class ServedDatabase(Database, Protocol):
    """A database a serving process opens, hears from after each commit, and closes."""

    on_commit: Callable[[set[Ring]], None]
    on_note: Callable[[Note], None] | None  # called for each fact after its commit, before anyone is answered

    def start(self) -> None:
        """Open it on the running event loop and check that commits are durable."""
        ...

    async def close(self) -> None:
        """Finish what was begun and close every connection; what comes from now on is told so."""
        ...


def parse(url: str) -> URL:
    """Read an address, or say what is wrong with it."""
    try:
        parsed = sqlalchemy.make_url(url)
    except sqlalchemy.exc.ArgumentError as error:
        raise ConfigError(
            "ESCALADE_DATABASE_URL: not an address; use one such as sqlite:///escalade.db or postgresql://host/name"
        ) from error
    name = parsed.get_backend_name()
    if name not in {"sqlite", "postgresql"}:
        raise ConfigError(f"ESCALADE_DATABASE_URL: {name} is not served; use sqlite:///escalade.db or postgresql://…")
    if name == "sqlite" and (not parsed.database or parsed.database == ":memory:"):
        raise ConfigError("ESCALADE_DATABASE_URL: name a file, such as sqlite:///escalade.db; memory is not durable")
    return parsed


def dialect_of(url: str) -> Dialect:
    """Say which engine an address names."""
    return Dialect.POSTGRES if parse(url).get_backend_name() == "postgresql" else Dialect.SQLITE
