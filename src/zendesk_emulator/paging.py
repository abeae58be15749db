"""Cut lists into pages, by cursor when `page[size]` or a cursor is given, else by page number.

https://developer.zendesk.com/api-reference/introduction/pagination/
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

from starlette.requests import Request

from zendesk_emulator.errors import Refused
from zendesk_emulator.records.json import Json

Item = TypeVar("Item")
LARGEST = 100


def paged(
    request: Request, base_url: str, key: str, items: Sequence[Item], show: Callable[[Item], Any], *, size: int = 100
) -> Json:
    """Show one page of a list with the links to the next."""
    query = request.query_params
    if any(name in query for name in ("page[size]", "page[after]", "page[before]")):
        return by_cursor(request, base_url, key, items, show, size=size)
    per_page = min(LARGEST, _number(query.get("per_page"), size))
    page = max(1, _number(query.get("page"), 1))
    start = (page - 1) * per_page
    address = f"{base_url}{request.url.path}"
    following = f"{address}?page={page + 1}&per_page={per_page}" if start + per_page < len(items) else None
    return {
        key: [show(item) for item in items[start : start + per_page]],
        "count": len(items),
        "next_page": following,
        "previous_page": f"{address}?page={page - 1}&per_page={per_page}" if page > 1 else None,
    }


def by_cursor(
    request: Request, base_url: str, key: str, items: Sequence[Item], show: Callable[[Item], Any], *, size: int = 100
) -> Json:
    """Show one page between cursors."""
    query = request.query_params
    per_page = min(LARGEST, _number(query.get("page[size]"), size))
    start = _position(query.get("page[after]"), default=0)
    if "page[before]" in query:
        start = max(0, _position(query.get("page[before]"), default=0) - 1 - per_page)
    end = min(len(items), start + per_page)
    more = end < len(items)
    after, before = _cursor(end), _cursor(start + 1)
    address = f"{base_url}{request.url.path}?{quote('page[size]')}={per_page}&"
    return {
        key: [show(item) for item in items[start:end]],
        "meta": {"has_more": more, "after_cursor": after if more else None, "before_cursor": before if start else None},
        "links": {
            "next": f"{address}{quote('page[after]')}={quote(after)}" if more else None,
            "prev": f"{address}{quote('page[before]')}={quote(before)}" if start else None,
        },
    }


def _cursor(position: int) -> str:
    return base64.b64encode(f"o{position}".encode()).decode()


def _position(cursor: str | None, *, default: int) -> int:
    if not cursor:
        return default
    try:
        return int(base64.b64decode(cursor).decode().removeprefix("o"))
    except (binascii.Error, ValueError):
        raise Refused(400, {"error": "InvalidPaginationParameter", "description": "Invalid cursor"}) from None


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isdigit() and int(text) > 0 else default
