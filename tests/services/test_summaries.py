"""A handoff is summed up by a model over real HTTP, once, before its note; whatever goes wrong, the note goes out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from escalade.assistant.budget import Budget
from escalade.assistant.providers import ProvidersModel
from escalade.assistant.summary import Summariser
from escalade.channels.zendesk import wire
from escalade.domain.effects import AddNote, LaneName, PostContext
from escalade.domain.errors import Refused
from escalade.domain.events import HandoffAsked
from escalade.domain.model import Handoff, HandoffId, Mode, Reason, SummaryBy
from escalade.services.customers import Customers
from escalade.services.summaries import Summaries
from tests.backstage import ORGANISATION, Backstage, Customer
from tests.provider import KEY, Provider, provider
from tests.puppet import says as puppet_says

WANTS = "The customer wants to cancel order 4711."
HEADING = f"Summary by a language model: {WANTS}"


@pytest.fixture(scope="module")
def serving() -> Iterator[Provider]:
    with provider() as found:
        yield found


@pytest.fixture
def there(serving: Provider) -> Provider:
    serving.lines.clear()
    serving.asked.clear()
    serving.gone.clear()
    return serving


@pytest_asyncio.fixture
async def model(serving: Provider) -> AsyncIterator[ProvidersModel]:
    found = ProvidersModel("openai:m", asyncio.to_thread, url=f"{serving.url}/v1", key=KEY)
    await found.open()  # its import alone may take seconds
    yield found
    await found.close()


def sums_up(stage: Backstage, summariser: Summariser) -> None:
    stage.courier._summaries = Summaries(summariser, stage.courier._ledger)


async def asks_for_a_person(stage: Backstage, *, drain: bool = True, reason: Reason = Reason.FRUSTRATION) -> Customer:
    """Have a customer say two things, of which the second leads to people."""
    customer = await stage.open()
    await customer.says("I want to cancel order 4711.", "m-1")
    await stage.drain()
    asked = HandoffAsked(id=HandoffId("h-1"), reason=reason, about=None, answers=None)
    stage.assistant.answers["It does not work, you idiots!"] = asked
    await customer.says("It does not work, you idiots!", "m-2")
    while await stage.step(LaneName.ASSISTANT):
        pass
    if drain:
        await stage.drain()
    return customer


async def handoff_of(customer: Customer) -> Handoff:
    found = (await customer.conversation()).handoff
    assert found is not None
    return found


def notes(stage: Backstage) -> list[str]:
    """Give the notes that were sent, as Zendesk shows them."""
    found = []
    for job in stage.zendesk.jobs:
        if isinstance(job.effect, AddNote):
            assert job.conversation.handoff is not None
            found.append("\n".join(text for _, text in wire.note_parts(job, job.conversation.handoff)))
    return found


async def no_summary(stage: Backstage, customer: Customer) -> None:
    """See that the agent has the ticket, and a note that is found in the conversation alone."""
    (note,) = notes(stage)
    assert "Wants: " in note
    assert "Summary" not in note
    assert (await handoff_of(customer)).summary == ""
    assert stage.zendesk.sends == ["OpenTicket", "AddNote"]
    assert await customer.notices() == ["handoff_requested", "ticket_created"]


async def test_the_note_holds_the_models_summary_and_says_whose_it_is(
    stage: Backstage, there: Provider, model: ProvidersModel
) -> None:
    there.says(WANTS)
    sums_up(stage, Summariser(model, seconds=20.0))
    customer = await asks_for_a_person(stage)
    (note,) = notes(stage)
    assert HEADING in note.splitlines()
    assert "Wants: " in note  # what is found without a model stands there all the same
    handoff = await handoff_of(customer)
    assert (handoff.summary, handoff.summary_by) == (WANTS, SummaryBy.MODEL)
    (asked,) = there.asked
    assert "tools" not in asked
    assert "idiots" in asked["messages"][1]["content"]
    assert stage.zendesk.sends == ["OpenTicket", "AddNote"]


async def test_an_invented_number_costs_the_summary_and_nothing_else(
    stage: Backstage, there: Provider, model: ProvidersModel
) -> None:
    there.says("The customer wants to cancel order 4712.")
    sums_up(stage, Summariser(model, seconds=20.0))
    customer = await asks_for_a_person(stage)
    await no_summary(stage, customer)
    assert "4712" not in str(await stage.deliveries())


async def test_a_model_that_is_silent_too_long_is_not_waited_for(
    stage: Backstage, there: Provider, model: ProvidersModel
) -> None:
    there.says(WANTS, ends="never")
    sums_up(stage, Summariser(model, seconds=0.2))
    customer = await asks_for_a_person(stage)
    await no_summary(stage, customer)


async def test_while_the_model_thinks_the_ticket_is_open_and_the_customer_knows(
    stage: Backstage, there: Provider, model: ProvidersModel
) -> None:
    there.says(WANTS, ends="never")
    sums_up(stage, Summariser(model, seconds=20.0))
    customer = await asks_for_a_person(stage, drain=False)
    thinking = await a_model_at_work(stage, there)
    assert [effect for effect, _ in stage.zendesk.arrived] == ["OpenTicket"]
    assert await customer.notices() == ["handoff_requested", "ticket_created"]
    await ended(thinking)


async def test_a_full_hour_leaves_the_model_unasked(stage: Backstage, there: Provider, model: ProvidersModel) -> None:
    there.says(WANTS)
    sums_up(stage, Summariser(model, Budget(0, stage.clock.now), 20.0))
    customer = await asks_for_a_person(stage)
    await no_summary(stage, customer)
    assert there.asked == []


@pytest.mark.parametrize("how", [{"status": 500}, {"status": 401}, {"ends": "cut"}, {"ends": "error"}])
async def test_a_provider_in_trouble_costs_the_summary_and_nothing_else(
    stage: Backstage, there: Provider, model: ProvidersModel, how: dict[str, object]
) -> None:
    there.says(WANTS, **how)
    sums_up(stage, Summariser(model, seconds=20.0))
    customer = await asks_for_a_person(stage)
    await no_summary(stage, customer)


async def test_nobody_at_the_providers_address_costs_the_summary_and_nothing_else(stage: Backstage) -> None:
    model = ProvidersModel("openai:m", asyncio.to_thread, url="http://127.0.0.1:9/v1", key=KEY)
    sums_up(stage, Summariser(model, seconds=20.0))
    customer = await asks_for_a_person(stage)
    await no_summary(stage, customer)
    await model.close()


async def test_after_a_crash_the_model_is_not_asked_again(
    stage: Backstage, there: Provider, model: ProvidersModel
) -> None:
    there.says(WANTS, ends="never")
    there.says(WANTS)
    sums_up(stage, Summariser(model, seconds=20.0))
    customer = await asks_for_a_person(stage, drain=False)
    await ended(await a_model_at_work(stage, there))
    await stage.courier.recover()
    await stage.settle()
    await no_summary(stage, customer)
    assert len(there.asked) == 1


async def test_a_note_that_is_sent_again_is_the_same(stage: Backstage, there: Provider, model: ProvidersModel) -> None:
    there.says(WANTS)
    there.says("The customer says: it does not work.")
    sums_up(stage, Summariser(model, seconds=20.0))
    await asks_for_a_person(stage, drain=False)
    await stage.step()
    stage.zendesk.always = Refused("not now")
    await stage.drain()
    stage.zendesk.always = None
    (row,) = [row for row in await stage.deliveries() if row["effect"] == "AddNote"]
    await stage.redrive.resend(ORGANISATION, row["id"], "a test")
    await stage.drain()
    first, second = notes(stage)
    assert first == second
    assert HEADING in second.splitlines()
    assert len(there.asked) == 1


async def test_in_a_live_chat_it_stands_in_what_agents_read_first_and_later_in_the_ticket(
    live: Backstage, there: Provider, model: ProvidersModel
) -> None:
    there.says(WANTS)
    sums_up(live, Summariser(model, seconds=20.0))
    customer = await asks_for_a_person(live, drain=False)
    while live.sunshine.sends[-1:] != ["PostContext"]:
        await live.step()
    told = next(job for job in live.sunshine.jobs if isinstance(job.effect, PostContext))
    assert told.conversation.handoff is not None
    assert told.conversation.handoff.summary == WANTS
    live.sunshine.always = Refused("no agents here")
    await live.settle()
    assert (await handoff_of(customer)).mode is Mode.TICKET
    (note,) = notes(live)
    assert HEADING in note.splitlines()
    assert len(there.asked) == 1


@pytest.mark.parametrize("reason", [Reason.ERROR, Reason.FOLLOW_UP])
async def test_where_the_machine_failed_or_people_spoke_before_no_model_is_asked(
    stage: Backstage, there: Provider, model: ProvidersModel, reason: Reason
) -> None:
    there.says(WANTS)
    sums_up(stage, Summariser(model, seconds=20.0))
    await asks_for_a_person(stage, reason=reason)
    assert there.asked == []
    assert stage.zendesk.sends == ["OpenTicket", "AddNote"]


@pytest.mark.parametrize("change", [{"enabled": False}, {"bot": {"url": "https://bot.example/", "secret": "s" * 40}}])
async def test_who_has_switched_the_assistant_off_or_has_an_own_bot_shows_a_model_nothing(
    stage: Backstage, there: Provider, model: ProvidersModel, change: dict[str, object]
) -> None:
    there.says(WANTS)
    sums_up(stage, Summariser(model, seconds=20.0))
    await stage.tuning.change(ORGANISATION, {"assistant": change}, "a test")
    await asks_for_a_person(stage)
    assert there.asked == []


async def test_a_programs_own_summary_is_not_replaced(stage: Backstage, there: Provider, model: ProvidersModel) -> None:
    there.says(WANTS)
    sums_up(stage, Summariser(model, seconds=20.0))
    customer = await stage.open()
    await customer.says("I want to cancel order 4711.")
    await stage.drain()
    await stage.desk.escalate(ORGANISATION, customer.id, summary="A late cancellation")
    await stage.drain()
    (note,) = notes(stage)
    assert "Summary: A late cancellation" in note.splitlines()
    assert there.asked == []


async def test_who_is_erased_while_the_model_thinks_has_no_summary_kept(stage: Backstage) -> None:
    more = asyncio.Event()
    model = puppet_says("The customer wants to cancel", more, " order 4711.")
    sums_up(stage, Summariser(model, seconds=20.0))
    customer = await asks_for_a_person(stage, drain=False)
    draining = asyncio.create_task(stage.drain())
    while not model.asked:
        await asyncio.sleep(0.001)
    person = (await customer.conversation()).customer.id
    await Customers(stage.database, stage.ports, stage.intake).erase(ORGANISATION, person, "a test")
    more.set()
    await draining
    assert (await handoff_of(customer)).summary == ""


async def a_model_at_work(stage: Backstage, there: Provider) -> asyncio.Task[None]:
    """Let the courier work until the model has been asked."""
    draining = asyncio.create_task(stage.drain())
    while not there.asked:
        await asyncio.sleep(0.001)
    return draining


async def ended(task: asyncio.Task[None]) -> None:
    """End what a process was at, as its death does."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
