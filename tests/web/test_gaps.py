"""Gaps in the console, on both engines: what went to people for want of an answer, and only what is still kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from escalade.domain.effects import LaneName
from escalade.domain.model import ConversationId, CustomerId, OrganisationId, Reason, Role
from escalade.services.gaps import Gaps, Lacking
from escalade.services.vectors import Vectors
from escalade.store.lanes import Lane
from tests.embeddings import encoder
from tests.web.counter import ORGANISATION, OTHER, Counter, counter
from tests.web.operators import signed_in

DAY_MS = 24 * 3600_000


@pytest_asyncio.fixture
async def front(database_url: str, tmp_path: Path) -> AsyncIterator[Counter]:
    articles = tmp_path / "articles"
    articles.mkdir()
    (articles / "refunds.md").write_text("# Refunds\n\nA refund takes five days. It goes to the card you paid with.\n")
    async with counter(tmp_path, url=database_url) as found:
        await found.product.library.add(ORGANISATION, str(articles))
        yield found


async def asks(front: Counter, id: str, *texts: str, organisation: OrganisationId = ORGANISATION) -> None:
    """Let a visitor of their own ask, and the assistant consider it."""
    desk = front.product.desk
    lane = Lane(organisation=organisation, conversation=ConversationId(id), name=LaneName.ASSISTANT)
    await desk.open_conversation(organisation, id=id, customer={"id": f"v-{id}", "name": id})
    for n, text in enumerate(texts):
        await desk.say(organisation, ConversationId(id), role=Role.CUSTOMER, text=text, id=f"{id}-{n}")
        assert await front.product.courier.step(lane)


async def lacking(front: Counter, since: int = 0) -> Lacking:
    product = front.product
    return await Gaps(product.database, product.ports, product.library, product.vectors).of(ORGANISATION, since)


async def test_questions_that_are_alike_come_together_the_most_wanted_first(front: Counter) -> None:
    await asks(front, "a", "Do you rent canoes?")
    for n, text in enumerate(("Do you sell gift cards?", "can I buy a gift card", "Do you sell gift cards?")):
        await asks(front, f"gift-{n}", text)
    await asks(front, "answered", "How long does a refund take?")
    await asks(front, "asked", "I want to talk to a human")
    found = await lacking(front)
    assert [len(gap.questions) for gap in found.gaps] == [3, 1]
    gifts, canoes = found.gaps
    assert {one.text for one in gifts.examples} == {"Do you sell gift cards?", "can I buy a gift card"}
    assert gifts.missing[:1] == ("gift",)
    assert canoes.missing == ("rent", "canoes")
    assert (found.questions, found.others, found.by_meaning) == (4, 0, False)


async def test_by_meaning_each_question_is_read_once(front: Counter) -> None:
    model = encoder()
    await asks(front, "a", "How do I get a visa?")
    await asks(front, "b", "Getting visas: how?")
    product = front.product
    vectors = Vectors(product.database, product.ports, lambda: model)
    gaps = Gaps(product.database, product.ports, product.library, vectors)
    found = await gaps.of(ORGANISATION, 0)
    assert found.by_meaning
    assert [len(gap.questions) for gap in found.gaps] == [2]
    read = dict(gaps._known)
    await asks(front, "c", "Do you rent canoes?")
    assert [len(gap.questions) for gap in (await gaps.of(ORGANISATION, 0)).gaps] == [2, 1]
    assert len(gaps._known) == 3
    assert all(gaps._known[name] is row for name, row in read.items())


async def test_an_answer_that_did_not_help_leaves_the_question_it_was_to(front: Counter) -> None:
    await asks(front, "a", "How long does a refund take?", "That did not help", "That was not helpful")
    (gap,) = (await lacking(front)).gaps
    assert [one.text for one in gap.questions] == ["How long does a refund take?"]
    handoff = (await front.conversation("a")).handoff
    assert handoff is not None
    assert handoff.reason is Reason.UNHELPFUL
    assert gap.nearest is not None
    assert gap.nearest.title == "Refunds"
    assert gap.confidence >= 90


async def test_who_is_erased_vanishes_and_so_does_what_was_long_ago(front: Counter) -> None:
    await asks(front, "gone", "Do you rent canoes?")
    await asks(front, "here", "Do you sell gift cards?")
    await front.product.customers.erase(ORGANISATION, CustomerId("v-gone"), "test")
    assert [gap.questions[0].text for gap in (await lacking(front)).gaps] == ["Do you sell gift cards?"]
    assert (await lacking(front, front.clock.now() + 1)).gaps == ()


async def test_the_page_shows_them_with_the_nearest_article_and_a_way_to_try_again(front: Counter) -> None:
    viewer = await signed_in(front, "viewer")
    assert "No gaps in these days" in await viewer.get("/gaps")
    await asks(front, "a", "Can I pay <b>cash</b> at the harbour?")
    await asks(front, "theirs", "Do you sell violet boots?", organisation=OTHER)
    page = await viewer.get("/gaps?days=7")
    assert "Can I pay &lt;b&gt;cash&lt;/b&gt; at the harbour?" in page
    assert 'href="/console/conversations/a"' in page
    assert "Asked once" in page
    assert "1 question, put together" in page
    assert "violet" not in page
    assert '<a href="/console/gaps?days=7" aria-current="page">' in page
    assert '<a href="/console/gaps?days=30" aria-current="page">' in await viewer.get("/gaps?days=12")
    tried = await viewer.post("/playground", {"text": "Can I pay cash at the harbour?"})
    assert "The assistant had no answer" in tried.body.decode()
