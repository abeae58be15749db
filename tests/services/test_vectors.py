"""What means the same is found without a word in common; without a model words alone serve."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import pytest

from escalade.assistant.answering import Assistant
from escalade.assistant.question import Question
from escalade.domain.model import OrganisationId
from escalade.services.library import Library
from escalade.services.ports import Ports
from escalade.services.vectors import Vectors
from escalade.store import vectors
from escalade.store.database import ServedDatabase
from tests.embeddings import encoder

ACME, ZEBRA = OrganisationId("org_acme"), OrganisationId("org_zebra")
QUESTION = "when will I be reimbursed?"


@pytest.fixture
def meaning(database: ServedDatabase) -> Vectors:
    return Vectors(database, Ports(), encoder)


@pytest.fixture
def library(database: ServedDatabase, meaning: Vectors) -> Library:
    return Library(database, Ports(), meaning=meaning)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "money.md").write_text("# Money back\n\nYour bank shows the sum within five days.\n")
    (folder / "hours.md").write_text("# Opening hours\n\nWe are here from nine to five.\n")
    return folder


async def found(library: Library, organisation: OrganisationId = ACME) -> list[str]:
    return [passage.source_id for passage in await library.search(organisation, QUESTION, 5)]


async def test_what_means_it_is_found_once_it_was_read(library: Library, meaning: Vectors, folder: Path) -> None:
    await library.add(ACME, str(folder))
    assert await found(library) == []  # no word in common, and nothing read yet
    assert await library.read_by_meaning(ACME) == (0, 2)
    assert await meaning.fill(ACME) == 2
    assert await library.read_by_meaning(ACME) == (2, 2)
    assert await meaning.fill(ACME) == 0
    meaning._matrices.clear()
    assert (await found(library))[0] == "money.md"


async def test_a_server_reads_what_every_organisation_knows(library: Library, meaning: Vectors, folder: Path) -> None:
    for organisation in (ACME, ZEBRA):
        await library.add(organisation, str(folder))
    reading = asyncio.create_task(meaning.run())
    try:
        async with asyncio.timeout(30):
            while [await library.read_by_meaning(one) for one in (ACME, ZEBRA)] != [(2, 2), (2, 2)]:
                assert not reading.done()
                await asyncio.sleep(0.05)
    finally:
        reading.cancel()


async def test_nobody_finds_what_another_organisation_knows(library: Library, meaning: Vectors, folder: Path) -> None:
    await library.add(ACME, str(folder))
    await meaning.fill(ACME)
    assert await found(library, ZEBRA) == []


async def test_while_a_part_is_unread_words_alone_order(library: Library, meaning: Vectors, folder: Path) -> None:
    await library.add(ACME, str(folder))
    await meaning.fill(ACME)
    (folder / "refunds.md").write_text("# Refunds\n\nYou will be reimbursed by us when it is back.\n")
    await library.add(ACME, str(folder))
    passages = await library.search(ACME, QUESTION, 5)
    assert passages[0].source_id == "refunds.md"
    assert passages[0].likeness is None


async def test_what_is_changed_or_removed_takes_its_vectors_with_it(
    library: Library, meaning: Vectors, database: ServedDatabase, folder: Path
) -> None:
    await library.add(ACME, str(folder))
    await meaning.fill(ACME)
    before = await database.read(partial(vectors.state, organisation=ACME, model=encoder().name))
    (folder / "money.md").write_text("# Money back\n\nIt takes a week.\n")
    (folder / "hours.md").unlink()
    await library.sync(ACME)
    assert (await database.read(partial(vectors.state, organisation=ACME, model=encoder().name)))[0] == 0
    await meaning.fill(ACME)
    after = await database.read(partial(vectors.state, organisation=ACME, model=encoder().name))
    assert (before[0], after[0]) == (2, 1)
    assert after[1] > before[1]  # a number is never given twice


async def test_without_a_model_words_alone_serve(database: ServedDatabase, folder: Path) -> None:
    library = Library(database, Ports())
    await library.add(ACME, str(folder))
    assert await library.read_for_meaning(ACME) is None
    assert await library.read_by_meaning(ACME) is None
    (passage,) = await library.search(ACME, "opening hours", 5)
    assert passage.source_id == "hours.md"
    assert passage.likeness is None


async def test_the_answer_is_the_sentence_that_means_it(library: Library, meaning: Vectors, folder: Path) -> None:
    (folder / "money.md").write_text(
        "# Money back\n\nKeep the slip.\n\n## When\n\nYour bank shows the refund within five days.\n\n"
        "## Where\n\nIt goes to the card you used.\n"
    )
    await library.add(ACME, str(folder))
    await meaning.fill(ACME)
    verdict = await Assistant(library).consider(Question(organisation=ACME, text=QUESTION))
    assert verdict.passages[0].source_id == "money.md"
    assert verdict.decision == "escalate" or "within five days" in verdict.text
