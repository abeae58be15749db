"""What was opened in doubt is looked at a few times; a second ticket is read, merged once, or gone on in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from escalade.channels.base import Account, ChannelName, LinkKind, Page
from escalade.domain.effects import MergeTicket
from escalade.domain.errors import Retryable, Uncertain
from escalade.domain.model import HandoffId, Role, Wish
from escalade.services.doubles import Doubles
from escalade.store.doubles import doubtful
from tests.backstage import ORGANISATION, Backstage, Customer, Room

KNOWN, DOUBLE = "4711", "4712"


@dataclass(frozen=True)
class Ticket:
    """A ticket as it is listed."""

    id: str
    is_worked_on: bool = False


class Desk:
    """What Zendesk lists for a request."""

    def __init__(self, room: Room) -> None:
        self.tickets = [Ticket(KNOWN)]
        self.asked = 0
        self._room = room

    async def tickets_of(self, account: Account, handoff: HandoffId) -> list[Ticket]:
        self.asked += 1
        return self.tickets

    async def heard_since(
        self, account: Account, links: Mapping[tuple[ChannelName, LinkKind], str], cursor: str | None
    ) -> Page:
        assert links[ChannelName.ZENDESK, LinkKind.TICKET] == DOUBLE
        return await self._room.heard_since(account, links, cursor)


async def with_a_ticket(stage: Backstage, *, doubt: bool = True) -> tuple[Customer, Desk, Doubles]:
    customer = await stage.open()
    await customer.says("I need a person")
    stage.zendesk.next = [Uncertain("no answer")] if doubt else []
    await stage.desk.escalate(ORGANISATION, customer.id, wish=Wish.TICKET)
    await stage.settle()
    stage.clock.passes(6)
    desk = Desk(Room(ChannelName.ZENDESK, stage.clock))
    doubles = Doubles(stage.database, stage.ports, stage.intake, stage.accounts, desk, stage.doors)
    return customer, desk, doubles


def merged(stage: Backstage) -> list[str]:
    return [job.effect.theirs for job in stage.zendesk.jobs if isinstance(job.effect, MergeTicket)]


async def test_a_ticket_that_was_opened_without_doubt_is_not_asked_about(stage: Backstage) -> None:
    _, desk, doubles = await with_a_ticket(stage, doubt=False)
    await doubles.round()
    assert desk.asked == 0


async def test_what_was_opened_in_doubt_is_asked_about_a_few_times(stage: Backstage) -> None:
    _, desk, doubles = await with_a_ticket(stage)
    for _ in range(200):
        await doubles.round()
        stage.clock.passes(15)
    assert desk.asked == 5
    assert merged(stage) == []


async def test_a_second_ticket_is_read_and_merged_once(stage: Backstage) -> None:
    customer, desk, doubles = await with_a_ticket(stage)
    desk.tickets.append(Ticket(DOUBLE, is_worked_on=True))
    desk.tickets[0] = Ticket(KNOWN, is_worked_on=True)
    desk._room.says("Which tent is it?")
    for _ in range(20):
        await doubles.round()
        await stage.drain()
        stage.clock.passes(60)
    assert merged(stage) == [DOUBLE]
    assert await customer.transcript(Role.AGENT) == ["Which tent is it?"]
    handoff = (await customer.conversation()).handoff
    assert handoff is not None
    assert handoff.ticket_id == KNOWN


async def test_of_a_customer_who_is_erased_during_a_look_nothing_is_shown(
    stage: Backstage, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer, desk, doubles = await with_a_ticket(stage)
    desk.tickets.append(Ticket(DOUBLE))
    desk._room.says("Which tent is it?")
    (of,) = await stage.read(lambda tx: doubtful(tx, 0))
    right = desk.heard_since

    async def heard_since(*asked: Any) -> Page:
        page = await right(*asked)
        await customer.is_erased()
        return page

    monkeypatch.setattr(desk, "heard_since", heard_since)
    await doubles.look(of)
    assert merged(stage) == []


async def test_where_only_the_second_is_worked_on_the_request_goes_on_there(stage: Backstage) -> None:
    customer, desk, doubles = await with_a_ticket(stage)
    desk.tickets.append(Ticket(DOUBLE, is_worked_on=True))
    await doubles.round()
    await stage.drain()
    assert merged(stage) == [KNOWN]
    handoff = (await customer.conversation()).handoff
    assert handoff is not None
    assert handoff.ticket_id == DOUBLE
    assert (await customer.transcript(Role.SYSTEM))[-1].startswith("Your request goes on with our team as number 4712")
    await customer.says("The green one")
    await stage.drain()
    assert stage.zendesk.jobs[-1].links[ChannelName.ZENDESK, LinkKind.TICKET] == DOUBLE


async def test_while_words_are_under_way_the_request_stays_where_it_is(stage: Backstage) -> None:
    customer, desk, doubles = await with_a_ticket(stage)
    desk.tickets.append(Ticket(DOUBLE, is_worked_on=True))
    stage.zendesk.always = Retryable("out of reach")
    await customer.says("The green one")
    await doubles.round()
    handoff = (await customer.conversation()).handoff
    assert handoff is not None
    assert handoff.ticket_id == KNOWN
