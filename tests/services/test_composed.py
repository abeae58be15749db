"""A model's answer grows before the customer's eyes, as far as it stands, and gives way to whoever has the say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio

from escalade.assistant.answering import Assistant
from escalade.assistant.composer import Composer
from escalade.assistant.language_model import Call, LanguageModel, ModelFailed
from escalade.assistant.summary import Summariser
from escalade.domain.model import Control, HandoffState, Reason, Role, SummaryBy
from escalade.services.bell import Draft, Listener
from escalade.services.replier import AssistantReplier
from escalade.services.summaries import Summaries
from escalade.store import conversations
from tests.backstage import ORGANISATION, Backstage
from tests.knowledge import Shelf
from tests.puppet import says

ASKED = "How do I cancel my order?"
FIRST = "You can cancel an order yourself while it is new. [1]"
SECOND = "Open your orders. [1]"


@pytest_asyncio.fixture
async def listener(stage: Backstage) -> AsyncIterator[Listener]:
    with stage.bell.listen(("conversation", conversations.topic(ORGANISATION, "c-1"))) as found:
        yield found


def answers_with(stage: Backstage, model: LanguageModel, seconds: float = 20.0) -> None:
    """Let a model put the answers together."""
    assistant = Assistant(Shelf(), Composer(model, Shelf(), seconds))

    async def staffed(_account: object) -> bool | None:
        return None

    replier = AssistantReplier(stage.database, stage.ports, assistant, staffed, stage.bell)
    stage.courier._sender._replier = replier


async def test_an_answer_grows_and_its_message_takes_its_place(stage: Backstage, listener: Listener) -> None:
    more = asyncio.Event()
    answers_with(stage, says(f"{FIRST} Open", more, " your orders. [1]"))
    customer = await stage.open()
    asked = await customer.says(ASKED)
    answering = asyncio.create_task(stage.drain())
    while listener.draft is None:
        await listener.wait(5)
    assert (listener.draft.id, listener.draft.text) == (f"answer-{asked}", FIRST)
    assert await customer.transcript(Role.ASSISTANT) == []
    more.set()
    await answering
    assert isinstance(listener.draft, Draft)
    assert listener.draft.text == f"{FIRST} {SECOND}"
    (answer,) = [message for message in await customer.messages() if message.role is Role.ASSISTANT]
    assert listener.draft == Draft(id=answer.id, text=answer.text, citations=answer.citations)


async def test_who_asks_for_a_person_meanwhile_hears_no_more_of_the_answer(
    stage: Backstage, listener: Listener
) -> None:
    more = asyncio.Event()
    answers_with(stage, says(f"{FIRST} Open", more, " your orders. [1]"))
    customer = await stage.open()
    await customer.says(ASKED)
    answering = asyncio.create_task(stage.drain())
    while listener.draft is None:
        await listener.wait(5)
    await stage.desk.escalate(ORGANISATION, customer.id, reason=Reason.ASKED_FOR_PERSON)
    more.set()
    await answering
    assert await customer.transcript(Role.ASSISTANT) == []
    assert (await customer.conversation()).control is Control.PENDING
    assert [effect for effect, _ in stage.zendesk.arrived].count("OpenTicket") == 1


async def test_what_a_model_says_beside_its_call_for_a_person_is_nobodys_to_read(stage: Backstage) -> None:
    call = Call(id="1", name="escalate", arguments='{"reason": "no_answer", "summary": "The customer is a fraud."}')
    answers_with(stage, says("I am connecting you. ", call, "Good bye!"))
    customer = await stage.open()
    await customer.says(ASKED)
    await stage.drain()
    handoff = (await customer.conversation()).handoff
    assert handoff is not None
    assert (handoff.reason, handoff.state, handoff.summary) == (Reason.NO_ANSWER, HandoffState.ASYNCHRONOUS, "")
    assert await customer.transcript(Role.ASSISTANT) == []
    assert await customer.notices() == ["handoff_requested", "ticket_created"]


async def test_a_models_summary_with_its_call_is_known_for_a_models(stage: Backstage) -> None:
    summary = "The customer wants to cancel an order."
    call = Call(id="1", name="escalate", arguments={"reason": "no_answer", "summary": summary})
    model = says(call)
    answers_with(stage, model)
    stage.courier._summaries = Summaries(Summariser(model), stage.courier._ledger)
    customer = await stage.open()
    await customer.says("Hello")
    await stage.drain()
    await customer.says("I want to cancel an order")
    await stage.drain()
    handoff = (await customer.conversation()).handoff
    assert handoff is not None
    assert (handoff.summary, handoff.summary_by) == (summary, SummaryBy.MODEL)
    assert len(model.asked) == 1  # it has said what it has to say


async def test_a_model_that_breaks_after_half_an_answer_leaves_a_handoff_and_no_half_answer(stage: Backstage) -> None:
    answers_with(stage, says(FIRST, " Open", ModelFailed("the line was cut")))
    customer = await stage.open()
    await customer.says(ASKED)
    await stage.drain()
    handoff = (await customer.conversation()).handoff
    assert handoff is not None
    assert (handoff.reason, handoff.evidence) == (Reason.ERROR, "the line was cut")
    assert await customer.transcript(Role.ASSISTANT) == []


async def test_a_model_that_is_silent_too_long_leaves_a_handoff(stage: Backstage) -> None:
    answers_with(stage, says(asyncio.Event()), seconds=0.05)
    customer = await stage.open()
    await customer.says(ASKED)
    await stage.drain()
    handoff = (await customer.conversation()).handoff
    assert handoff is not None
    assert (handoff.reason, handoff.evidence) == (Reason.ERROR, "the model gave no whole answer within 0.05 s")
