"""Bring knowledge in, keep it in step with where it comes from, and search it.

`add` and `sync` return when everything can be found. What one document does wrong is that document's error, kept and
shown; what was unchanged is not read again; what is gone at its source is gone here, unless the source could not be
read to its end.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

from escalade.assistant.retrieval import Candidate, Passage, query_terms, rank
from escalade.domain.errors import EscaladeError, Invalid, NotFound
from escalade.domain.model import OrganisationId
from escalade.services import documents
from escalade.services.documents import ENDINGS, Raw
from escalade.services.ports import Ports
from escalade.store import knowledge, organisations
from escalade.store.database import Database, Tx
from escalade.store.knowledge import Entry, Found, Source

BATCH = 50  # documents a transaction
CANDIDATES = 120  # passages the index offers for a closer look

Progress = Callable[[int, int | None, str], None]


class Article(Protocol):
    """An article of a help centre, as its channel reads it."""

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


class ArticleReader(Protocol):
    """One reading of a help centre."""

    @property
    def listed(self) -> int:
        """Say how many articles were listed so far."""
        ...

    @property
    def skipped(self) -> dict[str, int]:
        """Say how many articles were passed over, and why."""
        ...

    def articles(self) -> AsyncIterator[Article]:
        """Give the articles."""
        ...


# Opens the help centre of an organisation: its own for "help-center", or the one at an address.
OpenHelpCenter = Callable[[OrganisationId, str], Awaitable[ArticleReader]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What one reading of a source changed; `error` says why it was not read to its end."""

    source: Source
    added: int = 0
    replaced: int = 0
    unchanged: int = 0
    removed: int = 0
    passages: int = 0
    error: str | None = None
    failed: tuple[tuple[str, str], ...] = ()  # documents without passages, and why
    skipped: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class _Tally:
    """What a reading has come to so far."""

    known: dict[str, str]
    present: set[str] = field(default_factory=set)
    batch: list[Entry] = field(default_factory=list)
    added: int = 0
    replaced: int = 0
    unchanged: int = 0


class Library:
    """The knowledge of every organisation in this deployment."""

    def __init__(self, database: Database, ports: Ports, *, open_help_center: OpenHelpCenter | None = None) -> None:
        self._db = database
        self._ports = ports
        self._open_help_center = open_help_center

    async def add(
        self,
        organisation: OrganisationId,
        location: str,
        *,
        open_help_center: OpenHelpCenter | None = None,
        progress: Progress | None = None,
    ) -> Imported:
        """Find out what a location is, import it, and return when it can be searched."""
        kind, place, title = await self._ports.aside(partial(documents.recognise, location))
        wanted = Source(
            id=f"src_{self._ports.new_id()[:20]}",
            organisation=organisation,
            kind=kind,
            location=place,
            title=title,
            created_at=self._ports.now(),
        )
        opener = open_help_center or self._open_help_center
        if kind == "help_center" and opener is None:
            raise Invalid("this command cannot reach a help centre; connect Zendesk first")
        source = await self._db.write(partial(knowledge.put_source, source=wanted))
        return await self._import(source, opener, progress)

    async def sync(
        self,
        organisation: OrganisationId,
        source: str | None = None,
        *,
        open_help_center: OpenHelpCenter | None = None,
        progress: Progress | None = None,
    ) -> list[Imported]:
        """Read one source again, or all of them; what goes wrong with one is told and does not stop the next."""
        opener = open_help_center or self._open_help_center
        read: list[Imported] = []
        for chosen in await self._chosen(organisation, source):
            try:
                read.append(await self._import(chosen, opener, progress))
            except EscaladeError as error:
                read.append(Imported(source=chosen, error=str(error)))
        return read

    async def organisation(self, name_or_id: str) -> OrganisationId:
        """Give the organisation of that name or id."""
        found = await self._db.read(partial(organisations.named, name_or_id=name_or_id))
        if found is None:
            raise NotFound(
                f"--org {name_or_id}: no organisation of that id or name; create one with `escalade org create`"
            )
        return found.id

    async def sources(self, organisation: OrganisationId) -> list[Source]:
        """Give an organisation's sources, oldest first."""
        return await self._db.read(partial(knowledge.sources, organisation=organisation))

    async def failures(self, organisation: OrganisationId, source: str) -> list[tuple[str, str]]:
        """Give a source's documents that could not be read, and why."""
        return await self._db.read(partial(knowledge.failures, organisation=organisation, source=source))

    async def remove(self, organisation: OrganisationId, source: str) -> Source:
        """Forget a source, named by id or location, with everything from it."""
        (chosen,) = await self._chosen(organisation, source)
        await self._db.write(partial(knowledge.remove_source, organisation=organisation, source=chosen.id))
        return chosen

    async def search(self, organisation: OrganisationId, text: str, limit: int) -> list[Passage]:
        """Give the passages that speak to a text, best first."""
        terms = query_terms(text)
        if not terms:
            return []
        groups = [(term.word, *term.alternatives) for term in terms]
        work = partial(knowledge.search, organisation=organisation, groups=groups, limit=CANDIDATES)
        found: Found = await self._db.read(work)
        candidates = [
            Candidate(
                document=hit.document,
                source_id=hit.source_id,
                title=hit.title,
                url=hit.url,
                heading=hit.heading,
                text=hit.text,
                lead=hit.lead,
            )
            for hit in found.hits
        ]
        ranked = partial(rank, terms, candidates, total=found.total, frequencies=found.frequencies, limit=limit)
        return await self._ports.aside(ranked)

    # importing

    async def _chosen(self, organisation: OrganisationId, source: str | None) -> list[Source]:
        kept = await self.sources(organisation)
        if source is None:
            return kept
        place = source if source.startswith("src_") else await self._ports.aside(partial(documents.place, source))
        chosen = [it for it in kept if source == it.id or it.location in (source, place)]
        if not chosen:
            raise NotFound(f"there is no source {source!r}; `escalade knowledge list` shows what there is")
        return chosen[:1]

    async def _import(self, source: Source, opener: OpenHelpCenter | None, progress: Progress | None) -> Imported:
        """Read a source to its end.

        1. What is unchanged by its digest is only counted; the rest is read and cut off the event loop.
        2. Batches are written as they fill, so a stop half-way keeps what was read and the next sync goes on.
        3. Only after the end are the documents that are gone removed.
        """
        org = source.organisation
        tally = _Tally(known=await self._db.read(partial(knowledge.digests, organisation=org, source=source.id)))
        skipped: dict[str, int] = {}
        try:
            if source.kind == "help_center":
                if opener is None:
                    raise Invalid("this command cannot reach a help centre; connect Zendesk first")
                skipped = await self._read_help_center(source, await opener(org, source.location), tally, progress)
            else:
                await self._read_files(source, tally, progress)
            await self._flush(source, tally)
        except EscaladeError as error:
            await self._flush(source, tally)
            await self._db.write(
                partial(
                    knowledge.settle_source, organisation=org, source=source.id, at=self._ports.now(), error=str(error)
                )
            )
            raise
        removed, settled, failed, passages = await self._db.write(partial(self._settle, source, tally.present))
        return Imported(
            source=settled,
            added=tally.added,
            replaced=tally.replaced,
            unchanged=tally.unchanged,
            removed=removed,
            passages=passages,
            failed=tuple(failed),
            skipped=skipped,
        )

    def _settle(self, source: Source, present: set[str], tx: Tx) -> tuple[int, Source, list[tuple[str, str]], int]:
        org = source.organisation
        removed = knowledge.remove_absent(tx, org, source.id, frozenset(present))
        knowledge.settle_source(tx, org, source.id, at=self._ports.now())
        settled = next((it for it in knowledge.sources(tx, org) if it.id == source.id), source)
        passages = knowledge.count_passages(tx, org, source.id)
        return removed, settled, knowledge.failures(tx, org, source.id), passages

    async def _read_files(self, source: Source, tally: _Tally, progress: Progress | None) -> None:
        root = Path(source.location)
        found = await self._ports.aside(lambda: list(documents.files(root)))
        if not found:
            raise Invalid(f"there is no {ENDINGS} file at {root} any more; what was read before is kept")
        for done, path in enumerate(found, 1):
            raw = await self._ports.aside(partial(documents.read_raw, path, root))
            await self._take(source, raw, tally)
            if progress:
                progress(done, len(found), raw.source_id)

    async def _read_help_center(
        self, source: Source, reader: ArticleReader, tally: _Tally, progress: Progress | None
    ) -> dict[str, int]:
        done = 0
        async for article in reader.articles():
            title = article.title.encode("utf-8", "replace").decode()  # half a surrogate cannot be kept
            content = article.body.encode("utf-8", "replace")
            raw = Raw(source_id=article.id, title=title, url=article.url, content=content)
            await self._take(source, raw, tally)
            done += 1
            if progress:
                progress(done, reader.listed, article.title)
        return reader.skipped

    async def _take(self, source: Source, raw: Raw, tally: _Tally) -> None:
        """Put a document where it belongs: unchanged, or into the batch."""
        tally.present.add(raw.source_id)
        digest = documents.digest(raw)
        before = tally.known.get(raw.source_id)
        if before == digest:
            tally.unchanged += 1
            return
        id = f"doc_{self._ports.new_id()[:20]}"
        is_article = source.kind == "help_center"
        tally.batch.append(await self._ports.aside(partial(documents.entry, id, raw, digest, article=is_article)))
        if before is None:
            tally.added += 1
        else:
            tally.replaced += 1
        if len(tally.batch) >= BATCH:
            await self._flush(source, tally)

    async def _flush(self, source: Source, tally: _Tally) -> None:
        batch, tally.batch = tally.batch, []
        at = self._ports.now()

        def put(tx: Tx) -> None:
            for entry in batch:
                knowledge.put_document(tx, source.organisation, source.id, entry, at=at)

        if batch:
            await self._db.write(put)
