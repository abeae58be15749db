"""What `write` acknowledges is durable, one failure takes nothing else with it, and nobody is woken too early."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from escalade.domain.errors import ConfigError, Unavailable
from escalade.store import database as module
from escalade.store.database import Ring, SqliteDatabase, Tx, make_engine, sqlite_path, transaction
from tests.backstage import opened


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'test.db'}"


@pytest_asyncio.fixture
async def database(url: str) -> AsyncIterator[SqliteDatabase]:
    async with opened(url) as found:
        await found.write(lambda tx: tx.run("CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT UNIQUE)"))
        yield found


def add(text: str) -> Callable[[Tx], int]:
    return lambda tx: tx.insert("INSERT INTO note (text) VALUES (:text) RETURNING id", text=text)


def texts(tx: Tx) -> list[str]:
    return [row["text"] for row in tx.all("SELECT text FROM note ORDER BY id")]


def seen_from_outside(url: str) -> list[str]:
    """Read as another process would."""
    connection = sqlite3.connect(sqlite_path(url))
    try:
        return [row[0] for row in connection.execute("SELECT text FROM note ORDER BY id")]
    finally:
        connection.close()


class Held:
    """The writer thread at a standstill, so that what arrives meanwhile shares the next commit."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database
        self._may_go_on = threading.Event()
        self.statements: list[str] = []

    async def __aenter__(self) -> Held:
        begun = threading.Event()

        def stand_still(tx: Tx) -> None:
            tx._connection.set_trace_callback(self.statements.append)
            begun.set()
            assert self._may_go_on.wait(10)

        self._task = asyncio.create_task(self._database.write(stand_still))
        await asyncio.to_thread(begun.wait, 10)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._may_go_on.set()
        await self._task

    def let_go(self) -> None:
        self._may_go_on.set()

    def commits(self) -> int:
        return sum(statement == "COMMIT" for statement in self.statements)


async def test_a_commit_is_durable_and_waits_for_locks(database: SqliteDatabase) -> None:
    def pragmas(tx: Tx) -> dict[str, object]:
        names = ("journal_mode", "synchronous", "foreign_keys", "wal_autocheckpoint", "busy_timeout")
        return {name: tx.value(f"PRAGMA {name}") for name in names}

    expected = {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "wal_autocheckpoint": 4000,
        "busy_timeout": 5000,
    }
    assert await database.write(pragmas) == expected
    assert await database.read(pragmas) == expected


async def test_only_the_serving_process_checkpoints(url: str) -> None:
    async with opened(url, checkpoint=False) as beside:
        assert await beside.write(lambda tx: tx.value("PRAGMA wal_autocheckpoint")) == 0


async def test_what_arrives_during_a_commit_shares_the_next_one(database: SqliteDatabase, url: str) -> None:
    async with Held(database) as held:
        waiting = [asyncio.create_task(database.write(add(f"note {n}"))) for n in range(20)]
        await asyncio.sleep(0)
        held.let_go()
        assert await asyncio.gather(*waiting) == list(range(1, 21))
    assert held.commits() == 2  # the one that stood still, and one for the twenty
    assert seen_from_outside(url) == [f"note {n}" for n in range(20)]


async def test_a_unit_that_fails_takes_nothing_else_with_it(database: SqliteDatabase, url: str) -> None:
    def fails(tx: Tx) -> None:
        add("half done")(tx)
        tx.ring("note", "half done")
        raise ValueError("changed my mind")

    rung: set[Ring] = set()
    database.on_commit = rung.update
    async with Held(database) as held:
        before = asyncio.create_task(database.write(add("before")))
        failing = asyncio.create_task(database.write(fails))
        again = asyncio.create_task(database.write(add("before")))
        after = asyncio.create_task(database.write(add("after")))
        await asyncio.sleep(0)
        held.let_go()
        done = await asyncio.gather(before, failing, again, after, return_exceptions=True)
    assert isinstance(done[1], ValueError)
    assert isinstance(done[2], sqlite3.IntegrityError)
    assert seen_from_outside(url) == ["before", "after"]
    assert rung == set()
    assert held.commits() == 2


async def test_nobody_is_woken_before_the_commit_is_visible_to_all(database: SqliteDatabase, url: str) -> None:
    seen: list[tuple[set[Ring], list[str]]] = []
    database.on_commit = lambda rings: seen.append((rings, seen_from_outside(url)))

    def work(tx: Tx) -> None:
        add("here")(tx)
        tx.ring("note", "here")
        assert seen_from_outside(url) == []

    await database.write(work)
    assert seen == [({("note", "here")}, ["here"])]
    await database.write(add("quiet"))
    assert len(seen) == 1


async def test_a_read_cannot_write(database: SqliteDatabase) -> None:
    with pytest.raises(Unavailable):
        await database.read(add("sneaked in"))
    assert await database.read(texts) == []
    assert await database.write(add("proper")) == 1


async def test_a_read_sees_one_moment(database: SqliteDatabase) -> None:
    looked, written = threading.Event(), threading.Event()

    def twice(tx: Tx) -> tuple[list[str], list[str]]:
        first = texts(tx)
        looked.set()
        assert written.wait(10)
        return first, texts(tx)

    reading = asyncio.create_task(database.read(twice))
    await asyncio.to_thread(looked.wait, 10)
    await database.write(add("meanwhile"))
    written.set()
    assert await reading == ([], [])
    assert await database.read(texts) == ["meanwhile"]


async def test_reads_go_on_beside_each_other_and_beside_a_writer(database: SqliteDatabase) -> None:
    meeting = threading.Barrier(2, timeout=10)
    async with Held(database):
        assert len(await asyncio.gather(*(database.read(lambda _tx: meeting.wait()) for _ in range(2)))) == 2


async def test_a_command_may_write_beside_the_server(database: SqliteDatabase, url: str) -> None:
    engine = make_engine(url, checkpoint=False)
    try:
        await database.write(add("server"))
        with transaction(engine) as tx:
            add("command")(tx)
        with pytest.raises(sqlite3.IntegrityError), transaction(engine) as tx:
            tx.many("INSERT INTO note (text) VALUES (:text)", [{"text": "taken back"}, {"text": "server"}])
    finally:
        engine.dispose()
    assert await database.read(texts) == ["server", "command"]


async def test_a_store_that_is_locked_too_long_takes_nothing_and_recovers(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BUSY_TIMEOUT_MS", 20)
    async with opened(url) as database:
        await database.write(lambda tx: tx.run("CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT UNIQUE)"))
        other = sqlite3.connect(tmp_path / "test.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        rung: set[Ring] = set()
        database.on_commit = rung.update

        def work(tx: Tx) -> None:
            add("too early")(tx)
            tx.ring("note")

        with pytest.raises(Unavailable):
            await database.write(work)
        other.execute("ROLLBACK")
        other.close()
        assert rung == set()
        assert await database.write(add("later")) == 1
        assert await database.read(texts) == ["later"]


def test_a_command_that_finds_the_store_locked_says_so(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BUSY_TIMEOUT_MS", 20)
    engine = make_engine(url, checkpoint=False)
    with transaction(engine) as tx:
        tx.run("CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT UNIQUE)")
    engine.dispose()
    other = sqlite3.connect(tmp_path / "test.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable), transaction(engine):
        pytest.fail("it is locked")
    other.close()
    with transaction(engine) as tx:
        assert tx.value("SELECT 1") == 1
    engine.dispose()


async def test_closing_finishes_what_was_begun(url: str) -> None:
    async with opened(url) as database:
        await database.write(lambda tx: tx.run("CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT UNIQUE)"))
        begun = [asyncio.create_task(database.write(add(f"note {n}"))) for n in range(300)]
        await asyncio.sleep(0)
    assert [await task for task in begun] == list(range(1, 301))
    assert len(seen_from_outside(url)) == 300


async def test_what_comes_while_or_after_it_closes_is_told_so_at_once(database: SqliteDatabase) -> None:
    async with Held(database) as held:
        closing = asyncio.create_task(database.close())
        await asyncio.sleep(0)
        late = asyncio.create_task(database.write(add("late")))
        await asyncio.sleep(0)
        held.let_go()
        await closing
    with pytest.raises(Unavailable):
        await late
    with pytest.raises(Unavailable):
        await database.write(add("later still"))
    with pytest.raises(Unavailable):
        await database.read(texts)


async def test_a_caller_who_left_does_not_undo_the_work(database: SqliteDatabase) -> None:
    async with Held(database):
        task = asyncio.create_task(database.write(add("stands")))
        await asyncio.sleep(0)
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await database.write(texts) == ["stands"]


@pytest.mark.parametrize(
    "url", ["postgresql://db/escalade", "sqlite://", "sqlite:///:memory:", "mysql://x/y", "not an address", ""]
)
def test_an_address_that_cannot_be_served_is_refused_in_a_sentence(url: str) -> None:
    with pytest.raises(ConfigError, match="ESCALADE_DATABASE_URL"):
        sqlite_path(url)


async def test_a_folder_that_is_not_there_is_told_at_the_start(tmp_path: Path) -> None:
    database = SqliteDatabase(f"sqlite:///{tmp_path / 'missing' / 'test.db'}")
    with pytest.raises(sqlite3.OperationalError):
        database.start()
    await database.close()
