"""Call Sunshine Conversations as an app: with its key, its answer read, its refusals sorted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from escalade.channels import verdicts
from escalade.channels.base import Account, SunshineApp
from escalade.channels.http import ANSWER_LIMIT, LIST_LIMIT, TOTAL_SECONDS, Request, Transport, basic, redacted
from escalade.channels.sunshine import wire
from escalade.domain.errors import Refused, Retryable

Json = dict[str, Any]
MOST_PAGES = 310  # a conversation holds 30,000 messages, a hundred a page


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a call brought: its JSON, its status, and a line for the ledger."""

    json: Json
    status: int
    summary: str


class Calls:
    """Every authorised call to Sunshine Conversations goes through here."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def call(
        self,
        app: SunshineApp,
        method: str,
        path: str,
        *,
        body: str | bytes | None = None,
        query: Mapping[str, str] | None = None,
        kind: str = "application/json",
        limit: int = ANSWER_LIMIT,
        seconds: float = TOTAL_SECONDS,
    ) -> Answer:
        """Make one call below the app's own address."""
        asked = f"?{urlencode(query, quote_via=quote)}" if query else ""
        request = Request(
            method=method,
            url=f"{app.base_url}/v2/apps/{quote(app.app_id, safe='')}{path}{asked}",
            headers={
                "Authorization": basic(app.key_id, app.secret),
                **({"Content-Type": kind} if body is not None else {}),
            },
            body=body.encode() if isinstance(body, str) else body,
            limit=limit,
            seconds=seconds,
        )
        response = await self._transport.send(request)
        credential = f"the Conversations key {app.key_id}"
        found = verdicts.read(request, response, credential=credential)
        return Answer(json=found, status=response.status, summary=redacted(request, response))

    async def upload(
        self, app: SunshineApp, conversation: str, name: str, media_type: str, content: bytes, *, seconds: float
    ) -> Answer:
        """Hand over a file for a message of one conversation; elsewhere its address is refused.

        https://developer.zendesk.com/api-reference/conversations/#operation/UploadAttachment
        """
        kind, body = wire.form(name, media_type, content)
        query = {"access": "public", "for": "message", "conversationId": conversation}
        return await self.call(app, "POST", "/attachments", body=body, query=query, kind=kind, seconds=seconds)

    async def get(self, app: SunshineApp, path: str, query: Mapping[str, str] | None = None) -> Json:
        """Ask for something; it may be a page of a hundred long messages."""
        return (await self.call(app, "GET", path, query=query, limit=LIST_LIMIT)).json

    async def listed(self, app: SunshineApp, path: str, name: str, query: Mapping[str, str]) -> list[Json]:
        """Read a whole list, page by page."""
        found: list[Json] = []
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            asked = {**query, "page[size]": "100"} | ({"page[after]": cursor} if cursor else {})
            page = await self.get(app, path, asked)
            found += listed(page, name)
            cursor = _cursor(page, "afterCursor", but_not=cursor)
            if cursor is None:
                break
        return found

    async def back_from_now(self, app: SunshineApp, conversation: str) -> AsyncIterator[list[Json]]:
        """Give a conversation's messages page by page, the newest page first, each page oldest first."""
        before: str | None = None
        for _ in range(MOST_PAGES):
            page = await self.get(app, messages_path(conversation), {"page[before]": before} if before else None)
            messages = wire.oldest_first(_messages(page))
            yield messages
            before = _cursor(page, "beforeCursor", but_not=before)
            if before is None or not messages:
                return

    async def onward(self, app: SunshineApp, conversation: str, after: str) -> list[Json]:
        """Give the messages after one, oldest first."""
        found: list[Json] = []
        cursor: str | None = after
        for _ in range(MOST_PAGES):
            page = await self.get(app, messages_path(conversation), {"page[after]": str(cursor)})
            messages = wire.oldest_first(_messages(page))
            found += messages
            cursor = _cursor(page, "afterCursor", but_not=cursor)
            if cursor is None or not messages:
                break
        return found


def messages_path(conversation: str) -> str:
    """Give the address of a conversation's messages."""
    return f"{conversation_path(conversation)}/messages"


def conversation_path(conversation: str) -> str:
    """Give the address of a conversation."""
    return f"/conversations/{quote(conversation, safe='')}"


def listed(page: Json, name: str) -> list[Json]:
    """Give the objects of a list, passing over what is none; an answer without the list is not an empty list."""
    if not isinstance(page.get(name), list):
        raise Retryable(f"the answer shows no {name}")
    return objects(page, name)


def _messages(page: Json) -> list[Json]:
    """Give a page's messages; one that cannot be told apart could be the one we look for."""
    found = listed(page, "messages")
    if not all(wire.text(message.get("id")) for message in found):
        raise Retryable("the answer shows messages without an id")
    return found


def objects(page: Json, name: str) -> list[Json]:
    """Give the objects of a list that may be missing, passing over what is none."""
    found = page.get(name)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def app_of(account: Account) -> SunshineApp:
    """Give the Sunshine half of an account, or refuse."""
    if account.sunshine is None:
        raise Refused("Sunshine Conversations is not connected")
    return account.sunshine


def _cursor(page: Json, name: str, *, but_not: str | None) -> str | None:
    """Give the next page's cursor; the same one again is an end, not a loop."""
    meta = page.get("meta")
    cursor = wire.text(meta.get(name)) if isinstance(meta, dict) and meta.get("hasMore") else None
    return cursor if cursor != but_not else None
