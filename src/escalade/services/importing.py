"""Read a source to its end, and keep what was found there.

What one document does wrong is that document's error, kept and shown; what was unchanged is not read again; what is
gone at its source is gone here, unless the source could not be read to its end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from escalade.domain.errors import EscaladeError, Invalid, Refused
from escalade.domain.model import Millis
from escalade.services import documents
from escalade.services.bookmark import MARGIN_S, Bookmark
from escalade.services.documents import ENDINGS, Form, Raw
from escalade.services.ports import Ports
from escalade.services.reach import Article, ArticleReader, Reach
from escalade.store import knowledge, readings
from escalade.store.database import Database, Tx
from escalade.store.knowledge import Entry, Source

BATCH = 50  # documents a transaction
MANY = 1000  # documents, after which the database counts what it has
TELL_MS = 1_000  # between two words about how far a reading is
CHANGES_EVERY_S = 3600.0  # a help centre is asked for changes, between two readings of the whole
AGAIN_S = 3600.0  # after a reading that failed

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
class _Reading:
    """What a reading has come to so far."""

    known: dict[str, str]
    bookmark: Bookmark
    progress: Progress | None = None
    told_at: Millis = 0
    done: int = 0
    only_changes: bool = False  # then what is not listed is still there
    gone: set[str] = field(default_factory=set)
    present: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)
    skipped: Counter[str] = field(default_factory=Counter)
    batch: list[Entry] = field(default_factory=list)
    added: int = 0
    replaced: int = 0
    unchanged: int = 0


class Importer:
    """Reads sources, one at a time for whoever asks. `every_s` is between two readings of the same source."""

    def __init__(self, database: Database, ports: Ports, reach: Reach | None, every_s: float) -> None:
        self._db = database
        self._ports = ports
        self._reach = reach
        self._every_s = every_s

    @property
    def reach(self) -> Reach:
        """Give the way to what lies elsewhere, where there is one."""
        if self._reach is None:
            raise Invalid("this command cannot reach a help centre or a site; connect Zendesk first")
        return self._reach

    async def read(self, source: Source, progress: Progress | None = None, *, whole: bool = True) -> Imported:
        """Read a source to its end; without `whole`, only what changed in a help centre, if it was read lately.

        1. What is unchanged by its digest is only counted; the rest is read and cut off the event loop.
        2. Batches are written as they fill, so a stop half-way keeps what was read and the next reading goes on.
        3. Only after the end are the documents that are gone removed.
        """
        org = source.organisation
        begin = partial(readings.begin, organisation=org, source=source.id, now=self._ports.now())
        bookmark = Bookmark.read(await self._db.write(begin))
        known = await self._db.read(partial(knowledge.digests, organisation=org, source=source.id))
        reading = _Reading(known=known, bookmark=bookmark, progress=progress)
        try:
            match source.kind:
                case "help_center":
                    await self._read_help_center(source, reading, whole=whole)
                case "site":
                    await self._read_site(source, reading)
                case _:
                    await self._read_files(source, reading)
            await self._flush(source, reading)
        except EscaladeError as error:
            await self._flush(source, reading)
            await self._db.write(partial(self._give_up, source, str(error)))
            raise
        except Exception as error:  # a bug of ours; the source says so, and is read again another time
            await self._db.write(partial(self._give_up, source, f"it could not be read ({type(error).__name__})"))
            raise
        removed, settled, failed, passages = await self._db.write(partial(self._settle, source, reading))
        if reading.added + reading.replaced >= MANY:
            await self._db.write(knowledge.take_stock)
        return Imported(
            source=settled,
            added=reading.added,
            replaced=reading.replaced,
            unchanged=reading.unchanged,
            removed=removed,
            passages=passages,
            failed=tuple(failed),
            skipped=dict(reading.skipped),
        )

    def _settle(self, source: Source, reading: _Reading, tx: Tx) -> tuple[int, Source, list[tuple[str, str]], int]:
        org, now = source.organisation, self._ports.now()
        if reading.only_changes:
            removed = knowledge.remove_documents(tx, org, source.id, reading.gone)
        else:
            removed = knowledge.remove_absent(tx, org, source.id, frozenset(reading.present))
        knowledge.settle_source(tx, org, source.id, at=now)
        every_s = min(self._every_s, CHANGES_EVERY_S) if source.kind == "help_center" else self._every_s
        readings.end(tx, org, source.id, due_at=self._in(every_s))
        if source.kind in documents.ELSEWHERE:
            readings.mark(tx, org, source.id, reading.bookmark.write())
        settled = next((it for it in knowledge.sources(tx, org) if it.id == source.id), source)
        passages = knowledge.count_passages(tx, org, source.id)
        return removed, settled, knowledge.failures(tx, org, source.id), passages

    def _give_up(self, source: Source, error: str, tx: Tx) -> None:
        knowledge.settle_source(tx, source.organisation, source.id, at=self._ports.now(), error=error)
        readings.end(tx, source.organisation, source.id, due_at=self._in(min(self._every_s, AGAIN_S)))

    def _in(self, seconds: float) -> Millis:
        """Say when it is so much later, more or less, so that not all sources fall due together."""
        return self._ports.now() + int(seconds * self._ports.jitter() * 1000)

    async def _read_files(self, source: Source, reading: _Reading) -> None:
        root = Path(source.location)
        found = await self._ports.aside(lambda: list(documents.files(root)))
        if not found:
            raise Invalid(f"there is no {ENDINGS} file at {root} any more; what was read before is kept")
        for path in found:
            raw = await self._ports.aside(partial(documents.read_raw, path, root))
            await self._take(source, raw, reading)
            await self._tell(source, reading, len(found), raw.source_id)

    async def _read_help_center(self, source: Source, reading: _Reading, *, whole: bool) -> None:
        """Read all articles, from where a reading was cut short, or those that changed since the last."""
        reader = await self.reach.help_center(source.organisation, source.location)
        mark, now = reading.bookmark, self._ports.wall()
        fresh = mark.whole_at is not None and now - mark.whole_at < self._every_s * 1000
        if not whole and fresh and mark.since_s is not None and mark.began_at is None:
            await self._read_changes(source, reading, reader, mark.since_s)
            return
        reading.bookmark = mark.begin(now)
        total = await reader.count()
        onward = reading.bookmark.onward
        try:
            await self._read_articles(source, reading, reader, total)
        except Refused:
            if not onward or reading.bookmark.onward != onward:
                raise
            reading.bookmark = reading.bookmark.turn("")  # the place to go on from is not known there any more
            await self._read_articles(source, reading, reader, total)

    async def _read_articles(self, source: Source, reading: _Reading, reader: ArticleReader, total: int | None) -> None:
        began_at = reading.bookmark.began_at
        assert began_at is not None
        if reading.bookmark.onward:
            seen = partial(readings.seen, organisation=source.organisation, source=source.id, reading=began_at)
            reading.present |= await self._db.read(seen)
            reading.done = len(reading.present)
        async for page in reader.pages(reading.bookmark.onward):
            for article in page.articles:
                await self._take(source, _raw(article), reading)
                await self._tell(source, reading, total, article.title)
            reading.bookmark = reading.bookmark.turn(page.onward)
            await self._flush(source, reading, seen=[article.id for article in page.articles])
        reading.bookmark = reading.bookmark.close()
        reading.skipped.update(reader.skipped)

    async def _read_changes(self, source: Source, reading: _Reading, reader: ArticleReader, since_s: int) -> None:
        reading.only_changes = True
        async for page in reader.changes(since_s):
            for article in page.articles:
                reading.gone.discard(article.id)
                await self._take(source, _raw(article), reading)
                await self._tell(source, reading, None, article.title)
            reading.gone.update(page.gone)
            # Their clock gave the moment; a change that shows late is found by the margin that the first one had.
            reading.bookmark = replace(reading.bookmark, since_s=max(since_s, int(page.onward) - MARGIN_S))
        reading.skipped.update(reader.skipped)

    async def _read_site(self, source: Source, reading: _Reading) -> None:
        """Read a site; of the pages its sitemap names, those seen by a reading that was cut short are not asked for."""
        reader = self.reach.site(source.location)
        began_at = self._ports.wall()
        reading.bookmark = reading.bookmark.begin(began_at)
        seen = partial(readings.seen, organisation=source.organisation, source=source.id)
        before = await self._db.read(partial(seen, reading=reading.bookmark.began_at or began_at))
        reading.present |= before
        fresh: list[str] = []
        async for page in reader.pages(before):
            if page.passing and page.url in reading.known:
                reading.present.add(page.url)  # what was read of it before stays
                reading.skipped["without an answer today; what was read before is kept"] += 1
            else:
                form = Form.PDF if page.is_pdf else Form.PAGE
                raw = Raw(source_id=page.url, url=page.url, content=page.content, error=page.error, form=form)
                await self._take(source, raw, reading)
                fresh += [] if page.passing else [page.url]
            if len(fresh) >= BATCH:
                await self._flush(source, reading, seen=fresh)
                fresh = []
            await self._tell(source, reading, reader.listed, page.url)
        reading.bookmark = Bookmark()
        reading.skipped.update(reader.skipped)
        if not reading.present:
            told = ", ".join(f"{count} {why}" for why, count in reading.skipped.items()) or "it named none"
            raise Invalid(f"there is no page to read at {source.location} ({told})")

    async def _take(self, source: Source, raw: Raw, reading: _Reading) -> None:
        """Put a document where it belongs: unchanged, a copy of another, or into the batch."""
        before = reading.known.get(raw.source_id)
        id = f"doc_{self._ports.new_id()[:20]}"
        found: Entry | None = None
        if raw.form is Form.PAGE:  # what surrounds its text may change with every look
            found = await self._ports.aside(partial(documents.entry, id, raw))
            if found.passages:
                text = documents.text_digest(found)
                if text in reading.texts:
                    reading.skipped["copies of another page"] += 1
                    return
                reading.texts.add(text)
        digest = found.digest if found else documents.digest(raw)
        reading.present.add(raw.source_id)
        if before == digest:
            reading.unchanged += 1
            return
        reading.batch.append(await self._ports.aside(partial(documents.entry, id, raw)) if found is None else found)
        if before is None:
            reading.added += 1
        else:
            reading.replaced += 1
        if len(reading.batch) >= BATCH:
            await self._flush(source, reading)

    async def _tell(self, source: Source, reading: _Reading, total: int | None, title: str) -> None:
        """Say how far the reading is: to whoever called at once, to everybody else now and then."""
        reading.done += 1
        if reading.progress:
            reading.progress(reading.done, total, title)
        now = self._ports.now()
        if now - reading.told_at >= TELL_MS:
            reading.told_at = now
            shown = title.replace("\0", " ").encode("utf-8", "replace").decode()
            await self._db.write(
                partial(
                    readings.progress,
                    organisation=source.organisation,
                    source=source.id,
                    now=now,
                    done=reading.done,
                    total=total,
                    title=shown,
                )
            )

    async def _flush(self, source: Source, reading: _Reading, seen: Sequence[str] = ()) -> None:
        """Write what was read; with the last of a page, also that the page was read and where to go on."""
        batch, reading.batch = reading.batch, []
        at, org, bookmark = self._ports.now(), source.organisation, reading.bookmark

        def put(tx: Tx) -> None:
            knowledge.put_documents(tx, org, source.id, batch, at=at)
            if seen and bookmark.began_at is not None:
                readings.see(tx, org, source.id, seen, reading=bookmark.began_at)
                readings.mark(tx, org, source.id, bookmark.write())

        if batch or seen:
            await self._db.write(put)


def _raw(article: Article) -> Raw:
    title = article.title.encode("utf-8", "replace").decode()  # half a surrogate cannot be kept
    content = article.body.encode("utf-8", "replace")
    return Raw(source_id=article.id, title=title, url=article.url, content=content, form=Form.ARTICLE)
