"""Call an ASGI application in this process: whole answers, and streams a reader can leave."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

Event = MutableMapping[str, Any]
App = Callable[[MutableMapping[str, Any], Callable[[], Awaitable[Event]], Callable[[Event], Awaitable[None]]], Any]
Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an application answered."""

    status: int
    headers: Headers
    body: bytes


def scope_of(method: str, url: str, headers: Iterable[tuple[str, str]], body: bytes) -> dict[str, Any]:
    """Write down a request the way a server would."""
    parts = urlsplit(url)
    lines = [(b"host", parts.netloc.encode())]
    lines += [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    if body and not any(name == b"content-length" for name, _ in lines):
        lines.append((b"content-length", str(len(body)).encode()))
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": parts.scheme,
        "path": unquote_to_bytes(parts.path).decode("utf-8", "replace"),
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "headers": lines,
        "client": ("192.0.2.7", 50_000),
        "server": (parts.hostname or "", parts.port or 443),
    }


async def call(app: App, scope: dict[str, Any], body: bytes = b"") -> Answer:
    """Send a request and read the whole answer."""
    given = False
    status, headers, parts = 500, (), []  # type: int, Headers, list[bytes]

    async def receive() -> Event:
        nonlocal given
        if given:
            await asyncio.get_running_loop().create_future()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(event: Event) -> None:
        nonlocal status, headers
        if event["type"] == "http.response.start":
            status, headers = event["status"], tuple(event["headers"])
        elif event["type"] == "http.response.body":
            parts.append(event.get("body", b""))

    await app(scope, receive, send)
    return Answer(status=status, headers=headers, body=b"".join(parts))


class Stream:
    """A reader's end of an answer that goes on."""

    def __init__(self) -> None:
        self.status = 0
        self.ended = False
        self._pieces: list[bytes] = []
        self._news = asyncio.Event()
        self._left = asyncio.Event()
        self._asked = False

    async def receive(self) -> Event:
        """Give the application the request, and later the news that the reader has left."""
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def send(self, event: Event) -> None:
        """Take what the application says."""
        if event["type"] == "http.response.start":
            self.status = event["status"]
        elif event["type"] == "http.response.body":
            self._pieces.append(event.get("body", b""))
            self.ended = self.ended or not event.get("more_body", False)
        self._news.set()

    def finish(self) -> None:
        """Say that nothing more will come: the other side is gone."""
        self.ended = True
        self._news.set()

    def leave(self) -> None:
        """Hang up."""
        self._left.set()
        self.finish()

    async def read(self) -> bytes:
        """Wait for news and give it; nothing at all means that the stream has ended."""
        while not self._pieces and not self.ended:
            self._news.clear()
            await self._news.wait()
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)
