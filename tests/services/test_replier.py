"""The assistant's turn in a conversation: what was over does not lead to people again, and nothing is said twice."""

from __future__ import annotations

import pytest

from escalade.assistant import again
from escalade.assistant.answering import Assistant
from escalade.assistant.retrieval import Passage
from escalade.domain import policy as words
from escalade.domain.briefing import ASK_WHAT, brief
from escalade.domain.events import DeskSaid, Released, SessionEnded
from escalade.domain.model import Ending, MessageId, OrganisationId, Reason, Role
from escalade.services.replier import AssistantReplier
from tests.backstage import INES, Backstage, Customer

ARTICLE = "You can cancel an order yourself while it is new."


class Shelf:
    """Knowledge of one sentence, found whatever is asked of orders; anything else breaks it."""

    async def search(self, organisation: OrganisationId, text: str, limit: int) -> list[Passage]:
        if "order" not in text:
            raise OSError("the shelf fell over")
        return [
            Passage(
                document="doc_1",
                source_id="cancel.md",
                title="Cancel an order",
                url=None,
                heading="Cancel an order",
                text=ARTICLE,
                score=1.0,
                coverage=1.0,
                focus=1.0,
                matched=(("order", 1.0), ("cancel", 1.0)),
            )
        ]


async def begun(stage: Backstage) -> Customer:
    """Open a conversation with an assistant that knows one article."""
    stage.courier._sender._replier = AssistantReplier(
        stage.database, stage.ports, Assistant(Shelf()), stage.desk._staffed
    )
    return await stage.open()


async def says(stage: Backstage, customer: Customer, *texts: str) -> None:
    for text in texts:
        await customer.says(text)
        await stage.drain()


async def test_after_a_handback_what_was_said_before_leads_nobody_to_people_again(stage: Backstage) -> None:
    customer = await begun(stage)
    await says(stage, customer, "How do I cancel an order?", "That did not help", "still not helpful")
    handoff = (await customer.conversation()).open_handoff
    assert handoff is not None
    assert (handoff.reason, handoff.evidence) == (Reason.UNHELPFUL, "That did not help”, then “still not helpful")
    said = DeskSaid(handoff=handoff.id, id=MessageId("a-1"), role=Role.AGENT, text=f"{ARTICLE} [1]", agent=INES)
    await customer.happens(said)
    await says(stage, customer, "that does not help me", "fed up with this, how do I cancel an order")
    await customer.happens(SessionEnded(handoff=handoff.id, ending=Ending.BY_AGENT))
    await says(stage, customer, "How do I cancel an order?")
    assert (await customer.transcript(Role.ASSISTANT))[-1] == f"{ARTICLE} [1]"
    await says(stage, customer, "That did not help")
    assert (await customer.transcript(Role.ASSISTANT))[-1] == again.sorry("en")
    assert (await customer.conversation()).open_handoff is None


async def test_the_assistant_never_says_the_same_twice_running(stage: Backstage) -> None:
    customer = await begun(stage)
    await says(stage, customer, "How do I cancel an order?", "cancel order how")
    assert await customer.transcript(Role.ASSISTANT) == [f"{ARTICLE} [1]", again.above("Cancel an order", "en")]
    await says(stage, customer, "can an order be cancelled")
    handoff = (await customer.conversation()).open_handoff
    assert handoff is not None
    assert (handoff.reason, handoff.evidence) == (Reason.LOOP, "the same answer a third time: Cancel an order")
    await customer.happens(Released())
    await says(stage, customer, "How do I cancel an order?")
    assert (await customer.transcript(Role.ASSISTANT))[-1] == f"{ARTICLE} [1]"


async def test_anger_is_kept_with_the_handoff_in_the_customers_words(stage: Backstage) -> None:
    customer = await begun(stage)
    await says(stage, customer, "My order is late again. This is ridiculous!")
    handoff = (await customer.conversation()).open_handoff
    assert handoff is not None
    assert (handoff.reason, handoff.evidence) == (Reason.FRUSTRATION, "This is ridiculous")


@pytest.mark.parametrize(
    ("texts", "reason", "want", "words"),
    [
        (
            [
                "How do I cancel an order?",
                "this is useless!!",
                "You lot are the worst company I have ever dealt with!!",
            ],
            Reason.FRUSTRATION,
            "How do I cancel an order?",
            ("You lot are the worst company I have ever dealt with!!",),
        ),
        (
            ["Hello", "My order 4711 arrived broken, can I cancel the order?", "thanks", "let me talk to a human"],
            Reason.ASKED_FOR_PERSON,
            "My order 4711 arrived broken, can I cancel the order?",
            (),
        ),
        (
            ["How do I cancel an order?", "That did not help", "still not helpful"],
            Reason.UNHELPFUL,
            "How do I cancel an order?",
            (),
        ),
        (
            ["How do I cancel an order?", "the order was a gift and cannot be returned, get me a person"],
            Reason.ASKED_FOR_PERSON,
            "the order was a gift and cannot be returned, get me a person",
            ("How do I cancel an order?",),
        ),
        (["Hello", "je veux parler à un conseiller"], Reason.ASKED_FOR_PERSON, "je veux parler à un conseiller", ()),
    ],
)
async def test_an_agent_reads_what_the_customer_wants_and_not_how_they_say_they_are_fed_up(
    stage: Backstage, texts: list[str], reason: Reason, want: str, words: tuple[str, ...]
) -> None:
    customer = await begun(stage)
    await says(stage, customer, *texts)
    handoff = (await customer.conversation()).open_handoff
    assert handoff is not None
    assert handoff.reason is reason
    it = brief(handoff, await customer.messages())
    assert (it.want, it.words) == (want, words)


async def test_who_presses_the_button_wants_what_they_last_asked(stage: Backstage) -> None:
    customer = await begun(stage)
    await says(stage, customer, "How do I cancel an order?", "thank you")
    handoff = await stage.desk.escalate(customer.organisation, customer.id)
    assert brief(handoff, await customer.messages()).want == "How do I cancel an order?"


async def test_a_person_comes_even_where_it_cannot_be_told_what_is_wanted(
    stage: Backstage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(text: str) -> bool:
        raise RecursionError(text)

    monkeypatch.setattr("escalade.services.wanted.says_what_it_is_about", breaks)
    customer = await begun(stage)
    await says(stage, customer, "How do I cancel an order?", "let me talk to a human")
    handoff = (await customer.conversation()).open_handoff
    assert handoff is not None
    assert handoff.wanted is None
    assert brief(handoff, await customer.messages()).want == "let me talk to a human"


async def test_what_people_dealt_with_before_is_not_what_is_wanted_now(stage: Backstage) -> None:
    customer = await begun(stage)
    await says(stage, customer, "How do I cancel an order?", "let me talk to a human")
    first = (await customer.conversation()).open_handoff
    assert first is not None
    await customer.happens(SessionEnded(handoff=first.id, ending=Ending.BY_AGENT))
    await says(stage, customer, "hello", "let me talk to a human")
    handoff = (await customer.conversation()).open_handoff
    assert handoff is not None
    assert handoff.id != first.id
    it = brief(handoff, await customer.messages())
    assert (it.want, it.next_step) == ("let me talk to a human", ASK_WHAT)


async def test_knowledge_that_fails_is_the_reason_that_is_kept(stage: Backstage) -> None:
    customer = await begun(stage)
    await says(stage, customer, "Where is my parcel?")
    handoff = (await customer.conversation()).open_handoff
    assert handoff is not None
    assert (handoff.reason, handoff.evidence) == (Reason.ERROR, "the knowledge could not be searched (OSError)")


async def test_files_alone_are_not_acknowledged_twice_in_the_same_words(stage: Backstage) -> None:
    customer = await begun(stage)
    for name in ("one", "two", "three"):
        file = await stage.files.take(customer.organisation, customer.id, name=f"{name}.txt", content=b"Hello")
        assert file.id is not None
        await stage.desk.say(customer.organisation, customer.id, role=Role.CUSTOMER, text="", attachments=(file.id,))
        await stage.drain()
    assert await customer.transcript(Role.ASSISTANT) == [words.FILES_ALONE, words.FILES_AGAIN, words.FILES_ALONE]
