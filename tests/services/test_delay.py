"""Nobody writes into silence: what has not arrived after a quarter of a minute is told, once for each trouble."""

from __future__ import annotations

from escalade.domain.errors import Retryable
from escalade.domain.model import Role
from escalade.store import lanes
from tests.backstage import ORGANISATION, Backstage, Customer, Unheard


async def in_a_live_chat(stage: Backstage) -> Customer:
    customer = await stage.open()
    await customer.says("My stove is broken")
    await stage.desk.escalate(ORGANISATION, customer.id)
    await stage.settle()
    return customer


async def told(customer: Customer) -> int:
    return (await customer.notices()).count("delayed")


async def pass_by(stage: Backstage, seconds: int) -> None:
    """Let seconds go by, one after the other, with everybody at work."""
    for _ in range(seconds):
        for lane in await stage.read(lambda tx: lanes.due(tx, stage.clock.at)):
            await stage.courier.step(lane)
        await stage.upkeep.round()
        stage.clock.passes(1)


async def test_a_word_on_its_way_for_long_is_told_once_until_it_arrives(live: Backstage) -> None:
    customer = await in_a_live_chat(live)
    live.sunshine.always = Retryable("out of reach")
    await customer.says("Hello?")
    await pass_by(live, 15)
    assert await told(customer) == 0
    await pass_by(live, 2)
    assert await told(customer) == 1
    assert "has not reached our team yet" in (await customer.transcript(Role.SYSTEM))[-1]
    await customer.says("Anyone?")
    await pass_by(live, 100)
    assert await told(customer) == 1
    live.sunshine.always = None
    await pass_by(live, 35)
    assert live.sunshine.posted[-2:] == ["Hello?", "Anyone?"]
    live.sunshine.always = Retryable("out of reach")
    await customer.says("And again")
    await pass_by(live, 20)
    assert await told(customer) == 2


async def test_what_is_uncertain_is_told_too(live: Backstage) -> None:
    customer = await in_a_live_chat(live)
    live.sunshine.next = [Unheard("no answer")]
    await customer.says("Hello?")
    await pass_by(live, 20)
    assert await told(customer) == 1
    await pass_by(live, 60)
    assert live.sunshine.posted[-1] == "Hello?"
    assert await told(customer) == 1


async def test_a_ticket_is_no_chat_and_a_word_that_arrives_needs_no_other(stage: Backstage) -> None:
    customer = await in_a_live_chat(stage)
    await customer.says("in time")
    await pass_by(stage, 20)
    stage.zendesk.always = Retryable("out of reach")
    await customer.says("late")
    await pass_by(stage, 60)
    assert await told(customer) == 0
