"""A database comes to this version from nothing, and knows that it has."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError

from escalade.domain.model import OrganisationId
from escalade.store import fulltext, knowledge, schema
from escalade.store.database import Tx
from escalade.store.engines import commands
from escalade.store.fulltext import Text
from tests.engines import INTEGRITY, a_database, connected, on

OURS, THEIRS = OrganisationId("org_1"), OrganisationId("org_2")
BEFORE_WORDS = (
    "INSERT INTO knowledge_source (id, organisation, kind, location, title, created_at)"
    " VALUES (:id, :organisation, 'folder', :id, 'Shelf', 0)",
    "INSERT INTO knowledge_document (id, organisation, source, source_id, title, digest, updated_at)"
    " VALUES (:id, :organisation, :id, 'x.md', 'Cabins', '', 0)",
    "INSERT INTO knowledge_passage (id, organisation, document, n, heading, text)"
    " VALUES (:n, :organisation, :id, 1, '', :text)",
    "INSERT INTO knowledge_index (rowid, organisation, words) VALUES (:n, :organisation,"
    " setweight(to_tsvector('escalade', 'Cabins'), 'A') || setweight(to_tsvector('escalade', :text), 'C'))",
)
TENANTS = ("customer", "visitor", "conversation", "handoff", "message", "link", "receipt", "lane", "delivery")


@pytest.fixture
def made(empty_url: str) -> Iterator[Engine]:
    with commands(empty_url) as found:
        yield found


def script() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    return ScriptDirectory.from_config(config)


def tables(made: Engine) -> dict[str, str]:
    """Give each table with its columns, as the engine itself describes them."""
    found = sqlalchemy.inspect(made)
    return {name: str(found.get_columns(name)) for name in found.get_table_names()}


def execute(made: Engine, sql: str) -> None:
    with made.connect() as connection:
        connection.exec_driver_sql(sql)
        connection.commit()


def test_the_head_named_in_code_is_the_newest_migration() -> None:
    assert script().get_heads() == [schema.HEAD]


def test_migrations_form_one_line() -> None:
    line = [revision.down_revision for revision in script().walk_revisions()]
    assert line[-1] is None
    assert all(isinstance(before, str) for before in line[:-1])


def test_an_empty_database_becomes_current_and_stays_so(made: Engine) -> None:
    assert schema.version(made) is None
    assert not schema.is_current(made)
    assert schema.migrate(made) is True
    assert schema.version(made) == schema.HEAD
    assert schema.is_current(made)
    before = tables(made)
    assert schema.migrate(made) is False
    assert tables(made) == before


def test_a_database_of_another_version_is_known(made: Engine) -> None:
    schema.migrate(made)
    execute(made, "DELETE FROM alembic_version")
    assert not schema.is_current(made)


def test_every_row_of_a_customers_carries_its_organisation(database_url: str) -> None:
    with commands(database_url) as made:
        found = sqlalchemy.inspect(made)
        for name in TENANTS:
            assert "organisation" in {column["name"] for column in found.get_columns(name)}, name


def test_both_engines_have_the_same_tables_with_the_same_columns() -> None:
    def columns(engine: str) -> dict[str, set[str]]:
        with a_database(engine) as url, commands(url) as made:
            found = sqlalchemy.inspect(made)
            names = [name for name in found.get_table_names() if not name.startswith("knowledge_index")]
            return {name: {column["name"] for column in found.get_columns(name)} - {"rowid"} for name in names}

    assert columns("sqlite") == columns("postgres")


def test_a_message_cannot_be_stored_twice_or_in_the_same_place(tx: Tx) -> None:
    insert = (
        "INSERT INTO message (organisation, conversation, seq, id, role, text, delivery, created_at)"
        " VALUES ('org_1', 'c-1', :seq, :id, 'customer', 'Hello', 'none', 0)"
    )
    tx.everywhere().run(insert, seq=1, id="m-1")
    for seq, id in ((1, "m-2"), (2, "m-1")):
        with pytest.raises(INTEGRITY):
            tx.everywhere().run(insert, seq=seq, id=id)


def test_a_migration_that_is_cut_short_leaves_nothing_behind(made: Engine) -> None:
    execute(made, "CREATE TABLE audit (in_the_way TEXT)")
    with pytest.raises(DBAPIError, match="already exists"):
        schema.migrate(made)
    assert set(tables(made)) == {"audit"}
    execute(made, "DROP TABLE audit")
    assert schema.migrate(made) is True


@on("postgres")
def test_articles_of_before_the_index_of_words_changed_are_found(made: Engine, empty_url: str) -> None:
    with made.connect() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, "0012")
        connection.commit()
    with connected(empty_url) as tx:
        for n, organisation in enumerate((OURS, OURS, THEIRS), 1):
            its = {"organisation": organisation, "id": f"x-{n}", "n": n, "text": f"The ferry {n} sails and sails."}
            for statement in BEFORE_WORDS:
                tx.run(statement, **its)
    assert schema.migrate(made) is True
    with connected(empty_url) as tx:
        found = knowledge.search(tx, OURS, [["ferries"], ["cabin"], ["2"]], 9)
        assert [hit.text[:11] for hit in found.hits] == ["The ferry 2", "The ferry 1"]
        assert (found.total, found.frequencies) == (2, (2, 2, 1))
        kept = "SELECT word, passages, weights FROM knowledge_index WHERE organisation = :organisation ORDER BY word"
        before = tx.all(kept, organisation=THEIRS)
        fulltext.remove(tx, THEIRS, [3])
        assert tx.all(kept, organisation=THEIRS) == []
        fulltext.put(tx, THEIRS, [Text(passage=3, title="Cabins", heading="", text="The ferry 3 sails and sails.")])
        assert tx.all(kept, organisation=THEIRS) == before, "as it would be written today"


def test_two_programs_that_start_at_once_both_find_it_current(empty_url: str) -> None:
    program = (
        "from escalade.store import engines, schema;"
        f"engine = engines.make_engine('{empty_url}');"
        "schema.migrate(engine); assert schema.is_current(engine)"
    )
    both = [subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for process in both:
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said
