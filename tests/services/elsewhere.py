"""What lies elsewhere, for the tests of the library: a help centre in memory, and sites over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from escalade.channels.http import Transport
from escalade.channels.website.crawl import Site
from escalade.channels.website.visit import World
from escalade.domain.errors import Refused, Retryable
from escalade.domain.model import OrganisationId
from escalade.services.ports import Ports

ACME, ZEBRA = OrganisationId("org_acme"), OrganisationId("org_zebra")
NOON = 1_700_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    id: str
    title: str
    body: str
    url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticlePage:
    articles: tuple[Article, ...] = ()
    gone: frozenset[str] = frozenset()
    onward: str = ""


class Reader:
    """A help centre of so many articles, fifty a page, which may break off; `changed` is its list of changes."""

    def __init__(self, count: int, *, breaks_after: int | None = None, changed: ArticlePage | None = None) -> None:
        self.size, self.breaks_after, self.changed = count, breaks_after, changed
        self.listed = 0
        self.skipped = {"drafts": 2}
        self.asked: list[str | int] = []

    async def count(self) -> int | None:
        return self.size

    async def pages(self, onward: str = "") -> AsyncIterator[ArticlePage]:
        self.asked.append(onward)
        if onward == "lost":
            raise Refused("no such cursor")
        for start in range(int(onward or "1"), self.size + 1, 50):
            if self.breaks_after is not None and start > self.breaks_after:
                raise Retryable("Zendesk does not answer")
            numbers = range(start, min(start + 50, self.size + 1))
            self.listed += len(numbers)
            following = str(start + 50) if start + 50 <= self.size else ""
            yield ArticlePage(articles=tuple(an_article(number) for number in numbers), onward=following)

    async def changes(self, since: int) -> AsyncIterator[ArticlePage]:
        self.asked.append(since)
        assert self.changed is not None
        yield self.changed


def an_article(number: int, text: str = "") -> Article:
    return Article(
        id=str(number),
        title=f"Article {number}",
        body=f"<h2>Topic</h2><p>About word{number}x. {text}</p>" if number != 5 else "<img>",
        url=f"https://help.example/{number}",
    )


class Elsewhere:
    """A world with one help centre, at `help-center`, and one site."""

    def __init__(self, reader: Reader, outbound: Transport | None = None) -> None:
        self.reader, self.outbound = reader, outbound

    async def kind_of(self, address: str) -> str:
        return "site"

    async def help_center(self, organisation: OrganisationId, location: str) -> Reader:
        assert (organisation, location) == (ACME, "help-center")
        return self.reader

    def site(self, address: str) -> Site:
        assert self.outbound is not None
        return Site(self.outbound, address, World(sleep=_at_once, now=lambda: NOON), aside=Ports().aside)


async def _at_once(_seconds: float) -> None:
    pass
