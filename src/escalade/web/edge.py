"""The first look at what comes in: bytes that two HTTP parsers could read differently are refused here.

Parsers disagree: one takes a body with two lengths, another a head without a `Host`; a proxy in front may be a third.
So a request is read here first, by the strict letter of RFC 9112, and what is handed on is written anew from that
reading: one line end, one way to tell a length, chunks without extensions or trailers. Whatever parser is behind, it
has nothing left to interpret. What is not that strict is refused, and the connection ends.

Pure: bytes in, bytes or a `Problem` out. `listener.py` puts it between the socket and the server.
https://www.rfc-editor.org/rfc/rfc9112
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from escalade.web.wire import MOST_HEADER_BYTES, MOST_HEADERS, Header, Problem

LONGEST_LINE = 2 * 1024  # the request line, address and all
LONGEST_HEAD = LONGEST_LINE + MOST_HEADER_BYTES
LONGEST_CHUNK_LINE = 256
MOST_CHUNK_DIGITS = 8
MOST_LENGTH_DIGITS = 15

METHODS = (b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS", b"TRACE")

_TOKEN = rb"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_REQUEST = re.compile(rb"(" + _TOKEN + rb") (/(?!/)[\x21\x22\x24-\x7e]*) HTTP/1\.([01])")
_FIELD = re.compile(rb"(" + _TOKEN + rb"):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)")
_HOST = re.compile(rb"(?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._~%!$&'()*+;=-]{1,255})(?::[0-9]{0,5})?")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,%d})(?:;[\t\x20-\x7e\x80-\xff]*)?" % MOST_CHUNK_DIGITS)
_END = b"\r\n"


class Reading(Enum):
    """What the next bytes are."""

    HEAD = auto()
    BODY = auto()  # so many bytes
    CHUNK = auto()  # the line that says how long the next chunk is
    CHUNK_BODY = auto()
    CHUNK_END = auto()
    TRAILERS = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A request's head, as it was understood."""

    method: bytes
    target: bytes
    minor: bytes
    headers: tuple[Header, ...]
    length: int
    chunked: bool

    def written(self) -> bytes:
        """Write it in the one way every parser reads alike."""
        lines = [b"%s %s HTTP/1.%s\r\n" % (self.method, self.target, self.minor)]
        lines += [b"%s: %s\r\n" % line for line in self.headers]
        return b"".join((*lines, _END))


class Edge:
    """Reads one connection, request by request."""

    def __init__(self) -> None:
        self.reading = Reading.HEAD
        self._waiting = bytearray()
        self._left = 0  # bytes of the body or the chunk that are yet to come
        self._trailers = 0
        self._blank = False  # an empty line before the head was passed over

    @property
    def is_in_head(self) -> bool:
        """Say whether a head is awaited or under way."""
        return self.reading is Reading.HEAD

    @property
    def ahead(self) -> int:
        """Say how many bytes have come and were not handed on yet."""
        return len(self._waiting)

    @property
    def is_between(self) -> bool:
        """Say whether no request is under way: the last one has come whole, and nothing of the next is here."""
        return self.is_in_head and not self._waiting

    def take(self, data: bytes) -> None:
        """Take what came from the network."""
        self._waiting += data

    def give(self) -> bytes:
        """Hand on one head, or as much of its body as is here; raise `Problem` for what is not in order.

        Nothing means that more must come first.
        """
        if self.is_in_head:
            return self._head() or b""
        parts: list[bytes] = []
        while not self.is_in_head:
            part = self._body()
            if part is None:
                break
            parts.append(part)
        return b"".join(parts)

    def _body(self) -> bytes | None:
        """Read the next piece of a body, or nothing if it has not come yet."""
        match self.reading:
            case Reading.CHUNK:
                return self._chunk()
            case Reading.CHUNK_END:
                return self._chunk_end()
            case Reading.TRAILERS:
                return self._trailer()
            case _:
                return self._bytes()

    def _head(self) -> bytes | None:
        if not self._blank and self._waiting.startswith(_END):  # an old habit: one empty line after the body before
            del self._waiting[:2]
            self._blank = True
        end = self._waiting.find(b"\r\n\r\n")
        if end < 0:
            _check_growing(self._waiting)
            return None
        head = read_head(bytes(self._waiting[:end]))
        del self._waiting[: end + 4]
        self._blank = False
        if head.chunked:
            self.reading = Reading.CHUNK
        elif head.length:
            self.reading, self._left = Reading.BODY, head.length
        return head.written()

    def _bytes(self) -> bytes | None:
        if not self._waiting:
            return None
        part = bytes(self._waiting[: self._left])
        del self._waiting[: self._left]
        self._left -= len(part)
        if not self._left:
            self.reading = Reading.HEAD if self.reading is Reading.BODY else Reading.CHUNK_END
        return part

    def _line(self, longest: int) -> bytes | None:
        end = self._waiting.find(b"\n", 0, longest + 2)
        if end < 0:
            if len(self._waiting) >= longest + 2:
                raise malformed("a line of the chunked body is too long")
            return None
        line = bytes(self._waiting[: end + 1])
        del self._waiting[: end + 1]
        if not line.endswith(_END):
            raise malformed("a line of the chunked body does not end in CR LF")
        return line[:-2]

    def _chunk(self) -> bytes | None:
        line = self._line(LONGEST_CHUNK_LINE)
        if line is None:
            return None
        match = _CHUNK.fullmatch(line)
        if match is None:
            raise malformed("a chunk does not say its size")
        self._left = int(match[1], 16)
        self.reading = Reading.CHUNK_BODY if self._left else Reading.TRAILERS
        self._trailers = 0
        return b"%x\r\n" % self._left if self._left else b""

    def _chunk_end(self) -> bytes | None:
        if len(self._waiting) < 2:
            return None
        if not self._waiting.startswith(_END):
            raise malformed("a chunk is longer than its size")
        del self._waiting[:2]
        self.reading = Reading.CHUNK
        return _END

    def _trailer(self) -> bytes | None:
        """Read a trailer line and keep nothing of it: nobody here asks for one."""
        line = self._line(MOST_HEADER_BYTES)
        if line is None:
            return None
        if not line:
            self.reading = Reading.HEAD
            return b"0\r\n\r\n"
        self._trailers += len(line)
        if _FIELD.fullmatch(line) is None or self._trailers > MOST_HEADER_BYTES:
            raise malformed("the trailers of the chunked body are not in order")
        return b""


def read_head(head: bytes) -> Head:
    """Read a head without the empty line that ends it."""
    first, *lines = head.split(_END)
    _check_measure(first, lines)
    match = _REQUEST.fullmatch(first)
    if match is None:
        raise malformed("the first line is: method, address beginning with one /, HTTP/1.1, with one blank between")
    if match[1] not in METHODS:
        raise Problem("method-not-allowed", headers=((b"allow", b", ".join(METHODS)),))
    headers = tuple(_field(line) for line in lines)
    found: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        found.setdefault(name, []).append(value)
    hosts = found.get(b"host", [])
    if len(hosts) != 1 or _HOST.fullmatch(hosts[0]) is None:
        raise malformed("exactly one Host header, with one name in it")
    length, chunked = _measure(found, match[3])
    # Nothing here speaks anything but HTTP/1: an offer to change is passed over, as the standard allows.
    kept = tuple(line for line in headers if line[0] != b"upgrade")
    return Head(method=match[1], target=match[2], minor=match[3], headers=kept, length=length, chunked=chunked)


def _check_growing(waiting: bytearray) -> None:
    """Refuse a head that is not whole yet and cannot become one."""
    if len(waiting) > LONGEST_HEAD:
        raise too_large()
    line = waiting.find(b"\n")
    if line < 0 and len(waiting) > LONGEST_LINE:
        raise too_large() if _starts_well(waiting) else malformed("this is no HTTP request")
    if line >= 0 and (line == 0 or waiting[line - 1] != 0x0D):
        raise malformed("lines end in CR LF, and in nothing else")
    if line < 0 and not _starts_well(waiting):
        raise malformed("this is no HTTP request")


def _starts_well(waiting: bytearray) -> bool:
    """Say whether the first bytes can begin a request line: a TLS greeting cannot."""
    return re.match(rb"[A-Za-z0-9!#$%&'*+.^_`|~-]{0,32}(?: |\Z)", waiting) is not None or waiting == b"\r"


def _check_measure(first: bytes, lines: list[bytes]) -> None:
    if len(first) > LONGEST_LINE or len(lines) > MOST_HEADERS or sum(len(line) for line in lines) > MOST_HEADER_BYTES:
        raise too_large()


def _field(line: bytes) -> Header:
    match = _FIELD.fullmatch(line)
    if match is None:
        raise malformed("a header line is not in order")
    return match[1].lower(), match[2].rstrip(b" \t")


def _measure(found: dict[bytes, list[bytes]], minor: bytes) -> tuple[int, bool]:
    """Say how long the body is, where there is exactly one way to tell."""
    lengths, codings = found.get(b"content-length", []), found.get(b"transfer-encoding", [])
    if lengths and codings:
        raise malformed("both Content-Length and Transfer-Encoding")
    if codings:
        if len(codings) > 1 or codings[0].lower() != b"chunked" or minor == b"0":
            raise malformed("the only Transfer-Encoding is chunked, once, in HTTP/1.1")
        return 0, True
    if not lengths:
        return 0, False
    if len(lengths) > 1 or not lengths[0].isdigit():
        raise malformed("exactly one Content-Length, in digits")
    if len(lengths[0]) > MOST_LENGTH_DIGITS:
        raise Problem("too-large", "nobody can send that much")
    return int(lengths[0]), False


def malformed(detail: str) -> Problem:
    """Refuse what is not HTTP by the letter."""
    return Problem("malformed-request", detail)


def too_large() -> Problem:
    """Refuse a head without measure."""
    return Problem(
        "headers-too-large",
        f"at most {LONGEST_LINE} bytes of first line and {MOST_HEADERS} headers of {MOST_HEADER_BYTES} bytes together",
    )
