"""Zendesk's own list is the truth: bells change nothing but the moment, and no agent's word is lost or doubled."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from escalade.channels.base import Arrival, ArrivalKind, Page, Session
from escalade.domain import policy as words
from escalade.domain.errors import Retryable, Unavailable
from escalade.domain.events import AssistantSaid, NobodyAnswered, PostRefused, Released, TicketStatusChanged
from escalade.domain.model import Agent, AgentId, Control, Ending, Handoff, HandoffId, HandoffState, MessageId, Role
from escalade.domain.organisation import OnInactive
from escalade.services.inquiry import PATIENCE_MS
from escalade.services.intake import policy_of
from escalade.services.reconcile import GIVE_UP_MS
from escalade.store import conversations, handoffs, organisations, receipts
from escalade.store.database import Tx
from tests.backstage import INES, LIVE, ORGANISATION, Backstage, Customer, backstage
from tests.engines import a_database

JONAS = Agent(id=AgentId("8"), name="Jonas")
CONVERSATION = "sunshine-2"  # their id of the live conversation


async def in_a_live_chat(stage: Backstage) -> Customer:
    customer = await stage.open()
    await customer.says("My stove is broken")
    await stage.desk.escalate(ORGANISATION, customer.id)
    await stage.drain()
    assert (await the_handoff(customer)).state is HandoffState.QUEUED
    return customer


async def with_a_ticket(stage: Backstage) -> Customer:
    customer = await stage.open()
    await customer.says("My stove is broken")
    await stage.desk.escalate(ORGANISATION, customer.id)
    await stage.drain()
    assert (await the_handoff(customer)).ticket_id == "4711"
    return customer


async def the_handoff(customer: Customer) -> Handoff:
    found = (await customer.conversation()).handoff
    assert found is not None
    return found


async def rings(stage: Backstage, kind: ArrivalKind, key: str = "e-1", **more: Any) -> None:
    """Let a webhook arrive for the live conversation."""
    arrival = Arrival(kind=kind, key=key, **({"conversation_id": CONVERSATION} | more))

    def written(tx: Tx) -> None:
        stage.arrivals.arrive(tx, ORGANISATION, "zendesk", arrival, "", policy_of(tx, ORGANISATION))

    await stage.write(written)


async def an_agent_rings(stage: Backstage, id: str, text: str) -> None:
    await rings(
        stage,
        ArrivalKind.MESSAGE_ADDED,
        f"e-{id}",
        message_id=id,
        actor_type="agent",
        agent_id="7",
        agent_name="Inès",
        text=text,
    )


async def look(stage: Backstage, customer: Customer, *, session: bool = False) -> float | None:
    return await stage.reconcile.look((await the_handoff(customer)).id, session=session)


async def waiting(stage: Backstage, customer: Customer) -> list[str]:
    return [one.key for one in await stage.read(lambda tx: receipts.waiting(tx, ORGANISATION, customer.id))]


# Messages


async def test_the_order_is_the_lists_and_not_that_of_the_webhooks(live: Backstage) -> None:
    customer = await in_a_live_chat(live)
    for id, text in (("a", "one"), ("b", "two"), ("c", "three")):
        live.sunshine.says(text, id=id)
    await an_agent_rings(live, "c", "three")
    await an_agent_rings(live, "a", "one")
    assert await look(live, customer) is None
    assert await customer.transcript(Role.AGENT) == ["one", "two", "three"]
    assert await waiting(live, customer) == []
    assert (await customer.conversation()).control is Control.AGENT
    await an_agent_rings(live, "b", "two")
    await look(live, customer)
    assert await customer.transcript(Role.AGENT) == ["one", "two", "three"]


async def test_our_own_words_and_automatic_texts_are_told_apart_from_a_persons(live: Backstage) -> None:
    customer = await in_a_live_chat(live)
    live.sunshine.says("My stove is broken", ours=True)
    live.sunshine.says("We are away until Monday.", agent=None)
    await look(live, customer)
    assert await customer.transcript(Role.AGENT) == []
    assert await customer.transcript(Role.CUSTOMER) == ["My stove is broken"]
    assert (await customer.notices())[-1] == "announcement"
    assert (await customer.conversation()).control is Control.PENDING


async def test_the_list_is_read_on_from_where_it_was_left(live: Backstage) -> None:
    customer = await in_a_live_chat(live)
    live.sunshine.says("one")
    await look(live, customer)
    live.sunshine.says("two")
    await look(live, customer)
    assert live.sunshine.asked_after == [None, "1"]
    assert await customer.transcript(Role.AGENT) == ["one", "two"]


async def test_a_webhook_that_outruns_the_list_waits_for_it(live: Backstage) -> None:
    customer = await in_a_live_chat(live)
    await an_agent_rings(live, "a", "one")
    assert await look(live, customer) == 1
    assert await customer.transcript(Role.AGENT) == []
    live.sunshine.says("zero", id="z")
    live.sunshine.says("one", id="a")
    live.clock.passes(1)
    assert await look(live, customer) is None
    assert await customer.transcript(Role.AGENT) == ["zero", "one"]


async def test_while_the_list_cannot_be_reached_no_webhook_is_believed(live: Backstage) -> None:
    """The bell of "one" was lost; shown at once, "two" would have come before it."""
    customer = await in_a_live_chat(live)
    live.sunshine.unreachable = True
    await an_agent_rings(live, "b", "two")
    live.clock.passes(PATIENCE_MS / 1000)
    assert await look(live, customer) == 1
    assert await customer.transcript(Role.AGENT) == []
    live.sunshine.unreachable = False
    live.sunshine.says("one", id="a")
    live.sunshine.says("two", id="b")
    assert await look(live, customer) is None
    assert await customer.transcript(Role.AGENT) == ["one", "two"]


async def test_what_a_list_we_could_read_does_not_have_is_taken_from_the_webhook(live: Backstage) -> None:
    customer = await in_a_live_chat(live)
    await an_agent_rings(live, "a", "one")
    live.clock.passes((PATIENCE_MS - 1) / 1000)
    assert await look(live, customer) == 1
    assert await customer.transcript(Role.AGENT) == []
    live.clock.passes(0.001)
    assert await look(live, customer) is None
    assert await customer.transcript(Role.AGENT) == ["one"]


async def test_a_list_that_answers_slowly_is_as_old_as_the_question(
    live: Backstage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list lags by two seconds and its answer takes three; the bell of "one" is late."""
    customer = await in_a_live_chat(live)
    live.sunshine.says("one", id="a")
    live.sunshine.says("two", id="b")
    late = [live.sunshine.list.pop(), live.sunshine.list.pop()]
    right = live.sunshine.heard_since

    async def heard_since(*asked: Any) -> Page:
        page = await right(*asked)
        live.clock.passes(PATIENCE_MS / 1000)
        return page

    await an_agent_rings(live, "b", "two")
    with monkeypatch.context() as slowly:
        slowly.setattr(live.sunshine, "heard_since", heard_since)
        assert await look(live, customer) == 1
    assert await customer.transcript(Role.AGENT) == []
    live.sunshine.list.extend(reversed(late))
    assert await look(live, customer) is None
    assert await customer.transcript(Role.AGENT) == ["one", "two"]


async def test_a_list_that_cannot_be_had_for_days_is_asked_for_all_the_same(live: Backstage) -> None:
    customer = await in_a_live_chat(live)
    live.reconcile._misses[(await the_handoff(customer)).id] = 2000
    live.sunshine.unreachable = True
    assert await look(live, customer) == 30
    live.sunshine.unreachable = False
    live.sunshine.says("one", id="a")
    assert await look(live, customer) is None
    assert await customer.transcript(Role.AGENT) == ["one"]


async def test_a_ring_ends_the_wait_after_a_look_that_failed(live: Backstage) -> None:
    """A look that waits for minutes must not sleep through the news that all is well again."""
    customer = await in_a_live_chat(live)
    handoff = (await the_handoff(customer)).id
    live.sunshine.unreachable = True
    live.watch.look_soon(handoff)
    while not live.sunshine.asked_after:
        await asyncio.sleep(0)
    live.sunshine.unreachable = False
    live.sunshine.says("one", id="a")
    under_way = live.watch._under_way[handoff]
    live.reconcile._misses[handoff] = 6
    live.watch.look_soon(handoff)
    async with asyncio.timeout(10):
        await under_way
    assert await customer.transcript(Role.AGENT) == ["one"]


async def test_a_look_the_store_could_not_take_is_looked_again(
    live: Backstage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next round may be ten minutes away, and nobody rings again for what was rung for."""
    customer = await in_a_live_chat(live)
    handoff = (await the_handoff(customer)).id
    live.sunshine.says("one", id="a")
    away = [Unavailable("the connection broke")]
    right = live.database.write

    async def write(work: Any) -> Any:
        if away:
            raise away.pop()
        return await right(work)

    monkeypatch.setattr(live.database, "write", write)
    monkeypatch.setattr("escalade.services.watch.SWEEP_S", 0.01)
    live.watch.look_soon(handoff)
    async with asyncio.timeout(10):
        await live.watch._under_way[handoff]
    assert away == []
    assert await customer.transcript(Role.AGENT) == ["one"]


async def test_an_echo_that_never_comes_in_the_list_is_let_go(live: Backstage) -> None:
    customer = await in_a_live_chat(live)
    await rings(live, ArrivalKind.MESSAGE_ADDED, message_id="x", actor_type="system", text="We are away")
    live.clock.passes(PATIENCE_MS / 1000)
    assert await look(live, customer) is None
    assert await waiting(live, customer) == []
    assert await customer.transcript(Role.AGENT) == []


async def test_answers_on_a_ticket_are_read_from_its_comments(stage: Backstage) -> None:
    customer = await with_a_ticket(stage)
    stage.zendesk.says("My stove is broken", ours=True)
    stage.zendesk.says("We will replace it.")
    await look(stage, customer, session=True)
    assert await customer.transcript(Role.AGENT) == ["We will replace it."]
    assert stage.sunshine.asked_after == []
    assert (await customer.conversation()).control is Control.AGENT


async def test_words_come_before_the_end_they_were_said_before(live: Backstage) -> None:
    customer = await in_a_live_chat(live)
    live.sunshine.says("Goodbye!", id="a")
    live.sunshine.state = Session.ENDED
    await rings(live, ArrivalKind.SESSION_END)
    await look(live, customer)
    assert (await customer.transcript())[-2:] == ["Goodbye!", words.ENDED[Ending.BY_AGENT]]


# Endings


@pytest.mark.parametrize(
    ("state", "on_inactive", "ending"),
    [
        (Session.ENDED, OnInactive.CLOSE, Ending.BY_AGENT),
        (Session.ENDED, OnInactive.KEEP, Ending.BY_AGENT),
        (Session.CLOSED, OnInactive.CLOSE, Ending.CLOSED),
        (Session.ACTIVE, OnInactive.CLOSE, Ending.INACTIVE),
        (Session.ACTIVE, OnInactive.KEEP, None),
    ],
)
async def test_which_end_a_session_came_to_is_asked_and_not_guessed(
    live: Backstage, state: Session, on_inactive: OnInactive, ending: Ending | None
) -> None:
    chosen = replace(LIVE, live=replace(LIVE.live, on_session_inactive=on_inactive))
    await live.write(lambda tx: organisations.save_settings(tx, ORGANISATION, chosen))
    customer = await in_a_live_chat(live)
    live.sunshine.state = state
    await rings(live, ArrivalKind.SESSION_END)
    assert await look(live, customer) is None
    handoff = await the_handoff(customer)
    assert handoff.ended is ending
    assert handoff.is_open == (ending is None)
    assert await waiting(live, customer) == []


async def test_an_end_that_cannot_be_explained_is_told_after_three_seconds(live: Backstage) -> None:
    customer = await in_a_live_chat(live)
    live.sunshine.tells_no_session = True
    await rings(live, ArrivalKind.SESSION_END)
    assert await look(live, customer) == 1
    assert (await the_handoff(customer)).is_open
    live.clock.passes(PATIENCE_MS / 1000)
    await look(live, customer)
    assert (await the_handoff(customer)).ended is Ending.UNKNOWN


async def test_no_end_is_told_before_the_last_words_could_be_read(live: Backstage) -> None:
    customer = await in_a_live_chat(live)
    live.sunshine.unreachable = True
    await rings(live, ArrivalKind.SESSION_END)
    live.clock.passes(GIVE_UP_MS / 1000 + 1)
    await look(live, customer)
    assert (await the_handoff(customer)).is_open
    live.sunshine.unreachable = False
    live.sunshine.says("Goodbye!", id="a")
    live.sunshine.state = Session.ENDED
    await look(live, customer)
    assert (await customer.transcript())[-2:] == ["Goodbye!", words.ENDED[Ending.BY_AGENT]]
    handoff = await the_handoff(customer)
    assert (handoff.ended, handoff.is_open) == (Ending.BY_AGENT, False)
    assert await waiting(live, customer) == []


async def test_control_that_left_the_agents_is_an_end_only_if_zendesk_says_so(live: Backstage) -> None:
    customer = await in_a_live_chat(live)
    await rings(live, ArrivalKind.CONTROL_LEFT)
    await look(live, customer)
    assert (await the_handoff(customer)).is_open
    live.sunshine.state = Session.ENDED
    await rings(live, ArrivalKind.CONTROL_LEFT, "e-2")
    await look(live, customer)
    assert (await the_handoff(customer)).ended is Ending.BY_AGENT


async def test_control_that_moves_while_we_hand_over_ends_nothing(live: Backstage) -> None:
    customer = await live.open()
    await customer.says("My stove is broken")
    await live.desk.escalate(ORGANISATION, customer.id)
    for _ in range(3):
        await live.step()
    live.sunshine.state = Session.ENDED
    await rings(live, ArrivalKind.CONTROL_LEFT)
    await look(live, customer, session=True)
    assert (await the_handoff(customer)).state is HandoffState.REQUESTED
    assert await waiting(live, customer) == []


async def test_an_end_nobody_rang_for_is_found_by_looking(live: Backstage) -> None:
    customer = await in_a_live_chat(live)
    live.sunshine.state = Session.ENDED
    await look(live, customer)
    assert (await the_handoff(customer)).is_open
    await look(live, customer, session=True)
    assert (await the_handoff(customer)).ended is Ending.BY_AGENT


async def test_a_bell_that_can_never_be_explained_is_let_go(live: Backstage) -> None:
    customer = await in_a_live_chat(live)
    live.sunshine.tells_no_session = True
    await rings(live, ArrivalKind.CONTROL_LEFT)
    live.clock.passes(GIVE_UP_MS / 1000 + 1)
    await look(live, customer)
    assert await waiting(live, customer) == []
    assert (await the_handoff(customer)).is_open


async def test_the_same_end_told_three_ways_is_told_once(live: Backstage) -> None:
    customer = await in_a_live_chat(live)
    live.sunshine.state = Session.ENDED
    await rings(live, ArrivalKind.SESSION_END, "e-1")
    await rings(live, ArrivalKind.SESSION_END, "e-2")
    await rings(live, ArrivalKind.CONTROL_LEFT, "e-3")
    await look(live, customer, session=True)
    assert (await customer.notices()).count("ended") == 1
    assert await waiting(live, customer) == []


# Agents


async def test_an_agent_is_named_by_zendesk(live: Backstage) -> None:
    customer = await in_a_live_chat(live)
    await rings(live, ArrivalKind.ASSIGNMENT_CHANGED, agent_id="7")
    await look(live, customer)
    handoff = await the_handoff(customer)
    assert (handoff.agent, handoff.state) == (INES, HandoffState.WITH_AGENT)
    assert "Inès joined the chat." in await customer.transcript(Role.SYSTEM)


async def test_an_agent_zendesk_cannot_name_is_an_agent_all_the_same(live: Backstage) -> None:
    customer = await in_a_live_chat(live)
    await rings(live, ArrivalKind.ASSIGNMENT_CHANGED, agent_id="99")
    await look(live, customer)
    agent = (await the_handoff(customer)).agent
    assert agent is not None
    assert agent.name == "An agent"


# By itself


async def test_looks_are_one_at_a_time_for_a_handoff(live: Backstage) -> None:
    customer = await in_a_live_chat(live)
    handoff = (await the_handoff(customer)).id
    for _ in range(5):
        live.watch.ring({("look", handoff), ("conversation", "x")})
    task = live.watch._under_way[handoff]
    await task
    assert len(live.sunshine.asked_after) == 2  # the one under way, and once more for all who rang meanwhile
    assert live.watch._under_way == {}


async def test_a_look_at_something_that_is_not_there_is_nothing(live: Backstage) -> None:
    assert await live.reconcile.look(HandoffId("hof_of_nobody"), session=True) is None


async def test_of_a_customer_who_is_erased_during_a_look_nothing_is_written_down(
    live: Backstage, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = await in_a_live_chat(live)
    live.sunshine.says("one", id="a")
    right = live.sunshine.heard_since

    async def heard_since(*asked: Any) -> Page:
        page = await right(*asked)
        await customer.is_erased()
        return page

    monkeypatch.setattr(live.sunshine, "heard_since", heard_since)
    assert await look(live, customer, session=True) is None


async def test_a_customer_nobody_answers_in_time_is_told_once(live: Backstage) -> None:
    customer = await in_a_live_chat(live)
    live.clock.passes(LIVE.live.answer_within_s - 1)
    await live.upkeep.round()
    assert "asynchronous" not in await customer.notices()
    live.clock.passes(1)
    await live.upkeep.round()
    await live.upkeep.round()
    assert (await customer.notices()).count("asynchronous") == 1
    handoff = await the_handoff(customer)
    assert handoff.state is HandoffState.ASYNCHRONOUS
    live.sunshine.says("I am here now.")
    await look(live, customer)
    assert (await customer.conversation()).control is Control.AGENT


async def test_one_receipt_that_cannot_be_decided_does_not_stop_the_rest(live: Backstage) -> None:
    customer = await in_a_live_chat(live)
    other = await live.open("c-2")

    def broken(tx: Tx) -> None:
        conversation = conversations.load(tx, ORGANISATION, other.id)
        assert conversation is not None
        receipts.accept(
            tx, ORGANISATION, source="x", key="k", kind="NobodyAnswered", body="{}", now=0, conversation=other.id
        )
        good = NobodyAnswered(handoff=HandoffId("hof_0"))
        live.intake.owe(tx, conversation, "y", "k", good)
        current = conversations.load(tx, ORGANISATION, customer.id)
        assert current is not None
        live.intake.owe(tx, current, "y", "k2", good)

    await live.write(broken)
    await live.upkeep.round()
    settled = {receipt.key for receipt in await live.receipts() if receipt.state != "waiting"}
    assert "k2" in settled


# Whatever the order of the bells


@settings(max_examples=20, deadline=None)
@given(order=st.permutations(range(6)), looks=st.lists(st.integers(0, 5), max_size=4))
async def test_no_order_of_webhooks_changes_what_the_customer_reads(order: list[int], looks: list[int]) -> None:
    with a_database("sqlite") as url:
        async with backstage(url, settings=LIVE) as live:
            customer = await in_a_live_chat(live)
            for n in range(6):
                live.sunshine.says(f"word {n}", id=f"m-{n}", agent=INES if n < 3 else JONAS)
            for place, n in enumerate(order):
                await an_agent_rings(live, f"m-{n}", f"word {n}")
                if place in looks:
                    await look(live, customer)
            await look(live, customer)
            assert await customer.transcript(Role.AGENT) == [f"word {n}" for n in range(6)]
            assert (await customer.notices()).count("agent_joined") == 1
            assert (await customer.notices()).count("agent_changed") == 1
            assert await waiting(live, customer) == []


async def test_news_of_an_earlier_chat_never_ends_the_next(live: Backstage) -> None:
    customer = await in_a_live_chat(live)
    first = await the_handoff(customer)
    await customer.happens(Released())
    await live.desk.escalate(ORGANISATION, customer.id)
    await live.drain()
    second = await the_handoff(customer)
    assert second.id != first.id
    await rings(live, ArrivalKind.SESSION_END, "e-end")
    assert await live.reconcile.look(second.id, session=True) is None
    assert (await the_handoff(customer)).is_open, "the second chat goes on"
    await live.reconcile.look(first.id, session=False)
    assert await waiting(live, customer) == []


async def test_what_was_said_in_an_earlier_conversation_is_not_said_again_in_the_next_where_a_chat_serves_both(
    live: Backstage,
) -> None:
    live.sunshine.only_conversation = CONVERSATION
    customer = await in_a_live_chat(live)
    live.sunshine.says("That was yesterday.")
    await look(live, customer)
    assert await customer.transcript(Role.AGENT) == ["That was yesterday."]
    await live.desk.close(ORGANISATION, customer.id)
    await live.drain()
    today = await live.open("c-2")
    await today.says("My tent is torn")
    await live.desk.escalate(ORGANISATION, today.id)
    for _ in range(6):
        await look(live, today)  # also before the context is there
        assert await today.transcript(Role.AGENT) == []
        await live.step(id="c-2")
    live.sunshine.says("Hello again!")
    await look(live, today)
    assert await today.transcript(Role.AGENT) == ["Hello again!"]


@pytest.mark.parametrize("learnt", [True, False], ids=["learnt before", "never learnt"])
@pytest.mark.parametrize("ticket", ["101", "100"], ids=["a new ticket", "the same ticket"])
async def test_late_news_of_an_earlier_ticket_in_the_same_chat_is_not_about_the_next(
    live: Backstage, ticket: str, learnt: bool
) -> None:
    live.sunshine.only_conversation = CONVERSATION
    customer = await in_a_live_chat(live)
    first = await the_handoff(customer)
    if learnt:
        await rings(live, ArrivalKind.MESSAGE_ADDED, "e-1", ticket_id="100", message_id="m-1", actor_type="end_user")
        assert (await the_handoff(customer)).ticket_id == "100"
    await customer.happens(Released())
    await live.desk.escalate(ORGANISATION, customer.id)
    await live.drain()
    second = await the_handoff(customer)
    assert second.id != first.id
    await rings(live, ArrivalKind.MESSAGE_ADDED, "e-2", ticket_id="100", message_id="m-2", actor_type="trigger")
    await rings(live, ArrivalKind.STATUS_CHANGED, "e-3", ticket_id="100", conversation_id=None, status="closed")
    for handoff in (first, second):
        await live.reconcile.look(handoff.id, session=True)
    assert (await the_handoff(customer)).is_open, "the second chat goes on"
    assert (await the_handoff(customer)).ticket_id is None
    await customer.says("hello again")
    await live.drain()
    echo = f"sunshine-{len(live.sunshine.arrived)}"
    await rings(live, ArrivalKind.MESSAGE_ADDED, "e-4", ticket_id=ticket, message_id=echo, actor_type="end_user")
    assert (await the_handoff(customer)).ticket_id == ticket
    await rings(live, ArrivalKind.STATUS_CHANGED, "e-5", ticket_id=ticket, conversation_id=None, status="closed")
    await look(live, customer)
    assert (await the_handoff(customer)).ended is Ending.CLOSED


async def test_words_that_never_left_an_earlier_chat_are_owned_up_to(live: Backstage) -> None:
    customer = await in_a_live_chat(live)
    live.sunshine.next = [Retryable("down")]
    await customer.says("my card was charged twice")
    await live.step()
    await customer.happens(Released())
    live.clock.passes(120)
    await live.drain()
    assert "not_delivered" in await customer.notices()


async def test_a_ticket_that_is_gone_ends_the_handoff_without_a_webhook(stage: Backstage) -> None:
    customer = await with_a_ticket(stage)
    stage.zendesk.ticket_is = "closed"
    await look(stage, customer, session=True)
    handoff = await the_handoff(customer)
    assert (handoff.state, handoff.ended) == (HandoffState.ENDED, Ending.CLOSED)


async def test_a_chat_that_is_gone_is_not_asked_about_for_ever(live: Backstage) -> None:
    customer = await in_a_live_chat(live)
    await customer.happens(Released())
    live.sunshine.gone = True
    for _ in range(61):
        live.clock.passes(60)
        await look(live, customer)
    assert await live.read(lambda tx: handoffs.to_read(tx, live.clock.at)) == []


async def test_what_an_agent_wrote_in_the_hour_after_the_end_is_read_although_we_were_away(live: Backstage) -> None:
    customer = await in_a_live_chat(live)
    await customer.happens(Released())
    await look(live, customer)
    live.clock.passes(24 * 3600)
    due = await live.read(lambda tx: handoffs.to_read(tx, live.clock.at))
    assert [row["id"] for row in due] == [(await the_handoff(customer)).id]


async def test_a_clock_set_a_day_forward_ends_no_watch(live: Backstage) -> None:
    customer = await in_a_live_chat(live)
    await customer.happens(Released())
    await look(live, customer)
    live.clock.passes(24 * 3600)  # as a restart on a machine whose clock is wrong
    await look(live, customer)
    for _ in range(57):
        live.clock.passes(60)
        await look(live, customer)
    assert await live.read(lambda tx: handoffs.to_read(tx, live.clock.at)) != []
    live.clock.passes(60)
    await look(live, customer)
    assert await live.read(lambda tx: handoffs.to_read(tx, live.clock.at)) == []


async def test_words_the_assistant_had_not_answered_go_with_those_that_open_a_request_of_their_own(
    live: Backstage,
) -> None:
    customer = await in_a_live_chat(live)
    late = await customer.says("just before it was closed")
    ended = (await the_handoff(customer)).id
    await customer.happens(TicketStatusChanged(handoff=ended, status="closed"))
    await customer.says("just after")
    refused = PostRefused(handoff=ended, message=late, why="it is closed", follow_up=HandoffId("hof_next"))
    assert (await customer.happens(refused)).handoff is not None
    await live.drain()
    assert live.sunshine.posted[-2:] == ["just before it was closed", "just after"]


async def test_the_last_words_go_along_with_those_that_open_a_request_of_their_own_although_they_were_answered(
    live: Backstage,
) -> None:
    customer = await in_a_live_chat(live)
    late = await customer.says("just before it was closed")
    ended = (await the_handoff(customer)).id
    await customer.happens(TicketStatusChanged(handoff=ended, status="closed"))
    for text in ("just after", "and later"):
        asked = await customer.says(text)
        await customer.happens(AssistantSaid(id=MessageId(f"answer-{asked}"), text="An answer", answers=asked))
    await customer.happens(PostRefused(handoff=ended, message=late, why="closed", follow_up=HandoffId("hof_next")))
    await live.drain()
    assert live.sunshine.posted[-2:] == ["just before it was closed", "and later"]
    assert (await customer.deliveries())["and later"] == "delivered"
