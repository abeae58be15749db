"""Read a public site: the pages its sitemap names, or else those its links lead to.

A page is asked for only where `robots.txt` allows it, and kept only where it does not say `noindex`. Nothing outside
the site is ever asked: a link or a redirect that leads away ends there. The transport judges every address it connects
to, so that no name can lead into a private network.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar
from urllib.parse import urlsplit

from escalade.channels.http import Response, Transport
from escalade.channels.website import hints, robots, sitemap
from escalade.channels.website.decoding import text_of
from escalade.channels.website.scope import Scope, is_pdf, may_be_read, same_site, spelt
from escalade.channels.website.visit import AGENT, HOPS, REDIRECTS, Visitor, World
from escalade.domain.errors import Refused, Retryable

T = TypeVar("T")

HTML = ("text/html", "application/xhtml+xml")
PDF = "application/pdf"
MOST_SITEMAPS = 100
IN_A_ROW = 8  # pages without an answer, after which a site is taken to be down
FACES = 50  # queries of one path: beyond that it is a calendar or a filter


class Aside(Protocol):
    """Runs what takes long beside the event loop."""

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]:
        """Run it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much of a site is read at most; bytes are those of one answer."""

    pages: int = 5_000
    known: int = 50_000  # addresses held in mind
    depth: int = 10  # links away from where we began
    html_bytes: int = 2_000_000
    pdf_bytes: int = 20_000_000
    seconds: float = 2 * 3600
    pace_s: float = 0.25  # between requests, where the site wishes nothing
    longest_pace_s: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page that was asked for; `error` says why there is nothing, and `passing` that another day there may be."""

    url: str
    is_pdf: bool = False
    content: bytes = b""  # HTML in UTF-8, or a PDF
    error: str | None = None
    passing: bool = False


class Site:
    """One reading of a site; `listed` and `skipped` grow while it is read."""

    def __init__(
        self, transport: Transport, start: str, world: World, *, aside: Aside, limits: Limits | None = None
    ) -> None:
        self._start = start
        self._world = world
        self._aside = aside
        self._limits = limits or Limits()
        self._visitor = Visitor(transport, world, self._limits.pace_s)
        self._robots = robots.Robots()
        self._asked = 0
        self._skipped: Counter[str] = Counter()
        self._seen: set[str] = set()
        self._faces: Counter[str] = Counter()
        self._waiting: deque[tuple[str, int]] = deque()
        self._follow = False
        self._scope = Scope(origin="", path="/")

    @property
    def listed(self) -> int:
        """Say how many addresses are known so far."""
        return self._asked + min(len(self._waiting), self._limits.pages)

    @property
    def skipped(self) -> dict[str, int]:
        """Say how many addresses were passed over, and why."""
        return dict(self._skipped)

    async def pages(self, seen: Collection[str] = ()) -> AsyncIterator[Page]:
        """Give every page once, but for those a sitemap names and an earlier look has seen.

        Raise `Retryable` or `Refused` where the site cannot be read to its end.
        """
        began = self._world.now()
        opening = await self._enter()
        named = await self._named()
        if named:
            self._seen.update(seen)
            for address in named:
                self._put(address, 0)
        else:
            self._follow = True
            self._put(opening[0], 0)
        read = silent = 0
        while self._waiting:
            if read >= self._limits.pages:
                self._skipped[f"pages beyond the first {self._limits.pages}"] += len(self._waiting)
                return
            if self._world.now() - began > self._limits.seconds * 1000:
                raise Retryable(f"the site was not read to its end within {self._limits.seconds / 60:g} minutes")
            address, depth = self._waiting.popleft()
            self._asked += 1
            try:
                answer = opening[1] if address == opening[0] else await self._ask(address)
            except Retryable as error:
                silent += 1
                if silent >= IN_A_ROW:
                    raise
                yield Page(url=address, error=error.detail[:300], passing=True)
                continue
            except Refused as error:
                yield Page(url=address, error=error.detail[:300])
                continue
            silent = 0
            page = await self._read(address, depth, answer)
            if page is not None:
                read += 1
                yield page

    async def _enter(self) -> tuple[str, Response]:
        """Come in by the address we were given; where it leads on within the site, that is where the site begins."""
        address = spelt(self._start)
        if address is None:
            raise Refused(f"{self._start} is not an address of a web site")
        first, origin = address, ""
        for _ in range(HOPS + 1):
            scope = Scope.of(address)
            if scope.origin != origin:
                origin = scope.origin
                await self._learn_robots(origin)
            if not self._robots.allows(address):
                raise Refused(f"the site's robots.txt asks programs not to read {address}")
            answer = await self._visitor.get(address, limit=self._limits.html_bytes, kinds=(*HTML, PDF))
            if answer.status not in REDIRECTS:
                if answer.status != 200:
                    raise Refused(f"{address} answered {answer.status}", status=answer.status)
                asked = Scope.of(first)
                within = urlsplit(address).path.startswith(asked.path) and asked.path.endswith("/")
                self._scope = Scope(origin=origin, path=asked.path if within else scope.path)
                return address, answer
            onward = spelt(answer.header("location") or "", address)
            if onward is None or not same_site(first, onward):
                raise Refused(f"{first} leads to another site, {onward or 'nowhere'}; add that address if it is yours")
            address = onward
        raise Refused(f"{first} leads on and on")

    async def _learn_robots(self, origin: str) -> None:
        """Read the site's wishes; without the file all is allowed, and with a server in trouble nothing."""
        try:
            text = await self._visitor.text(f"{origin}/robots.txt", limit=robots.LARGEST)
        except Retryable as error:
            raise Retryable(f"the site's robots.txt cannot be had: {error.detail[:300]}") from error
        self._robots = robots.read(text or "", AGENT)
        self._visitor.pace_s = max(self._limits.pace_s, min(self._robots.delay_s, self._limits.longest_pace_s))

    async def _named(self) -> list[str]:
        """Give the addresses the site's sitemaps name, as far as they belong to what we read."""
        waiting = deque(
            (place, 0)
            for place in dict.fromkeys([*self._robots.sitemaps, f"{self._scope.origin}/sitemap.xml"])
            if same_site(place, self._scope.origin)
        )
        asked: set[str] = set()
        named: dict[str, None] = {}
        whole = Scope(origin=self._scope.origin, path="/")
        while waiting and len(asked) < MOST_SITEMAPS and len(named) < self._limits.known:
            place, depth = waiting.popleft()
            address = whole.inside(place)
            if address is None or address in asked:
                continue
            asked.add(address)
            try:
                answer = await self._visitor.get(address, limit=sitemap.LARGEST // 4, seconds=60)
            except (Refused, Retryable):
                continue
            if answer.status != 200:
                continue
            further, inside = await self._aside(partial(self._read_sitemap, answer.body, address))
            waiting.extend((each, depth + 1) for each in further if depth < 2)
            named |= dict.fromkeys(inside)
        return list(named)[: self._limits.known]

    def _read_sitemap(self, body: bytes, address: str) -> tuple[tuple[str, ...], list[str]]:
        """Give the further sitemaps an index names, or the addresses a sitemap names that belong to what we read."""
        found = sitemap.read(body)
        if found is None:
            return (), []
        if found.is_index:
            return found.addresses[:MOST_SITEMAPS], []
        return (), [inside for each in found.addresses if (inside := self._scope.inside(each, address)) is not None]

    async def _ask(self, address: str) -> Response:
        limit, seconds = (self._limits.pdf_bytes, 60.0) if is_pdf(address) else (self._limits.html_bytes, 20.0)
        return await self._visitor.get(address, limit=limit, kinds=(*HTML, PDF), seconds=seconds)

    async def _read(self, address: str, depth: int, answer: Response) -> Page | None:
        """Make a page of an answer, or say why it is none."""
        if answer.status in REDIRECTS:
            onward = self._scope.inside(answer.header("location") or "", address)
            if onward is None:
                self._skipped["leading elsewhere"] += 1
            else:
                self._put(onward, depth)
            return None
        if answer.status != 200:
            self._skipped[{404: "gone", 410: "gone"}.get(answer.status, f"answered {answer.status}")] += 1
            return None
        kind = (answer.header("content-type") or "").partition(";")[0].strip().lower()
        told = hints.Hints()
        for name, value in answer.headers:
            if name.lower() == "x-robots-tag":
                hints.header(told, value, AGENT)
        if kind == PDF and told.index:
            return Page(url=address, is_pdf=True, content=answer.body)
        if kind not in HTML:
            self._skipped["not to be found (noindex)" if kind == PDF else "neither pages nor PDF"] += 1
            return None
        text = text_of(answer.body, answer.header("content-type") or "")
        found, links = await self._aside(partial(self._read_links, text, address))
        if told.follow and found.follow and depth < self._limits.depth:
            for link in links:
                if self._follow or is_pdf(link):  # sitemaps seldom name them
                    self._put(link, depth + 1)
        if not (told.index and found.index):
            self._skipped["not to be found (noindex)"] += 1
            return None
        proper = self._proper(address, found.canonical)
        return None if proper is None else Page(url=proper, content=text.encode("utf-8", "replace"))

    def _read_links(self, text: str, address: str) -> tuple[hints.Hints, list[str]]:
        """Read what a page says to programs, and which of its links stay within the site."""
        found = hints.read(text, AGENT)
        base = spelt(found.base, address) or address
        return found, [inside for link in found.links if (inside := self._scope.inside(link, base)) is not None]

    def _proper(self, address: str, canonical: str) -> str | None:
        """Give the address under which a page properly lives, or nothing where that one is read by itself.

        That every page lives at the entrance is a common mistake, and is not believed.
        """
        proper = self._scope.inside(canonical, address) if canonical else None
        if proper is None or proper in (address, f"{self._scope.origin}/", f"{self._scope.origin}{self._scope.path}"):
            return address
        if not self._robots.allows(proper):
            return address
        if proper in self._seen:
            self._skipped["copies"] += 1
            return None
        self._seen.add(proper)
        return proper

    def _put(self, address: str, depth: int) -> None:
        """Have an address read, once."""
        if address in self._seen:
            return
        if len(self._seen) >= self._limits.known:
            self._skipped["beyond what is held in mind"] += 1
            return
        self._seen.add(address)
        parts = urlsplit(address)
        if not may_be_read(address):
            self._skipped["neither pages nor PDF"] += 1
            return
        if not self._robots.allows(address):
            self._skipped["kept from programs by robots.txt"] += 1
            return
        if parts.query:
            self._faces[parts.path] += 1
            if self._faces[parts.path] > FACES:
                self._skipped["one path with too many queries"] += 1
                return
        self._waiting.append((address, depth))
