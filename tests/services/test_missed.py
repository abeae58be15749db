"""What Zendesk could not deliver is read back once a minute, and taken in like the webhook it was, once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from escalade.channels.base import Account, Arrival, ArrivalKind, CallsTo, ChannelName, MissedCall
from escalade.domain.errors import DeliveryError, Retryable, Unaccepted
from escalade.domain.model import Role
from escalade.services.intake import policy_of
from escalade.services.missed import Missed
from escalade.store import doors, webhooks
from tests.backstage import ORGANISATION, Backstage, Customer


class Log:
    """What Zendesk kept of one webhook's calls."""

    def __init__(self) -> None:
        self.calls: list[MissedCall] = []
        self.asked: list[str | None] = []
        self.error: DeliveryError | None = None

    async def missed(
        self, account: Account, webhook: str, since: str | None, is_known: Callable[[str], bool]
    ) -> AsyncIterator[MissedCall | CallsTo]:
        assert webhook == "01HOOK"
        self.asked.append(since)
        if self.error is not None:
            raise self.error
        for call in self.calls:
            if (since is None or call.ended >= since) and not is_known(call.invocation):
                yield call


def comment(n: int, body: bytes | None = b"{}") -> MissedCall:
    return MissedCall(invocation=f"i-{n}", ended=f"2026-01-15T12:0{n}:00Z", body=body)


def read(call: MissedCall) -> Arrival:
    return Arrival(
        kind=ArrivalKind.MESSAGE_ADDED,
        key=f"event-{call.invocation}",
        ticket_id="4711",
        message_id=f"m-{call.invocation}",
        actor_type="agent",
        agent_name="Inès",
        text=f"word {call.invocation}",
    )


async def with_a_ticket(stage: Backstage) -> tuple[Customer, Log, Missed]:
    customer = await stage.open()
    await customer.says("My stove is broken")
    await stage.desk.escalate(ORGANISATION, customer.id)
    await stage.settle()
    await stage.write(lambda tx: webhooks.learn(tx, ORGANISATION, "01HOOK"))
    log = Log()
    return customer, log, Missed(stage.database, stage.ports, stage.arrivals, stage.accounts, log, read)


async def test_what_failed_is_taken_in_once_and_read_on_from_there(stage: Backstage) -> None:
    customer, log, missed = await with_a_ticket(stage)
    log.calls = [comment(1), comment(2)]
    await missed.round()
    assert await customer.transcript(Role.AGENT) == ["word i-1", "word i-2"]
    await missed.round()
    assert log.asked == [None]  # not twice within a minute
    stage.clock.passes(61)
    log.calls.append(comment(3))
    await missed.round()
    assert log.asked == [None, "2026-01-15T12:02:00Z"]
    assert await customer.transcript(Role.AGENT) == ["word i-1", "word i-2", "word i-3"]


async def test_one_that_came_after_all_changes_nothing(stage: Backstage) -> None:
    customer, log, missed = await with_a_ticket(stage)
    policy = await stage.read(lambda tx: policy_of(tx, ORGANISATION))
    await stage.write(lambda tx: stage.arrivals.arrive(tx, ORGANISATION, "zendesk", read(comment(1)), "", policy))
    log.calls = [comment(1)]
    await missed.round()
    again = Missed(stage.database, stage.ports, stage.arrivals, stage.accounts, log, read)
    stage.clock.passes(61)
    await again.round()  # another process, which knows of nothing
    assert await customer.transcript(Role.AGENT) == ["word i-1"]


async def test_one_that_was_never_sent_has_every_list_read(stage: Backstage) -> None:
    _, log, missed = await with_a_ticket(stage)
    log.calls = [comment(1, body=None)]
    stage.rung.clear()
    await missed.round()
    assert ("door", ORGANISATION) in stage.rung


@pytest.mark.parametrize("error", [Unaccepted("not yours to see", status=403), Retryable("503", status=503)])
async def test_an_account_that_does_not_show_them_is_left_in_peace(stage: Backstage, error: DeliveryError) -> None:
    customer, log, missed = await with_a_ticket(stage)
    log.error = error
    for _ in range(20):
        await missed.round()
        stage.clock.passes(10)
    assert len(log.asked) == 4
    assert await stage.read(lambda tx: doors.of(tx, ORGANISATION)) == {}
    log.error, log.calls = None, [comment(1)]
    stage.clock.passes(61)
    await missed.round()
    assert await customer.transcript(Role.AGENT) == ["word i-1"]


async def test_nothing_is_asked_through_a_shut_door(stage: Backstage) -> None:
    _, log, missed = await with_a_ticket(stage)
    await stage.doors.note(ORGANISATION, ChannelName.ZENDESK, Unaccepted("no", status=401), None)
    await missed.round()
    assert log.asked == []
