"""A second copy at the desk is found by its mark, taken away, and shown; nothing else is ever taken away."""

from __future__ import annotations

import pytest

from escalade.channels.base import Heard
from escalade.domain.effects import RemoveDouble
from escalade.domain.model import Role
from escalade.store import links, overview
from tests.backstage import ORGANISATION, Backstage, Customer


async def in_a_live_chat(stage: Backstage) -> Customer:
    customer = await stage.open()
    await customer.says("My stove is broken")
    await stage.desk.escalate(ORGANISATION, customer.id)
    await stage.settle()
    return customer


async def shows(stage: Backstage, customer: Customer, id: str, mark: str, text: str) -> None:
    """Let the room's list show a message with a mark of ours, and be read."""
    stage.sunshine.list.append(Heard(id=id, ours=True, role=Role.ASSISTANT, text=text, mark=mark))
    handoff = (await customer.conversation()).handoff
    assert handoff is not None
    await stage.reconcile.look(handoff.id, session=False)


async def removed(stage: Backstage) -> list[str]:
    await stage.settle()
    return [job.effect.theirs for job in stage.sunshine.jobs if isinstance(job.effect, RemoveDouble)]


async def linked(stage: Backstage, customer: Customer, mark: str) -> str:
    handoff = (await customer.conversation()).handoff
    assert handoff is not None
    [theirs] = await stage.read(lambda tx: links.copies(tx.everywhere(), handoff.id, channel="sunshine", ours=mark))
    return theirs


async def test_the_echo_of_a_message_is_no_second_copy(live: Backstage) -> None:
    customer = await in_a_live_chat(live)
    mark = await customer.says("Hello?")
    await live.settle()
    theirs = await linked(live, customer, mark)
    for _ in range(2):
        await shows(live, customer, theirs, mark, "Hello?")
    assert await removed(live) == []


async def test_a_second_copy_is_taken_away_once_and_counted(live: Backstage) -> None:
    customer = await in_a_live_chat(live)
    mark = await customer.says("Hello?")
    await live.settle()
    for _ in range(3):
        await shows(live, customer, "sunshine-99", mark, "Hello?")
    assert await removed(live) == ["sunshine-99"]
    health = await live.read(lambda tx: overview.health(tx, ORGANISATION))
    assert health["doubles"] == 1


async def test_the_later_copy_goes_even_if_it_is_the_one_we_knew(live: Backstage) -> None:
    customer = await in_a_live_chat(live)
    mark = await customer.says("Hello?")
    await live.settle()
    known = await linked(live, customer, mark)
    await shows(live, customer, "sunshine-0", mark, "Hello?")
    assert await removed(live) == [known]


@pytest.mark.parametrize(("mark", "text"), [("", "Hello?"), (None, "Something else"), ("ctx:hof:0", "Hello?")])
async def test_what_is_not_the_same_words_of_this_conversation_stays(
    live: Backstage, mark: str | None, text: str
) -> None:
    customer = await in_a_live_chat(live)
    own = await customer.says("Hello?")
    await live.settle()
    await shows(live, customer, "sunshine-99", own if mark is None else mark, text)
    assert await removed(live) == []


async def test_a_part_of_a_long_message_is_known_too(live: Backstage) -> None:
    customer = await in_a_live_chat(live)
    text = "word " * 780
    mark = await customer.says(text)
    await live.settle()
    await shows(live, customer, "sunshine-50", f"{mark}:0", text)
    await shows(live, customer, "sunshine-51", f"{mark}:0", text)
    await shows(live, customer, "sunshine-52", f"{mark}:1", text)
    assert await removed(live) == ["sunshine-51"]
