"""One keep-alive HTTP line to a process that may die while it is spoken to."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from typing import Any

SECONDS = 5.0


class Lost(Exception):
    """No answer came back; what was asked may have been done all the same."""


class Caller:
    """Asks, and gives the status and what was answered."""

    def __init__(self, port: int, headers: Mapping[str, str], seconds: float = SECONDS) -> None:
        self._headers = {**headers, "Content-Type": "application/json"}
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)

    def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Ask once."""
        sent = None if body is None else json.dumps(body).encode()
        try:
            self._connection.request(method, path, sent, self._headers)
            answer = self._connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise Lost(f"{method} {path}: {type(error).__name__}: {error}") from error
        try:
            return answer.status, json.loads(content) if content else None
        except ValueError as error:
            raise Lost(f"{method} {path}: half an answer") from error

    def close(self) -> None:
        """Hang up."""
        self._connection.close()
