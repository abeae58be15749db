"""Refusals, as each of the two APIs words them.

Support answers 422 with `details` per field; Sunshine answers a list of `code` and `title`.
"""

from __future__ import annotations

from collections.abc import Mapping

from zendesk_emulator.records.json import Json


class Refused(Exception):
    """The Support side says no; carries the whole answer."""

    def __init__(self, status: int, body: Json, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body
        self.headers = dict(headers or {})


class SunRefused(Exception):
    """The Sunshine side says no."""

    def __init__(self, status: int, code: str, title: str) -> None:
        super().__init__(f"{status} {code}: {title}")
        self.status = status
        self.code = code
        self.title = title


class DeskRefused(Exception):
    """An agent tried something the workspace does not allow, such as replying after the session ended."""


def not_found() -> Refused:
    """Say that there is no such record."""
    return Refused(404, {"error": "RecordNotFound", "description": "Not found"})


def invalid(key: str, description: str, error: str = "InvalidValue") -> Refused:
    """Say that one field is wrong."""
    return Refused(
        422,
        {
            "error": "RecordInvalid",
            "description": "Record validation errors",
            "details": {key: [{"description": description, "error": error}]},
        },
    )


def forbidden(message: str) -> Refused:
    """Say that the caller may not."""
    return Refused(403, {"error": {"title": "Forbidden", "message": message}})


def unauthenticated() -> Refused:
    """Say that the caller is nobody we know."""
    return Refused(401, {"error": "Couldn't authenticate you"}, {"WWW-Authenticate": 'Basic realm="Web Password"'})
