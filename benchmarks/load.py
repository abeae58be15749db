"""A small HTTP load generator: keep-alive connections, one request at a time on each."""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.world import eventually, free_port


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one round measured."""

    requests: int
    seconds: float
    server_cpu_us: float  # user and system time of the server for each request
    statuses: dict[int, int]

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


class _Connection(asyncio.Protocol):
    def __init__(self, make: Callable[[], bytes], until: float, done: asyncio.Future[None]) -> None:
        self._make = make
        self._until = until
        self._done = done
        self._buffer = b""
        self.count = 0
        self.statuses: dict[int, int] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._make())

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        if len(rest) < length:
            return
        status = int(head[9:12])
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.count += 1
        self._buffer = rest[length:]
        if time.monotonic() < self._until:
            self._transport.write(self._make())
        else:
            self._transport.close()
            if not self._done.done():
                self._done.set_result(None)

    def connection_lost(self, _error: Exception | None) -> None:
        if not self._done.done():
            self._done.set_result(None)


async def press(port: int, make: Callable[[], bytes], pid: int, *, seconds: float, connections: int = 32) -> Round:
    """Send requests for a while and measure the server's side too."""
    loop = asyncio.get_running_loop()
    before, started = cpu_seconds(pid), time.monotonic()
    pairs = []
    for _ in range(connections):
        done: asyncio.Future[None] = loop.create_future()
        _, protocol = await loop.create_connection(
            partial(_Connection, make, started + seconds, done), "127.0.0.1", port
        )
        pairs.append((protocol, done))
    await asyncio.gather(*(done for _, done in pairs))
    took, cpu = time.monotonic() - started, cpu_seconds(pid) - before
    requests = sum(protocol.count for protocol, _ in pairs)
    statuses: dict[int, int] = {}
    for protocol, _ in pairs:
        for status, count in protocol.statuses.items():
            statuses[status] = statuses.get(status, 0) + count
    return Round(requests=requests, seconds=took, server_cpu_us=cpu / max(1, requests) * 1e6, statuses=statuses)


def cpu_seconds(pid: int) -> float:
    """Give the user and system time a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def own_core(core: int) -> None:
    """Keep this process on one core, so that server and generator do not share one."""
    if len(os.sched_getaffinity(0)) > 1:
        os.sched_setaffinity(0, {core})


@contextmanager
def server(arguments: list[str], port: int, environment: dict[str, str], path: str) -> Iterator[int]:
    """Run a server on the first core; give its process id."""
    import httpx2

    process = subprocess.Popen(
        [sys.executable, *arguments],
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: own_core(0),  # noqa: PLW1509 - before any thread of ours
    )

    def answers() -> bool:
        assert process.poll() is None, f"{arguments} ended with {process.returncode}"
        try:
            return httpx2.get(f"http://127.0.0.1:{port}{path}", timeout=1).status_code < 500
        except httpx2.HTTPError:
            return False

    try:
        eventually(answers, f"{arguments} answers", 60)
        yield process.pid
    finally:
        process.terminate()
        process.wait(15)


def megabytes(pid: int) -> float:
    """Give a process's resident memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize() / 2**20


__all__ = ["Round", "cpu_seconds", "free_port", "megabytes", "own_core", "press", "server"]
