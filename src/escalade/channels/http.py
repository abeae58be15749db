"""The one door to other people's servers: https to public addresses, bounded in time and size, no redirects.

A name is resolved once, every address it has is judged, and the connection goes to a judged address, so that nothing
can change in between. What goes wrong is sorted by certainty: before the first byte it is `Retryable`, after it
`Uncertain`, unless the request was a mere question. Proxy settings of the environment are ignored.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import re
import socket
import ssl
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

import httpcore2
import httpx2

from escalade import __version__
from escalade.channels.addresses import is_loopback, is_public
from escalade.domain.errors import Refused, Retryable, TooLarge, Uncertain

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 10.0
ANSWER_LIMIT = 1024 * 1024
LIST_LIMIT = 16 * 1024 * 1024  # a page carries a hundred whole articles, or comments of 64 kB in three spellings each
MAX_RATIO = 20  # how many times larger a compressed answer may become
RATIO_FREE = 64 * 1024
KEPT_FOR_LEDGER = 500

SECRET_NAMES = ("access_token", "refresh_token", "client_secret", "api_token", "token", "secret", "password")
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?|[0-9a-f:.]{2,45}", re.IGNORECASE)
_SECRET_JSON = re.compile(rf'("(?:{"|".join(SECRET_NAMES)}|full_token|authorization)"\s*:\s*)"[^"]*"?', re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One question or order to another server. `headers` may hold credentials and is never shown.

    Where `kinds` names media types, the body of a success of any other kind is left unread. `hear` is told each piece
    of a success as it comes; the whole is in the answer all the same.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    body: bytes | None = None
    limit: int = ANSWER_LIMIT
    seconds: float = TOTAL_SECONDS
    kinds: tuple[str, ...] = ()
    hear: Callable[[bytes], None] | None = field(default=None, repr=False)

    @property
    def is_safe(self) -> bool:
        """Say whether it changes nothing, so that asking again is always right."""
        return self.method in {"GET", "HEAD"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What a server answered, in full."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """Find a header, whatever its casing."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


class Transport(Protocol):
    """Whatever carries a request to a server and brings the answer: the network, or a simulator."""

    async def send(self, request: Request) -> Response:
        """Carry a request, or raise a `DeliveryError` that says how certain the failure is."""
        ...

    async def close(self) -> None:
        """Give back what is held open."""
        ...


Resolve = Callable[[str, int], Awaitable[list[str]]]


class Outbound:
    """The network as a `Transport`."""

    def __init__(
        self,
        allow_http_loopback: bool = False,
        *,
        ssl_context: ssl.SSLContext | None = None,
        resolve: Resolve | None = None,
    ) -> None:
        lookup = resolve or _resolve
        context = ssl_context or httpx2.create_ssl_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._secure = _Guarded(_Guard(lookup, is_public), context)
        self._local = _Guarded(_Guard(lookup, is_loopback), context) if allow_http_loopback else None

    async def send(self, request: Request) -> Response:
        """Carry a request to where its name leads, and read the whole answer."""
        sending = False

        async def watch(event: str, _details: Mapping[str, Any]) -> None:
            nonlocal sending
            sending = sending or event == "http11.send_request_headers.started"

        def failed(what: str) -> Retryable | Uncertain:
            detail = f"{what} ({request.method} {shown_url(request.url)})"
            return Uncertain(detail) if sending and not request.is_safe else Retryable(detail)

        try:
            transport, prepared = self._prepare(request, watch)
            async with asyncio.timeout(request.seconds):
                answer = await transport.handle_async_request(prepared)
                try:
                    hear = request.hear if answer.status_code == 200 else None
                    body = await _read(answer, request.limit, hear) if _is_wanted(request, answer) else b""
                finally:
                    await answer.aclose()
        except TimeoutError as error:
            raise failed(f"no complete answer within {request.seconds:g} s") from error
        except httpx2.TimeoutException as error:
            raise failed("no connection in time" if not sending else "the answer stopped") from error
        except httpx2.HTTPError as error:
            if isinstance(error.__cause__, Blocked):
                raise Refused(f"{error} ({request.method} {shown_url(request.url)})") from error
            raise failed(_why(error)) from error
        except Oversized as error:
            if request.is_safe:
                raise TooLarge(f"{error} ({request.method} {shown_url(request.url)})") from error
            raise failed(str(error)) from error
        except Unreadable as error:
            raise failed(str(error)) from error
        return Response(status=answer.status_code, headers=tuple(answer.headers.multi_items()), body=body)

    async def close(self) -> None:
        """Close the connections that are kept open."""
        await self._secure.aclose()
        if self._local is not None:
            await self._local.aclose()

    def _prepare(
        self, request: Request, watch: Callable[[str, Mapping[str, Any]], Awaitable[None]]
    ) -> tuple[httpx2.AsyncHTTPTransport, httpx2.Request]:
        try:
            url = httpx2.URL(request.url)
            if url.userinfo or not _HOST.fullmatch(url.raw_host.decode("ascii")) or not 0 < (url.port or 443) < 65536:
                raise httpx2.InvalidURL("an address has a plain host and no credentials")
            prepared = httpx2.Request(
                request.method,
                url,
                headers={
                    "User-Agent": f"escalade/{__version__}",
                    "Accept": "application/json",
                    "Accept-Encoding": "identity",
                    **request.headers,
                },
                content=request.body,
                extensions={
                    "timeout": {"connect": CONNECT_SECONDS, "pool": CONNECT_SECONDS, "read": None, "write": None},
                    "trace": watch,
                },
            )
        except (httpx2.InvalidURL, ValueError, TypeError) as error:
            raise Refused(f"not an address we can call: {shown_url(request.url)}") from error
        if url.scheme == "https":
            return self._secure, prepared
        if url.scheme == "http" and self._local is not None:
            return self._local, prepared
        raise Refused(f"only https is allowed: {shown_url(request.url)}")


class Blocked(httpcore2.ConnectError):
    """Say that a name leads to an address we do not speak to."""


class Unreadable(Exception):
    """Say that an answer is too large, or compressed beyond reason."""


class Oversized(Unreadable):
    """Say that an answer is larger than we take."""


class _Guard(httpcore2.AsyncNetworkBackend):
    """Connects to an address that was judged, never to a name."""

    def __init__(self, resolve: Resolve, allowed: Callable[[str], bool]) -> None:
        self._resolve = resolve
        self._allowed = allowed
        self._network = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature of the library
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Resolve, judge every address, connect to the first that answers."""
        last: Exception = httpcore2.ConnectError("the name has no address")
        try:
            async with asyncio.timeout(timeout):
                addresses = await self._resolve(host, port)
                if not all(self._allowed(address) for address in addresses):
                    raise Blocked("blocked address: the name leads to a network we do not speak to")
                for address in addresses:
                    try:
                        return await self._network.connect_tcp(address, port, None, local_address, socket_options)
                    except httpcore2.ConnectError as error:
                        last = error
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout("no connection in time") from error
        except OSError as error:
            raise httpcore2.ConnectError(f"the name cannot be resolved: {error.strerror or error}") from error
        raise last

    async def sleep(self, seconds: float) -> None:
        """Wait; the pool asks for this between its own tries, of which there are none."""
        await asyncio.sleep(seconds)


class _Guarded(httpx2.AsyncHTTPTransport):
    """The library's transport over our own way of connecting."""

    def __init__(self, guard: _Guard, context: ssl.SSLContext) -> None:
        # One connection may serve one name only, so the pool must know names, and the guard below it addresses.
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=context,
            max_connections=200,
            max_keepalive_connections=50,
            keepalive_expiry=20.0,
            network_backend=guard,
        )


async def _resolve(host: str, port: int) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _is_wanted(request: Request, answer: httpx2.Response) -> bool:
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    return not request.kinds or answer.status_code != 200 or kind in request.kinds


async def _read(answer: httpx2.Response, limit: int, hear: Callable[[bytes], None] | None = None) -> bytes:
    """Read a body, no further than its limit and no larger than its compression may make it."""
    packed = 0
    whole = bytearray()
    async for chunk in _unpacked(answer):
        packed += chunk[0]
        whole += chunk[1]
        if len(whole) > limit or packed > limit:
            raise Oversized(f"the answer is larger than {limit} bytes")
        if len(whole) > RATIO_FREE and len(whole) > packed * MAX_RATIO:
            raise Unreadable("the answer is compressed beyond reason")
        if hear is not None:
            hear(chunk[1])
    return bytes(whole)


async def _unpacked(answer: httpx2.Response) -> AsyncIterator[tuple[int, bytes]]:
    """Give each piece of a body with its size on the wire; we ask for plain bytes but not everyone listens."""
    encoding = answer.headers.get("content-encoding", "identity").strip().lower()
    assert isinstance(answer.stream, httpx2.AsyncByteStream)
    if encoding in {"", "identity"}:
        async for chunk in answer.stream:
            yield len(chunk), chunk
        return
    if encoding not in {"gzip", "x-gzip", "deflate"}:
        raise Unreadable("the answer is compressed in a way we do not know")
    unzip = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    try:
        async for chunk in answer.stream:
            yield len(chunk), unzip.decompress(chunk, RATIO_FREE)
            while unzip.unconsumed_tail:
                yield 0, unzip.decompress(unzip.unconsumed_tail, RATIO_FREE)
    except zlib.error as error:
        raise Unreadable("the answer's compression is broken") from error
    if not unzip.eof:
        raise Unreadable("the answer's compression is cut short")


def _why(error: httpx2.HTTPError) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return f"no trustworthy TLS connection: {getattr(cause, 'verify_message', '') or cause.reason or 'refused'}"
        cause = cause.__cause__ or cause.__context__
    return str(error) or type(error).__name__


def basic(name: str, secret: str) -> str:
    """Write a name and a secret the way the `Authorization` header wants them."""
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


# What may be written down


def shown_url(url: str) -> str:
    """Give an address without credentials, and with the values of secret parameters covered."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "an unreadable address"
    query = "&".join(
        f"{name}={'•••' if name.lower() in SECRET_NAMES else value}"
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    )
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}{f'?{query}' if query else ''}"


def redacted(request: Request, response: Response) -> str:
    """Sum up an exchange for the ledger: who was asked what, and the beginning of the answer, without secrets."""
    return f"{request.method} {shown_url(request.url)} → {response.status} {shown_answer(request, response)}".rstrip()


def shown_answer(request: Request, response: Response) -> str:
    """Give the beginning of an answer without the secrets it may repeat."""
    text = response.body[: KEPT_FOR_LEDGER * 8].decode("utf-8", "replace").replace("\0", "\ufffd")
    for secret in _credentials(request):
        text = text.replace(secret, "•••")
    return _SECRET_JSON.sub(r'\1"•••"', text)[:KEPT_FOR_LEDGER]


def _credentials(request: Request) -> list[str]:
    given = next((value for name, value in request.headers.items() if name.lower() == "authorization"), "")
    _scheme, _, credential = given.partition(" ")
    found = [credential]
    with contextlib.suppress(binascii.Error, UnicodeDecodeError):
        found.append(base64.b64decode(credential, validate=True).decode().partition(":")[2])
    return [secret for secret in found if len(secret) >= 6]
