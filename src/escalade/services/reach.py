"""How the library reaches what lies elsewhere: help centres and web sites, as their channels read them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from typing import Protocol

from escalade.domain.model import OrganisationId


class Article(Protocol):
    """An article of a help centre."""

    @property
    def id(self) -> str:
        """Give the help centre's own id."""
        ...

    @property
    def title(self) -> str:
        """Give the title."""
        ...

    @property
    def body(self) -> str:
        """Give the text as HTML."""
        ...

    @property
    def url(self) -> str | None:
        """Give the address a customer can open."""
        ...


class ArticlePage(Protocol):
    """A piece of a help centre's list, kept as one."""

    @property
    def articles(self) -> Sequence[Article]:
        """Give the articles."""
        ...

    @property
    def gone(self) -> Collection[str]:
        """Give the ids of articles that are listed and may not be shown, any more or at all."""
        ...

    @property
    def onward(self) -> str:
        """Say from where a later reading goes on after this piece; nothing after the last."""
        ...


class Page(Protocol):
    """A page of a web site."""

    @property
    def url(self) -> str:
        """Give its address."""
        ...

    @property
    def is_pdf(self) -> bool:
        """Say whether it is a PDF; everything else is HTML in UTF-8."""
        ...

    @property
    def content(self) -> bytes:
        """Give what the site sent."""
        ...

    @property
    def error(self) -> str | None:
        """Say why there is no content."""
        ...

    @property
    def passing(self) -> bool:
        """Say whether another day there may be some, so that what was read before stays."""
        ...


class Reader(Protocol):
    """One reading of a help centre or site, under way."""

    @property
    def listed(self) -> int:
        """Say how many documents are known so far."""
        ...

    @property
    def skipped(self) -> dict[str, int]:
        """Say how many were passed over, and why."""
        ...


class ArticleReader(Reader, Protocol):
    """One reading of a help centre."""

    async def count(self) -> int | None:
        """Say how many articles there are, if the help centre says so."""
        ...

    def pages(self, onward: str = "") -> AsyncIterator[ArticlePage]:
        """Give every article, from where an earlier reading was cut short."""
        ...

    def changes(self, since: int) -> AsyncIterator[ArticlePage]:
        """Give what was changed since a moment, in seconds; `onward` is the moment from which to ask next."""
        ...


class SiteReader(Reader, Protocol):
    """One reading of a web site."""

    def pages(self, seen: Collection[str] = ()) -> AsyncIterator[Page]:
        """Give the pages; of those a sitemap names, none whose address was seen lately."""
        ...


class Reach(Protocol):
    """Opens what lies elsewhere."""

    async def kind_of(self, address: str) -> str:
        """Find out what is at an address: `help_center` or `site`."""
        ...

    async def help_center(self, organisation: OrganisationId, location: str) -> ArticleReader:
        """Open the organisation's own help centre for `help-center`, or the public one at an address."""
        ...

    def site(self, address: str) -> SiteReader:
        """Open a web site."""
        ...
