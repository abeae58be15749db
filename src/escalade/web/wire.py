"""Reading and answering HTTP without a framework: the hot paths and the errors of every path."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

import msgspec
import structlog

from escalade.domain.errors import Rejected
from escalade.web import answers

Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Header = tuple[bytes, bytes]

log = structlog.get_logger()
encode = msgspec.json.Encoder().encode

JSON: Header = (b"content-type", b"application/json")
PROBLEM: Header = (b"content-type", b"application/problem+json")
NO_STORE: Header = (b"cache-control", b"no-store")
NO_SNIFF: Header = (b"x-content-type-options", b"nosniff")
NO_PAGE: Header = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")  # it is data
BEARER: tuple[Header] = ((b"www-authenticate", b"Bearer"),)

MOST_HEADERS = 64
MOST_HEADER_BYTES = 16 * 1024
BODY_SECONDS = 5.0

# https://www.rfc-editor.org/rfc/rfc9457
TITLES = {
    "invalid-json": (400, "The body is not valid JSON"),
    "malformed-request": (400, "The request is malformed"),
    "unauthorized": (401, "Credentials are missing or wrong"),
    "forbidden": (403, "Not allowed"),
    "not-found": (404, "Not found"),
    "method-not-allowed": (405, "This address does not take that method"),
    "timeout": (408, "The request took too long to arrive"),
    "conflict": (409, "In conflict with what is there"),
    "gone": (410, "No longer there"),
    "too-large": (413, "The body is too large"),
    "unsupported-media-type": (415, "The body is of a kind not taken here"),
    "validation": (422, "Request is not valid"),
    "rate-limited": (429, "Too many requests"),
    "headers-too-large": (431, "The headers are too large"),
    "internal": (500, "Something went wrong here"),
    "unavailable": (503, "Not available right now"),
}


class Problem(Exception):
    """An answer that says no: `kind` is one of `TITLES`."""

    def __init__(
        self, kind: str, detail: str = "", *, headers: Iterable[Header] = (), pointer: str = "", code: str = ""
    ):
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.headers = tuple(headers)
        self.pointer = pointer
        self.code = code

    @property
    def status(self) -> int:
        """Give the HTTP status."""
        return TITLES[self.kind][0]

    def body(self) -> answers.Problem:
        """Give the problem document."""
        status, title = TITLES[self.kind]
        document: answers.Problem = {
            "type": f"/problems/{self.kind}",
            "title": title,
            "status": status,
            "detail": self.detail or title,
            "code": self.code or self.kind,
        }
        if self.pointer:
            document["errors"] = [{"pointer": self.pointer, "detail": self.detail}]
        return document


def rejected(error: Rejected) -> Problem:
    """Say no in the terms of HTTP to what the services rejected."""
    from escalade.domain.errors import Conflict, Malformed, NotFound, Unverified

    match error:
        case Unverified():
            return Problem("unauthorized", error.detail, headers=BEARER, code=error.code)
        case Malformed():
            kind = "invalid-json"
        case NotFound():
            kind = "not-found"
        case Conflict():
            kind = "conflict"
        case _:
            kind = "validation"
    return Problem(kind, error.detail, pointer=error.pointer, code=error.code)


def unauthorized(detail: str = "") -> Problem:
    """Say no to a caller without good credentials; alike for every way of not having them."""
    return Problem("unauthorized", detail, headers=BEARER)


def unavailable(retry_after: int, detail: str = "") -> Problem:
    """Ask the caller to come back: nothing was taken, nothing is lost."""
    return Problem("unavailable", detail, headers=((b"retry-after", str(retry_after).encode()),))


def out_of_memory() -> Problem:
    """Ask the caller to come back when there is memory again; whatever was kept already is kept under the same id."""
    return unavailable(3, "out of memory")


async def answer(send: Send, status: int, body: bytes, headers: Iterable[Header] = ()) -> None:
    """Send a whole answer."""
    lines = [(b"content-length", str(len(body)).encode()), NO_STORE, NO_SNIFF, *headers]
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": body})


async def answer_json(send: Send, status: int, document: object) -> None:
    """Send a JSON answer."""
    await answer(send, status, encode(document), (JSON, NO_PAGE))


async def answer_problem(send: Send, problem: Problem) -> None:
    """Send a problem document."""
    await answer(send, problem.status, encode(problem.body()), (PROBLEM, NO_PAGE, *problem.headers))


def header(scope: Scope, name: bytes) -> str | None:
    """Give a header that may come once; several of it are malformed."""
    values, repeated = _head(scope)
    if name in repeated:
        raise Problem("malformed-request", f"more than one {name.decode()} header")
    value = values.get(name)
    return None if value is None else value.decode("latin-1")


def _head(scope: Scope) -> tuple[dict[bytes, bytes], frozenset[bytes]]:
    """Give the headers by name, and the names that came more than once; read once for each request."""
    kept: tuple[dict[bytes, bytes], frozenset[bytes]] | None = scope.get("escalade.head")
    if kept is None:
        headers: list[Header] = list(scope["headers"])
        values = dict(headers)
        repeated: frozenset[bytes] = frozenset()
        if len(values) != len(headers):
            names = [name for name, _ in headers]
            repeated = frozenset(name for name in values if names.count(name) > 1)
        kept = scope["escalade.head"] = (values, repeated)
    return kept


def check_head(scope: Scope) -> None:
    """Refuse a head that two parsers could read differently, whatever server is underneath."""
    headers: list[Header] = scope["headers"]
    size = 0
    for name, value in headers:
        size += len(name) + len(value)
    if len(headers) > MOST_HEADERS or size > MOST_HEADER_BYTES:
        raise Problem("headers-too-large", f"at most {MOST_HEADERS} headers of {MOST_HEADER_BYTES} bytes together")
    values, repeated = _head(scope)
    if b"host" not in values or b"host" in repeated:
        raise Problem("malformed-request", "exactly one Host header")
    if b"content-length" in values and (b"transfer-encoding" in values or b"content-length" in repeated):
        raise Problem("malformed-request", "more than one way to tell the length of the body")


def check_address(scope: Scope, *, query: bool = True) -> None:
    """Refuse a zero byte in an address: no text of ours has one, and PostgreSQL could not even be asked about it.

    A file's name may have one: it is made plain where the file is kept.
    """
    if "\0" in scope["path"]:
        raise Problem("not-found")
    if query and b"%00" in scope["query_string"]:
        for name, values in parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True).items():
            if name != "name" and "\0" in "".join(values):
                raise Problem("validation", "a text without a zero byte", pointer=f"/{name}")


def check_json_kind(scope: Scope, *, required: bool) -> None:
    """Take JSON in UTF-8 only, never compressed."""
    if header(scope, b"content-encoding") not in {None, "identity"}:
        raise Problem("unsupported-media-type", "compressed bodies are not taken")
    kind = header(scope, b"content-type")
    if kind is None:
        if required:
            raise Problem("unsupported-media-type", "send Content-Type: application/json")
        return
    name, _, parameters = kind.partition(";")
    charset = parameters.strip().lower().removeprefix("charset=").strip('"')
    if name.strip().lower() != "application/json" or charset not in {"", "utf-8", "utf8"}:
        raise Problem("unsupported-media-type", "send Content-Type: application/json")


def check_length(scope: Scope, limit: int) -> None:
    """Refuse a body that says that it is too large, before any of it is read."""
    declared = header(scope, b"content-length")
    if declared is None:
        return
    if not declared.isascii() or not declared.isdigit():
        raise Problem("malformed-request", "Content-Length is not a number")
    if len(declared) > 15 or int(declared) > limit:
        raise Problem("too-large", f"at most {limit} bytes", headers=((b"connection", b"close"),))


async def read_body(scope: Scope, receive: Receive, limit: int) -> bytes:
    """Read a body of at most `limit` bytes within a few seconds."""
    check_length(scope, limit)
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                event = await receive()
                if event["type"] == "http.disconnect":
                    raise Problem("malformed-request", "the body ended early")
                part: bytes = event.get("body", b"")
                size += len(part)
                if size > limit:
                    raise Problem("too-large", f"at most {limit} bytes", headers=((b"connection", b"close"),))
                parts.append(part)
                if not event.get("more_body", False):
                    return b"".join(parts)
    except TimeoutError as error:
        raise late() from error


def late() -> Problem:
    """Refuse a body that does not come, and its connection with it."""
    return Problem("timeout", "the body did not arrive in time", headers=((b"connection", b"close"),))


async def guarded(app: App, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer what nobody expected with a problem that tells nothing of it; the log has the whole of it, once."""
    begun = False

    async def noted(event: Event) -> None:
        nonlocal begun
        begun = True
        await send(event)

    try:
        await app(scope, receive, noted)
    except MemoryError:
        if not begun:
            await answer_problem(send, out_of_memory())
    except Exception:
        log.exception("request_broke", method=scope["method"], path=scope["path"])
        if not begun:
            await answer_problem(send, Problem("internal"))


def query_of(scope: Scope) -> dict[str, str]:
    """Read the query; a name given twice is malformed."""
    parsed = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True, max_num_fields=16)
    if any(len(values) > 1 for values in parsed.values()):
        raise Problem("malformed-request", "a query parameter came twice")
    return {name: values[0] for name, values in parsed.items()}
