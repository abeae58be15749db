"""PostgreSQL keeps organisations apart by itself: what names no organisation sees no row and adds none."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest
from psycopg import sql

from escalade.domain.errors import ConfigError
from escalade.store import postgres
from escalade.store.database import Tx
from escalade.store.engines import check_server
from tests.engines import on, postgres_server

pytestmark = on("postgres")

OURS, THEIRS = "org_1", "org_2"
Values = dict[str, Any]


class Tables:
    """Every table there is, with one row of each organisation's, whatever its columns are."""

    def __init__(self, owner: psycopg.Connection[Any]) -> None:
        self._owner = owner
        named = owner.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' ORDER BY 1"
        )
        self.names = [name for (name,) in named]
        owner.execute("SET session_replication_role = replica")  # rows may come in any order
        for n, organisation in enumerate((OURS, THEIRS), 1):
            for name in self.names:
                insert(owner, name, self.row(name, organisation, n))

    def row(self, table: str, organisation: str, n: int) -> Values:
        """Make a row of an organisation's: every text is its name, every number its own."""
        columns = self._owner.execute(
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s", (table,)
        )
        made: Values = {"text": organisation, "ARRAY": [], "bytea": b""}
        return {name: made.get(kind, n) for name, kind in columns}


def insert(connection: psycopg.Connection[Any], table: str, row: Values) -> None:
    """Add a row in plain SQL."""
    connection.execute(
        sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, row)),
            sql.SQL(", ").join(map(sql.Placeholder, row)),
        ),
        row,
    )


def touched(connection: psycopg.Connection[Any], statement: str, table: str) -> int:
    """Say how many rows a statement sees or changes."""
    return connection.execute(sql.SQL(statement).format(sql.Identifier(table))).rowcount


@pytest.fixture
def tables(database_url: str) -> Iterator[Tables]:
    with closing(psycopg.connect(postgres_server().owners(database_url), autocommit=True)) as owner:
        yield Tables(owner)


@pytest.fixture
def raw(database_url: str, tables: Tables) -> Iterator[psycopg.Connection[Any]]:
    """A connection of the product's own role, with nothing of the product in between."""
    with closing(psycopg.connect(database_url, autocommit=True)) as connection:
        yield connection


def test_t04_plain_sql_that_names_no_organisation_sees_nothing_and_adds_nothing(
    raw: psycopg.Connection[Any], tables: Tables
) -> None:
    assert len(tables.names) >= 25
    for name in tables.names:
        assert touched(raw, "SELECT * FROM {}", name) == 0, name
        assert touched(raw, "DELETE FROM {}", name) == 0, name
        for organisation in (OURS, "org_3", ""):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
                insert(raw, name, tables.row(name, organisation, 3))


def test_t04_plain_sql_sees_the_organisation_it_names_until_its_transaction_ends(
    raw: psycopg.Connection[Any], tables: Tables
) -> None:
    for name in tables.names:
        with raw.transaction():
            raw.execute("SELECT set_config('escalade.organisation', %s, true)", (OURS,))
            assert touched(raw, "SELECT * FROM {}", name) == 1, name
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"), raw.transaction():
                insert(raw, name, tables.row(name, THEIRS, 2))
        assert touched(raw, "SELECT * FROM {}", name) == 0, name
        with raw.transaction():
            raw.execute("SELECT set_config('escalade.everywhere', 'on', true)")
            assert touched(raw, "SELECT * FROM {}", name) == 2, name


async def test_t04_a_unit_that_forgot_its_organisation_fails_whatever_came_before_it(
    database_url: str, tables: Tables
) -> None:
    names = "SELECT id FROM organisation ORDER BY id"

    def theirs(tx: Tx) -> list[str]:
        return [row["id"] for row in tx.all(names + " -- :organisation", organisation=THEIRS)]

    def broken(tx: Tx) -> None:
        tx.everywhere().all(names)
        raise ValueError("after it saw everybody")

    def forgot(tx: Tx) -> list[str]:
        return [row["id"] for row in tx.all(names)]

    def around(tx: Tx) -> int:
        return len(tx._connection.execute(names).fetchall())  # what the database itself still has in sight

    def changed_its_mind(tx: Tx) -> list[list[str]]:
        wide = [row["id"] for row in tx.everywhere().all(names)]
        return [theirs(tx), wide, forgot(tx), [row["id"] for row in tx.all(names, organisation=OURS)], forgot(tx)]

    database = postgres.PostgresDatabase(database_url)
    database.start()
    try:
        # Handed over in one turn of the loop, so they are one transaction.
        group = (theirs, forgot, around, broken, around, forgot, changed_its_mind, around)
        found = await asyncio.gather(*(database.write(unit) for unit in group), return_exceptions=True)
        assert [type(one) if isinstance(one, Exception) else one for one in found] == [
            [THEIRS],
            LookupError,
            0,
            ValueError,
            0,
            LookupError,
            [[THEIRS], [OURS, THEIRS], [THEIRS], [OURS], [OURS]],
            0,
        ]
        assert await database.read(theirs) == [THEIRS]
        for _ in range(8):  # every reader, whatever it read before
            with pytest.raises(LookupError, match="everywhere"):
                await database.read(forgot)
            assert await database.read(around) == 0
    finally:
        await database.close()


def test_a_backup_as_our_role_is_whole_or_refused(raw: psycopg.Connection[Any], database_url: str) -> None:
    dump = (str(postgres_server().program("pg_dump")), database_url)
    bare = subprocess.run(dump, capture_output=True, text=True, check=False)
    assert bare.returncode != 0
    assert "row-level security" in bare.stderr
    written = subprocess.run(
        (*dump, "--enable-row-security"),
        env=os.environ | {"PGOPTIONS": "-c escalade.everywhere=on"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for organisation in (OURS, THEIRS):
        assert written.count(f"\n{organisation}\t") >= 10


@pytest.mark.parametrize("power", ["SUPERUSER", "BYPASSRLS"])
def test_t04_a_role_that_sees_everything_is_refused_in_production_and_told_of_in_development(
    database_url: str, power: str
) -> None:
    server, role = postgres_server(), f"too_mighty_{power.lower()}"
    server.execute(f"CREATE ROLE {role} LOGIN {power}")
    name = psycopg.conninfo.conninfo_to_dict(database_url)["dbname"]
    address = server.url_of(str(name), role=role)
    try:
        with pytest.raises(ConfigError, match=f"{role}.*NOSUPERUSER NOBYPASSRLS"):
            check_server(address)
        assert role in (check_server(address, development=True) or "")
        assert check_server(database_url) is None
    finally:
        server.execute(f"DROP ROLE {role}")
