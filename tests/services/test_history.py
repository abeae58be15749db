"""What the product writes down of itself: facts that are true, in order, and nothing when it is switched off."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from escalade.domain.errors import ConfigError
from escalade.services.history import History
from escalade.store.database import Note, ServedDatabase, Tx
from tests.backstage import opened


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    return tmp_path / "some.db"


@pytest_asyncio.fixture(name="database")
async def _database(path: Path) -> AsyncIterator[ServedDatabase]:
    async with opened(f"sqlite:///{path}") as found:
        await found.write(lambda tx: tx.everywhere().run("CREATE TABLE thing (name TEXT UNIQUE)"))
        yield found


def keep(tx: Tx, name: str) -> None:
    tx.note("B.append", mid=name)
    tx.everywhere().run("INSERT INTO thing VALUES (:name)", name=name)


async def test_a_fact_is_told_once_it_is_durable(database: ServedDatabase, path: Path) -> None:
    outside = sqlite3.connect(path, check_same_thread=False)
    durable: list[int] = []
    database.on_note = lambda _: durable.append(outside.execute("SELECT count(*) FROM thing").fetchone()[0])
    await database.write(lambda tx: keep(tx, "first"))
    told_when_answered = list(durable)
    await database.write(lambda tx: keep(tx, "second"))
    outside.close()
    assert (told_when_answered, durable) == ([1], [1, 2])


async def test_what_is_rolled_back_is_not_told(database: ServedDatabase) -> None:
    told: list[Note] = []
    database.on_note = told.append
    names = ("first", "first", "second")
    results = await asyncio.gather(
        *(database.write(lambda tx, name=name: keep(tx, name)) for name in names),  # type: ignore[misc]
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [type(None), sqlite3.IntegrityError, type(None)]
    assert [fields["mid"] for _, fields in told] == ["first", "second"]


async def test_switched_off_nothing_is_kept(database: ServedDatabase) -> None:
    def kept(tx: Tx) -> object:
        keep(tx, "first")
        return tx.notes

    assert await database.write(kept) is None


def test_a_process_goes_on_where_the_last_one_was_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "bridge.jsonl"
    before = History(path, lambda: 5)
    before.note("B.boot", {})
    before.close()
    with path.open("a") as torn:
        torn.write('{"p":"escalade","n":2,"k":"B.app')
    after = History(path, lambda: 7)
    after.note("B.boot", {})
    after.note("B.append", {"o": "o1", "c": "c1", "seq": 1, "mid": "m1", "role": "customer"})
    after.close()
    first, _torn, second, third = path.read_text().splitlines()
    assert json.loads(first) == {"p": "escalade", "n": 1, "k": "B.boot", "t": 5}
    assert json.loads(second) == {"p": "escalade", "n": 2, "k": "B.boot", "t": 7}
    assert json.loads(third)["n"] == 3


def test_a_file_that_cannot_be_written_is_told_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"ESCALADE_HISTORY: .* cannot be written"):
        History(tmp_path / "missing" / "bridge.jsonl", lambda: 0)
