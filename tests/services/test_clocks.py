"""Nothing waits for the wall clock and nothing is ordered by it: set it as you like, while it runs or between runs."""

from __future__ import annotations

import itertools

import pytest

from escalade.channels.base import Arrival, ArrivalKind
from escalade.domain.effects import LaneName
from escalade.domain.errors import Refused, Retryable, Uncertain
from escalade.domain.model import Millis, Role
from escalade.services.intake import policy_of
from escalade.store import lanes, links
from tests.backstage import NOON, ORGANISATION, Backstage, Customer, Unheard

DAY = 24 * 3600_000
STEPS = pytest.mark.parametrize("step", [-DAY, -90_000, 90_000, DAY], ids=lambda ms: f"{ms // 1000:+d}s")


async def with_a_ticket(stage: Backstage) -> Customer:
    customer = await stage.open()
    await customer.says("My stove is broken")
    await stage.desk.escalate(ORGANISATION, customer.id)
    await stage.settle()
    return customer


async def with_a_chat(live: Backstage) -> Customer:
    customer = await with_a_ticket(live)
    live.sunshine.arrived.clear()
    return customer


async def restarts(stage: Backstage, at: Millis) -> None:
    """End the process here, and start it on a machine whose clock says `at`."""
    stage.clock.at = at
    assert await stage.courier.recover()


@pytest.mark.parametrize("swings", [(-DAY, DAY), (DAY, 0), (3600_000, -3600_000)])
async def test_a_clock_that_is_set_while_it_runs_changes_nothing(live: Backstage, swings: tuple[int, ...]) -> None:
    customer = await with_a_chat(live)
    live.sunshine.next = [Unheard("no answer"), Retryable("busy"), Uncertain("no answer")]
    swing = itertools.cycle(swings)
    said = [f"word {n}" for n in range(4)]
    for text in said:
        live.clock.wrong_by = next(swing)
        await customer.says(text)
    began = live.clock.at
    while (due := await live.read(lanes.next_due_at)) is not None:
        live.clock.wrong_by = next(swing)
        live.clock.at = max(live.clock.at, due)
        await live.drain()
    assert live.sunshine.posted == said
    assert 60_000 <= live.clock.at - began < 70_000  # the wait after the first, and no other
    assert [m.text for m in await customer.messages() if m.role is Role.CUSTOMER][1:] == said


@STEPS
async def test_an_uncertain_attempt_waits_in_full_after_a_restart(live: Backstage, step: Millis) -> None:
    customer = await with_a_chat(live)
    live.sunshine.next = [Unheard("no answer")]
    await customer.says("Hello?")
    await live.drain()
    live.clock.passes(20)
    await restarts(live, live.clock.at + step)
    started = live.clock.at
    await live.settle()
    assert live.sunshine.posted == ["Hello?"]
    assert live.clock.at - started == 60_000


@STEPS
@pytest.mark.parametrize("cut_short", [False, True], ids=["unsure", "cut short"])
async def test_a_ticket_in_doubt_before_a_restart_is_not_given_up_for_a_no_after_it(
    stage: Backstage, step: Millis, cut_short: bool
) -> None:
    """A no to the repetition says nothing of the attempt before the restart, and nobody knows how long ago that was."""
    customer = await stage.open()
    await customer.says("My stove is broken")
    await stage.desk.escalate(ORGANISATION, customer.id)
    stage.zendesk.next = [Uncertain("timeout"), Refused("no", status=422)]
    await stage.step()
    if cut_short:
        await stage.write(lambda tx: tx.everywhere().run("UPDATE attempt SET verdict = 'under_way'") and None)
    await restarts(stage, stage.clock.at + step)
    started = stage.clock.at
    await stage.settle()
    assert stage.zendesk.sends[:3] == ["OpenTicket"] * 3
    assert "handoff_failed" not in await customer.notices()
    assert stage.clock.at - started == 60_000


@STEPS
async def test_what_arrived_before_a_restart_is_found_at_once(live: Backstage, step: Millis) -> None:
    customer = await with_a_chat(live)
    live.sunshine.next = [Uncertain("no answer")]
    await customer.says("Hello?")
    await live.step()
    await restarts(live, live.clock.at + step)
    started = live.clock.at
    await live.settle()
    assert live.sunshine.posted == ["Hello?"]
    assert live.clock.at - started <= 1_000


@STEPS
async def test_a_back_off_does_not_outlive_the_process(stage: Backstage, step: Millis) -> None:
    customer = await with_a_ticket(stage)
    stage.zendesk.always = Retryable("out of reach")
    await customer.says("Hello?")
    for _ in range(8):
        await stage.drain()
        due = await stage.read(lanes.next_due_at)
        assert due is not None
        stage.clock.at = due
    stage.zendesk.always = None
    await restarts(stage, stage.clock.at + step)
    started = stage.clock.at
    await stage.settle()
    assert stage.zendesk.posted == ["Hello?"]
    assert stage.clock.at == started


async def test_a_named_time_outlives_the_process_and_no_set_clock_stretches_it(stage: Backstage) -> None:
    customer = await with_a_ticket(stage)
    stage.zendesk.next = [Retryable("slow down", after=100)]
    await customer.says("Hello?")
    await stage.drain()
    await restarts(stage, stage.clock.at)
    assert await stage.read(lambda tx: lanes.due(tx, stage.clock.at)) == []
    await restarts(stage, stage.clock.at - DAY)
    [lane] = await stage.read(lambda tx: lanes.due(tx, stage.clock.at))
    assert lane.name is LaneName.DESK


@pytest.mark.parametrize("step", [-DAY, DAY])
async def test_news_that_waits_is_not_forgotten_when_the_clock_is_set_back(live: Backstage, step: Millis) -> None:
    customer = await with_a_chat(live)
    before = (await customer.conversation()).handoff
    assert before is not None
    id = before.id
    known = await live.read(lambda tx: links.of(tx.everywhere(), id))
    news = Arrival(
        kind=ArrivalKind.MESSAGE_ADDED,
        key="news",
        conversation_id=known["sunshine", "conversation"],
        message_id="theirs-9",
        actor_type="agent",
        agent_name="Inès",
        text="Have you tried the other knob?",
    )
    await live.write(
        lambda tx: live.arrivals.arrive(tx, ORGANISATION, "zendesk", news, "", policy_of(tx, ORGANISATION))
    )
    await restarts(live, live.clock.at + step)
    handoff = (await customer.conversation()).handoff
    assert handoff is not None
    assert handoff.asked_at <= live.clock.at
    await live.reconcile.look(id, session=False)
    live.clock.passes(4)
    await live.reconcile.look(id, session=False)
    assert news.text in await customer.transcript(Role.AGENT)


async def test_a_question_of_before_the_handoff_is_stale_whatever_the_clock_says(stage: Backstage) -> None:
    customer = await stage.open()
    for text in ("What are your hours?", "And on Sundays?"):
        stage.clock.wrong_by -= DAY  # each later message carries an earlier time
        await customer.says(text)
    await stage.desk.escalate(ORGANISATION, customer.id)
    await stage.drain()
    messages = await customer.messages()
    assert [m.seq for m in messages] == sorted(m.seq for m in messages)
    assert stage.assistant.asked == []  # a person has control: nothing is answered any more
    assert messages[0].created_at > messages[1].created_at  # people are shown what the wall said


async def test_messages_carry_the_time_on_the_wall(stage: Backstage) -> None:
    customer = await stage.open()
    stage.clock.wrong_by = 3 * 3600_000
    await customer.says("Hello")
    assert (await customer.messages())[0].created_at == NOON + 3 * 3600_000
