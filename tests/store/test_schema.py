"""A database comes to this version from nothing, and knows that it has."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError

from escalade.store import schema
from escalade.store.database import make_engine
from tests.backstage import blank_database


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = make_engine(f"sqlite:///{tmp_path / 'new.db'}")
    yield engine
    engine.dispose()


def script() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    return ScriptDirectory.from_config(config)


def tables(path: Path) -> dict[str, str]:
    connection = sqlite3.connect(path)
    found = dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall())
    connection.close()
    return found


def test_the_head_named_in_code_is_the_newest_migration() -> None:
    assert script().get_heads() == [schema.HEAD]


def test_migrations_form_one_line() -> None:
    line = [revision.down_revision for revision in script().walk_revisions()]
    assert line[-1] is None
    assert all(isinstance(before, str) for before in line[:-1])


def test_an_empty_database_becomes_current_and_stays_so(engine: Engine) -> None:
    assert schema.version(engine) is None
    assert not schema.is_current(engine)
    assert schema.migrate(engine) is True
    assert schema.version(engine) == schema.HEAD
    assert schema.is_current(engine)
    assert schema.migrate(engine) is False


def test_migrating_again_changes_nothing(engine: Engine, tmp_path: Path) -> None:
    schema.migrate(engine)
    before = tables(tmp_path / "new.db")
    with engine.connect() as connection:
        connection.exec_driver_sql("DELETE FROM alembic_version")
        connection.commit()
    assert not schema.is_current(engine)
    assert tables(tmp_path / "new.db") == before


def test_every_row_of_a_customers_carries_its_organisation(tmp_path: Path) -> None:
    blank_database(tmp_path)
    connection = sqlite3.connect(tmp_path / "escalade.db")
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for name in ("customer", "visitor", "conversation", "handoff", "message", "link", "receipt", "lane", "delivery"):
        assert name in names
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({name})")]
        assert "organisation" in columns, name
    connection.close()


def test_a_message_cannot_be_stored_twice_or_in_the_same_place(tmp_path: Path) -> None:
    blank_database(tmp_path)
    connection = sqlite3.connect(tmp_path / "escalade.db")
    insert = (
        "INSERT INTO message (organisation, conversation, seq, id, role, text, delivery, created_at)"
        " VALUES ('org_1', 'c-1', ?, ?, 'customer', 'Hello', 'none', 0)"
    )
    connection.execute(insert, (1, "m-1"))
    for seq, id in ((1, "m-2"), (2, "m-1")):
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(insert, (seq, id))
    connection.close()


def test_a_migration_that_is_cut_short_leaves_nothing_behind(engine: Engine, tmp_path: Path) -> None:
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE audit (in_the_way TEXT)")
        connection.commit()
    with pytest.raises(OperationalError, match="already exists"):
        schema.migrate(engine)
    assert set(tables(tmp_path / "new.db")) == {"audit"}
    with engine.connect() as connection:
        connection.exec_driver_sql("DROP TABLE audit")
        connection.commit()
    assert schema.migrate(engine) is True


def test_two_programs_that_start_at_once_both_find_it_current(tmp_path: Path) -> None:
    program = (
        "from escalade.store import database, schema;"
        f"engine = database.make_engine('sqlite:///{tmp_path / 'new.db'}');"
        "schema.migrate(engine); assert schema.is_current(engine)"
    )
    both = [subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for process in both:
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said
