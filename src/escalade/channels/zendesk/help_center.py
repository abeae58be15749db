"""Read the public articles of a Zendesk help centre, page by page.

Only the account we were given is ever asked: paging uses the cursor, never the address a page suggests. Drafts,
articles for signed-in readers only, and empty articles are passed over and counted.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from escalade.channels import verdicts
from escalade.channels.http import LIST_LIMIT, Request, Transport
from escalade.domain.errors import Refused

Get = Callable[[str, Mapping[str, str]], Awaitable[Mapping[str, Any]]]

PAGE_SIZE = 100
MOST_PAGES = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One article; `id` is Zendesk's, unique within one account."""

    id: str
    title: str
    body: str
    url: str | None
    updated_at: str | None


class HelpCenter:
    """One reading of a help centre; the counts grow while it is read."""

    def __init__(self, get: Get, *, locale: str | None = None) -> None:
        self._get = get
        self._locale = locale
        self.listed = 0  # articles Zendesk has listed so far, those passed over included
        self.drafts = 0
        self.restricted = 0
        self.empty = 0

    @property
    def skipped(self) -> dict[str, int]:
        """Say how many articles were passed over, and why."""
        counts = {"drafts": self.drafts, "restricted": self.restricted, "empty": self.empty}
        return {why: count for why, count in counts.items() if count}

    async def articles(self) -> AsyncIterator[Article]:
        """Give every public article once."""
        # With the suffix: help-centre paths without it were seen to answer 415.
        # https://developer.zendesk.com/api-reference/help_center/help-center-api/articles/#list-articles
        path = (
            f"/api/v2/help_center/{self._locale}/articles.json" if self._locale else "/api/v2/help_center/articles.json"
        )
        seen: set[str] = set()
        cursor = ""
        for _ in range(MOST_PAGES):
            params = {"page[size]": str(PAGE_SIZE), "sort_by": "created_at", "sort_order": "asc"}
            if cursor:
                params["page[after]"] = cursor
            page = await self._get(path, params)
            listed = page.get("articles")
            if not isinstance(listed, list):
                raise Refused("Zendesk's answer holds no list of articles; is the help centre switched on?")
            self.listed += len(listed)
            for raw in listed:
                article = self._read(raw)
                if article is not None and article.id not in seen:
                    seen.add(article.id)
                    yield article
            following = _next_cursor(page, cursor)
            if not following:
                return
            cursor = following
        raise Refused(f"the help centre did not end after {MOST_PAGES} pages")

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


async def public_page(transport: Transport, site: str, path: str, query: Mapping[str, str]) -> Mapping[str, Any]:
    """Ask a help centre anyone may read, without credentials; `site` is any address on it."""
    request = _asking(site, path, query)
    return verdicts.read(request, await transport.send(request), credential="an anonymous reader")


async def is_help_center(transport: Transport, site: str) -> bool:
    """Say whether an address is on a help centre anyone may read; raise where nobody answers at all."""
    answer = await transport.send(_asking(site, "/api/v2/help_center/articles.json", {"page[size]": "1"}))
    found = verdicts.loads(answer.body) if answer.status == 200 else None
    return isinstance(found, dict) and isinstance(found.get("articles"), list)


def _asking(site: str, path: str, query: Mapping[str, str]) -> Request:
    parts = urlsplit(site)
    url = f"{parts.scheme}://{parts.netloc}{path}?{urlencode(query, quote_via=quote)}"
    return Request(method="GET", url=url, limit=LIST_LIMIT)
