"""Many writers on one PostgreSQL: nothing is half kept, nobody waits in a circle, a lost answer is looked up."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from typing import Any

import psycopg
import pytest
import pytest_asyncio

from escalade.domain.errors import ConfigError, Unavailable
from escalade.store import postgres
from escalade.store.database import ServedDatabase, Tx
from escalade.store.doorbell import Doorbell
from escalade.store.engines import check_server, clock_of
from escalade.store.ownership import SessionLocks
from tests.backstage import opened
from tests.engines import connected
from tests.store.pooler import transaction_pool


@pytest.fixture
def engine() -> str:
    return "postgres"


@pytest.fixture
def url(empty_url: str) -> str:
    with connected(empty_url) as tx:
        tx.everywhere().run("CREATE TABLE counter (name TEXT PRIMARY KEY, n BIGINT NOT NULL)")
        for name in "abcdef":
            tx.everywhere().run("INSERT INTO counter (name, n) VALUES (:name, 0)", name=name)
    return empty_url


@pytest_asyncio.fixture
async def database(url: str) -> AsyncIterator[ServedDatabase]:
    async with opened(url) as found:
        yield found


def add(*names: str) -> Callable[[Tx], int]:
    """Lock counters in this order, then count each on from what is there."""

    def work(tx: Tx) -> int:
        n = 0
        for name in names:
            n = tx.everywhere().value("SELECT n FROM counter WHERE name = :name FOR UPDATE", name=name)
            tx.everywhere().run("UPDATE counter SET n = :n WHERE name = :name", n=n + 1, name=name)
        return n + 1

    return work


def counters(url: str) -> dict[str, int]:
    with connected(url) as tx:
        return {row["name"]: row["n"] for row in tx.everywhere().all("SELECT name, n FROM counter ORDER BY name")}


def end_every_session(url: str) -> None:
    with connected(url) as tx:
        tx.everywhere().all(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )


async def test_two_nodes_that_lock_in_any_order_all_come_through(url: str) -> None:
    orders = [("a", "b"), ("b", "a"), ("c", "a", "b"), ("b", "c"), ("d",), ("a", "d", "c")]
    async with opened(url) as one, opened(url) as other:
        rounds = 15
        work = [node.write(add(*order)) for _ in range(rounds) for order in orders for node in (one, other)]
        await asyncio.gather(*work)
    expected = {name: 2 * rounds * sum(name in order for order in orders) for name in "abcdef"}
    assert counters(url) == expected


async def test_a_unit_that_would_wait_lets_the_others_of_its_group_go_on(database: ServedDatabase, url: str) -> None:
    with closing(postgres.connect(url)) as elsewhere:
        elsewhere.execute("BEGIN")
        elsewhere.execute("UPDATE counter SET n = 100 WHERE name = 'b'")
        waits = asyncio.create_task(database.write(add("b")))
        others = [asyncio.create_task(database.write(add(name))) for name in "acdef"]
        assert await asyncio.gather(*others) == [1] * 5
        assert not waits.done()
        elsewhere.execute("COMMIT")
        assert await waits == 101


async def test_who_waits_too_long_is_told_and_nothing_of_it_is_kept(
    database: ServedDatabase, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "LOCK_WAIT_MS", 10)
    with closing(postgres.connect(url)) as elsewhere:
        elsewhere.execute("BEGIN")
        elsewhere.execute("UPDATE counter SET n = 100 WHERE name = 'b'")
        with pytest.raises(Unavailable):
            await database.write(add("a", "b"))
        elsewhere.execute("ROLLBACK")
    assert counters(url)["a"] == 0
    assert await database.write(add("a", "b")) == 1


async def test_a_row_somebody_else_inserted_meanwhile_is_seen_by_the_second_try(
    database: ServedDatabase, url: str
) -> None:
    with closing(postgres.connect(url)) as elsewhere:
        elsewhere.execute("BEGIN")
        elsewhere.execute("INSERT INTO counter VALUES ('new', 7)")

        def found_or_made(tx: Tx) -> int:
            n = tx.everywhere().value("SELECT n FROM counter WHERE name = 'new'")
            if n is None:
                tx.everywhere().run("INSERT INTO counter VALUES ('new', 0)")
            return n or 0

        asking = asyncio.create_task(database.write(found_or_made))
        await asyncio.sleep(0.1)
        elsewhere.execute("COMMIT")
        assert await asking == 7


async def test_a_session_that_is_ended_in_the_middle_is_begun_again_and_nothing_is_kept_twice(
    database: ServedDatabase, url: str
) -> None:
    ended = threading.Event()
    runs = 0

    def work(tx: Tx) -> int:
        nonlocal runs
        runs += 1
        n = add("a")(tx)
        if not ended.is_set():
            ended.set()
            end_every_session(url)
        return n

    assert await database.write(work) == 1
    assert runs == 2
    assert counters(url)["a"] == 1


async def test_reads_and_writes_go_on_after_every_session_was_ended(database: ServedDatabase, url: str) -> None:
    for n in range(1, 6):
        assert await database.write(add("a")) == n
        end_every_session(url)
        assert await database.read(lambda tx: tx.everywhere().value("SELECT n FROM counter WHERE name = 'a'")) == n


class LosesTheAnswer:
    """A connection whose next COMMIT the server carries out, or not, without our hearing of it."""

    def __init__(self, connection: postgres.Connection, *, arrives: bool) -> None:
        self._connection = connection
        self._arrives = arrives

    def __getattr__(self, name: str) -> object:
        return getattr(self._connection, name)

    def execute(self, query: Any, params: Any = None, **more: Any) -> Any:
        if query == "COMMIT":
            if self._arrives:
                self._connection.execute("COMMIT")
            self._connection.close()
            raise psycopg.OperationalError("server closed the connection unexpectedly")
        return self._connection.execute(query, params, **more)


@pytest.mark.parametrize("arrives", [True, False])
async def test_a_commit_whose_answer_is_lost_counts_once(database: ServedDatabase, url: str, arrives: bool) -> None:
    committer = database._committer  # type: ignore[attr-defined]
    await database.write(add("b"))
    committer._connection = LosesTheAnswer(committer._connection, arrives=arrives)
    assert await database.write(add("a")) == 1
    assert counters(url)["a"] == 1


async def test_a_commit_nobody_can_tell_of_is_not_acknowledged(
    database: ServedDatabase, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    committer = database._committer  # type: ignore[attr-defined]
    await database.write(add("b"))
    committer._connection = LosesTheAnswer(committer._connection, arrives=True)
    committer._place = "another server, or another line of history"
    with pytest.raises(Unavailable, match="repeat it with the same id"):
        await database.write(add("a"))


async def test_a_server_that_is_not_there_is_told_at_once() -> None:
    database = postgres.PostgresDatabase("postgresql://127.0.0.1:1/escalade")
    with pytest.raises(psycopg.OperationalError):
        database.start()
    await database.close()
    with pytest.raises(ConfigError, match="cannot be reached"):
        check_server("postgresql://127.0.0.1:1/escalade")


# What is checked at the start


@pytest.mark.parametrize("setting", ["synchronous_commit"])
def test_a_server_that_may_lose_what_it_acknowledged_is_refused(empty_url: str, setting: str) -> None:
    with connected(empty_url) as tx:
        name = tx.everywhere().value("SELECT current_database()")
        tx.everywhere().run(f"ALTER DATABASE {name} SET {setting} = off")
    with pytest.raises(ConfigError, match=f"{setting}=on"):
        check_server(empty_url)


def test_a_server_of_our_own_is_served(empty_url: str) -> None:
    check_server(empty_url)


@pytest.mark.parametrize("backends", [2, 8])
def test_a_proxy_that_pools_transactions_is_refused_with_the_way_out(
    empty_url: str, backends: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("escalade.store.postgres_check.PATIENCE_S", 3.0)
    with (
        transaction_pool(empty_url, backends) as address,
        pytest.raises(ConfigError, match="pool_mode = session"),
    ):
        check_server(address)


# Ownership


async def soon(ask: Callable[[], Awaitable[bool]]) -> None:
    """Ask until it is so: the server frees the locks of a session a moment after it has ended."""
    async with asyncio.timeout(10):
        while not await ask():
            await asyncio.sleep(0.01)


async def test_a_conversation_has_one_owner_until_that_one_is_gone(empty_url: str) -> None:
    one, other = SessionLocks(empty_url), SessionLocks(empty_url)
    assert await one.claim("org/c-1")
    assert await one.claim("org/c-1")  # its other lane
    assert not await other.claim("org/c-1")
    assert await other.claim("org/c-2")
    await one.release("org/c-1")
    assert not await other.claim("org/c-1")
    await one.release("org/c-1")
    assert await other.claim("org/c-1")
    await other.close()
    await soon(lambda: one.claim("org/c-1"))
    await soon(lambda: one.claim("org/c-2"))
    await one.close()


async def test_who_loses_the_session_is_told_and_owns_nothing(empty_url: str) -> None:
    one, other = SessionLocks(empty_url), SessionLocks(empty_url)
    lost = asyncio.Event()
    one.on_loss = lost.set
    watching = asyncio.create_task(one.run())
    assert await one.claim("org/c-1")
    assert await one.lead()
    end_every_session(empty_url)
    await asyncio.wait_for(lost.wait(), 10)
    assert not one.leads
    await soon(lambda: other.claim("org/c-1"))
    assert not await one.claim("org/c-1")
    watching.cancel()
    for locks in (one, other):
        await locks.close()


async def test_only_who_comes_alone_begins_anew_and_nobody_comes_meanwhile(empty_url: str) -> None:
    one, other = SessionLocks(empty_url), SessionLocks(empty_url)
    assert await one.join()
    assert not await other.join()
    coming = asyncio.create_task(other.joined())
    await asyncio.sleep(0.2)
    assert not coming.done()
    await one.joined()
    await coming
    third = SessionLocks(empty_url)
    assert not await third.join()
    await third.joined()
    for locks in (one, other, third):
        await locks.close()
    fourth = SessionLocks(empty_url)
    await soon(fourth.join)
    await fourth.close()


async def test_one_process_leads_and_another_takes_over(empty_url: str) -> None:
    one, other = SessionLocks(empty_url), SessionLocks(empty_url)
    assert await one.lead()
    assert await one.lead()
    assert not await other.lead()
    await one.close()
    await soon(other.lead)
    await other.close()


# One time for all

DAY = 24 * 3600_000


async def heard(bell: Doorbell, listening: asyncio.Event) -> Doorbell:
    bell.start()
    async with asyncio.timeout(10):
        await listening.wait()
    return bell


def time_of_the_server(url: str) -> int:
    with connected(url) as tx:
        at = tx.everywhere().value("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS at")
    return int(at)


@pytest.mark.parametrize("ahead", [-27 * 3600_000, DAY])
async def test_who_starts_takes_the_time_of_whoever_is_at_work(empty_url: str, ahead: int) -> None:
    """The server's clock has been set since the first started: to whoever starts now that is no time."""
    theirs = time_of_the_server(empty_url) + ahead
    listening = asyncio.Event()
    rung: list[object] = []
    bell = await heard(Doorbell(empty_url, rung.append, listening.set, lambda: theirs), listening)
    assert await asyncio.to_thread(clock_of, empty_url) == theirs
    await bell.close()
    alone = await asyncio.to_thread(clock_of, empty_url)
    assert alone is not None
    assert 0 <= alone - (theirs - ahead) < DAY / 24


async def test_who_starts_asks_again_until_who_is_at_work_can_answer(empty_url: str) -> None:
    """A process that stands still keeps its place; its time is worth the wait."""
    goes_on, listening = threading.Event(), asyncio.Event()

    def now() -> int:
        goes_on.wait(30)
        return 42

    bell = await heard(Doorbell(empty_url, lambda rings: None, listening.set, now), listening)
    asking = asyncio.create_task(asyncio.to_thread(clock_of, empty_url))
    await asyncio.sleep(1.5)  # longer than one question waits
    assert not asking.done()
    goes_on.set()
    assert await asking == 42
    await bell.close()
