"""Hand units of work from the event loop to one thread in groups, and tell each caller what came of its own.

An engine commits; this gathers and announces. Whatever arrives while the thread is busy is its next group.
"""

from __future__ import annotations

import asyncio
import os
import queue
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import Any, NoReturn, Protocol, TypeVar

from escalade.domain.errors import Unavailable
from escalade.store.database import Note, Ring, Tx

T = TypeVar("T")

LARGEST_GROUP = 256


class Unit:
    """One caller's work and its outcome."""

    __slots__ = ("error", "future", "notes", "result", "rings", "tries", "work")

    def __init__(self, work: Callable[[Tx], Any], future: asyncio.Future[Any], *, noted: bool) -> None:
        self.work = work
        self.future = future
        self.result: Any = None
        self.error: BaseException | None = None
        self.rings: set[Ring] = set()
        self.notes: list[Note] | None = [] if noted else None
        self.tries = 0

    def run(self, tx: Tx) -> None:
        """Do the work in a transaction; what it leaves behind counts once that is committed."""
        tx.notes = [] if self.notes is not None else None
        self.result = self.work(tx)
        self.rings, self.notes, self.error = tx.rings, tx.notes, None

    def fail(self, error: BaseException) -> None:
        """Say that nothing of it was kept."""
        self.error, self.result, self.rings = error, None, set()
        self.notes = None if self.notes is None else []


class Committer(Protocol):
    """What an engine does on the writer's thread."""

    def open(self) -> None:
        """Connect, and check that commits are durable."""
        ...

    def commit(self, group: list[Unit]) -> Iterator[list[Unit]]:
        """Bring every unit to an outcome; give those that have one as they have it, after it is durable."""
        ...

    def shut(self) -> None:
        """Close the connection."""
        ...


class GroupedWrites:
    """The thread that writes, and the loop's end of it: what both engines' databases have in common."""

    def __init__(self, committer: Committer) -> None:
        self.on_commit: Callable[[set[Ring]], None] = lambda _rings: None
        self.on_note: Callable[[Note], None] | None = None
        self._committer = committer
        self._inbox: queue.SimpleQueue[list[Unit] | None] = queue.SimpleQueue()
        self._gathered: list[Unit] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._closing = False

    def start(self) -> None:
        """Open the writer on the running event loop and check that commits are durable."""
        self._loop = asyncio.get_running_loop()
        opened: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write_for_ever, args=(opened,), name="writer", daemon=True)
        self._thread.start()
        error = opened.get()
        if error is not None:
            raise error

    async def close(self) -> None:
        """Finish what was begun; what comes from now on is told so."""
        self._closing = True
        if self._thread is not None:
            self._hand_over()
            self._inbox.put(None)
            await asyncio.to_thread(self._thread.join)
            self._thread = None

    async def write(self, work: Callable[[Tx], T]) -> T:
        """Run `work` in a transaction; when this returns, it is durable."""
        if self._loop is None or self._thread is None or self._closing:
            raise Unavailable("the database is not open")
        future: asyncio.Future[T] = self._loop.create_future()
        if not self._gathered:
            # Handed over once for each turn of the loop: waking the writer for every unit costs more than the unit.
            self._loop.call_soon(self._hand_over)
        self._gathered.append(Unit(work, future, noted=self.on_note is not None))
        return await future

    def _hand_over(self) -> None:
        try:
            if self._gathered:
                self._inbox.put(self._gathered)
                self._gathered = []
        except BaseException:
            _die()  # out of memory, say: nobody would hand these over any more, nor what comes after them

    def _write_for_ever(self, opened: queue.SimpleQueue[BaseException | None]) -> None:
        try:
            self._committer.open()
        except BaseException as error:
            opened.put(error)
            return
        opened.put(None)
        stop = False
        try:
            while not stop:
                group, stop = self._next_group()
                if group and not self._settle(group):
                    break
        except BaseException:
            _die()  # a writer that is gone would let everybody wait for ever
        self._committer.shut()

    def _next_group(self) -> tuple[list[Unit], bool]:
        """Wait for work and take what is there; say whether it is the last."""
        group = self._inbox.get()
        if group is None:
            return [], True
        while len(group) < LARGEST_GROUP:
            try:
                following = self._inbox.get_nowait()
            except queue.Empty:
                break
            if following is None:
                return group, True
            group.extend(following)
        return group, False

    def _settle(self, group: list[Unit]) -> bool:
        """Bring a group to its outcome; say whether anybody still waits for outcomes."""
        assert self._loop is not None
        try:
            for done in self._committer.commit(group):
                self._write_down(done)
                self._loop.call_soon_threadsafe(self._announce, done)
        except RuntimeError:
            if self._loop.is_closed():  # nobody waits any more
                return False
            _die()
        except BaseException:
            _die()
        return True

    def _write_down(self, done: list[Unit]) -> None:
        """Put into this process's history what is durable, before anyone is answered."""
        if self.on_note is not None:
            for unit in done:
                for note in unit.notes or ():
                    self.on_note(note)

    def _announce(self, done: list[Unit]) -> None:
        rings: set[Ring] = set()
        try:
            for unit in done:
                rings |= unit.rings
                _tell(unit)
        except BaseException:
            _die()  # whoever was not told would wait for ever
        if rings:
            self.on_commit(rings)


def _tell(unit: Unit) -> None:
    if unit.future.done():  # the caller was cancelled; the work stands
        return
    if unit.error is not None:
        unit.future.set_exception(unit.error)
    else:
        unit.future.set_result(unit.result)


def _die() -> NoReturn:
    """End the process: it is in no state we know, and going on could lose what was acknowledged or hang for ever."""
    try:
        traceback.print_exc()
    finally:
        os._exit(70)
