"""Stand in front of the API routes: note every call, act out faults, count the rate limit, mend `.json` paths.

Only `/api`, `/oauth`, `/sc` and `/attachments` pass through here; pages and the control API do not.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zendesk_emulator.emulator import Emulator
from zendesk_emulator.faults import Rule
from zendesk_emulator.ports import ConnectionDropped

FRONTED = ("/api/", "/oauth/", "/sc/", "/attachments/")
HELP_CENTER = "/api/v2/help_center"
BODY_LIMIT = 55 * 1024 * 1024
LOGIN_PAGE = (
    b"<!doctype html><html><head><title>Sign in</title></head><body><form>Sign in to continue</form></body></html>"
)

Headers = list[tuple[bytes, bytes]]


@dataclass(slots=True)
class Answer:
    """A whole response, caught before it is sent."""

    status: int = 500
    headers: Headers = field(default_factory=list)
    body: bytes = b""


class Front:
    """ASGI middleware around the whole emulator."""

    def __init__(self, emulator: Emulator, inner: ASGIApp) -> None:
        self._emulator = emulator
        self._inner = inner
        self._minute: dict[str, tuple[int, int]] = {}  # budget -> (minute, used)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or not scope["path"].startswith(FRONTED):
            await self._inner(scope, receive, send)
            return
        body = await _read(receive)
        method, path = scope["method"], _with_query(scope)
        rule = self._emulator.faults.for_call(method, path)
        answer: Answer | None = None
        try:
            answer = await self._act(rule, scope, body)
            await self._send(answer, send, half=rule is not None and rule.action == "truncate")
        except ConnectionDropped:
            answer = None
            await self._hang_up(send)
        finally:
            self._emulator.log.call(
                method=method,
                path=path,
                headers=[(key.decode("latin-1"), value.decode("latin-1")) for key, value in scope["headers"]],
                body=body,
                status=answer.status if answer else None,
                answer=answer.body if answer else b"",
                fault=rule.action if rule else None,
            )

    # Faults

    async def _act(self, rule: Rule | None, scope: Scope, body: bytes) -> Answer:
        """Answer a call the way its fault says; without one, honestly."""
        if rule is None:
            return await self._honest(scope, body)
        options, sleep = rule.options, self._emulator.ports.sleep
        after = options.get("when", "before") == "after"
        match rule.action:
            case "answer":
                if after:
                    await self._honest(scope, body)
                return _given(options)
            case "redirect":
                location = str(options.get("location", "http://elsewhere.example/"))
                return Answer(int(options.get("status", 302)), [(b"location", location.encode())])
            case "html":
                return Answer(200, [(b"content-type", b"text/html; charset=utf-8")], LOGIN_PAGE)
            case "delay" if not after:
                await sleep(float(options.get("seconds", 1)))
                return await self._honest(scope, body)
            case "delay":
                answer = await self._honest(scope, body)
                await sleep(float(options.get("seconds", 1)))
                return answer
            case "zombie":
                self._emulator.ports.spawn(self._later(scope, body, float(options.get("seconds", 1))))
                await sleep(float(options.get("hold", 0)))
                raise ConnectionDropped("zombie")
            case "drop":
                if after:
                    await self._honest(scope, body)
                raise ConnectionDropped("dropped")
            case _:
                return await self._honest(scope, body)

    async def _later(self, scope: Scope, body: bytes, seconds: float) -> None:
        await self._emulator.ports.sleep(seconds)
        await self._honest(scope, body)

    async def _hang_up(self, send: Send) -> None:
        """Close the connection without an answer; an in-process caller gets `ConnectionDropped`."""
        # Uvicorn's `send` is a method of the request cycle, which holds the socket; ASGI itself has no way to hang up.
        transport = getattr(getattr(send, "__self__", None), "transport", None)
        if transport is None:
            raise ConnectionDropped("the emulator hung up")
        transport.abort()
        await self._emulator.ports.sleep(0)

    async def _send(self, answer: Answer, send: Send, *, half: bool) -> None:
        body = answer.body[: len(answer.body) // 2] if half else answer.body
        headers = [(key, value) for key, value in answer.headers if key.lower() != b"content-length"]
        headers.append((b"content-length", str(len(answer.body)).encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": half})
        if half:
            raise ConnectionDropped("truncated")

    # The honest way

    async def _honest(self, scope: Scope, body: bytes) -> Answer:
        path: str = scope["path"]
        limit_headers: Headers = []
        if path.startswith("/api/"):
            over, limit_headers = self._spend(path)
            if over is not None:
                return over
        if path.startswith(HELP_CENTER) and not path.endswith(".json"):
            return _given({"status": 415, "body": {"error": "Unsupported Media Type"}})
        mended = path if path.startswith("/attachments/") else path.rstrip("/")
        if path.startswith(("/api/", "/oauth/")):
            mended = mended.removesuffix(".json")
        if mended != path:
            scope = {**scope, "path": mended, "raw_path": mended.encode()}
        answer = await self._caught(scope, body)
        answer.headers += limit_headers
        return answer

    async def _caught(self, scope: Scope, body: bytes) -> Answer:
        """Run the route with the body we already read, and keep its answer."""
        answer = Answer()
        given = False

        async def receive() -> Message:
            nonlocal given
            if given:
                return {"type": "http.disconnect"}
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.status, answer.headers = message["status"], list(message["headers"])
            elif message["type"] == "http.response.body":
                answer.body += message.get("body", b"")

        await self._inner(dict(scope), receive, send)
        return answer

    def _spend(self, path: str) -> tuple[Answer | None, Headers]:
        """Take one call from this minute's budget; Support, Help Center and its list of changes have one each."""
        settings, now = self._emulator.account.settings, self._emulator.account.now()
        name = "help_center" if path.startswith(HELP_CENTER) else "support"
        limit = settings.help_center_rate_limit if name == "help_center" else settings.rate_limit
        if path.startswith(f"{HELP_CENTER}/incremental/"):
            name, limit = "incremental", settings.incremental_rate_limit
        minute = int(now.timestamp() // 60)
        known, used = self._minute.get(name, (minute, 0))
        used = used + 1 if known == minute else 1
        self._minute[name] = (minute, used)
        remaining, resets = max(0, limit - used), 60 - int(now.timestamp() % 60)
        headers = [
            (b"X-Rate-Limit", str(limit).encode()),
            (b"X-Rate-Limit-Remaining", str(remaining).encode()),
            (b"ratelimit-limit", str(limit).encode()),
            (b"ratelimit-remaining", str(remaining).encode()),
            (b"ratelimit-reset", str(resets).encode()),
        ]
        if settings.enforce_rate_limit and used > limit:
            plain = (b"content-type", b"text/plain; charset=utf-8")
            return Answer(
                429,
                [*headers, (b"Retry-After", str(resets).encode()), plain],
                b"Number of allowed API requests per minute exceeded",
            ), []
        return None, headers


async def _read(receive: Receive) -> bytes:
    body = b""
    while True:
        message: Message = await receive()
        if message["type"] == "http.disconnect":
            return body
        body += bytes(message.get("body", b""))
        if not message.get("more_body") or len(body) > BODY_LIMIT:
            return body


def _with_query(scope: Scope) -> str:
    query = scope.get("query_string", b"").decode("latin-1")
    return f"{scope['path']}?{query}" if query else str(scope["path"])


def _given(options: dict[str, object]) -> Answer:
    """Answer exactly what a fault rule says."""
    body, named = options.get("body", ""), options.get("headers")
    headers = {str(key).lower(): str(value) for key, value in named.items()} if isinstance(named, dict) else {}
    if "body_base64" in options or "size" in options:
        data = base64.b64decode(str(options.get("body_base64", ""))) or b" " * int(str(options.get("size", 0)))
        headers.setdefault("content-type", "application/json; charset=utf-8")
    elif isinstance(body, str):
        data = body.encode()
        headers.setdefault("content-type", "text/plain; charset=utf-8")
    else:
        data = json.dumps(body).encode()
        headers.setdefault("content-type", "application/json; charset=utf-8")
    status = int(str(options.get("status", 500)))
    return Answer(status, [(key.encode(), value.encode("latin-1", "replace")) for key, value in headers.items()], data)
