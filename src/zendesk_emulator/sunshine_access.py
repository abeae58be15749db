"""Check Conversations API keys and give each Sunshine route one tidy `SunCall`.

Keys are of app scope and used with Basic authentication; JSON bodies end at 100 kB.
https://developer.zendesk.com/api-reference/conversations/#section/API-authentication-methods
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from zendesk_emulator.account import Account
from zendesk_emulator.emulator import Emulator
from zendesk_emulator.errors import SunRefused
from zendesk_emulator.records.json import Json
from zendesk_emulator.records.messaging import Conversation

BASE = "/sc/v2/apps/{app_id}"
JSON_LIMIT = 100 * 1024

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class SunCall:
    """One request to the Sunshine API."""

    emulator: Emulator
    request: Request
    raw: bytes

    @property
    def account(self) -> Account:
        """Give the account called."""
        return self.emulator.account

    def json(self) -> Json:
        """Read the body; anything but an object of at most 100 kB is refused."""
        if len(self.raw) > JSON_LIMIT:
            raise SunRefused(413, "payload_too_large", "The request body is over 100 kB")
        try:
            body = json.loads(self.raw) if self.raw else {}
        except (ValueError, RecursionError):
            raise SunRefused(400, "bad_request", "The request body is not valid JSON") from None
        if not isinstance(body, dict):
            raise SunRefused(400, "bad_request", "The request body must be an object")
        return body

    def query(self, name: str) -> str:
        """Read a query parameter."""
        return self.request.query_params.get(name, "")

    def word(self, name: str) -> str:
        """Read a word of the path."""
        return str(self.request.path_params[name])

    def conversation(self) -> Conversation:
        """Find the conversation of the path."""
        return self.emulator.conversations.get(self.word("conversation_id"))


def authenticate(account: Account, request: Request) -> None:
    """Let only a known key in, and only into its app."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    try:
        key_id, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        key_id = secret = ""
    key = account.records.conversations_keys.get(key_id)
    if scheme.lower() != "basic" or key is None or key.secret != secret:
        raise SunRefused(401, "unauthorized", "Authorization is required")
    if request.path_params.get("app_id", account.app_id) != account.app_id:
        raise SunRefused(404, "app_not_found", "App not found")


def sun_route(
    emulator: Emulator, method: str, path: str, handler: Callable[[SunCall], Json | None], *, status: int = 200
) -> Route:
    """Make a route under the app that asks for a key before it runs its handler."""

    async def endpoint(request: Request) -> Response:
        authenticate(emulator.account, request)
        answer = handler(SunCall(emulator=emulator, request=request, raw=await request.body()))
        return JSONResponse({} if answer is None else answer, status)

    return Route(BASE + path, endpoint, methods=[method])


def sun_page(call: SunCall, key: str, items: Sequence[Item], show: Callable[[Item], Json]) -> Json:
    """Show one page of a list: 25 unless told, 100 at most; ids are the cursors."""
    size = min(100, int(call.query("page[size]") or 25)) if (call.query("page[size]") or "25").isdigit() else 25
    shown = [show(item) for item in items]
    after, before = call.query("page[after]"), call.query("page[before]")
    places: dict[Any, int] = {entry["id"]: place for place, entry in enumerate(shown)}
    start = places[after] + 1 if after in places else 0
    if before in places:
        start = max(0, places[before] - size)
        page, more = shown[start : places[before]], start > 0
    else:
        page = shown[start : start + size]
        more = start + size < len(shown)
    meta: Json = {"hasMore": more}
    if page:
        meta |= {"beforeCursor": page[0]["id"], "afterCursor": page[-1]["id"]}
    return {key: page, "meta": meta, "links": {}}
