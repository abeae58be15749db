"""Call Zendesk Support as an account: signed in, its answer read, its refusals sorted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from escalade.channels import verdicts
from escalade.channels.base import Account
from escalade.channels.http import ANSWER_LIMIT, LIST_LIMIT, TOTAL_SECONDS, Request, Transport, redacted
from escalade.channels.zendesk.oauth import Credentials, named, support
from escalade.domain.errors import Retryable, TooLarge

Json = dict[str, Any]
PAGE_SIZE = 100
MOST_PAGES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a call brought: its JSON, its status, and a line for the ledger."""

    json: Json
    status: int
    summary: str


class Calls:
    """Every authorised call to Zendesk Support goes through here."""

    def __init__(self, transport: Transport, credentials: Credentials) -> None:
        self._transport = transport
        self._credentials = credentials

    async def call(
        self,
        account: Account,
        method: str,
        path: str,
        *,
        body: str | bytes | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        limit: int = ANSWER_LIMIT,
        seconds: float = TOTAL_SECONDS,
    ) -> Answer:
        """Make one call; a token that has died early is renewed once and the call repeated."""
        zendesk = support(account)
        url = f"{zendesk.base_url}{path}{f'?{urlencode(query, quote_via=quote)}' if query else ''}"
        authorization = await self._credentials.header(account)
        for repeated in (False, True):
            request = Request(
                method=method,
                url=url,
                headers={
                    "Authorization": authorization,
                    **({"Content-Type": "application/json"} if body is not None else {}),
                    **(headers or {}),
                },
                body=body.encode() if isinstance(body, str) else body,
                limit=limit,
                seconds=seconds,
            )
            response = await self._transport.send(request)
            if response.status != 401 or repeated:
                break
            renewed = await self._credentials.header(account, rejected=authorization)
            if renewed == authorization:
                break
            authorization = renewed
        found = verdicts.read(request, response, credential=named(zendesk))
        return Answer(json=found, status=response.status, summary=redacted(request, response))

    async def get(
        self, account: Account, path: str, query: Mapping[str, str] | None = None, *, limit: int = LIST_LIMIT
    ) -> Json:
        """Ask for something."""
        return (await self.call(account, "GET", path, query=query, limit=limit)).json

    async def pages(
        self, account: Account, path: str, query: Mapping[str, str] | None = None, *, most: int = MOST_PAGES
    ) -> AsyncIterator[Json]:
        """Walk a list page by page, by its cursor: the addresses a page suggests are never followed.

        A page that is more than we take is asked for anew, and what comes after it, in fewer entries at a time.
        https://developer.zendesk.com/api-reference/introduction/pagination/
        """
        cursor: str | None = None
        size, left = PAGE_SIZE, most * PAGE_SIZE
        while left > 0:
            asked = {**(query or {}), "page[size]": str(size)}
            try:
                page = await self.get(account, path, asked | ({"page[after]": cursor} if cursor else {}))
            except TooLarge:
                if size == 1:
                    raise
                size = max(1, size // 4)
                continue
            left -= size
            yield page
            meta = page.get("meta")
            following = meta.get("after_cursor") if isinstance(meta, dict) and meta.get("has_more") else None
            if not isinstance(following, str) or following == cursor:
                return
            cursor = following


def listed(page: Json, name: str) -> list[Json]:
    """Give the objects of a list, passing over what is none; an answer without the list is not an empty list."""
    if not isinstance(page.get(name), list):
        raise Retryable(f"Zendesk's answer shows no {name}")
    return beside(page, name)


def beside(page: Json, name: str) -> list[Json]:
    """Give the objects of a list that may be missing."""
    found = page.get(name)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
