"""Looking back in the console, on both engines: what would have been otherwise, and the ticket; nothing changes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from escalade.app import hindsight_of
from escalade.assistant.answering import Assistant
from escalade.assistant.composer import Composer
from escalade.domain.effects import LaneName, OpenTicket
from escalade.domain.model import ConversationId, CustomerId, Reason, Role
from escalade.domain.organisation import AssistantSettings, Organisation
from escalade.services.errand import take_up
from escalade.services.hindsight import Change, Look, Seen
from escalade.store import organisations
from escalade.store.conversations import topic
from escalade.store.lanes import Lane
from tests.puppet import says as speaks
from tests.web.counter import ORGANISATION, OTHER, Counter, counter
from tests.web.operators import signed_in

ANSWERED, UNANSWERED = "How long does a refund take?", "Which roads lead to your refund office in Rome?"
TABLES = ("conversation", "message", "customer", "receipt", "delivery", "handoff", "audit", "lane", "attempt")


@pytest_asyncio.fixture
async def front(database_url: str, tmp_path: Path) -> AsyncIterator[Counter]:
    articles = tmp_path / "articles"
    articles.mkdir()
    (articles / "refunds.md").write_text("# Refunds\n\nA refund takes five days. It goes to the card you paid with.\n")
    (articles / "hours.md").write_text("# Opening hours\n\nWe are open from nine to five.\n")
    async with counter(tmp_path, url=database_url) as found:
        await found.product.library.add(ORGANISATION, str(articles))
        settings = {"rollout": {"mode": "tickets_only"}, "tickets": {"tags": ["from-chat"], "priority": "high"}}
        assert (await found.api("PATCH", "/settings", settings)).status == 200
        yield found


async def says(front: Counter, id: str, *texts: str, customer: str = "Mara") -> None:
    """Open a conversation in which a visitor writes, and let the assistant answer each message."""
    desk = front.product.desk
    lane = Lane(organisation=ORGANISATION, conversation=ConversationId(id), name=LaneName.ASSISTANT)
    person = {"id": f"v-{customer.split(maxsplit=1)[0]}", "name": customer, "email": "mara@example.com"}
    await desk.open_conversation(ORGANISATION, id=id, customer=person)
    for n, text in enumerate(texts):
        await desk.say(ORGANISATION, ConversationId(id), role=Role.CUSTOMER, text=text, id=f"{id}-{n}")
        assert await front.product.courier.step(lane)


async def ours(front: Counter) -> Organisation:
    found = await front.read(lambda tx: organisations.load(tx, ORGANISATION))
    assert found is not None
    return found


async def look(front: Counter, **settings: object) -> Look:
    organisation = await ours(front)
    chosen: AssistantSettings = replace(organisation.settings.assistant, **settings)  # type: ignore[arg-type]
    tried = replace(organisation, settings=replace(organisation.settings, assistant=chosen))
    return await hindsight_of(front.product).look(tried, 0, 10**15)


def of(found: Look, id: str) -> Seen:
    return next(one for one in found.seen if one.conversation.id == id)


async def test_by_the_settings_as_they_are_everything_would_be_as_it_was(front: Counter) -> None:
    await says(front, "answered", ANSWERED)
    await says(front, "unanswered", ANSWERED, UNANSWERED)
    await says(front, "asked", "I want to talk to a human")
    await says(front, "button", ANSWERED)
    await front.product.desk.escalate(ORGANISATION, ConversationId("button"), reason=Reason.ASKED_FOR_PERSON)
    before = await front.read(lambda tx: [tx.everywhere().all(f"SELECT * FROM {table}") for table in TABLES])
    found = await look(front)
    assert [one.change for one in found.seen] == [Change.SAME] * 4
    reasons = {one.conversation.id: one.would.reason if one.would else None for one in found.seen}
    assert reasons == {
        "answered": None,
        "unanswered": Reason.NO_ANSWER,
        "asked": Reason.ASKED_FOR_PERSON,
        "button": Reason.ASKED_FOR_PERSON,
    }
    after = await front.read(lambda tx: [tx.everywhere().all(f"SELECT * FROM {table}") for table in TABLES])
    assert [[dict(row) for row in rows] for rows in after] == [[dict(row) for row in rows] for rows in before]


async def test_other_settings_change_what_would_have_been_and_why(front: Counter) -> None:
    await says(front, "answered", ANSWERED)
    await says(front, "unanswered", UNANSWERED)
    stricter = await look(front, always_escalate_topics=("refund",))
    now = of(stricter, "answered")
    assert (now.change, now.happened) == (Change.NOW, None)
    assert now.would is not None
    assert (now.would.reason, now.would.evidence) == (Reason.TOPIC, "refund")
    assert now.ticket is not None
    assert now.ticket.subject == ANSWERED
    otherwise = of(stricter, "unanswered")
    assert otherwise.change is Change.OTHERWISE
    assert otherwise.happened is not None
    assert otherwise.happened.reason is Reason.NO_ANSWER
    looser = of(await look(front, minimum_confidence=0), "unanswered")
    assert (looser.change, looser.would, looser.ticket) == (Change.NO_LONGER, None, None)
    assert "A refund takes five days." in looser.answer
    assert stricter.count(Change.NOW) == 1


async def test_the_preview_is_the_ticket_that_was_made(front: Counter) -> None:
    """Compare it with what the courier would send for the handoff that is really owed."""
    await says(front, "unanswered", ANSWERED, f"{UNANSWERED} {{{{ticket.id}}}}")
    shown = of(await look(front), "unanswered").ticket
    assert shown is not None
    lane = Lane(organisation=ORGANISATION, conversation=ConversationId("unanswered"), name=LaneName.DESK)
    owed = await front.read(lambda tx: take_up(tx, lane, front.product.accounts, front.clock.now()))
    assert owed is not None
    assert isinstance(owed.job.effect, OpenTicket)
    sent = front.product.zendesk.freeze(owed.account, owed.job)
    assert sent is not None
    real, made = json.loads(sent)["ticket"], json.loads(shown.request)["ticket"]
    for one in (real, made):  # each handoff has an id of its own
        assert one.pop("external_id") == one["metadata"].pop("handoff")
    assert made == real
    assert shown.requester == "Mara <mara@example.com>"
    assert shown.tags == ("from-chat",)
    assert ("priority", "high") in shown.fields
    assert shown.subject == f"{UNANSWERED} {{{{ticket.id}}}}", "the words, not what makes them inert"
    assert f"Customer: {ANSWERED}\nAssistant (AI): A refund takes" in shown.notes[0]
    assert "Why it came to you: " in shown.notes[0]


async def test_a_model_that_is_asked_again_is_heard_by_nobody(front: Counter) -> None:
    """An answer of a model grows before the readers of its conversation; in hindsight there are none."""
    await says(front, "answered", ANSWERED)
    library, model = front.product.library, speaks("A refund takes five days. [1] More of it.")
    front.product.assistant = Assistant(library, Composer(model, library, 5.0))
    with front.product.bell.listen(("conversation", topic(ORGANISATION, "answered"))) as listener:
        seen = of(await look(front), "answered")
    assert len(model.asked) == 1
    assert seen.change is Change.SAME
    assert listener.draft is None


async def test_a_bot_of_ones_own_is_not_asked_about_the_past(front: Counter) -> None:
    await says(front, "answered", ANSWERED)
    secret = "a-secret-of-more-than-twenty-four-signs"
    bot = {"url": "https://bot.example.com/ask", "secret": secret}
    assert (await front.api("PATCH", "/settings", {"assistant": {"bot": bot}})).status == 200
    owner = await signed_in(front)
    page = (await owner.post("/hindsight", {"enabled": "on", "minimum_confidence": "90"}, 422)).body.decode()
    assert "Your own bot answers here, and it is not asked about the past" in page
    assert "Your own bot is asked" in await owner.get("/playground")


async def test_what_is_erased_or_another_organisations_is_not_looked_at(front: Counter) -> None:
    await says(front, "gone", UNANSWERED, customer="Gone")
    await says(front, "here", UNANSWERED)
    await front.handed_over("theirs", organisation=OTHER)
    await front.product.desk.open_conversation(ORGANISATION, id="silent")
    await front.product.customers.erase(ORGANISATION, CustomerId("v-Gone"), "test")
    assert [one.conversation.id for one in (await look(front)).seen] == ["here"]


async def test_the_page_looks_back_over_days_with_settings_that_are_not_saved(front: Counter) -> None:
    viewer = await signed_in(front, "viewer")
    page = await viewer.get("/hindsight")
    assert 'name="minimum_confidence" type="text" value="90"' in page
    today = datetime.fromtimestamp(front.clock.wall() / 1000, UTC).date()
    form = {
        "since": (today - timedelta(days=7)).isoformat(),
        "until": today.isoformat(),
        "enabled": "on",
        "minimum_confidence": "90",
        "languages": "en",
    }
    assert "No conversations in these days" in (await viewer.post("/hindsight", form)).body.decode()
    await says(front, "first", ANSWERED, customer="Mara <b>")
    page = (await viewer.post("/hindsight", form)).body.decode()
    assert "With the settings as they are" in page
    assert "Mara &lt;b&gt;" in page
    assert '<span class="badge quiet">As it was</span>' in page
    page = (await viewer.post("/hindsight", form | {"topics": "refund"})).body.decode()
    assert "With settings that are not saved" in page
    assert '<span class="badge person">Would go to a person</span>' in page
    assert f'<p class="preview-subject" dir="auto">{ANSWERED}</p>' in page
    before = (today - timedelta(days=3)).isoformat()
    page = (await viewer.post("/hindsight", form | {"until": before})).body.decode()
    assert "No conversations in these days" in page
    assert (await ours(front)).settings.assistant.always_escalate_topics == ()


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"since": "2026-02-30"}, "A day such as"),
        ({"since": "2999-01-01", "until": "2026-01-01"}, "The first day comes after the last"),
        ({"until": "9999-12-31"}, "A day of this century"),
        ({"minimum_confidence": "101"}, "A percentage from 0 to 100"),
    ],
)
async def test_days_and_settings_that_make_no_sense_are_refused(
    front: Counter, wrong: dict[str, str], why: str
) -> None:
    owner = await signed_in(front)
    page = (await owner.post("/hindsight", {"enabled": "on", "minimum_confidence": "90"} | wrong, 422)).body.decode()
    assert why in page
    assert next(iter(wrong.values())) in page


async def test_one_look_at_a_time(front: Counter) -> None:
    owner = await signed_in(front)
    form = {"enabled": "on", "minimum_confidence": "90"}
    with front.product.limits.hold(1, "looks back", ORGANISATION):
        await owner.post("/hindsight", form, 429)
    await owner.post("/hindsight", form)


async def test_the_ticket_settings_show_the_ticket_they_make(front: Counter) -> None:
    owner, developer = await signed_in(front), await signed_in(front, "developer")
    example = await owner.get("/escalate/tickets")
    assert "An example: nobody has written yet" in example
    assert "they have not said" not in example
    await says(front, "first", "My <stove> is broken")
    page = await owner.get("/escalate/tickets")
    assert '<p class="preview-subject" dir="auto">My &lt;stove&gt; is broken</p>' in page
    assert "<code>from-chat</code>" in page
    assert "Wants: My &lt;stove&gt; is broken" in page
    assert "they have not said" not in page, "what they want stands above it"
    assert "stove" not in await developer.get("/escalate/tickets"), "they may not read what customers write"
    shown = await owner.post("/escalate/tickets/preview", {"tags": "other-tag", "group_id_typed": "360001"})
    page = shown.body.decode()
    assert "which is not saved" in page
    assert "<code>other-tag</code>" in page
    assert '<dt>Group</dt><dd dir="auto">360001</dd>' in page
    assert (await ours(front)).settings.tickets.tags == ("from-chat",)
    refused = await owner.post("/escalate/tickets/preview", {"group_id_typed": "twelve"}, 422)
    assert "Expected a whole number" in refused.body.decode()
