"""Read a posted form: of one kind, of a bounded size, every value as text."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import parse_qsl

from starlette.requests import Request

from escalade.domain.errors import Invalid
from escalade.web.wire import Problem, read_body

LIMIT = 64 * 1024
MOST_FIELDS = 200


class Form:
    """What was typed and ticked."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self.pairs = tuple(pairs)
        self.values = dict(self.pairs)

    def text(self, name: str) -> str:
        """Give what was typed, without the white space around it."""
        return self.values.get(name, "").strip()

    def ticked(self, name: str) -> bool:
        """Say whether a box was ticked."""
        return name in self.values

    def lines(self, name: str) -> list[str]:
        """Give the lines of a text, without empty ones."""
        return [line.strip() for line in self.values.get(name, "").splitlines() if line.strip()]

    def whole(self, name: str, pointer: str) -> int | None:
        """Give a whole number, or nothing where nothing was typed."""
        typed = self.text(name)
        if not typed:
            return None
        if not typed.isascii() or not typed.isdigit() or len(typed) > 18:
            raise Invalid("expected a whole number", pointer=pointer)
        return int(typed)


async def read(request: Request) -> Form:
    """Read the form a browser posted."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise Problem("unsupported-media-type", "the console takes plain forms only")
    body = await read_body(request.scope, request.receive, LIMIT)
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=MOST_FIELDS
        )
    except ValueError as error:
        raise Problem("malformed-request", "this form cannot be read") from error
    return Form(pairs)
