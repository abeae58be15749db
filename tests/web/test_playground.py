"""The playground shows what a customer would read and why, on both engines, and nothing comes of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import pytest
import pytest_asyncio

from escalade.assistant.answering import Assistant
from escalade.assistant.question import Turn
from escalade.assistant.retrieval import Passage
from escalade.domain import policy as words
from escalade.domain.model import OrganisationId, Reason, Role
from escalade.services.trial import Trial
from escalade.store import organisations
from escalade.web.console.playground import LONGEST_TURNS, read_turns, written
from escalade.web.limits import TRIALS
from tests.web.counter import ORGANISATION, OTHER, Counter, counter
from tests.web.operators import SignedIn, signed_in

TABLES = ("conversation", "message", "customer", "receipt", "delivery", "handoff", "audit")


@pytest_asyncio.fixture
async def front(database_url: str, tmp_path: Path) -> AsyncIterator[Counter]:
    articles = tmp_path / "articles"
    articles.mkdir()
    (articles / "refunds.md").write_text("# Refunds\n\nA refund takes five days. It goes to the card you paid with.\n")
    (articles / "hours.md").write_text("# Opening hours\n\nWe are open from nine to five.\n")
    async with counter(tmp_path, url=database_url) as found:
        await found.product.library.add(ORGANISATION, str(articles))
        yield found


@pytest_asyncio.fixture
async def viewer(front: Counter) -> SignedIn:
    return await signed_in(front, "viewer")


async def rows(front: Counter) -> list[int]:
    return await front.read(lambda tx: [tx.everywhere().value(f"SELECT count(*) FROM {table}") for table in TABLES])


async def test_an_answer_is_shown_with_its_sources_passages_and_confidence(front: Counter, viewer: SignedIn) -> None:
    before = await rows(front)
    assert "Ask as a customer would" in await viewer.get("/playground")
    page = (await viewer.post("/playground", {"text": "How long does a refund take?"})).body.decode()
    assert "A refund takes five days." in page
    assert '<span class="badge machine">Answered</span>' in page
    assert ">Refunds</" in page
    assert "and 90 % is demanded" in page
    assert "What was found, best first" in page
    assert "refunds.md" in page
    assert await rows(front) == before


async def test_who_is_handed_over_is_told_the_words_of_the_switchboard(front: Counter, viewer: SignedIn) -> None:
    page = (await viewer.post("/playground", {"text": "I want to talk to a human"})).body.decode()
    assert words.ASKED_LIVE in page
    assert "The customer asked for a person" in page
    await front.api("PATCH", "/settings", {"rollout": {"mode": "tickets_only"}})
    page = (await viewer.post("/playground", {"text": "Do you sell <b>bread</b>?"})).body.decode()
    assert words.ASKED_TICKET in page
    assert "The assistant had no answer" in page
    assert "Do you sell &lt;b&gt;bread&lt;/b&gt;?" in page
    await front.api("PATCH", "/settings", {"rollout": {"mode": "off"}})
    page = (await viewer.post("/playground", {"text": "Do you sell bread?"})).body.decode()
    assert words.NOT_CONNECTED in page


async def test_what_was_said_before_counts_and_can_be_gone_on_from(front: Counter, viewer: SignedIn) -> None:
    alone = (await viewer.post("/playground", {"text": "That did not help"})).body.decode()
    assert "The answers did not help" not in alone
    first = (await viewer.post("/playground", {"text": "How long does a refund take?", "locale": "de"})).body.decode()
    after = first.partition('name="turns" value="')[2].partition('"')[0]
    assert after.startswith("Customer: How long does a refund take?\nAssistant: A refund takes")
    going_on = (await viewer.post("/playground", {"turns": after, "then": "go-on", "locale": "de"})).body.decode()
    assert f"{after}</textarea>" in going_on
    assert 'value="de"' in going_on
    once = (await viewer.post("/playground", {"text": "That did not help", "turns": after})).body.decode()
    assert "The answers did not help" not in once
    after = once.partition('name="turns" value="')[2].partition('"')[0]
    page = (await viewer.post("/playground", {"text": "It still did not help", "turns": unescape(after)})).body.decode()
    assert "The answers did not help" in page


class _Burnt:
    """A library that cannot be read."""

    async def search(self, organisation: OrganisationId, text: str, limit: int) -> list[Passage]:
        raise OSError("no such shelf")


async def test_an_assistant_that_fails_is_shown_as_one(front: Counter) -> None:
    ours = await front.read(lambda tx: organisations.load(tx, ORGANISATION))
    assert ours is not None
    tried = await Trial(Assistant(_Burnt()), front.product.ports).ask(ours, "How long does a refund take?")
    assert (tried.verdict.reason, tried.verdict.evidence) == (
        Reason.ERROR,
        "the knowledge could not be searched (OSError)",
    )
    assert tried.reads == (words.ASKED_LIVE,)


@pytest.mark.parametrize(
    ("form", "pointer"),
    [
        ({"text": ""}, "text"),
        ({"text": "a" * 4001}, "text"),
        ({"text": "Hello", "turns": "a" * (LONGEST_TURNS + 1)}, "turns"),
        ({"text": "Hello", "locale": "x" * 36}, "locale"),
    ],
)
async def test_what_is_too_long_or_empty_is_refused_beside_its_field(
    viewer: SignedIn, form: dict[str, str], pointer: str
) -> None:
    page = (await viewer.post("/playground", form, 422)).body.decode()
    assert f'id="f-{pointer}-error"' in page
    assert form["text"] in page


async def test_an_organisation_may_try_so_many_questions_and_another_as_many(front: Counter, viewer: SignedIn) -> None:
    for _ in range(TRIALS.times):
        front.product.limits.take(TRIALS, OTHER)
    await viewer.post("/playground", {"text": "Hello"})
    for _ in range(TRIALS.times - 1):
        front.product.limits.take(TRIALS, ORGANISATION)
    answer = await viewer.post("/playground", {"text": "Hello"}, 429)
    assert int(answer.headers["retry-after"]) > 0


def test_turns_are_read_as_they_are_written() -> None:
    turns = [
        Turn(role=Role.CUSTOMER, text="My parcel\nhas not come."),
        Turn(role=Role.ASSISTANT, text="It takes two days."),
        Turn(role=Role.AGENT, text="I am looking."),
    ]
    assert read_turns(written(turns)) == turns
    assert read_turns("Where is it?\nASSISTANT:  Here.\n\nCustomer:") == [
        Turn(role=Role.CUSTOMER, text="Where is it?"),
        Turn(role=Role.ASSISTANT, text="Here."),
    ]
    many = [Turn(role=Role.CUSTOMER, text=str(n) * 4000) for n in range(6)]
    assert len(written(many)) <= LONGEST_TURNS
    assert read_turns(written(many)) == many[-3:]
