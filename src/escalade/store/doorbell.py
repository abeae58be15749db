"""Rings heard by every process on one PostgreSQL database, over `NOTIFY`.

A ring goes out after its commit, from a connection of its own and in batches: `NOTIFY` inside the transaction would
make all commits wait for each other. A ring can be lost, with the connection or the process, and nothing depends on
it: whoever listens also looks by itself, and when the line was cut `on_gap` has everybody look once. Over the same line
a process that starts asks what time it is (`shared_clock.py`).
"""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import psycopg

from escalade.domain.model import Millis
from escalade.store import shared_clock
from escalade.store.database import Ring
from escalade.store.postgres import Connection, connect, conninfo
from escalade.store.shared_clock import CHANNEL

LONGEST = 7_000  # bytes; PostgreSQL takes just under 8,000
WAIT_S = 1.0


class Doorbell:
    """This process's end of the line."""

    def __init__(
        self,
        url: str,
        on_ring: Callable[[list[Ring]], None],
        on_gap: Callable[[], None],
        now: Callable[[], Millis],
    ) -> None:
        self._url = conninfo(url)
        self._now = now
        self._on_ring = on_ring
        self._on_gap = on_gap
        self._own = secrets.token_hex(4)
        self._waiting: dict[Ring, None] = {}
        self._under_way = False
        self._sender: Connection | None = None
        self._sending = ThreadPoolExecutor(1, thread_name_prefix="doorbell")
        self._closing = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listener: threading.Thread | None = None

    def start(self) -> None:
        """Listen from now on."""
        self._loop = asyncio.get_running_loop()
        self._listener = threading.Thread(target=self._listen, name="listener", daemon=True)
        self._listener.start()

    async def close(self) -> None:
        """Hang up."""
        self._closing.set()
        await asyncio.to_thread(self._sending.shutdown)
        if self._sender is not None:
            self._sender.close()
        if self._listener is not None:
            await asyncio.to_thread(self._listener.join)

    def ring(self, rings: Iterable[Ring]) -> None:
        """Let the other processes hear; what comes while a batch is under way shares the next."""
        self._waiting.update(dict.fromkeys(rings))
        self._send_next()

    def _send_next(self) -> None:
        if self._waiting and not self._under_way and not self._closing.is_set():
            assert self._loop is not None
            batch, self._waiting = self._waiting, {}
            self._under_way = True
            self._loop.run_in_executor(self._sending, self._send, batch).add_done_callback(self._sent)

    def _sent(self, _batch: asyncio.Future[None]) -> None:
        self._under_way = False
        self._send_next()

    def _send(self, batch: Iterable[Ring]) -> None:
        self._notify([(CHANNEL, payload) for payload in _payloads(self._own, batch)])

    def _say_time(self, channel: str) -> None:
        self._notify([(channel, str(self._now()))])

    def _notify(self, notes: Sequence[tuple[str, str]]) -> None:
        for _ in range(2):  # a line found dead is replaced once
            try:
                if self._sender is None or self._sender.closed:
                    self._sender = connect(self._url)
                for note in notes:
                    self._sender.execute("SELECT pg_notify(%s, %s)", note)
            except psycopg.Error:
                if self._sender is not None:
                    self._sender.close()
            else:
                return

    def _listen(self) -> None:
        while not self._closing.is_set():
            with suppress(psycopg.Error), connect(self._url) as connection:
                connection.execute(f"LISTEN {CHANNEL}")
                shared_clock.can_be_asked(connection)
                self._tell(self._on_gap)
                while not self._closing.is_set():
                    for heard in connection.notifies(timeout=WAIT_S):
                        self._hear(heard.payload)
                        if self._closing.is_set():
                            break
                    connection.execute("SELECT 1")  # a line that was cut says so here
            self._closing.wait(WAIT_S)

    def _hear(self, payload: str) -> None:
        who, rings = json.loads(payload)
        if who == self._own:
            return
        heard: list[Ring] = [(topic, what) for topic, what in rings]
        for topic, channel in heard:
            if topic == shared_clock.TOPIC:
                with suppress(RuntimeError):  # we are hanging up: whoever asked will ask again, and find us gone
                    self._sending.submit(self._say_time, channel)
        self._tell(lambda: self._on_ring(heard))

    def _tell(self, call: Callable[[], None]) -> None:
        assert self._loop is not None
        with suppress(RuntimeError):  # the loop has closed: nobody listens any more
            self._loop.call_soon_threadsafe(call)


def _payloads(own: str, rings: Iterable[Ring]) -> Iterator[str]:
    """Put rings into as few notes as they fit in."""
    batch: list[Ring] = []
    size = 0
    for ring in rings:
        length = len(json.dumps(ring).encode()) + 2
        if batch and size + length > LONGEST:
            yield json.dumps([own, batch])
            batch, size = [], 0
        batch.append(ring)
        size += length
    if batch:
        yield json.dumps([own, batch])
