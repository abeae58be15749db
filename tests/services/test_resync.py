"""Sources are read again on their turn, a reading that was cut short goes on, and how far one is can be seen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from escalade.domain.errors import Retryable
from escalade.domain.model import OrganisationId
from escalade.services.bell import Bell
from escalade.services.bookmark import Bookmark
from escalade.services.library import Library
from escalade.services.ports import Ports
from escalade.services.resync import Resync
from escalade.store import readings
from escalade.store.database import ServedDatabase

from .elsewhere import ACME, NOON, ZEBRA, ArticlePage, Elsewhere, Reader, an_article


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "refunds.html").write_text("<h1>Refunds</h1><p>Money comes back in five days.</p>")
    (folder / "hours.txt").write_text("Opening hours\n\nWe are open from nine to five.")
    return folder


async def titles(library: Library, text: str, organisation: OrganisationId = ACME) -> list[str]:
    return [passage.title for passage in await library.search(organisation, text, 10)]


SECOND, HOUR = 1000, 3600_000


class Moving:
    """A clock a test sets."""

    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> int:
        return self.at


@pytest.fixture
def clock() -> Moving:
    return Moving()


def at_work(database: ServedDatabase, clock: Moving, reader: Reader, *, by_schedule: bool = True) -> Resync:
    """Give the part of a server that reads what is due."""
    ports = Ports(now=clock, wall=clock, jitter=lambda: 1.0)
    return Resync(database, Bell(), ports, Library(database, ports, reach=Elsewhere(reader)), by_schedule=by_schedule)


async def test_a_reading_that_was_cut_short_goes_on_where_it_was(database: ServedDatabase) -> None:
    broken, rest = Reader(170, breaks_after=100), Reader(170)
    with pytest.raises(Retryable):
        await Library(database, Ports(now=lambda: NOON), reach=Elsewhere(broken)).add(ACME, "help-center")
    shown: list[tuple[int, int | None, str]] = []
    library = Library(database, Ports(now=lambda: NOON), reach=Elsewhere(rest))
    (imported,) = await library.sync(ACME, progress=lambda *step: shown.append(step))
    assert rest.asked == ["101"], "the first hundred are not asked for again"
    assert (imported.added, imported.removed, imported.source.documents) == (70, 0, 169)
    assert (shown[0][:2], shown[-1]) == ((101, 170), (170, 170, "Article 170"))
    (again,) = await library.sync(ACME)
    assert (rest.asked[1:], again.unchanged) == ([""], 170)


async def test_a_place_that_is_not_known_any_more_is_no_place_to_go_on(database: ServedDatabase) -> None:
    whole = Reader(60)
    library = Library(database, Ports(now=lambda: NOON, wall=lambda: NOON), reach=Elsewhere(whole))
    source = (await library.add(ACME, "help-center")).source
    lost = Bookmark(began_at=NOON - HOUR, onward="lost").write()
    await database.write(partial(readings.mark, organisation=ACME, source=source.id, bookmark=lost))
    (again,) = await library.sync(ACME)
    assert (whole.asked, again.unchanged, again.removed, again.error) == (["", "lost", ""], 60, 0, None)
    stale = Bookmark(began_at=NOON - 25 * HOUR, onward="51").write()
    await database.write(partial(readings.mark, organisation=ACME, source=source.id, bookmark=stale))
    await library.sync(ACME)
    assert whole.asked[3:] == [""], "the list has changed too much in a day"


async def test_between_two_whole_readings_only_changes_are_asked_for(database: ServedDatabase, clock: Moving) -> None:
    later = NOON // SECOND + 1800
    page = ArticlePage(
        articles=(an_article(7, "Now with vouchers."), an_article(121)), gone=frozenset({"8", "999"}), onward=str(later)
    )
    reader = Reader(120, changed=page)
    library = Library(database, Ports(now=clock, wall=clock, jitter=lambda: 1.0), reach=Elsewhere(reader))
    await library.add(ACME, "help-center")
    resync = at_work(database, clock, reader)
    assert not await resync.read_one(), "nothing is due"
    clock.at += HOUR
    assert await resync.read_one()
    assert reader.asked == ["", NOON // SECOND - 3600]
    assert await titles(library, "vouchers") == ["Article 7"]
    assert await titles(library, "word121x") == ["Article 121"]
    assert await titles(library, "word8x") == [], "it may not be shown any more"
    assert await titles(library, "word77x") == ["Article 77"], "what is not listed has not changed"
    (source,) = await library.sources(ACME)
    assert (source.documents, source.synced_at, source.due_at) == (119, clock.at, clock.at + HOUR)
    clock.at += 23 * HOUR
    assert await resync.read_one()
    assert reader.asked[2:] == [""], "a whole reading a day sees what was deleted"
    assert await titles(library, "word121x") == []


async def test_sources_are_read_again_one_at_a_time_when_they_are_due(
    database: ServedDatabase, clock: Moving, folder: Path
) -> None:
    library = Library(database, Ports(now=clock, jitter=lambda: 1.0))
    acme = (await library.add(ACME, str(folder))).source
    clock.at += SECOND
    await library.add(ZEBRA, str(folder / "refunds.html"))
    resync = at_work(database, clock, Reader(0))
    (folder / "refunds.html").write_text("<h1>Refunds</h1><p>Vouchers instead of money.</p>")
    assert not await resync.read_one()
    clock.at += 24 * HOUR
    assert await resync.read_one()
    assert (await titles(library, "vouchers"), await titles(library, "vouchers", ZEBRA)) == (["Refunds"], [])
    assert await resync.read_one()
    assert await titles(library, "vouchers", ZEBRA) == ["Refunds"]
    assert not await resync.read_one()

    for path in (*folder.rglob("*.md"), *folder.rglob("*.html"), *folder.rglob("*.txt")):
        path.unlink()
    clock.at += 24 * HOUR
    assert [await resync.read_one() for _ in range(3)] == [True, True, False]
    (source,) = await library.sources(ACME)
    assert source.error is not None
    assert (source.due_at, source.reading_at) == (clock.at + HOUR, None), "what failed is tried again sooner"
    assert await titles(library, "vouchers") == ["Refunds"]
    assert acme.id == source.id


async def test_what_an_operator_wants_comes_first_and_without_a_schedule_nothing_else(
    database: ServedDatabase, clock: Moving, folder: Path
) -> None:
    library = Library(database, Ports(now=clock, jitter=lambda: 1.0))
    await library.add(ACME, str(folder))
    theirs = (await library.add(ZEBRA, str(folder / "refunds.html"))).source
    clock.at += 48 * HOUR
    resync = at_work(database, clock, Reader(0), by_schedule=False)
    assert not await resync.read_one()
    assert not await database.write(partial(readings.want, organisation=ACME, source=theirs.id, now=clock.at))
    assert not await resync.read_one(), "another's source cannot be asked for"
    assert await database.write(partial(readings.want, organisation=ZEBRA, source=theirs.id, now=clock.at))
    assert await resync.read_one()
    assert (await library.sources(ZEBRA))[0].synced_at == clock.at
    assert not await resync.read_one()


async def test_a_source_that_somebody_reads_is_left_to_them_until_they_are_silent(
    database: ServedDatabase, clock: Moving, folder: Path
) -> None:
    library = Library(database, Ports(now=clock, jitter=lambda: 1.0))
    source = (await library.add(ACME, str(folder))).source
    clock.at += 25 * HOUR
    await database.write(partial(readings.begin, organisation=ACME, source=source.id, now=clock.at))
    resync = at_work(database, clock, Reader(0))
    assert not await resync.read_one()
    clock.at += 6 * 60 * SECOND
    assert await resync.read_one()


class Watched(Reader):
    """A help centre that looks, after each of its pages, how far it is said to be."""

    def __init__(self, count: int, library: Library, clock: Moving) -> None:
        super().__init__(count)
        self.library, self.clock = library, clock
        self.seen: list[tuple[int | None, int | None, str | None]] = []

    async def pages(self, onward: str = "") -> AsyncIterator[ArticlePage]:
        async for page in super().pages(onward):
            yield page
            self.clock.at += 2 * SECOND
            (source,) = await self.library.sources(ACME)
            assert source.reading_at is not None
            self.seen.append((source.reading_done, source.reading_total, source.reading_title))


async def test_how_far_a_reading_is_can_be_seen_while_it_goes_on(database: ServedDatabase, clock: Moving) -> None:
    ports = Ports(now=clock)
    reader = Watched(120, Library(database, ports), clock)
    library = Library(database, ports, reach=Elsewhere(reader))
    imported = await library.add(ACME, "help-center")
    assert reader.seen == [(1, 120, "Article 1"), (51, 120, "Article 51"), (101, 120, "Article 101")]
    assert imported.source.reading_at is None
