"""Sends bytes as they are and reads what comes back. Knows just enough of HTTP to see where an answer ends."""

from __future__ import annotations

import itertools
import json
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

PATIENCE_S = 60.0
# Every connection comes from an address of its own, so that nobody is taken for the one who just failed.
_addresses = (f"127.{a}.{b}.{c}" for a, b, c in itertools.product(range(1, 255), range(256), range(1, 255)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back. `status` is 0 where nothing did."""

    status: int
    headers: dict[str, str]
    body: bytes
    closed: bool  # the other side ended the connection
    more: bytes = b""  # what came after the answer

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def send(port: int, head: bytes, body: bytes, *, pace: float = 0.0, to_the_end: bool = False) -> Answer:
    """Send a request on a connection of its own and read the answer; `to_the_end`, until the other side closes."""
    source = (next(_addresses), 0)
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S, source_address=source) as connection:
        # What is sent may never be read: an answer can come, and the end, while there is still more to send.
        sending = threading.Thread(target=_pour, args=(connection, head, body, pace), daemon=True)
        sending.start()
        answer = _read(connection, to_the_end)
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        sending.join(PATIENCE_S)
        return answer


def _pour(connection: socket.socket, head: bytes, body: bytes, pace: float) -> None:
    with suppress(OSError):
        connection.sendall(head if pace else head + body)
        for at in range(len(body) if pace else 0):
            time.sleep(pace)
            connection.sendall(body[at : at + 1])


def _read(connection: socket.socket, to_the_end: bool) -> Answer:
    received, closed = b"", False
    while True:
        found = parse(received, closed=closed)
        if closed or (found is not None and not to_the_end):
            return found or Answer(status=0, headers={}, body=b"", closed=closed, more=received)
        try:
            part = connection.recv(65536)
        except ConnectionError:
            part = b""
        except TimeoutError:
            return found or Answer(status=0, headers={}, body=b"", closed=False, more=received)
        closed = not part
        received += part


def parse(received: bytes, *, closed: bool) -> Answer | None:
    """Read an answer that is whole, or nothing."""
    head, blank, rest = received.partition(b"\r\n\r\n")
    if not blank:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        assert name.lower() not in headers, f"the answer has two {name}"
        headers[name.lower()] = value.strip()
    status = int(first.split(" ")[1])
    if headers.get("transfer-encoding") == "chunked":
        body, more = _chunks(rest)
        if body is None:
            return None
    else:
        length = int(headers.get("content-length", "0"))
        if len(rest) < length:
            return None
        body, more = rest[:length], rest[length:]
    return Answer(status=status, headers=headers, body=body, closed=closed, more=more)


def _chunks(rest: bytes) -> tuple[bytes | None, bytes]:
    body = b""
    while True:
        size, line, rest = rest.partition(b"\r\n")
        if not line or len(rest) < int(size, 16) + 2:
            return None, b""
        body, rest = body + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
        if int(size, 16) == 0:
            return body, rest
