"""The product's database, in memory: commits in groups and in order, with latency, and fails where the tape says so.

A `Disk` outlives the process; what was committed on it is there after a crash, and nothing else is. It starts as a
copy of one image with this version's tables, so that no schedule migrates anything.
"""

from __future__ import annotations

import asyncio
import functools
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from escalade.domain.errors import Unavailable
from escalade.store import schema
from escalade.store.database import Note, Ring, Tx
from escalade.store.engines import make_engine
from torture.simulator.chaos import Chaos
from torture.simulator.loop import Forbidden, Owner, sleep
from torture.simulator.profile import Fault

T = TypeVar("T")
LATENCY_S = 0.004
SLOW_S = 3.0


@functools.cache
def image() -> bytes:
    """Give an empty database of this version; made once in a process, since Alembic takes its time."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image.db"
        engine = make_engine(f"sqlite:///{path}")
        schema.migrate(engine)
        engine.dispose()
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA journal_mode=DELETE")  # there is no log beside a database in memory
        connection.close()
        return path.read_bytes()


class Disk:
    """What is durable."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        self.connection.deserialize(image())
        self.connection.row_factory = sqlite3.Row
        self.connection.execute("PRAGMA foreign_keys=ON")

    def look(self, work: Callable[[Tx], T]) -> T:
        """Look at what is there, outside of every fault, even in the middle of somebody's transaction."""
        return work(Tx(self.connection))

    def write(self, work: Callable[[Tx], T]) -> T:
        """Write at once, outside of every fault: what was set up before the story began."""
        self.connection.execute("BEGIN")
        try:
            result = work(Tx(self.connection))
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")
        return result

    def close(self) -> None:
        """Throw it away."""
        self.connection.close()


class _Unit:
    """One caller's work and what became of it."""

    __slots__ = ("error", "future", "notes", "result", "rings", "work")

    def __init__(self, work: Callable[[Tx], Any], future: asyncio.Future[Any]) -> None:
        self.work = work
        self.future = future
        self.result: Any = None
        self.error: BaseException | None = None
        self.rings: set[Ring] = set()
        self.notes: list[Note] = []


class SimulatedDatabase:
    """One process's door to the disk."""

    def __init__(self, disk: Disk, chaos: Chaos, process: Owner) -> None:
        self.on_commit: Callable[[set[Ring]], None] = lambda _rings: None
        self.on_note: Callable[[Note], None] | None = None
        self._disk = disk
        self._chaos = chaos
        self._process = process
        self._gathered: list[_Unit] = []
        self._busy = False

    def start(self) -> None:
        """Open it; there is nothing to do."""

    async def close(self) -> None:
        """Close it; there is nothing to do."""

    async def write(self, work: Callable[[Tx], T]) -> T:
        """Run `work` in a transaction it may share with others; when this returns, it is durable."""
        await self._chaos.edge("write")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._gathered.append(_Unit(work, future))
        if not self._busy:
            self._busy = True
            self._process.start(self._commit_what_comes(), "commits")
        result = await future
        await self._chaos.edge("written")
        return result

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Run `work` on what is committed at one moment; what it gives is a little old when it arrives."""
        await self._chaos.edge("read")
        await sleep(self._latency())
        self._refuse_if_down()
        connection = self._disk.connection
        before = connection.total_changes
        result = work(Tx(connection))
        if connection.total_changes != before:
            raise Forbidden("a read has written")
        await sleep(self._latency())
        return result

    def _latency(self) -> float:
        tape = self._chaos.tape
        if self._chaos.strikes(Fault.DB_SLOW):
            return tape.seconds(0.0, SLOW_S)
        return tape.seconds(0.0, LATENCY_S)

    def _refuse_if_down(self) -> None:
        if self._chaos.lasts(Fault.DB_DOWN):
            raise Unavailable("the database cannot be reached")

    async def _commit_what_comes(self) -> None:
        """Commit group after group, in the order they came, until nothing waits."""
        while self._gathered:
            await sleep(self._latency())
            group, self._gathered = self._gathered, []
            self._commit(group)
            await sleep(self._latency())
            self._announce(group)
        self._busy = False

    def _commit(self, group: list[_Unit]) -> None:
        chaos, connection = self._chaos, self._disk.connection
        if chaos.lasts(Fault.DB_DOWN):
            _fail(group, "the database cannot be reached")
            return
        if chaos.crashes("before the commit"):
            return
        connection.execute("BEGIN IMMEDIATE")
        for unit in group:
            connection.execute("SAVEPOINT unit")
            tx = Tx(connection)
            tx.notes = unit.notes
            try:
                unit.result = unit.work(tx)
            except Exception as error:
                connection.execute("ROLLBACK TO unit")
                unit.error = Unavailable(str(error)) if isinstance(error, sqlite3.OperationalError) else error
                unit.notes.clear()
            else:
                unit.rings = tx.rings
            connection.execute("RELEASE unit")
        if chaos.strikes(Fault.DB_REFUSES):
            connection.execute("ROLLBACK")
            _fail(group, "the database is locked")
            return
        connection.execute("COMMIT")
        if self.on_note is not None:
            for note in [note for unit in group for note in unit.notes]:
                self.on_note(note)
        if chaos.crashes("after the commit"):
            return
        if chaos.strikes(Fault.DB_ANSWER_LOST):
            _fail(group, "the connection broke")

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


def _fail(group: list[_Unit], why: str) -> None:
    for unit in group:
        unit.error, unit.rings = Unavailable(why), set()
