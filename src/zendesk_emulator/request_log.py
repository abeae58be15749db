"""Remember every API call in and every webhook out, with bodies, and with secrets blacked out."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable

from zendesk_emulator.account import Account
from zendesk_emulator.ports import Outbound, Reply
from zendesk_emulator.records.json import Json
from zendesk_emulator.text import sun_time

KEPT = 5000
BODY_KEPT = 20_000
_SECRET_HEADER = re.compile(r"auth|key|token|secret|cookie", re.IGNORECASE)
_NAMES = "client_secret|secret|access_token|refresh_token|full_token|token|password|code_verifier"
_SECRET_WORDS = ("secret", "token", "password", "code_verifier", '"data"')  # one of them is in whatever is blacked out
_SECRET_FIELDS = (
    re.compile(rf'("(?:{_NAMES})"\s*:\s*")[^"]*(")'),
    re.compile(rf"((?:^|[?&])(?:{_NAMES})=)[^&\s]*()"),
    re.compile(r'("data"\s*:\s*\{)[^{}]*(\})'),  # what a webhook authenticates with
)


class RequestLog:
    """The calls so far, oldest first."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._last = 0
        self.entries: deque[Json] = deque(maxlen=KEPT)

    def call(
        self,
        *,
        method: str,
        path: str,
        headers: Iterable[tuple[str, str]],
        body: bytes,
        status: int | None,
        answer: bytes,
        fault: str | None,
    ) -> None:
        """Note an API call; `status` is None when the caller got no answer."""
        self._note(
            {
                "direction": "in",
                "kind": "api",
                "method": method,
                "url": path,
                "headers": _blacked_out(headers),
                "body": _text(body),
                "status": status,
                "answer": _text(answer),
                "fault": fault,
            }
        )

    def webhook(self, request: Outbound, reply: Reply | None, *, kind: str, outcome: str) -> None:
        """Note one try to deliver a webhook."""
        self._note(
            {
                "direction": "out",
                "kind": kind,
                "method": request.method,
                "url": request.url,
                "headers": _blacked_out(request.headers.items()),
                "body": _text(request.body),
                "status": reply.status if reply else None,
                "answer": _text(reply.body) if reply else "",
                "outcome": outcome,
            }
        )

    def since(self, seen: int = 0) -> list[Json]:
        """List the entries after this number."""
        return [entry for entry in self.entries if entry["n"] > seen]

    def _note(self, entry: Json) -> None:
        self._last += 1
        self.entries.append({"n": self._last, "at": sun_time(self._account.now()), **entry})
        self._account.emit("request", facts={"n": self._last})


def _blacked_out(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(key, _scheme(value) if _SECRET_HEADER.search(key) else value) for key, value in headers]


def _scheme(value: str) -> str:
    scheme, blank, _ = value.partition(" ")
    return f"{scheme} •••" if blank else "•••"


def _text(body: bytes) -> str:
    text = body[:BODY_KEPT].decode("utf-8", "replace")
    if any(word in text for word in _SECRET_WORDS):
        for pattern in _SECRET_FIELDS:
            text = pattern.sub(r"\1•••\2", text)
    return text
