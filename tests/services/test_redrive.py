"""A dead letter gets a second chance or is given up, by a person, once, and it is written down who."""

from __future__ import annotations

from typing import Any

import pytest

from escalade.domain.errors import Conflict, NotFound, Refused, Retryable, Uncertain
from escalade.domain.model import Control, HandoffState
from escalade.store import audit, deliveries, messages
from tests.backstage import ORGANISATION, OTHER, Backstage, Customer, Unheard

WHO = "olga@example.com"


async def with_a_ticket(stage: Backstage) -> Customer:
    customer = await stage.open()
    await customer.says("My stove is broken")
    await stage.desk.escalate(ORGANISATION, customer.id)
    await stage.settle()
    return customer


async def number(stage: Backstage, effect: str, state: str) -> int:
    found = [row for row in await stage.deliveries() if (row["effect"], row["state"]) == (effect, state)]
    assert found, await stage.owed()
    return int(found[-1]["id"])


async def changes(stage: Backstage) -> list[str]:
    rows = await stage.read(lambda tx: tx.everywhere().all("SELECT what, who FROM audit ORDER BY id"))
    assert all(row["who"] == WHO for row in rows)
    assert await stage.read(lambda tx: audit.broken(tx, ORGANISATION)) is None
    return [row["what"] for row in rows]


async def test_a_refused_ticket_sent_again_brings_its_handoff_back_with_all_that_was_written(stage: Backstage) -> None:
    stage.zendesk.next = [Refused("422: the group is gone", status=422)]
    customer = await stage.open()
    await customer.says("My stove is broken")
    await stage.desk.escalate(ORGANISATION, customer.id)
    await customer.says("It smokes")
    await stage.settle()
    handoff = (await customer.conversation()).handoff
    assert handoff is not None
    assert handoff.state is HandoffState.FAILED
    assert (await customer.deliveries())["It smokes"] == "failed"
    await stage.redrive.resend(ORGANISATION, await number(stage, "OpenTicket", "refused"), WHO)
    conversation = await customer.conversation()
    assert conversation.handoff is not None
    assert (conversation.handoff.id, conversation.handoff.state) == (handoff.id, HandoffState.REQUESTED)
    assert conversation.control is Control.PENDING
    await stage.settle()
    assert [effect for effect, _ in stage.zendesk.arrived] == ["OpenTicket", "AddNote", "Post"]
    assert stage.zendesk.posted == ["It smokes"]
    assert (await customer.deliveries()) == {"My stove is broken": "delivered", "It smokes": "delivered"}
    assert (await customer.notices())[-2:] == ["handoff_requested", "ticket_created"]
    assert await changes(stage) == ["delivery.resent"]


async def test_a_failed_handoff_is_not_brought_back_into_another(stage: Backstage) -> None:
    stage.zendesk.next = [Refused("422: the group is gone", status=422)]
    customer = await with_a_ticket(stage)
    first = await number(stage, "OpenTicket", "refused")
    await stage.desk.escalate(ORGANISATION, customer.id)
    with pytest.raises(Conflict, match="earlier handoff"):
        await stage.redrive.resend(ORGANISATION, first, WHO)
    await stage.settle()
    assert [effect for effect, _ in stage.zendesk.arrived].count("OpenTicket") == 1
    assert await changes(stage) == []


@pytest.mark.parametrize(("arrived", "sends"), [(Uncertain("no answer"), 1), (Unheard("no answer"), 2)])
async def test_what_may_have_arrived_is_looked_for_before_it_is_sent_again(
    live: Backstage, arrived: Uncertain, sends: int
) -> None:
    customer = await with_a_ticket(live)
    live.sunshine.sends.clear()
    live.sunshine.next = [arrived]
    await customer.says("Hello?")
    await live.step()
    stuck = await number(live, "Post", "unsure")
    await live.redrive.skip(ORGANISATION, stuck, WHO)
    await live.drain()
    assert (await customer.deliveries())["Hello?"] == "failed"
    await live.redrive.resend(ORGANISATION, stuck, WHO)
    began = live.clock.at
    await live.settle()
    assert live.sunshine.posted[-1:] == ["Hello?"]
    assert live.sunshine.posted.count("Hello?") == 1
    assert live.sunshine.sends == ["Post"] * sends
    assert live.clock.at - began <= 60_000
    assert (await customer.deliveries())["Hello?"] == "delivered"
    assert await changes(live) == ["delivery.skipped", "delivery.resent"]


async def test_skipping_what_does_not_get_through_lets_the_lane_go_on_and_tells_the_customer(stage: Backstage) -> None:
    customer = await with_a_ticket(stage)
    stage.zendesk.always = Retryable("409: it was changed at the same moment", status=409)
    await customer.says("one")
    await customer.says("two")
    for _ in range(3):
        await stage.drain()
        stage.clock.passes(60)
    stage.zendesk.always = None
    await stage.redrive.skip(ORGANISATION, await number(stage, "Post", "pending") - 1, WHO)
    await stage.settle(seconds=1)
    assert stage.zendesk.posted == ["two"]
    assert await customer.deliveries() == {"My stove is broken": "delivered", "one": "failed", "two": "delivered"}
    assert "not_delivered" in await customer.notices()


async def test_skipping_one_that_waits_in_the_middle_keeps_the_lane_whole(stage: Backstage) -> None:
    customer = await with_a_ticket(stage)
    for text in ("one", "two", "three"):
        await customer.says(text)
    await stage.redrive.skip(ORGANISATION, await number(stage, "Post", "pending") - 1, WHO)
    await stage.settle()
    assert stage.zendesk.posted == ["one", "three"]


async def test_skipping_a_refused_one_only_clears_it(stage: Backstage) -> None:
    customer = await with_a_ticket(stage)
    stage.zendesk.next = [Refused("no", status=422)]
    await customer.says("one")
    await stage.settle()
    notices = await customer.notices()
    refused = await number(stage, "Post", "refused")
    await stage.redrive.skip(ORGANISATION, refused, WHO)
    assert await customer.notices() == notices
    with pytest.raises(Conflict, match="it is skipped"):
        await stage.redrive.skip(ORGANISATION, refused, WHO)
    await stage.redrive.resend(ORGANISATION, refused, WHO)
    await stage.settle()
    assert stage.zendesk.posted == ["one"]


async def test_a_live_step_that_is_skipped_gives_way_to_the_ticket(live: Backstage) -> None:
    customer = await live.open()
    await customer.says("My stove is broken")
    await live.desk.escalate(ORGANISATION, customer.id)
    live.sunshine.always = Retryable("busy")
    await live.drain()
    await live.redrive.skip(ORGANISATION, await number(live, "EnsureUser", "pending"), WHO)
    live.sunshine.always = None
    await live.settle()
    assert [effect for effect, _ in live.zendesk.arrived] == ["OpenTicket", "AddNote"]


@pytest.mark.parametrize("state", ["delivered", "covered", "withdrawn", "resent", "sending"])
async def test_only_what_is_stuck_can_be_moved_and_only_ones_own(stage: Backstage, state: str) -> None:
    customer = await with_a_ticket(stage)
    await customer.says("one")
    one = await number(stage, "Post", "pending")
    await stage.write(
        lambda tx: tx.everywhere().run("UPDATE delivery SET state = :state WHERE id = :id", state=state, id=one)
    )
    acts: Any = (stage.redrive.resend, stage.redrive.skip)
    for act in acts:
        with pytest.raises(Conflict, match=f"it is {state}") as told:
            await act(ORGANISATION, one, WHO)
        assert told.value.code == "wrong_state"
        with pytest.raises(NotFound):
            await act(OTHER, one, WHO)
        with pytest.raises(NotFound):
            await act(ORGANISATION, 999, WHO)


async def test_a_look_under_way_does_not_bring_a_skipped_one_back(live: Backstage) -> None:
    customer = await with_a_ticket(live)
    live.sunshine.next = [Unheard("no answer")]
    await customer.says("Hello?")
    await live.step()
    stuck = await number(live, "Post", "unsure")
    before = await live.read(lambda tx: deliveries.load(tx, ORGANISATION, stuck))
    assert before is not None
    await live.redrive.skip(ORGANISATION, stuck, WHO)
    await live.write(lambda tx: deliveries.postpone(tx, before, "unsure", live.clock.at, failed=True))
    await live.settle()
    assert live.sunshine.posted.count("Hello?") == 0
    after = await live.read(lambda tx: messages.of(tx, ORGANISATION, customer.id))
    assert any(message.notice == "not_delivered" for message in after)
