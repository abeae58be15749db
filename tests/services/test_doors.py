"""Nobody is hammered, and nobody waits for somebody else's trouble: a door shuts, one probe knocks, and it opens."""

from __future__ import annotations

import pytest

from escalade.channels.base import ChannelName
from escalade.domain.errors import Crowded, DeliveryError, Refused, Retryable, Unaccepted, Uncertain
from escalade.domain.model import OrganisationId
from escalade.store import doors, lanes, organisations
from escalade.store.doors import Door, DoorState
from tests.backstage import ORGANISATION, OTHER, Backstage, Customer, Unheard

BUSY = Retryable("503: busy", status=503)
TURNED_AWAY = Unaccepted("the key is not accepted (401)", after=60, status=401)


async def with_tickets(stage: Backstage, count: int) -> list[Customer]:
    customers = []
    for n in range(count):
        customer = await stage.open(f"c-{n}")
        await customer.says("My stove is broken")
        await stage.desk.escalate(ORGANISATION, customer.id)
        await stage.settle(f"c-{n}")
        customers.append(customer)
    stage.zendesk.sends.clear()
    stage.zendesk.arrived.clear()
    return customers


async def everyone_writes(customers: list[Customer], text: str) -> None:
    for customer in customers:
        await customer.says(text)


async def work(stage: Backstage) -> int:
    """Let the courier try every lane that is due, once; say how many calls that made."""
    before = len(stage.zendesk.sends)
    for lane in await stage.read(lambda tx: lanes.due(tx, stage.clock.at)):
        await stage.courier.step(lane)
    return len(stage.zendesk.sends) - before


async def drained(stage: Backstage, seconds: float) -> None:
    """Let the courier work off everything, which must not take longer than this."""
    end = stage.clock.at + int(seconds * 1000)
    while (due := await stage.read(lanes.next_due_at)) is not None:
        stage.clock.at = max(stage.clock.at, due)
        assert stage.clock.at <= end
        await work(stage)


async def door(stage: Backstage, channel: ChannelName = ChannelName.ZENDESK) -> Door | None:
    return (await stage.read(lambda tx: doors.of(tx, ORGANISATION))).get(channel)


async def opens(stage: Backstage) -> None:
    """Let time pass until the shut door may be tried and everyone who waits at it has come."""
    found = await door(stage)
    assert found is not None
    stage.clock.at = found.until + 1_000


async def test_half_of_ten_failures_shut_the_door_and_one_probe_at_a_time_knocks(stage: Backstage) -> None:
    customers = await with_tickets(stage, 12)
    stage.clock.passes(60)
    stage.zendesk.always = BUSY
    await everyone_writes(customers, "hello?")
    assert await work(stage) == 10  # the tenth shuts it
    found = await door(stage)
    assert found is not None
    assert found.state is DoorState.FAILING
    waits = []
    for _ in range(5):
        at = stage.clock.at
        await opens(stage)
        waits.append((stage.clock.at - at - 1_000) / 1000)
        assert await work(stage) == 1
    assert waits == [5, 10, 20, 30, 30]
    stage.zendesk.always = None
    await opens(stage)
    assert await work(stage) >= 1
    assert await door(stage) is None
    await drained(stage, seconds=1)
    assert stage.zendesk.posted == ["hello?"] * 12


async def test_an_outage_of_days_is_knocked_at_as_one_of_minutes(stage: Backstage) -> None:
    """A wait that doubles has no number any more after a thousand times."""
    (customer,) = await with_tickets(stage, 1)
    await customer.says("hello?")
    stage.zendesk.always = BUSY
    shut = Door(
        organisation=ORGANISATION,
        channel="zendesk",
        state=DoorState.FAILING,
        until=stage.clock.at,
        since=stage.clock.at,
        why="503: busy",
        probes=2000,
    )
    await stage.write(lambda tx: doors.shut(tx, shut))
    stage.clock.passes(60)
    assert await work(stage) == 1
    found = await door(stage)
    assert found is not None
    assert (found.probes, found.until - stage.clock.at) == (2001, 30_000)
    stage.zendesk.always = None
    await opens(stage)
    assert await work(stage) == 1
    assert stage.zendesk.posted == ["hello?"]


async def test_a_few_failures_among_many_successes_shut_nothing(stage: Backstage) -> None:
    customers = await with_tickets(stage, 12)
    stage.clock.passes(60)
    stage.zendesk.next = [BUSY] * 5
    await everyone_writes(customers, "hello?")
    await work(stage)
    assert await door(stage) is None


async def test_a_credential_that_is_not_accepted_is_tried_once_a_minute_until_it_is_mended(stage: Backstage) -> None:
    customers = await with_tickets(stage, 5)
    stage.clock.passes(60)
    stage.zendesk.always = TURNED_AWAY
    await everyone_writes(customers, "hello?")
    calls = 0
    began = stage.clock.at
    while stage.clock.at - began < 600_000:
        calls += await work(stage)
        stage.clock.passes(1)
    assert calls <= 11
    found = await door(stage)
    assert found is not None
    assert (found.state, found.since) == (DoorState.LOCKED, began)
    stage.zendesk.always = None
    await stage.tuning.change(ORGANISATION, {"zendesk": {"subdomain": "acme"}}, "ada@example.com")
    await drained(stage, seconds=1)
    assert stage.zendesk.posted == ["hello?"] * 5
    assert await door(stage) is None


async def test_a_no_to_one_thing_does_not_lock_the_door_for_the_rest(stage: Backstage) -> None:
    first, second = await with_tickets(stage, 2)
    stage.zendesk.next = [Unaccepted("not allowed (403)", after=60, status=403)]
    await first.says("hello?")
    await work(stage)
    await second.says("hello?")
    await work(stage)
    assert await door(stage) is None
    assert stage.zendesk.posted == ["hello?"]


@pytest.mark.parametrize(
    ("channel", "told", "waits"), [("zendesk", 10, 10), ("zendesk", 1e6, 900), ("sunshine", 1e6, 120)]
)
async def test_asked_to_slow_down_everyone_of_the_account_does_and_nobody_else(
    live: Backstage, channel: str, told: float, waits: float
) -> None:
    await live.doors.note(ORGANISATION, ChannelName(channel), Retryable("slow down", after=told, status=429), None)
    found = await door(live, ChannelName(channel))
    assert found is not None
    assert (found.state, found.until - live.clock.at) == (DoorState.PAUSED, waits * 1000)
    room = live.sunshine if channel == "sunshine" else live.zendesk

    async def asks(organisation: OrganisationId) -> str:
        found = await live.read(lambda tx: organisations.load(tx, organisation))
        assert found is not None
        account = await live.read(lambda tx: live.accounts.account(tx, found))
        return await live.doors.call(organisation, ChannelName(channel), lambda: room.ticket_status(account, "1"))

    assert await asks(OTHER) == "open"
    with pytest.raises(Retryable, match="slow down") as held:
        await asks(ORGANISATION)
    assert held.value.after is not None
    assert held.value.after >= waits


async def test_one_customer_who_writes_too_much_holds_up_nobody_else(stage: Backstage) -> None:
    talker, other = await with_tickets(stage, 2)
    stage.zendesk.next = [Crowded("one ticket takes 30 updates in ten minutes", after=540, status=429)]
    await talker.says("and another thing")
    await work(stage)
    await other.says("hello?")
    await work(stage)
    assert stage.zendesk.posted == ["hello?"]
    assert await door(stage) is None
    stage.clock.passes(539)
    assert await work(stage) == 0
    stage.clock.passes(2)
    await work(stage)
    assert stage.zendesk.posted == ["hello?", "and another thing"]


async def test_what_is_uncertain_waits_at_the_door_and_is_not_sent_twice(stage: Backstage) -> None:
    customers = await with_tickets(stage, 12)
    stage.clock.passes(60)
    stage.zendesk.always = Uncertain("no answer")  # each arrives
    stage.zendesk.next_find = [BUSY] * 1000
    await everyone_writes(customers, "hello?")
    for _ in range(300):
        await work(stage)
        stage.clock.passes(1)
    stage.zendesk.always, stage.zendesk.next_find = None, []
    await drained(stage, seconds=95)
    assert sorted(stage.zendesk.posted) == ["hello?"] * 12


async def test_zendesk_speaking_lets_the_next_one_knock_at_once(stage: Backstage) -> None:
    customers = await with_tickets(stage, 12)
    stage.clock.passes(60)
    stage.zendesk.always = BUSY
    await everyone_writes(customers, "hello?")
    await work(stage)
    stage.zendesk.always = None
    await stage.write(lambda tx: stage.arrivals._hurry(tx, ORGANISATION, stage.clock.at))
    await work(stage)
    assert await door(stage) is None


async def test_a_customer_in_a_live_handoff_does_not_wait_at_a_shut_door(live: Backstage) -> None:
    shut = Door(
        organisation=ORGANISATION,
        channel="sunshine",
        state=DoorState.LOCKED,
        until=live.clock.at + 3600_000,
        since=live.clock.at,
        why="the key is not accepted",
        probes=0,
    )
    await live.write(lambda tx: doors.shut(tx, shut))
    customer = await live.open()
    await customer.says("My stove is broken")
    await live.desk.escalate(ORGANISATION, customer.id)
    await live.settle(seconds=100_000)
    assert live.sunshine.sends == []
    assert [effect for effect, _ in live.zendesk.arrived] == ["OpenTicket", "AddNote"]
    assert "asynchronous" in await customer.notices()


@pytest.mark.parametrize("error", [None, Refused("404", status=404), Retryable("later", status=409)])
async def test_an_answer_is_an_answer(stage: Backstage, error: DeliveryError | None) -> None:
    for _ in range(20):
        await stage.doors.note(ORGANISATION, ChannelName.ZENDESK, error, None)
    assert await door(stage) is None


async def test_a_door_is_tried_anew_after_a_start_unless_we_were_told_to_wait(stage: Backstage) -> None:
    for channel, error in (("zendesk", TURNED_AWAY), ("sunshine", Retryable("slow", after=90, status=429))):
        await stage.doors.note(ORGANISATION, ChannelName(channel), error, None)
    assert await stage.courier.recover()
    assert set(await stage.read(lambda tx: doors.of(tx, ORGANISATION))) == {"sunshine"}
    stage.clock.at -= 24 * 3600_000
    assert await stage.courier.recover()
    assert await stage.read(lambda tx: doors.of(tx, ORGANISATION)) == {}


async def test_an_uncertain_failure_counts_like_any_other(stage: Backstage) -> None:
    for _ in range(10):
        await stage.doors.note(ORGANISATION, ChannelName.ZENDESK, Unheard("reset"), None)
    assert await door(stage) is not None
