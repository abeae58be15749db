"""The assistant's turn in a conversation: what was over does not lead to people again, and nothing is said twice."""

from __future__ import annotations

from escalade.assistant import again
from escalade.assistant.answering import Assistant
from escalade.assistant.retrieval import Passage
from escalade.domain import policy as words
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
