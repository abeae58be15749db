"""Files over HTTP: the body of an upload is the file, and a download is never a page of ours.

A few uploads are read at a time, each within its limits; who sends slowly, or more than was announced, is cut off.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from escalade.domain.files import ANYTHING, LARGEST, PICTURES, disposition
from escalade.domain.model import Attachment
from escalade.web.wire import NO_SNIFF, NO_STORE, Header, Problem, Receive, Scope, Send, header, unavailable

LONGEST_GIVEN_NAME = 1024
MOST_AT_ONCE = 8  # each may take as much memory as the largest file
PIECE_SECONDS = 20.0
WHOLE_SECONDS = 300.0
CLOSE: Header = (b"connection", b"close")

# A page that is opened at the file's address runs nothing, loads nothing and belongs to nobody.
POLICY: Header = (b"content-security-policy", b"sandbox; default-src 'none'; frame-ancestors 'none'")
OWN_ORIGIN: Header = (b"cross-origin-resource-policy", b"same-origin")


class Uploads:
    """Reads the bodies of uploads, a few at a time."""

    def __init__(self, most: int = MOST_AT_ONCE) -> None:
        self._free = most

    async def read(self, scope: Scope, receive: Receive) -> bytes:
        """Read a file from a request whose sender is known."""
        _check(scope)
        if not self._free:
            raise unavailable(5, "many files are being uploaded; try again in a moment")
        self._free -= 1
        try:
            async with asyncio.timeout(WHOLE_SECONDS):
                return await _read(receive)
        except TimeoutError as error:
            raise Problem("timeout", "the file did not arrive in time", headers=(CLOSE,)) from error
        finally:
            self._free += 1


def _check(scope: Scope) -> None:
    if header(scope, b"content-encoding") not in {None, "identity"}:
        raise Problem("unsupported-media-type", "compressed bodies are not taken")
    declared = header(scope, b"content-length")
    if declared is None:
        return
    if not declared.isascii() or not declared.isdigit():
        raise Problem("malformed-request", "Content-Length is not a number")
    if len(declared) > 15 or int(declared) > LARGEST:
        raise _too_large()


async def _read(receive: Receive) -> bytes:
    content = bytearray()
    while True:
        async with asyncio.timeout(PIECE_SECONDS):
            event = await receive()
        if event["type"] == "http.disconnect":
            raise Problem("malformed-request", "the file ended early")
        content += event.get("body", b"")
        if len(content) > LARGEST:
            raise _too_large()
        if not event.get("more_body", False):
            return bytes(content)


def _too_large() -> Problem:
    return Problem("too-large", f"at most {LARGEST} bytes", headers=(CLOSE,))


def headers_of(file: Attachment) -> list[Header]:
    """Write the head of a download: only a picture we wrote ourselves may be shown in place."""
    kind = file.media_type or ANYTHING
    if kind.startswith("text/"):
        kind += "; charset=utf-8"
    name = disposition(file.name, inline=kind in PICTURES)
    return [
        (b"content-type", kind.encode()),
        (b"content-length", str(file.size or 0).encode()),
        (b"content-disposition", name.encode()),
        POLICY,
        OWN_ORIGIN,
        NO_SNIFF,
        NO_STORE,
    ]


async def send_file(send: Send, file: Attachment, pieces: AsyncIterator[bytes]) -> None:
    """Send a file piece by piece, so that a slow reader holds one piece and not all."""
    await send({"type": "http.response.start", "status": 200, "headers": headers_of(file)})
    async for piece in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
