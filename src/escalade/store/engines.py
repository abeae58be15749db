"""Which engine an address names, for a serving process and for a command; drivers are loaded only where needed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from sqlalchemy.engine import Engine

from escalade.store.database import ServedDatabase, Tx, dialect_of
from escalade.store.sql import Dialect


def open_database(url: str, *, checkpoint: bool = True) -> ServedDatabase:
    """Choose the engine an address names; the drivers are loaded only where they are needed."""
    if dialect_of(url) is Dialect.POSTGRES:
        from escalade.store.postgres import PostgresDatabase

        return PostgresDatabase(url)
    from escalade.store.sqlite import SqliteDatabase

    return SqliteDatabase(url, checkpoint=checkpoint)


def make_engine(url: str, *, checkpoint: bool = True) -> Engine:
    """Make an engine for migrations and commands."""
    if dialect_of(url) is Dialect.POSTGRES:
        from escalade.store import postgres

        return postgres.make_engine(url)
    from escalade.store import sqlite

    return sqlite.make_engine(url, checkpoint=checkpoint)


@contextmanager
def commands(url: str, *, checkpoint: bool = False) -> Iterator[Engine]:
    """Open an engine for a command and dispose of it."""
    if dialect_of(url) is Dialect.SQLITE:
        from escalade.store import sqlite

        sqlite.make_folder(url)
    engine = make_engine(url, checkpoint=checkpoint)
    try:
        yield engine
    finally:
        engine.dispose()


def transaction(engine: Engine) -> AbstractContextManager[Tx]:
    """Run one transaction of a command; safe beside a running server on the same database."""
    if engine.dialect.name == "postgresql":
        from escalade.store import postgres

        return postgres.transaction(engine)
    from escalade.store import sqlite

    return sqlite.transaction(engine)


def check_server(url: str, *, development: bool = False) -> str | None:
    """Refuse a PostgreSQL that could lose or mix up what we entrust to it; a file is checked as it opens.

    In development a role that sees everything is let pass; what is wrong with it is given back.
    """
    if dialect_of(url) is Dialect.SQLITE:
        return None
    from escalade.store import postgres_check

    return postgres_check.check(url, development=development)


def clock_of(url: str) -> int | None:
    """Give the time from which a process on a database starts its clock, or nothing where there is but one."""
    if dialect_of(url) is Dialect.SQLITE:
        return None
    from escalade.store import shared_clock

    return shared_clock.start(url)


def damage(engine: Engine) -> str | None:
    """Say in a sentence what is wrong with a file, or nothing if it is whole; PostgreSQL checks its own pages."""
    if engine.dialect.name == "postgresql":
        return None
    from escalade.store import sqlite

    return sqlite.damage(engine)
