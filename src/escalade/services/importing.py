"""Read a source to its end, and keep what was found there.

What one document does wrong is that document's error, kept and shown; what was unchanged is not read again; what is
gone at its source is gone here, unless the source could not be read to its end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from escalade.domain.errors import EscaladeError, Invalid
from escalade.services import documents
from escalade.services.documents import ENDINGS, Form, Raw
from escalade.services.ports import Ports
from escalade.services.reach import Reach
from escalade.store import knowledge
from escalade.store.database import Database, Tx
from escalade.store.knowledge import Entry, Source

BATCH = 50  # documents a transaction

Progress = Callable[[int, int | None, str], None]


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
    texts: set[str] = field(default_factory=set)
    skipped: Counter[str] = field(default_factory=Counter)
    batch: list[Entry] = field(default_factory=list)
    added: int = 0
    replaced: int = 0
    unchanged: int = 0


class Importer:
    """Reads sources, one at a time for whoever asks."""

    def __init__(self, database: Database, ports: Ports, reach: Reach | None) -> None:
        self._db = database
        self._ports = ports
        self._reach = reach

    @property
    def reach(self) -> Reach:
        """Give the way to what lies elsewhere, where there is one."""
        if self._reach is None:
            raise Invalid("this command cannot reach a help centre or a site; connect Zendesk first")
        return self._reach

    async def read(self, source: Source, progress: Progress | None = None) -> Imported:
        """Read a source to its end.

        1. What is unchanged by its digest is only counted; the rest is read and cut off the event loop.
        2. Batches are written as they fill, so a stop half-way keeps what was read and the next reading goes on.
        3. Only after the end are the documents that are gone removed.
        """
        org = source.organisation
        tally = _Tally(known=await self._db.read(partial(knowledge.digests, organisation=org, source=source.id)))
        try:
            match source.kind:
                case "help_center":
                    await self._read_help_center(source, tally, progress)
                case "site":
                    await self._read_site(source, tally, progress)
                case _:
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
            skipped=dict(tally.skipped),
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

    async def _read_help_center(self, source: Source, tally: _Tally, progress: Progress | None) -> None:
        reader = await self.reach.help_center(source.organisation, source.location)
        done = 0
        async for article in reader.articles():
            title = article.title.encode("utf-8", "replace").decode()  # half a surrogate cannot be kept
            content = article.body.encode("utf-8", "replace")
            raw = Raw(source_id=article.id, title=title, url=article.url, content=content, form=Form.ARTICLE)
            await self._take(source, raw, tally)
            done += 1
            if progress:
                progress(done, reader.listed, article.title)
        tally.skipped.update(reader.skipped)

    async def _read_site(self, source: Source, tally: _Tally, progress: Progress | None) -> None:
        reader = self.reach.site(source.location)
        done = 0
        async for page in reader.pages():
            if page.passing and page.url in tally.known:
                tally.present.add(page.url)  # what was read of it before stays
                tally.skipped["without an answer today; what was read before is kept"] += 1
            else:
                form = Form.PDF if page.is_pdf else Form.PAGE
                raw = Raw(source_id=page.url, url=page.url, content=page.content, error=page.error, form=form)
                await self._take(source, raw, tally)
            done += 1
            if progress:
                progress(done, reader.listed, page.url)
        tally.skipped.update(reader.skipped)
        if not tally.present:
            told = ", ".join(f"{count} {why}" for why, count in tally.skipped.items()) or "it named none"
            raise Invalid(f"there is no page to read at {source.location} ({told})")

    async def _take(self, source: Source, raw: Raw, tally: _Tally) -> None:
        """Put a document where it belongs: unchanged, a copy of another, or into the batch."""
        before = tally.known.get(raw.source_id)
        id = f"doc_{self._ports.new_id()[:20]}"
        found: Entry | None = None
        if raw.form is Form.PAGE:  # what surrounds its text may change with every look
            found = await self._ports.aside(partial(documents.entry, id, raw))
            if found.passages:
                text = documents.text_digest(found)
                if text in tally.texts:
                    tally.skipped["copies of another page"] += 1
                    return
                tally.texts.add(text)
        digest = found.digest if found else documents.digest(raw)
        tally.present.add(raw.source_id)
        if before == digest:
            tally.unchanged += 1
            return
        tally.batch.append(await self._ports.aside(partial(documents.entry, id, raw)) if found is None else found)
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
