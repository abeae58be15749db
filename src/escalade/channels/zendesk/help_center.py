"""Read the public articles of a Zendesk help centre: all of them page by page, or what has changed since a moment.

Only the account we were given is ever asked: paging uses the cursor, never the address a page suggests. Drafts,
articles for signed-in readers only, and empty articles are passed over and counted. What is deleted shows in no list of
changes: that takes a reading of all.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from escalade.channels import verdicts
from escalade.channels.http import LIST_LIMIT, Request, Transport
from escalade.domain.errors import Refused, Retryable, Unaccepted

Get = Callable[[str, Mapping[str, str]], Awaitable[Mapping[str, Any]]]

BASE = "/api/v2/help_center"
CHANGES = f"{BASE}/incremental/articles.json"
PAGE_SIZE = 100
MOST_PAGES = 10_000
TRIES = 3
PAUSE_S = 1.0
LONGEST_WAIT_S = 60.0  # the budget of a minute is full again by then


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One article; `id` is Zendesk's, unique within one account."""

    id: str
    title: str
    body: str
    url: str | None
    updated_at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticlePage:
    """A page of a list: its public articles, the ids of those that are not, and from where to go on after it."""

    articles: tuple[Article, ...]
    gone: frozenset[str]
    onward: str


class HelpCenter:
    """One reading of a help centre; the counts grow while it is read."""

    def __init__(self, get: Get, *, locale: str | None = None) -> None:
        self._get = get
        # With the suffix: help-centre paths without it were seen to answer 415.
        # https://developer.zendesk.com/api-reference/help_center/help-center-api/articles/#list-articles
        self._path = f"{BASE}/{locale}/articles.json" if locale else f"{BASE}/articles.json"
        self.listed = 0  # articles Zendesk has listed so far, those passed over included
        self.drafts = 0
        self.restricted = 0
        self.empty = 0

    @property
    def skipped(self) -> dict[str, int]:
        """Say how many articles were passed over, and why."""
        counts = {"drafts": self.drafts, "restricted": self.restricted, "empty": self.empty}
        return {why: count for why, count in counts.items() if count}

    async def count(self) -> int | None:
        """Say how many articles are listed, if the help centre says so."""
        try:
            page = await self._get(self._path, {"per_page": "1"})
        except Refused:
            return None
        count = page.get("count")
        return count if isinstance(count, int) and count >= 0 else None

    async def pages(self, onward: str = "") -> AsyncIterator[ArticlePage]:
        """Give every public article once, from a cursor on that an earlier page gave."""
        seen: set[str] = set()
        cursor = onward
        for _ in range(MOST_PAGES):
            params = {"page[size]": str(PAGE_SIZE), "sort_by": "created_at", "sort_order": "asc"}
            if cursor:
                params["page[after]"] = cursor
            page = await self._get(self._path, params)
            following = _next_cursor(page, cursor)
            yield self._page(page, seen, following)
            if not following:
                return
            cursor = following
        raise Refused(f"the help centre did not end after {MOST_PAGES} pages")

    async def changes(self, since: int) -> AsyncIterator[ArticlePage]:
        """Give the articles changed since a moment, in seconds of Zendesk's clock; the same one may come twice.

        The list ends with a page that is empty, or that does not get on.
        https://developer.zendesk.com/api-reference/help_center/help-center-api/articles/
        """
        start = since
        for _ in range(MOST_PAGES):
            page = await self._get(CHANGES, {"start_time": str(start)})
            end = page.get("end_time")
            gets_on = isinstance(end, int) and end > start
            yield self._page(page, set(), str(end if gets_on else start))
            if not gets_on or not page.get("articles") or not page.get("next_page"):
                return
            assert isinstance(end, int)
            start = end
        raise Refused(f"the list of changes did not end after {MOST_PAGES} pages")

    def _page(self, page: Mapping[str, Any], seen: set[str], onward: str) -> ArticlePage:
        listed = page.get("articles")
        if not isinstance(listed, list):
            raise Refused("Zendesk's answer holds no list of articles; is the help centre switched on?")
        self.listed += len(listed)
        read = [(raw, self._read(raw)) for raw in listed]
        fresh = [article for _, article in read if article is not None and article.id not in seen]
        seen |= {article.id for article in fresh}
        gone = {str(raw["id"]) for raw, article in read if article is None and isinstance(raw, Mapping) and "id" in raw}
        return ArticlePage(articles=tuple(fresh), gone=frozenset(gone), onward=onward)

    def _read(self, raw: Any) -> Article | None:
        if not isinstance(raw, Mapping) or raw.get("id") is None:
            self.empty += 1
            return None
        if raw.get("draft"):
            self.drafts += 1
            return None
        if raw.get("user_segment_id") is not None or raw.get("user_segment_ids"):
            self.restricted += 1
            return None
        body = raw.get("body")
        if not isinstance(body, str) or not body.strip():
            self.empty += 1
            return None
        url = raw.get("html_url")
        updated = raw.get("updated_at")
        return Article(
            id=str(raw["id"]),
            title=str(raw.get("title") or raw.get("name") or f"Article {raw['id']}"),
            body=body,
            url=url if isinstance(url, str) and url.startswith(("https://", "http://")) else None,
            updated_at=updated if isinstance(updated, str) else None,
        )


def _next_cursor(page: Mapping[str, Any], last: str) -> str:
    """Give the next page's cursor, or nothing; the same cursor again is an end, not a loop."""
    meta = page.get("meta")
    if not isinstance(meta, Mapping) or not meta.get("has_more"):
        return ""
    cursor = meta.get("after_cursor")
    return cursor if isinstance(cursor, str) and cursor != last else ""


def patient(get: Get, sleep: Callable[[float], Awaitable[None]]) -> Get:
    """Ask again, when told to come later or when nobody answered: a long list must not fail over one hiccup."""

    async def asked(path: str, query: Mapping[str, str]) -> Mapping[str, Any]:
        for _ in range(TRIES - 1):
            try:
                return await get(path, query)
            except Unaccepted:
                raise
            except Retryable as error:
                await sleep(min(error.after or PAUSE_S, LONGEST_WAIT_S))
        return await get(path, query)

    return asked


async def public_page(transport: Transport, site: str, path: str, query: Mapping[str, str]) -> Mapping[str, Any]:
    """Ask a help centre anyone may read, without credentials; `site` is any address on it."""
    request = _asking(site, path, query)
    return verdicts.read(request, await transport.send(request), credential="an anonymous reader")


async def is_help_center(transport: Transport, site: str) -> bool:
    """Say whether an address is on a help centre anyone may read; raise where nobody answers at all."""
    answer = await transport.send(_asking(site, f"{BASE}/articles.json", {"page[size]": "1"}))
    found = verdicts.loads(answer.body) if answer.status == 200 else None
    return isinstance(found, dict) and isinstance(found.get("articles"), list)


def _asking(site: str, path: str, query: Mapping[str, str]) -> Request:
    parts = urlsplit(site)
    url = f"{parts.scheme}://{parts.netloc}{path}?{urlencode(query, quote_via=quote)}"
    return Request(method="GET", url=url, limit=LIST_LIMIT)
