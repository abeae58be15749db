"""Knowledge comes in once, follows its source, and never crosses from one organisation to another."""

from __future__ import annotations

import asyncio
import functools
import tempfile
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from escalade.channels.http import Outbound
from escalade.domain.errors import Invalid, NotFound, Retryable
from escalade.domain.model import OrganisationId
from escalade.services.library import Library
from escalade.services.ports import Ports
from escalade.store import fulltext, knowledge
from escalade.store.database import ServedDatabase, Tx
from escalade.store.engines import open_database
from tests.engines import blank_url, indexed
from tests.pdfs import a_pdf
from tests.website import website

from .elsewhere import ACME, NOON, ZEBRA, Elsewhere, Reader


@pytest.fixture
def library(database: ServedDatabase) -> Library:
    return Library(database, Ports(now=lambda: NOON))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "articles"
    (folder / "orders").mkdir(parents=True)
    (folder / "orders" / "cancel.md").write_text("# Cancel an order\n\nOpen your orders and cancel.\n")
    (folder / "refunds.html").write_text("<h1>Refunds</h1><p>Money comes back in five days.</p>")
    (folder / "hours.txt").write_text("Opening hours\n\nWe are open from nine to five.")
    (folder / "photo.jpg").write_bytes(b"\xff\xd8")
    (folder / ".hidden.md").write_text("# Secret\n\nNothing here is public.")
    return folder


async def titles(library: Library, text: str, organisation: OrganisationId = ACME) -> list[str]:
    return [passage.title for passage in await library.search(organisation, text, 10)]


async def test_a_folder_can_be_searched_when_add_returns(library: Library, folder: Path) -> None:
    shown: list[tuple[int, int | None, str]] = []
    imported = await library.add(ACME, str(folder), progress=lambda *step: shown.append(step))
    assert (imported.added, imported.source.documents, imported.failed) == (3, 3, ())
    assert (imported.source.kind, imported.source.synced_at) == ("folder", NOON)
    assert shown == [(1, 3, "hours.txt"), (2, 3, "refunds.html"), (3, 3, "orders/cancel.md")]
    (passage, *_) = await library.search(ACME, "how do I cancel an order", 5)
    assert (passage.source_id, passage.title, passage.url) == ("orders/cancel.md", "Cancel an order", None)
    assert await titles(library, "public secret") == []


async def test_one_file_is_a_source_of_its_own(library: Library, folder: Path) -> None:
    imported = await library.add(ACME, str(folder / "refunds.html"))
    assert (imported.source.kind, imported.source.documents) == ("file", 1)
    assert (await library.search(ACME, "refunds", 1))[0].source_id == "refunds.html"


async def test_what_is_unchanged_is_not_read_again_and_what_changed_is(library: Library, folder: Path) -> None:
    first = await library.add(ACME, str(folder))
    (folder / "refunds.html").write_text("<h1>Refunds</h1><p>Vouchers instead of money.</p>")
    second = await library.add(ACME, str(folder) + "/")
    assert second.source.id == first.source.id
    assert (second.added, second.replaced, second.unchanged, second.removed) == (0, 1, 2, 0)
    assert await titles(library, "vouchers") == ["Refunds"]
    assert await titles(library, "days") == []
    assert len(await library.sources(ACME)) == 1


async def test_what_is_gone_at_its_source_is_gone_here(
    library: Library, folder: Path, database: ServedDatabase
) -> None:
    await library.add(ACME, str(folder))
    (folder / "orders" / "cancel.md").unlink()
    (imported,) = await library.sync(ACME)
    assert (imported.removed, imported.source.documents) == (1, 2)
    assert await titles(library, "cancel order") == []
    assert await database.read(indexed) == 2


async def test_a_source_that_cannot_be_read_keeps_what_it_had(library: Library, folder: Path) -> None:
    await library.add(ACME, str(folder))
    for path in (*folder.rglob("*.md"), *folder.rglob("*.html"), *folder.rglob("*.txt")):
        path.unlink()
    (imported,) = await library.sync(ACME)
    assert imported.error is not None
    assert await titles(library, "refunds") == ["Refunds"]
    (source,) = await library.sources(ACME)
    assert source.error == imported.error


async def test_a_document_that_cannot_be_read_says_why_and_stops_nothing(library: Library, folder: Path) -> None:
    (folder / "empty.md").write_text("")
    (folder / "binary.txt").write_bytes(b"\0\0\0")
    outside = folder.parent / "outside.md"
    outside.write_text("# Outside\n\nNot ours.")
    (folder / "link.md").symlink_to(outside)
    imported = await library.add(ACME, str(folder))
    assert dict(imported.failed) == {
        "binary.txt": "it is not text",
        "empty.md": "it has no text",
        "link.md": "it is a link that leads out of the folder",
    }
    assert imported.source.documents == 3
    assert await library.failures(ACME, imported.source.id) == list(imported.failed)
    assert await titles(library, "outside") == []
    (folder / "empty.md").write_text("# No longer empty\n\nIt has text.")
    (again,) = await library.sync(ACME)
    assert (again.replaced, again.unchanged, again.source.documents) == (1, 5, 4)


def _count(tx: Tx, table: str) -> int:
    return int(tx.everywhere().value(f"SELECT count(*) FROM {table}"))


async def test_a_removed_source_is_forgotten_whole(library: Library, folder: Path, database: ServedDatabase) -> None:
    imported = await library.add(ACME, str(folder))
    await library.add(ZEBRA, str(folder))
    assert (await library.remove(ACME, str(folder))).id == imported.source.id
    assert await library.sources(ACME) == []
    assert await titles(library, "refunds") == []
    assert await titles(library, "refunds", ZEBRA) == ["Refunds"]
    for table in ("knowledge_passage", "knowledge_document"):
        assert await database.read(partial(_count, table=table)) == 3
    assert await database.read(indexed) == 3
    with pytest.raises(NotFound, match="no source"):
        await library.remove(ACME, imported.source.id)


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("nowhere", "nothing at"),
        ("", "name a folder"),
        ("\0", "name a folder"),
        ("ftp://host/x", "not a web address"),
        ("help-center", "connect Zendesk"),
        ("https://acme.zendesk.com", "connect Zendesk"),
    ],
)
async def test_a_wrong_place_is_one_sentence_with_the_fix(library: Library, location: str, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        await library.add(ACME, location)
    assert await library.sources(ACME) == []


async def test_a_folder_without_articles_and_a_file_of_another_kind_say_what_is_read(
    library: Library, tmp_path: Path
) -> None:
    with pytest.raises(Invalid, match=r"\.md"):
        await library.add(ACME, str(tmp_path))
    (tmp_path / "a.docx").write_bytes(b"x")
    with pytest.raises(Invalid, match="cannot be read"):
        await library.add(ACME, str(tmp_path / "a.docx"))


# organisations


async def test_no_organisation_finds_what_is_another_s(library: Library, folder: Path, tmp_path: Path) -> None:
    await library.add(ACME, str(folder))
    other = tmp_path / "other"
    other.mkdir()
    (other / "refunds.md").write_text("# Refunds of Zebra\n\nZebra pays refunds in stripes.")
    await library.add(ZEBRA, str(other))
    assert await titles(library, "refunds") == ["Refunds"]
    assert await titles(library, "refunds", ZEBRA) == ["Refunds of Zebra"]
    assert await titles(library, "stripes zebra cancel") == ["Cancel an order"]
    near = [OrganisationId(name) for name in ("org_acm", "org_acme_2", "ORG_ACME", "org", "acme", "", "*", '"')]
    for organisation in near:
        assert await titles(library, "refunds", organisation) == []


async def test_the_word_that_keeps_organisations_apart_cannot_be_asked_for(
    library: Library, folder: Path, tmp_path: Path
) -> None:
    await library.add(ACME, str(folder))
    word = fulltext._tenant_word(ACME)
    for text in (word, f"organisation:{word}", f'" OR organisation : "{word}"', "organisation refunds"):
        found = await library.search(ZEBRA, text, 10)
        assert found == []
    assert await titles(library, word) == []


async def test_a_document_cannot_be_put_into_another_s_source(
    library: Library, folder: Path, database: ServedDatabase
) -> None:
    imported = await library.add(ACME, str(folder))
    entry = knowledge.Entry(id="d", source_id="x.md", title="T", url=None, digest="d", passages=(("", "stolen"),))
    await database.write(lambda tx: knowledge.put_documents(tx, ZEBRA, imported.source.id, [entry], at=NOON))
    await database.write(lambda tx: knowledge.remove_source(tx, ZEBRA, imported.source.id))
    assert await titles(library, "stolen", ZEBRA) == []
    assert len(await library.sources(ACME)) == 1


# hostile questions

HOSTILE = (
    '"', '""', "'", "NEAR(", "NEAR(refunds, 5)", "refunds*", "*", "AND", "OR OR", "NOT refunds", "title:refunds",
    "{title} : refunds", "^refunds", "refunds + cancel", "(", ")))", "-refunds", "\0", "refunds\0cancel",
    "; DROP TABLE x",
    "😀😀", "\ud800", "%s %(x)s :x", ":organisation", "refunds" * 1500, "refunds " * 1500, "é" * 10_000, "\n\t", "",
    "a" * 10_000, "١٢٣", "你好 世界", "ß ſ K", "--", "/* */", "\\",
)  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:24])
async def test_no_text_is_an_operator(library: Library, folder: Path, text: str) -> None:
    await library.add(ACME, str(folder))
    for passage in await library.search(ACME, text, 5):
        assert passage.title in {"Refunds", "Cancel an order", "Opening hours"}


@functools.cache
def _property_database(engine: str) -> str:
    """Give a database that all examples share."""
    return blank_url(engine, Path(tempfile.mkdtemp(prefix="escalade-property-")))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=300), words=st.lists(st.text(max_size=20), max_size=8))
def test_no_text_makes_search_raise(
    engine: str, tmp_path_factory: pytest.TempPathFactory, text: str, words: list[str]
) -> None:
    url = _property_database(engine)

    async def search() -> None:
        database = open_database(url)
        database.start()
        try:
            article = tmp_path_factory.getbasetemp() / "article.md"
            if not article.exists():
                article.write_text("# Refunds\n\nMoney comes back.")
                await Library(database, Ports(now=lambda: NOON)).add(ACME, str(article))
            await Library(database, Ports(now=lambda: NOON)).search(ACME, f"{text} refunds", 5)
            await database.read(lambda tx: knowledge.search(tx, ACME, [words, [text], ["refunds"]], 5))
        finally:
            await database.close()

    asyncio.run(search())


# help centres


async def test_a_help_center_is_imported_with_its_addresses(database: ServedDatabase) -> None:
    library = Library(database, Ports(now=lambda: NOON), reach=Elsewhere(Reader(120)))
    imported = await library.add(ACME, "help-center")
    assert (imported.added, imported.source.documents, imported.skipped) == (120, 119, {"drafts": 2})
    assert imported.failed == (("5", "it has no text"),)
    (passage,) = await library.search(ACME, "word77x", 5)
    assert (passage.source_id, passage.url, passage.heading) == ("77", "https://help.example/77", "Topic")


async def test_a_help_center_that_breaks_off_loses_nothing(database: ServedDatabase) -> None:
    whole = Library(database, Ports(now=lambda: NOON), reach=Elsewhere(Reader(120)))
    await whole.add(ACME, "help-center")
    broken = Library(database, Ports(now=lambda: NOON), reach=Elsewhere(Reader(120, breaks_after=0)))
    (imported,) = await broken.sync(ACME)
    assert imported.error == "Zendesk does not answer"
    assert await titles(broken, "word77x") == ["Article 77"]
    smaller = Library(database, Ports(now=lambda: NOON), reach=Elsewhere(Reader(60)))
    (imported,) = await smaller.sync(ACME)
    assert (imported.removed, imported.unchanged, imported.error) == (60, 60, None)
    assert await titles(smaller, "word77x") == []


# web sites


@pytest.fixture
async def outbound() -> AsyncIterator[Outbound]:
    found = Outbound(allow_http_loopback=True)
    yield found
    await found.close()


async def test_a_site_is_imported_page_by_page_and_followed(database: ServedDatabase, outbound: Outbound) -> None:
    library = Library(database, Ports(now=lambda: NOON), reach=Elsewhere(Reader(0), outbound))
    with website() as site:
        site.page("/", "Welcome to the shop.", "/refunds", "/refunds?print=1", "/down", "/manual.pdf")
        site.page("/refunds", "Money comes back in five days.")
        site.page("/refunds?print=1", "Money comes back in five days.")
        site.put("/manual.pdf", a_pdf(["Press the red button."]), "application/pdf")
        site.page("/down", "Vouchers never end.")
        imported = await library.add(ACME, site.url + "/")
        assert (imported.source.kind, imported.source.location) == ("site", site.url)
        assert (imported.added, imported.failed) == (4, ())
        assert imported.skipped == {"copies of another page": 1}
        assert await titles(library, "button") == ["manual"]
        (passage,) = await library.search(ACME, "money days", 5)
        assert (passage.source_id, passage.url) == (f"{site.url}/refunds", f"{site.url}/refunds")

        site.page(
            "/", "Welcome to the shop.", "/refunds", "/down", "/new", "/manual.pdf", head="<script>look = 2</script>"
        )
        site.page("/refunds", "Money comes back in six weeks.")
        site.page("/new", "Gifts are wrapped.")
        site.put("/down", status=503)
        (again,) = await library.sync(ACME)
        assert (again.added, again.replaced, again.unchanged, again.removed, again.error) == (1, 1, 2, 0, None)
        assert again.skipped == {"without an answer today; what was read before is kept": 1}
        assert len(await titles(library, "vouchers")) == 1
        assert await titles(library, "days") == []

        site.page("/", "Welcome to the shop.", "/refunds")
        (smaller,) = await library.sync(ACME)
        assert smaller.removed == 3

        site.put("/robots.txt", "User-agent: *\nDisallow: /")
        (closed,) = await library.sync(ACME)
        assert closed.error is not None
        assert "robots.txt asks" in closed.error
        assert len(await titles(library, "weeks")) == 1, "what was read before is kept"


async def test_a_site_whose_reading_was_cut_short_goes_on(database: ServedDatabase, outbound: Outbound) -> None:
    library = Library(database, Ports(now=lambda: NOON), reach=Elsewhere(Reader(0), outbound))
    with website() as site:
        named = "".join(f"<url><loc>{{url}}/page{number}</loc></url>" for number in range(1, 71))
        site.put("/sitemap.xml", f"<urlset>{named}</urlset>", "text/xml")
        site.page("/", "Welcome.")
        for number in range(1, 71):
            site.page(f"/page{number}", f"About word{number}x.")
            if number > 60 or number == 3:
                site.put(f"/page{number}", status=500)
        with pytest.raises(Retryable):
            await library.add(ACME, site.url)
        assert len(await titles(library, "word50x")) == 1, "what was read is there"
        for number in (3, *range(61, 71)):
            site.page(f"/page{number}", f"About word{number}x.")
        site.asked.clear()
        (rest,) = await library.sync(ACME)
        assert {f"/page{number}" for number in range(1, 51)} & set(site.asked) == {"/page3"}
        assert (rest.added, rest.removed, rest.source.documents) == (3, 0, 70)
        site.asked.clear()
        (again,) = await library.sync(ACME)
        assert again.unchanged == 70, "the next reading is of the whole again"


async def test_a_site_without_a_page_says_what_was_there(database: ServedDatabase, outbound: Outbound) -> None:
    library = Library(database, Ports(now=lambda: NOON), reach=Elsewhere(Reader(0), outbound))
    with website() as site:
        site.put("/", "{}", "application/json")
        with pytest.raises(Invalid, match=r"no page to read .*1 neither pages nor PDF"):
            await library.add(ACME, site.url)
