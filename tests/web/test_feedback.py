"""What customers find of answers: given by a button, kept with the message, shown where articles are looked after."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from escalade.domain.effects import LaneName
from escalade.domain.model import ConversationId, CustomerId
from escalade.services.usefulness import Usefulness, usefulness
from escalade.store.lanes import Lane
from escalade.web.limits import FEEDBACK
from tests.web.counter import ORGANISATION, OTHER, Answer, Counter, counter
from tests.web.operators import signed_in
from tests.web.test_widget import ID, MESSAGE, Browser

ANSWER = f"answer-{MESSAGE}"


@pytest_asyncio.fixture
async def front(database_url: str, tmp_path: Path) -> AsyncIterator[Counter]:
    articles = tmp_path / "articles"
    articles.mkdir()
    (articles / "refunds.md").write_text("# Refunds\n\nA refund takes five days. It goes to the card you paid with.\n")
    (articles / "gift-cards.md").write_text(
        "# Gift cards\n\nA gift card is valid for two years. It cannot be cashed.\n"
    )
    async with counter(tmp_path, url=database_url) as found:
        await found.product.library.add(ORGANISATION, str(articles))
        yield found


@pytest_asyncio.fixture
async def noor(front: Counter) -> Browser:
    browser = await Browser.of(front)
    assert (await browser.opens()).status == 201
    await answered(front, browser, "How long does a refund take?")
    return browser


async def answered(front: Counter, browser: Browser, text: str, id: str = MESSAGE, conversation: str = ID) -> None:
    """Let a visitor ask, and the assistant answer."""
    assert (await browser.says(text, id, conversation)).status == 201
    lane = Lane(organisation=ORGANISATION, conversation=ConversationId(conversation), name=LaneName.ASSISTANT)
    assert await front.product.courier.step(lane)
    assert (await front.messages(conversation))[-1].id == f"answer-{id}"


async def rate(browser: Browser, feedback: Any, message: str = ANSWER, conversation: str = ID) -> Answer:
    return await browser.call(
        "POST", f"/conversations/{conversation}/messages/{message}/feedback", {"feedback": feedback}
    )


async def shown(browser: Browser) -> list[Any]:
    page = (await browser.call("GET", f"/conversations/{ID}/messages")).json
    return [message.get("feedback", "no such field") for message in page["messages"]]


async def found(front: Counter, since: int = 0) -> Usefulness:
    return await usefulness(front.product.database, ORGANISATION, since)


async def test_it_is_given_changed_taken_back_and_the_same_twice_is_the_same(front: Counter, noor: Browser) -> None:
    assert await shown(noor) == ["no such field", None]
    before = await front.conversation(ID)
    for feedback in ("helpful", "helpful", "not_helpful", None, None, "helpful"):
        told = await rate(noor, feedback)
        assert (told.status, told.json) == (200, {"id": ANSWER, "feedback": feedback})
        assert await shown(noor) == ["no such field", feedback]
    assert await front.conversation(ID) == before, "it is no message, and moves nothing"
    assert len(await front.messages(ID)) == 2


async def test_the_same_twice_writes_once(front: Counter, noor: Browser) -> None:
    await rate(noor, "helpful")
    at = await front.read(lambda tx: tx.everywhere().value("SELECT max(feedback_at) FROM message"))
    front.clock.passes(60)
    await rate(noor, "helpful")
    assert await front.read(lambda tx: tx.everywhere().value("SELECT max(feedback_at) FROM message")) == at


@pytest.mark.parametrize(
    "body",
    [{}, *({"feedback": value} for value in ("great", "", True, 1, ["helpful"])), {"feedback": "helpful", "seq": 1}],
)
async def test_what_is_no_feedback_is_refused_at_both_doors(front: Counter, noor: Browser, body: Any) -> None:
    path = f"/conversations/{ID}/messages/{ANSWER}/feedback"
    for told in (await noor.call("POST", path, body), await front.api("POST", path, body)):
        assert (told.status, told.problem) == (422, "validation")
    assert await shown(noor) == ["no such field", None]


async def test_only_an_answer_takes_it_and_only_from_whose_chat_it_is(front: Counter, noor: Browser) -> None:
    own = await rate(noor, "helpful", MESSAGE)
    assert (own.status, own.problem, own.json["code"]) == (422, "validation", "not_an_answer")
    assert (await rate(noor, "helpful", "answer-of-nobody")).status == 404
    stranger = await Browser.of(front)
    assert (await rate(stranger, "helpful")).status == 404
    assert (await stranger.opens("conversation-0002")).status == 201
    assert (await rate(stranger, "helpful", ANSWER, "conversation-0002")).status == 404
    path = f"/conversations/{ID}/messages/{ANSWER}/feedback"
    assert (await front.api("POST", path, {"feedback": "helpful"}, key="ek_2")).status == 404
    assert await shown(noor) == ["no such field", None]


async def test_it_comes_as_often_as_anybody_changes_their_mind(front: Counter, noor: Browser) -> None:
    told = [await rate(noor, "helpful") for _ in range(FEEDBACK.times + 1)]
    assert [one.status for one in told] == [200] * FEEDBACK.times + [429]
    assert told[-1].problem == "rate-limited"
    assert (await noor.says("And a gift card?", "message-00000002")).status == 201, "writing has a measure of its own"


async def test_the_developer_api_gives_and_shows_it(front: Counter, noor: Browser) -> None:
    path = f"/conversations/{ID}/messages"
    told = await front.api("POST", f"{path}/{ANSWER}/feedback", {"feedback": "not_helpful"})
    assert (told.status, told.json) == (200, {"id": ANSWER, "feedback": "not_helpful"})
    page = (await front.api("GET", path)).json
    assert page["messages"][1]["feedback"] == "not_helpful"
    later = (await front.api("GET", f"{path}?after=2")).json
    assert (later["messages"], later["feedback"]) == ([], [{"id": ANSWER, "feedback": "not_helpful"}])


async def test_a_stream_tells_it_and_whoever_comes_later(front: Counter, noor: Browser) -> None:
    path = f"/widget/v1/conversations/{ID}/events"
    async with front.stream(f"{path}?after=0", noor.headers[:1]) as stream:
        await stream.take("conversation")
        for feedback in ("helpful", None):
            await rate(noor, feedback)
            assert await stream.take("feedback") == {"id": ANSWER, "feedback": feedback}
    async with front.stream(f"{path}?after=2", noor.headers[:1]) as stream:
        assert await stream.take("feedback") == {"id": ANSWER, "feedback": None}, "it was taken back meanwhile"


async def test_it_is_exported_and_goes_with_its_customer(front: Counter, noor: Browser) -> None:
    await rate(noor, "not_helpful")
    customer = (await front.conversation(ID)).customer.id
    exported = (await front.api("GET", f"/customers/{customer}/export")).json
    assert [message["feedback"] for message in exported["conversations"][0]["messages"]] == [None, "not_helpful"]
    assert (await found(front)).not_helpful == 1
    await front.product.customers.erase(ORGANISATION, CustomerId(customer), "test")
    rated = "SELECT count(*) FROM message WHERE feedback_at IS NOT NULL"
    assert await front.read(lambda tx: tx.everywhere().value(rated)) == 0
    assert (await found(front)) == Usefulness(helpful=0, not_helpful=0, articles=(), others=0, unhelpful=())


async def test_each_article_is_counted_and_what_did_not_help_stands_with_its_question(
    front: Counter, noor: Browser
) -> None:
    await answered(front, noor, "How long is a gift card valid?", "message-00000002")
    await answered(front, noor, "Where does a refund go?", "message-00000003")
    await rate(noor, "helpful")
    front.clock.passes(10)
    await rate(noor, "not_helpful", "answer-message-00000002")
    await rate(noor, "helpful", "answer-message-00000003")
    useful = await found(front)
    assert (useful.helpful, useful.not_helpful, useful.others) == (2, 1, 0)
    assert [(one.title, one.helpful, one.not_helpful) for one in useful.articles] == [
        ("Gift cards", 0, 1),
        ("Refunds", 2, 0),
    ]
    (unhelpful,) = useful.unhelpful
    assert unhelpful.question == "How long is a gift card valid?"
    assert [cited.title for cited in unhelpful.answer.citations] == ["Gift cards"]
    assert (await found(front, front.clock.now() + 1)).articles == ()
    assert (await usefulness(front.product.database, OTHER, 0)).articles == ()


async def test_the_page_of_gaps_and_the_conversation_show_it(front: Counter, noor: Browser) -> None:
    viewer = await signed_in(front, "viewer")
    assert "What customers found" not in await viewer.get("/gaps")
    await answered(front, noor, "How long is a <b>gift card</b> valid?", "message-00000002")
    await rate(noor, "not_helpful", "answer-message-00000002")
    page = await viewer.get("/gaps?days=7")
    assert "What customers found of the answers" in page
    assert "How long is a &lt;b&gt;gift card&lt;/b&gt; valid?" in page
    assert f'href="/console/conversations/{ID}"' in page
    assert "Found not helpful" in await viewer.get(f"/conversations/{ID}")
