"""A small proxy that does what PgBouncer does in transaction mode: each transaction gets whichever server is free."""

from __future__ import annotations

import asyncio
import queue
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
SSL_REQUEST, GSS_REQUEST = 80877103, 80877104


async def _message(reader: asyncio.StreamReader) -> bytes:
    """Read one message of PostgreSQL's protocol: a letter, a length, the rest."""
    head = await reader.readexactly(5)
    (length,) = struct.unpack("!I", head[1:])
    return head + await reader.readexactly(length - 4)


async def _startup(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """Read a client's first words, with a no to any encryption."""
    while True:
        head = await reader.readexactly(4)
        (length,) = struct.unpack("!I", head)
        rest = await reader.readexactly(length - 4)
        if struct.unpack("!I", rest[:4])[0] not in {SSL_REQUEST, GSS_REQUEST}:
            return head + rest
        writer.write(b"N")


class Pool:
    """Servers that are handed round, the one free longest first."""

    def __init__(self, socket: str, size: int) -> None:
        self._socket = socket
        self._size = size
        self._made = 0
        self._free: asyncio.Queue[Stream] = asyncio.Queue()
        self._greeting = b""
        self._open: list[asyncio.StreamWriter] = []
        self._serving: set[asyncio.Task[None]] = set()

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take a client in."""
        self._open.append(writer)
        self._serving.add(asyncio.create_task(self._serve(reader, writer)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client until it goes."""
        try:
            startup = await _startup(reader, writer)
            if not self._greeting:
                self._free.put_nowait(await self._connect(startup))
            writer.write(self._greeting)
            while True:
                first = await _message(reader)
                if first[:1] == b"X":
                    return
                server = await self._take(startup)
                await self._transaction(server, reader, writer, first)
                self._free.put_nowait(server)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    async def close(self) -> None:
        """Let go of everybody, whatever they are waiting for."""
        for client in self._serving:
            client.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        for writer in self._open:
            writer.transport.abort()
        await asyncio.sleep(0)  # only the next round of the loop closes what was aborted in this one

    async def _take(self, startup: bytes) -> Stream:
        if self._free.empty() and self._made < self._size:
            return await self._connect(startup)
        return await self._free.get()

    async def _connect(self, startup: bytes) -> Stream:
        self._made += 1
        server = await asyncio.open_unix_connection(self._socket)
        self._open.append(server[1])
        server[1].write(startup)
        greeting = message = await _message(server[0])
        while message[:1] != b"Z":
            message = await _message(server[0])
            greeting += message
        self._greeting = self._greeting or greeting
        return server

    async def _transaction(
        self, server: Stream, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, first: bytes
    ) -> None:
        """Hand messages to and fro until the server says that no transaction is open."""
        sent = first
        while True:
            server[1].write(sent)
            if sent[:1] in b"QS":  # a query, or the end of a batch: an answer follows
                while (message := await _message(server[0]))[:1] != b"Z":
                    writer.write(message)
                writer.write(message)
                if message[5:6] == b"I":
                    return
            sent = await _message(reader)
            if sent[:1] == b"X":
                server[1].write(b"Q" + struct.pack("!I", 13) + b"ROLLBACK\0")
                while (await _message(server[0]))[:1] != b"Z":
                    pass
                raise ConnectionError


@contextmanager
def transaction_pool(url: str, backends: int) -> Iterator[str]:
    """Put a pool in front of a server that listens on a local socket; give the address that leads through it."""
    parts = urlsplit(url)
    pool = Pool(f"{parse_qs(parts.query)['host'][0]}/.s.PGSQL.5432", backends)
    started: queue.SimpleQueue[int] = queue.SimpleQueue()
    stop = asyncio.Event()
    loop = asyncio.new_event_loop()

    async def run() -> None:
        server = await asyncio.start_server(pool.accept, "127.0.0.1", 0)
        started.put(server.sockets[0].getsockname()[1])
        await stop.wait()
        server.close()
        await pool.close()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()), daemon=True)
    thread.start()
    try:
        yield f"postgresql://{parts.username}@127.0.0.1:{started.get(timeout=60)}{parts.path}"
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()
