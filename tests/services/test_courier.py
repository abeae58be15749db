"""What is owed arrives in order and once, whatever becomes of an attempt; when it cannot arrive, its sender is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from escalade.domain.effects import LaneName
from escalade.domain.errors import DeliveryError, Refused, Retryable, Unavailable, Uncertain
from escalade.domain.events import DeskSaid, HandoffAsked
from escalade.domain.model import (
    Control,
    ConversationId,
    HandoffId,
    HandoffState,
    MessageId,
    Mode,
    Reason,
    Role,
    Utterance,
    Wish,
)
from escalade.services.courier import Courier
from escalade.services.customers import Customers
from escalade.services.owners import Alone
from escalade.services.patience import LIVE_PATIENCE_MS
from escalade.store import attempts, conversations, deliveries, lanes, links, messages
from escalade.store.database import Row, Tx
from tests.backstage import INES, NOON, ORGANISATION, Backstage, Customer, Unheard, backstage
from tests.engines import a_database

T = TypeVar("T")
DESK = lanes.Lane(organisation=ORGANISATION, conversation=ConversationId("c-1"), name=LaneName.DESK)
LIVE_WAY = ["EnsureUser", "EnsureConversation", "TakeControl", "PostContext", "PassToAgents", "ConfirmControl"]


async def asks_for_a_person(stage: Backstage, *said: str, wish: Wish = Wish.AUTO) -> Customer:
    customer = await stage.open()
    for text in said or ("My stove is broken",):
        await customer.says(text)
    await stage.desk.escalate(ORGANISATION, customer.id, wish=wish)
    return customer


async def with_a_ticket(stage: Backstage) -> Customer:
    customer = await asks_for_a_person(stage)
    await stage.drain()
    assert (await customer.conversation()).handoff is not None
    stage.zendesk.sends.clear()
    return customer


async def seconds_until_due(stage: Backstage) -> float | None:
    due = await stage.read(lanes.next_due_at)
    return None if due is None else (due - stage.clock.at) / 1000


async def head(stage: Backstage) -> deliveries.Delivery:
    found = await stage.read(lambda tx: deliveries.head(tx, DESK))
    assert found is not None
    return found


# The two ways


async def test_a_ticket_is_opened_noted_and_told(stage: Backstage) -> None:
    customer = await asks_for_a_person(stage, "My stove is broken", "It smokes")
    await stage.drain()
    assert [effect for effect, _ in stage.zendesk.arrived] == ["OpenTicket", "AddNote"]
    assert await stage.owed() == [("OpenTicket", "delivered"), ("AddNote", "delivered"), ("Post", "covered")]
    conversation = await customer.conversation()
    assert conversation.handoff is not None
    assert (conversation.handoff.state, conversation.handoff.ticket_id) == (HandoffState.ASYNCHRONOUS, "4711")
    assert await customer.notices() == ["handoff_requested", "ticket_created"]
    assert (await customer.deliveries())["It smokes"] == "delivered"
    assert stage.sunshine.sends == []


async def test_after_a_very_long_talk_the_agent_still_reads_its_end(stage: Backstage) -> None:
    customer = await stage.open()

    def long_talk(tx: Tx) -> None:
        current = conversations.load(tx, ORGANISATION, customer.id)
        assert current is not None
        for n in range(600):
            said = Utterance(role=Role.CUSTOMER, text=f"word {n}")
            messages.append(tx, current, said, MessageId(f"m-{n}"), NOON, said_at=NOON)

    await stage.write(long_talk)
    await stage.desk.escalate(ORGANISATION, customer.id)
    await stage.drain()
    for job in stage.zendesk.jobs:
        assert job.transcript[-1].text == "word 599"
        assert len(job.transcript) == 500


async def test_a_live_chat_is_handed_over_step_by_step_and_the_ticket_is_left_out(live: Backstage) -> None:
    customer = await asks_for_a_person(live)
    await live.drain()
    assert [effect for effect, _ in live.sunshine.arrived] == [*LIVE_WAY, "Post"]
    assert live.zendesk.sends == []
    assert (await live.owed())[6:] == [("OpenTicket", "covered"), ("AddNote", "covered"), ("Post", "delivered")]
    conversation = await customer.conversation()
    assert conversation.handoff is not None
    assert conversation.handoff.state is HandoffState.QUEUED
    assert await customer.notices() == ["handoff_requested", "waiting"]


async def test_words_do_not_wait_for_control_to_be_seen_where_an_agent_has_answered_already(live: Backstage) -> None:
    """An agent who answers at once and ends: who has control says no more that agents had it."""
    customer = await asks_for_a_person(live)
    for _ in LIVE_WAY[:-1]:
        await live.step()
    handoff = (await customer.conversation()).handoff
    assert handoff is not None
    live.sunshine.next = [Retryable("the agents do not have control", after=1.0)]
    await live.step()
    await customer.happens(
        DeskSaid(handoff=handoff.id, id=MessageId("sunshine:1"), role=Role.AGENT, text="It is on its way", agent=INES)
    )
    await customer.says("Thank you")
    live.clock.passes(1)
    await live.drain()
    assert live.sunshine.sends == [*LIVE_WAY, "Post", "Post"]
    assert live.zendesk.sends == []


@pytest.mark.parametrize("step", LIVE_WAY)
async def test_a_live_step_refused_for_good_gives_way_to_the_ticket(live: Backstage, step: str) -> None:
    customer = await asks_for_a_person(live)
    for done in LIVE_WAY[: LIVE_WAY.index(step)]:
        await live.step()
        assert live.sunshine.arrived[-1][0] == done
    live.sunshine.next = [Refused("no", status=404)]
    await live.drain()
    sends = LIVE_WAY[: LIVE_WAY.index(step) + 1]
    opened = LIVE_WAY.index(step) > LIVE_WAY.index("EnsureConversation")
    assert live.sunshine.sends == [*sends, *(["ReleaseControl"] if opened else [])]
    assert [effect for effect, _ in live.zendesk.arrived] == ["OpenTicket", "AddNote"]
    assert await customer.notices() == ["handoff_requested", "asynchronous", "ticket_created"]
    conversation = await customer.conversation()
    assert conversation.handoff is not None
    assert (conversation.handoff.mode, conversation.handoff.ticket_id) == (Mode.TICKET, "4711")


async def test_a_ticket_refused_for_good_is_told_with_every_word_that_did_not_arrive(stage: Backstage) -> None:
    stage.zendesk.next = [Refused("no such group", status=422)]
    customer = await asks_for_a_person(stage)
    await customer.says("Hello?")
    await stage.drain()
    conversation = await customer.conversation()
    assert conversation.control is Control.ASSISTANT
    assert conversation.handoff is not None
    assert conversation.handoff.state is HandoffState.FAILED
    assert (await customer.deliveries())["Hello?"] == "failed"
    assert await customer.notices() == [
        "handoff_requested",
        "handoff_failed",
        "not_delivered",
        "not_delivered",
    ]
    told = (await customer.messages())[-1].text
    assert told == "Your message “Hello?” did not reach our team: your request could not be opened."


# Verdicts


async def test_what_is_to_be_tried_later_is_tried_later_and_nothing_overtakes_it(stage: Backstage) -> None:
    customer = await with_a_ticket(stage)
    stage.zendesk.next = [Retryable("busy", status=409), Retryable("busy", status=409)]
    for text in ("one", "two", "three"):
        await customer.says(text)
    pauses = []
    for _ in range(2):
        assert await stage.step() is False
        assert stage.zendesk.posted == []
        pauses.append(await seconds_until_due(stage))
        assert await stage.read(lambda tx: lanes.due(tx, stage.clock.at)) == []
        stage.clock.passes(pauses[-1] or 0)
    await stage.drain()
    assert stage.zendesk.posted == ["one", "two", "three"]
    assert pauses == [1.0, 2.0]
    assert set((await customer.deliveries()).values()) == {"delivered"}


async def test_the_pause_doubles_up_to_half_a_minute(stage: Backstage) -> None:
    customer = await with_a_ticket(stage)
    await customer.says("one")
    stage.zendesk.always = Retryable("down", status=503)
    pauses = []
    for _ in range(7):
        await stage.step()
        pauses.append(await seconds_until_due(stage))
    assert pauses == [1, 2, 4, 8, 16, 30, 30]


async def test_zendesk_may_say_itself_when_to_come_back(stage: Backstage) -> None:
    customer = await with_a_ticket(stage)
    await customer.says("one")
    stage.zendesk.next = [Retryable("slow down", after=93.0, status=429)]
    await stage.step()
    assert await seconds_until_due(stage) == 93


async def test_a_word_refused_for_good_is_told_and_the_next_goes_on(stage: Backstage) -> None:
    customer = await with_a_ticket(stage)
    stage.zendesk.next = [Refused("the ticket is closed", status=422, answer='{"error":"closed"}')]
    await customer.says("one")
    await customer.says("two")
    await stage.drain()
    assert stage.zendesk.posted == ["two"]
    found = await customer.deliveries()
    assert (found["one"], found["two"]) == ("failed", "delivered")
    assert (await customer.messages())[-1].text == "Your message “one” did not reach our team: the ticket is closed."
    refused = next(row for row in await stage.deliveries() if row["state"] == "refused")
    assert await stage.attempts(refused["id"]) == [("send", "refused")]


async def test_a_repetition_zendesk_recognises_is_sent_again_with_the_same_bytes(stage: Backstage) -> None:
    stage.zendesk.freezes = "body of"
    stage.zendesk.next = [Uncertain("timeout"), Unheard("timeout"), Uncertain("timeout")]
    customer = await asks_for_a_person(stage)
    await stage.settle()
    assert stage.zendesk.sends[:4] == ["OpenTicket"] * 4
    assert len(set(stage.zendesk.frozen_bodies[:4])) == 1
    assert stage.zendesk.finds == 0
    assert [effect for effect, _ in stage.zendesk.arrived] == ["OpenTicket", "AddNote"]
    handoff = (await customer.conversation()).handoff
    assert handoff is not None
    assert handoff.ticket_id == "4711"


async def test_what_may_have_arrived_is_looked_for_before_it_is_sent_again(stage: Backstage) -> None:
    customer = await with_a_ticket(stage)
    stage.zendesk.next = [Uncertain("timeout")]
    await customer.says("one")
    await customer.says("two")
    await stage.settle()
    assert stage.zendesk.posted == ["one", "two"]
    assert stage.zendesk.sends == ["Post", "Post"]
    assert stage.zendesk.finds == 1
    assert stage.clock.at - NOON == 1000
    assert set((await customer.deliveries()).values()) == {"delivered"}


async def looks_until_it_is_there(stage: Backstage, since: int) -> list[float]:
    """Let time pass until something is at the desk; say how many seconds after an instant it was looked for."""
    looked_after = []
    while stage.zendesk.posted == []:
        before = stage.zendesk.finds
        await stage.drain()
        if stage.zendesk.finds > before:
            looked_after.append((stage.clock.at - since) / 1000)
        stage.clock.passes(await seconds_until_due(stage) or 0)
    return looked_after


async def test_it_is_sent_again_only_when_a_late_arrival_has_become_impossible(stage: Backstage) -> None:
    customer = await with_a_ticket(stage)
    stage.zendesk.next = [Unheard("timeout")]
    await customer.says("one")
    await customer.says("two")
    tried = stage.clock.at
    await stage.step()
    first = next(row for row in await stage.deliveries() if row["state"] == "unsure")
    assert await looks_until_it_is_there(stage, since=tried) == [1, 3, 10, 60]
    assert stage.zendesk.posted == ["one", "two"]
    assert stage.zendesk.sends == ["Post"] * 3
    looks = [("look", "absent")] * 4
    assert (await stage.attempts(first["id"]))[1:] == [*looks, ("send", "delivered")]


@pytest.mark.parametrize("takes", [0.0, 9.0, 200.0])
async def test_the_wait_for_a_late_arrival_begins_when_the_attempt_is_given_up(stage: Backstage, takes: float) -> None:
    customer = await with_a_ticket(stage)
    stage.zendesk.next, stage.zendesk.takes = [Unheard("no answer, after three files")], takes
    await customer.says("here they are")
    await stage.step()
    given_up, stage.zendesk.takes = stage.clock.at, 0.0
    assert await looks_until_it_is_there(stage, since=given_up) == [1, 3, 10, 60]


async def test_a_late_arrival_is_found_by_a_later_look(stage: Backstage) -> None:
    customer = await with_a_ticket(stage)
    stage.zendesk.next = [Uncertain("timeout")]
    await customer.says("one")
    await stage.step()
    hidden, stage.zendesk._marks = stage.zendesk._marks, {}
    while (await seconds_until_due(stage) or 0) + (stage.clock.at - NOON) / 1000 < 60:
        stage.clock.passes(await seconds_until_due(stage) or 0)
        await stage.drain()
    assert stage.zendesk.sends == ["Post"]
    stage.zendesk._marks = hidden
    await stage.settle()
    assert stage.zendesk.posted == ["one"]
    assert (await customer.deliveries())["one"] == "delivered"


async def test_while_a_look_fails_nothing_is_sent_again(stage: Backstage) -> None:
    customer = await with_a_ticket(stage)
    stage.zendesk.next = [Uncertain("timeout")]
    stage.zendesk.next_find = [Retryable("down")] * 12
    await customer.says("one")
    await customer.says("two")
    await stage.settle(seconds=3600)
    assert stage.zendesk.posted == ["one", "two"]
    assert stage.zendesk.sends == ["Post", "Post"]
    assert stage.clock.at - NOON > 60_000


async def test_a_fault_of_our_own_during_an_attempt_may_have_sent_it(stage: Backstage) -> None:
    customer = await with_a_ticket(stage)
    broken: Any = ZeroDivisionError("ours")
    stage.zendesk.next = [broken]
    await customer.says("one")
    await stage.step()
    assert (await head(stage)).state == "unsure"
    await stage.settle()
    assert stage.zendesk.posted == ["one"]


async def test_an_uncertain_outage_is_not_hammered(stage: Backstage) -> None:
    await asks_for_a_person(stage)
    await stage.step(LaneName.ASSISTANT)
    stage.zendesk.always = Unheard("500", status=500)
    pauses = []
    for _ in range(8):
        await stage.step()
        pauses.append(await seconds_until_due(stage) or 0)
        stage.clock.passes(pauses[-1])
    assert pauses == sorted(pauses)
    assert pauses[-1] == 30


# Live patience


@pytest.mark.parametrize("error", [Retryable("down", status=429), Unheard("down", status=500)], ids=["later", "unsure"])
@pytest.mark.parametrize("step", ["EnsureUser", "EnsureConversation", "PassToAgents", "ConfirmControl"])
async def test_a_customer_waits_a_minute_for_live_chat_and_then_gets_a_ticket(
    live: Backstage, error: DeliveryError, step: str
) -> None:
    customer = await asks_for_a_person(live)
    for _ in LIVE_WAY[: LIVE_WAY.index(step)]:
        await live.step()
    live.sunshine.always = error
    live.sunshine.next_find = [Retryable("down")] * 100
    await live.settle(seconds=300)
    assert [effect for effect, _ in live.zendesk.arrived] == ["OpenTicket", "AddNote"]
    assert LIVE_PATIENCE_MS <= live.clock.at - NOON <= 2 * LIVE_PATIENCE_MS
    conversation = await customer.conversation()
    assert conversation.handoff is not None
    assert (conversation.handoff.mode, conversation.handoff.ticket_id) == (Mode.TICKET, "4711")


async def test_giving_up_says_nothing_of_whether_the_last_attempt_has_arrived(live: Backstage) -> None:
    await asks_for_a_person(live)
    live.sunshine.always = Uncertain("no answer")
    live.sunshine.next_find = [Retryable("down")] * 100
    await live.settle(seconds=300)
    (given_up,) = [row for row in await live.deliveries() if row["state"] == "refused"]
    assert given_up["why"].startswith("gave up")
    assert {verdict for kind, verdict in await live.attempts(given_up["id"]) if kind == "send"} == {"uncertain"}


async def test_live_chat_that_is_back_within_the_minute_stays_live(live: Backstage) -> None:
    customer = await asks_for_a_person(live)
    live.sunshine.next = [Retryable("down")] * 4
    await live.settle()
    conversation = await customer.conversation()
    assert conversation.handoff is not None
    assert conversation.handoff.mode is Mode.LIVE
    assert live.zendesk.sends == []


# What is no longer wanted


async def test_the_assistant_does_not_answer_what_a_person_was_asked_for_meanwhile(stage: Backstage) -> None:
    await asks_for_a_person(stage)
    await stage.drain()
    assert stage.assistant.asked == []
    answers = [row for row in await stage.deliveries() if row["effect"] == "Answer"]
    assert [(row["state"], row["why"]) for row in answers] == [("dropped", "a person has control")]


async def test_the_assistant_finishing_late_does_not_talk_over_a_person(stage: Backstage) -> None:
    customer = await stage.open()
    await customer.says("My stove is broken")
    stage.assistant.thinks = asyncio.Event()
    thinking = asyncio.create_task(stage.step(LaneName.ASSISTANT))
    while not stage.assistant.asked:
        await asyncio.sleep(0)
    await stage.desk.escalate(ORGANISATION, customer.id)
    stage.assistant.thinks.set()
    await thinking
    assert await customer.transcript(Role.ASSISTANT) == []


async def test_words_left_behind_when_the_customer_leaves_are_told(stage: Backstage) -> None:
    customer = await with_a_ticket(stage)
    stage.zendesk.next = [Retryable("busy")]
    await customer.says("one")
    await stage.step()
    await stage.desk.release(ORGANISATION, customer.id)
    await stage.settle()
    assert stage.zendesk.posted == []
    assert (await customer.deliveries())["one"] == "failed"
    assert (await customer.messages())[-1].text == "Your message “one” did not reach our team: the chat ended."


async def test_a_word_that_may_have_arrived_before_the_end_is_looked_for_before_it_is_let_go(
    stage: Backstage,
) -> None:
    customer = await with_a_ticket(stage)
    stage.zendesk.next = [Uncertain("timeout"), Unheard("timeout")]
    await customer.says("one")
    await stage.step()
    await stage.desk.release(ORGANISATION, customer.id)
    await stage.settle()
    assert (await customer.deliveries())["one"] == "delivered"
    assert stage.zendesk.sends == ["Post"]


async def test_a_ticket_that_may_have_been_opened_is_pursued_after_the_customer_left(stage: Backstage) -> None:
    customer = await asks_for_a_person(stage)
    stage.zendesk.next = [Uncertain("timeout")]
    await stage.step()
    await stage.desk.release(ORGANISATION, customer.id)
    await stage.settle()
    handoff = (await customer.conversation()).handoff
    assert handoff is not None
    assert (handoff.ticket_id, handoff.is_open) == ("4711", False)


async def test_leaving_a_live_chat_is_told_to_zendesk_after_the_words_before_it(live: Backstage) -> None:
    customer = await asks_for_a_person(live)
    await live.drain()
    await live.desk.release(ORGANISATION, customer.id)
    await live.drain()
    assert [effect for effect, _ in live.sunshine.arrived][-2:] == ["Post", "ReleaseControl"]


# Upgrades


async def test_a_ticket_not_attempted_yet_becomes_a_live_chat_and_every_word_goes_there(live: Backstage) -> None:
    customer = await asks_for_a_person(live, "My stove is broken", wish=Wish.TICKET)
    await customer.says("It smokes")
    await live.desk.escalate(ORGANISATION, customer.id, wish=Wish.LIVE)
    await live.drain()
    assert live.zendesk.sends == []
    assert live.sunshine.posted == ["My stove is broken", "It smokes"]
    assert set((await customer.deliveries()).values()) == {"delivered"}


class Interrupted:
    """A database on which something else happens between a read and the next write."""

    def __init__(self, stage: Backstage) -> None:
        self._database = stage.database
        self.before_next_write: Callable[[], Any] | None = None

    async def read(self, work: Callable[[Tx], T]) -> T:
        return await self._database.read(work)

    async def write(self, work: Callable[[Tx], T]) -> T:
        meanwhile, self.before_next_write = self.before_next_write, None
        if meanwhile is not None:
            await meanwhile()
        return await self._database.write(work)


async def test_a_ticket_is_not_opened_when_live_is_chosen_at_the_last_moment(live: Backstage) -> None:
    customer = await asks_for_a_person(live, wish=Wish.TICKET)
    await live.step(LaneName.ASSISTANT)
    database = Interrupted(live)
    live.courier._ledger._database = database
    database.before_next_write = lambda: live.desk.escalate(ORGANISATION, customer.id, wish=Wish.LIVE)
    await live.drain()
    assert live.zendesk.sends == []
    assert [effect for effect, _ in live.sunshine.arrived] == [*LIVE_WAY, "Post"]


async def test_a_word_is_not_sent_when_the_customer_leaves_at_the_last_moment(stage: Backstage) -> None:
    customer = await with_a_ticket(stage)
    await customer.says("one")
    database = Interrupted(stage)
    stage.courier._ledger._database = database
    database.before_next_write = lambda: stage.desk.release(ORGANISATION, customer.id)
    await stage.drain()
    assert stage.zendesk.posted == []
    assert (await customer.deliveries())["one"] == "failed"


# Crashes


async def crash_during_a_send(stage: Backstage) -> None:
    """End the process after the request has arrived and before its outcome is written down."""
    stage.zendesk.holds = asyncio.Event()
    stage.zendesk.reached.clear()
    drain = asyncio.create_task(stage.step())
    await stage.zendesk.reached.wait()
    drain.cancel()
    await asyncio.gather(drain, return_exceptions=True)
    stage.zendesk.holds = None


async def start_again(stage: Backstage) -> None:
    await stage.write(lambda tx: attempts.recover(tx, stage.clock.at))


async def test_a_word_sent_just_before_a_crash_is_found_and_not_sent_twice(stage: Backstage) -> None:
    customer = await with_a_ticket(stage)
    await customer.says("one")
    await customer.says("two")
    await crash_during_a_send(stage)
    await start_again(stage)
    await stage.settle()
    assert stage.zendesk.posted == ["one", "two"]
    assert set((await customer.deliveries()).values()) == {"delivered"}


async def test_a_word_cut_short_by_a_crash_is_sent_again_after_the_wait(stage: Backstage) -> None:
    customer = await with_a_ticket(stage)
    await customer.says("one")
    await crash_during_a_send(stage)
    stage.zendesk.forgets()
    await start_again(stage)
    await stage.settle()
    assert stage.zendesk.posted == ["one"]
    assert stage.clock.at - NOON >= 60_000


async def test_a_ticket_opened_just_before_a_crash_is_one_ticket(stage: Backstage) -> None:
    customer = await asks_for_a_person(stage)
    await crash_during_a_send(stage)
    handoff = (await customer.conversation()).handoff
    assert handoff is not None
    assert handoff.ticket_attempted
    await start_again(stage)
    await stage.settle()
    assert [effect for effect, _ in stage.zendesk.arrived] == ["OpenTicket", "AddNote"]


async def test_an_answer_cut_short_by_a_crash_is_given_once(stage: Backstage) -> None:
    customer = await stage.open()
    await customer.says("What is up?", "m-1")
    stage.assistant.thinks = asyncio.Event()
    drain = asyncio.create_task(stage.step(LaneName.ASSISTANT))
    while not stage.assistant.asked:
        await asyncio.sleep(0)
    drain.cancel()
    await asyncio.gather(drain, return_exceptions=True)
    stage.assistant.thinks = None
    await start_again(stage)
    await stage.settle()
    assert await customer.transcript(Role.ASSISTANT) == ["About “What is up?” …"]


async def test_a_crash_before_the_ticket_is_known_does_not_cost_the_note(stage: Backstage) -> None:
    customer = await asks_for_a_person(stage)
    await stage.step(LaneName.ASSISTANT)
    database = Interrupted(stage)
    stage.courier._ledger._database = database

    async def dies() -> None:
        database.before_next_write = None
        raise asyncio.CancelledError

    async def begins() -> None:
        database.before_next_write = dies

    database.before_next_write = begins  # the attempt, and then nothing more
    with pytest.raises(asyncio.CancelledError):
        await stage.step()
    running = asyncio.create_task(stage.courier.run())
    await until(lambda: stage.zendesk.sends[-1] == "AddNote")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await stage.courier.close()
    await stage.settle()
    assert stage.zendesk.posted == []
    assert (await customer.notices())[-1] == "ticket_created"


async def test_where_looking_is_refused_for_good_it_is_sent_again_and_told(stage: Backstage) -> None:
    customer = await with_a_ticket(stage)
    stage.zendesk.next = [Unheard("timeout"), Refused("the ticket is gone", status=404)]
    stage.zendesk.next_find = [Refused("the ticket is gone", status=404)] * 9
    await customer.says("one")
    await stage.settle()
    assert (await customer.deliveries())["one"] == "failed"


async def test_what_the_list_has_shown_has_arrived_although_its_chat_is_gone_now(stage: Backstage) -> None:
    customer = await with_a_ticket(stage)
    stage.zendesk.next = [Uncertain("timeout")]
    stage.zendesk.next_find = [Refused("the chat is gone", status=404)] * 9
    said = await customer.says("one")
    await stage.step()
    handoff = (await customer.conversation()).handoff
    assert handoff is not None
    seen = partial(
        links.tie, organisation=ORGANISATION, handoff=handoff.id, channel="sunshine", kind="message",
        theirs="r-1", ours=said,
    )  # fmt: skip
    await stage.database.write(seen)  # as reconcile does with an echo
    await stage.settle()
    assert stage.zendesk.sends == ["Post"]
    assert (await customer.deliveries())["one"] == "delivered"
    assert "not_delivered" not in await customer.notices()
    assert [row["state"] for row in await stage.deliveries() if row["effect"] == "Post"][-1] == "covered"


async def test_a_ticket_refused_while_an_earlier_attempt_may_still_arrive_is_asked_for_again(stage: Backstage) -> None:
    stage.zendesk.next = [Uncertain("timeout"), Refused("no", status=422)]
    customer = await asks_for_a_person(stage)
    await stage.settle()
    assert stage.zendesk.sends.count("OpenTicket") == 3
    assert stage.clock.at - NOON >= 60_000
    assert "handoff_failed" not in await customer.notices()
    handoff = (await customer.conversation()).handoff
    assert handoff is not None
    assert handoff.ticket_id is not None


async def test_a_ticket_nobody_answers_for_hours_is_neither_given_up_nor_told_as_failed(stage: Backstage) -> None:
    stage.zendesk.next = [Uncertain("timeout")] * 300
    customer = await asks_for_a_person(stage)
    await stage.settle(seconds=6 * 3600)
    assert stage.clock.at - NOON >= 2 * 3600_000
    assert "handoff_failed" not in await customer.notices()
    (opened,) = [row for row in await stage.deliveries() if row["effect"] == "OpenTicket"]
    assert opened["state"] == "delivered"


# The assistant's lane


async def test_an_answer_or_a_cry_for_help_is_decided_like_any_other_event(stage: Backstage) -> None:
    customer = await stage.open()
    await customer.says("What is up?", "m-1")
    await stage.drain()
    assert await customer.transcript(Role.ASSISTANT) == ["About “What is up?” …"]
    asked = HandoffAsked(id=HandoffId("hof_1"), reason=Reason.NO_ANSWER, about=MessageId("m-2"), evidence="no passage")
    stage.assistant.answers["And why?"] = asked
    await customer.says("And why?", "m-2")
    await stage.settle()
    handoff = (await customer.conversation()).handoff
    assert handoff is not None
    assert (handoff.reason, handoff.about, handoff.evidence) == (Reason.NO_ANSWER, "m-2", "no passage")
    assert (await customer.deliveries())["And why?"] == "delivered"


async def test_questions_are_answered_in_order(stage: Backstage) -> None:
    customer = await stage.open()
    for text in ("one", "two", "three"):
        await customer.says(text)
    await stage.drain()
    assert stage.assistant.asked == ["one", "two", "three"]


# The loop


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not reached():
            await asyncio.sleep(0.002)


async def test_a_running_courier_wakes_when_something_is_owed_and_recovers_what_was_cut_short(stage: Backstage) -> None:
    customer = await with_a_ticket(stage)
    await customer.says("one")
    await stage.write(lambda tx: attempts.begin(tx, _head(tx), kind="send", frozen=None, now=stage.clock.at))
    running = asyncio.create_task(stage.courier.run())
    other = await stage.open("c-2")
    await other.says("What is up?")
    await until(lambda: stage.assistant.asked == ["What is up?"])
    assert not running.done()
    assert (await head(stage)).state in {"unsure", "sending"}
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await stage.courier.close()


def _head(tx: Tx) -> deliveries.Delivery:
    found = deliveries.head(tx, DESK)
    assert found is not None
    return found


async def test_a_conversation_that_hangs_holds_up_no_other(stage: Backstage) -> None:
    await asks_for_a_person(stage)
    stage.zendesk.holds = asyncio.Event()
    running = asyncio.create_task(stage.courier.run())
    await until(lambda: stage.zendesk.sends == ["OpenTicket"])
    other = await stage.open("c-2")
    await other.says("What is up?")
    await until(lambda: stage.assistant.asked == ["What is up?"])
    stage.zendesk.holds.set()
    await until(lambda: stage.zendesk.sends == ["OpenTicket", "AddNote"])
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await stage.courier.close()


@pytest.mark.parametrize("error", [None, Uncertain("422: marigold", answer="the marigold")], ids=["taken", "unsure"])
async def test_what_comes_back_for_a_customer_who_was_erased_meanwhile_is_not_written_down(
    stage: Backstage, error: Uncertain | None
) -> None:
    customer = await with_a_ticket(stage)
    person = (await customer.conversation()).customer.id
    stage.zendesk.holds, stage.zendesk.answers = asyncio.Event(), '201 {"comment":"My marigold is wilting"}'
    stage.zendesk.next = [] if error is None else [error]
    stage.zendesk.reached.clear()
    await customer.says("My marigold is wilting")
    sending = asyncio.create_task(stage.step())
    await stage.zendesk.reached.wait()
    await Customers(stage.database, stage.ports, stage.intake).erase(ORGANISATION, person, "a test")
    stage.zendesk.holds.set()
    await sending
    await stage.settle()
    assert "marigold" not in await stage.read(lambda tx: repr([dict(row) for row in _rows(tx)]))


@pytest.mark.parametrize("error", [Uncertain("no answer"), Unheard("no answer"), Retryable("down")])
async def test_an_erasure_names_the_ticket_that_may_have_been_opened_without_a_number(
    stage: Backstage, error: DeliveryError
) -> None:
    customer = await asks_for_a_person(stage)
    conversation = await customer.conversation()
    assert conversation.handoff is not None
    stage.zendesk.next = [error]
    await stage.step()
    customers = Customers(stage.database, stage.ports, stage.intake)
    erased = await customers.erase(ORGANISATION, conversation.customer.id, "a test")
    named = {"kind": "ticket by external id", "id": conversation.handoff.id, "state": "pending"}
    assert erased["at_zendesk"] == ([named] if isinstance(error, Uncertain) else [])


def _rows(tx: Tx) -> list[Row]:
    tables = ("attempt", "delivery", "receipt", "handoff")
    return [row for table in tables for row in tx.everywhere().all(f"SELECT * FROM {table}")]


async def test_one_lane_never_has_two_senders(stage: Backstage) -> None:
    await asks_for_a_person(stage)
    stage.zendesk.holds = asyncio.Event()
    courier: Courier = stage.courier
    for _ in range(3):
        await courier._start_due_lanes()
        await asyncio.sleep(0)
    await until(lambda: stage.zendesk.sends == ["OpenTicket"])
    assert len([lane for lane in courier._busy if lane.name is LaneName.DESK]) == 1
    stage.zendesk.holds.set()
    await until(lambda: not courier._busy)
    assert stage.zendesk.sends == ["OpenTicket", "AddNote"]


class LostAtFirst(Alone):
    """The owner of everything, whose session is found lost at the first claim."""

    def __init__(self) -> None:
        self.lost = False

    async def claim(self, name: str) -> bool:
        if self.lost:
            return True
        self.lost = True
        self.on_loss()
        raise Unavailable("the session that holds our conversations is lost")


async def test_a_lane_whose_sender_is_stopped_before_its_first_step_is_drained_by_the_next(stage: Backstage) -> None:
    for id in ("c-1", "c-2", "c-3"):
        await (await stage.open(id)).says(f"What is up in {id}?")
    stage.courier._owners = owners = LostAtFirst()
    owners.on_loss = stage.courier._busy.stop
    await stage.courier._start_due_lanes()
    assert len(stage.courier._busy) == 3
    await until(lambda: owners.lost and not stage.courier._busy)
    stage.clock.passes(1)
    await stage.courier._start_due_lanes()
    await until(lambda: len(stage.assistant.asked) == 3)
    await stage.courier.close()


async def test_a_refused_word_is_sent_again_when_an_operator_asks(stage: Backstage) -> None:
    customer = await with_a_ticket(stage)
    stage.zendesk.next = [Refused("the group is gone", status=422)]
    await customer.says("one")
    await stage.drain()
    refused = next(row for row in await stage.deliveries() if row["state"] == "refused")
    await stage.redrive.resend(ORGANISATION, refused["id"], "olga")
    await stage.drain()
    assert stage.zendesk.posted == ["one"]
    assert (await customer.deliveries())["one"] == "delivered"


async def test_what_an_earlier_handoff_has_shown_is_not_told_as_undelivered_by_the_next(live: Backstage) -> None:
    customer = await asks_for_a_person(live)
    await live.settle()
    await live.desk.release(ORGANISATION, customer.id)
    await live.settle()
    live.sunshine.always = Retryable("out of reach")
    await live.desk.escalate(ORGANISATION, customer.id)  # about the same words
    await live.step()
    await live.desk.release(ORGANISATION, customer.id)
    live.sunshine.always = None
    await live.settle()
    assert await customer.deliveries() == {"My stove is broken": "delivered"}
    assert "not_delivered" not in await customer.notices()


# Any weather at all

WEATHER = st.lists(
    st.sampled_from(
        [None, Retryable("busy"), Retryable("slow", after=5.0), Uncertain("timeout"), Unheard("timeout"), Refused("no")]
    ),
    max_size=14,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    weather=WEATHER,
    looks=st.lists(st.sampled_from([None, Retryable("down")]), max_size=6),
    crashes=st.sets(st.integers(1, 12), max_size=2),
)
async def test_in_any_weather_each_word_arrives_once_in_order_or_is_told(
    weather: list[DeliveryError | None], looks: list[DeliveryError | None], crashes: set[int]
) -> None:
    with a_database("sqlite") as url:
        async with backstage(url) as stage:
            customer = await with_a_ticket(stage)
            stage.zendesk.next = list(weather)  # type: ignore[arg-type]
            stage.zendesk.next_find = [error for error in looks if error is not None]
            texts = [f"word {n}" for n in range(5)]
            for text in texts:
                await customer.says(text)
            steps = 0
            while (due := await stage.read(lanes.next_due_at)) is not None:
                stage.clock.at = max(stage.clock.at, due)
                steps += 1
                assert steps < 200
                if steps in crashes and (await head(stage)).state == "pending":
                    await crash_during_a_send_if_it_arrives(stage)
                    await start_again(stage)
                else:
                    await stage.step()
            deliveries = await customer.deliveries()
            arrived = stage.zendesk.posted
            assert arrived == [text for text in texts if text in arrived]  # in order
            assert len(arrived) == len(set(arrived))  # once
            for text in texts:
                assert deliveries[text] == ("delivered" if text in arrived else "failed")
            told = [text for text in await customer.transcript(Role.SYSTEM) if "did not reach" in text]
            assert len(told) == len(texts) - len(arrived)


async def crash_during_a_send_if_it_arrives(stage: Backstage) -> None:
    """End the process in the middle of the next attempt, wherever that is."""
    stage.zendesk.holds = asyncio.Event()
    stage.zendesk.reached.clear()
    drain = asyncio.create_task(stage.step())
    reached = asyncio.create_task(stage.zendesk.reached.wait())
    await asyncio.wait({drain, reached}, return_when=asyncio.FIRST_COMPLETED)
    for task in (drain, reached):
        task.cancel()
    await asyncio.gather(drain, reached, return_exceptions=True)
    stage.zendesk.holds = None
