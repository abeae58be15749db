"""Who may send for a conversation: one process at a time, by locks of a PostgreSQL session.

Zendesk cannot check a fencing token, so a sender that was overtaken must be unable to run. A session's advisory lock
is held for as long as the process lives, paused or not, and freed by the server when it dies. All locks of a process
are on one connection of their own: when that is lost, all of them are, and `on_loss` is called at once, so that
nothing more is sent. What was under way then is unsure for whoever comes next.

Besides the conversations there are two locks for the whole deployment. Everyone at work holds *presence*, shared: who
could have it alone knows that nobody else is there, and that whatever is under way is nobody's. One process *leads*,
and makes the rounds that need making once.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

import psycopg

from escalade.domain.errors import Unavailable
from escalade.store.postgres import LOST, Connection, connect, conninfo

T = TypeVar("T")

PRESENCE = "presence"
LEADER = "leader"
LOOK_EVERY_S = 0.5
PATIENCE_S = 5.0  # an answer that takes longer is no answer: the session may be somebody else's by now
# The server, too, is to notice when the other side has gone without a word.
WATCHFUL = "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3"


def number(name: str) -> int:
    """Give the number under which PostgreSQL locks a name."""
    return int.from_bytes(hashlib.blake2b(f"escalade:{name}".encode(), digest_size=8).digest(), signed=True)


class SessionLocks:
    """The locks of this process."""

    def __init__(self, url: str) -> None:
        self.on_loss: Callable[[], None] = lambda: None
        self._url = conninfo(url)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="locks")
        self._one_at_a_time = asyncio.Lock()
        self._connection: Connection | None = None
        self._held: Counter[str] = Counter()
        self._joined = False

    async def join(self) -> bool:
        """Come to work; say whether nobody else is there. Until `joined` is called nobody else can come."""
        key = number(PRESENCE)
        async with self._one_at_a_time:
            return await self._ask(lambda connection: _try_lock(connection, key))

    async def joined(self) -> None:
        """Let others come, too."""
        key = number(PRESENCE)

        def stay(connection: Connection) -> None:
            connection.execute("SELECT pg_advisory_lock_shared(%s)", (key,))
            while _unlock(connection, key):
                pass  # locked once for each time we tried to begin anew

        async with self._one_at_a_time:
            await self._ask(stay)
            self._joined = True

    async def claim(self, name: str) -> bool:
        """Become the owner of a conversation, or say that another process is; claims of one process add up."""
        async with self._one_at_a_time:
            if not self._held[name] and not await self._ask(lambda connection: _try_lock(connection, number(name))):
                return False
            self._held[name] += 1
            return True

    async def release(self, name: str) -> None:
        """Give back one claim."""
        async with self._one_at_a_time:
            if not self._held[name]:
                return  # it went with the session
            self._held[name] -= 1
            if not self._held[name]:
                del self._held[name]
                with suppress(Unavailable):
                    await self._ask(lambda connection: _unlock(connection, number(name)))

    async def lead(self) -> bool:
        """Say whether this process leads; it does until its session ends."""
        return self._held[LEADER] > 0 or await self.claim(LEADER)

    @property
    def leads(self) -> bool:
        """Whether this process leads, as far as it knows."""
        return self._held[LEADER] > 0

    async def run(self) -> None:
        """Look after the session until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            if self._connection is not None:
                with suppress(Unavailable):
                    async with self._one_at_a_time:
                        await self._ask(lambda connection: connection.execute("SELECT 1") and None)

    async def close(self) -> None:
        """Free every lock."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        self._thread.shutdown(wait=False)

    async def _ask(self, work: Callable[[Connection], T]) -> T:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(PATIENCE_S):
                if self._connection is None:
                    self._connection = await loop.run_in_executor(self._thread, self._open)
                return await loop.run_in_executor(self._thread, work, self._connection)
        except (*LOST, TimeoutError) as error:
            self._lose()
            raise Unavailable("the session that holds our conversations is lost") from error

    def _open(self) -> Connection:
        connection = connect(self._url)
        connection.execute(WATCHFUL, prepare=False)
        if self._joined:
            connection.execute("SELECT pg_advisory_lock_shared(%s)", (number(PRESENCE),))
        return connection

    def _lose(self) -> None:
        connection, self._connection = self._connection, None
        self._held.clear()
        if connection is not None:
            self._thread.shutdown(wait=False)
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="locks")  # the old one may hang in an answer
            with suppress(psycopg.Error):
                connection.close()
            self.on_loss()


def _try_lock(connection: Connection, key: int) -> bool:
    row = connection.execute("SELECT pg_try_advisory_lock(%s) AS got", (key,)).fetchone()
    return row is not None and bool(row["got"])


def _unlock(connection: Connection, key: int) -> bool:
    row = connection.execute("SELECT pg_advisory_unlock(%s) AS held", (key,)).fetchone()
    return row is not None and bool(row["held"])
