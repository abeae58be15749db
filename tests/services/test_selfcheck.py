"""The product finds its own broken promises: none in ordinary work, and each that is made by hand."""

from __future__ import annotations

import pytest

from escalade.domain.events import SessionEnded
from escalade.domain.model import Ending
from escalade.services.selfcheck import METRIC, SelfCheck
from escalade.store import breaches, organisations, removal
from escalade.store.database import Tx
from tests.backstage import NOON, ORGANISATION, OTHER, Backstage, Customer


async def after_a_talk(live: Backstage) -> tuple[Customer, SelfCheck]:
    """Let a customer talk with the assistant, with people, with the assistant again, and with people once more."""
    customer = await live.open()
    for text in ("Where is my tent?", "It is torn"):
        await customer.says(text)
        await live.settle()
    handoff = await live.desk.escalate(ORGANISATION, customer.id)
    await live.settle()
    await customer.says("Hello?")
    await live.settle()
    await customer.happens(SessionEnded(handoff=handoff.id, ending=Ending.BY_AGENT))
    await customer.says("Thank you")
    await live.settle()
    await live.desk.escalate(ORGANISATION, customer.id)
    await live.settle()
    return customer, SelfCheck(live.database, live.ports)


def counts(metrics: str) -> dict[str, str]:
    lines = [line for line in metrics.splitlines() if line.startswith(METRIC)]
    return {line.partition('"')[2].partition('"')[0]: line.rpartition(" ")[2] for line in lines}


async def test_ordinary_work_breaks_nothing(live: Backstage) -> None:
    _, check = await after_a_talk(live)
    assert counts(await check.metrics()) == dict.fromkeys(breaches.QUERIES, "0")


@pytest.mark.parametrize(
    ("invariant", "harm"),
    [
        ("I2", "INSERT INTO link (organisation, channel, kind, theirs, ours, handoff)"
         " SELECT organisation, channel, kind, theirs || '-again', ours, handoff FROM link WHERE kind = 'message'"),
        ("I11", "UPDATE conversation SET control = 'assistant'"),
        ("I11", "UPDATE handoff SET state = 'queued'"),
        ("I12", "DELETE FROM message WHERE seq = 2"),
        ("I12", "UPDATE conversation SET last_seq = last_seq + 1"),
        ("I13", "UPDATE message SET delivery = 'pending' WHERE delivery = 'delivered'"),
        ("I13", "UPDATE delivery SET state = 'dropped' WHERE effect = 'Post'"),
    ],
)  # fmt: skip
async def test_each_promise_that_is_broken_is_found_and_counted_once(
    live: Backstage, invariant: str, harm: str
) -> None:
    _, check = await after_a_talk(live)
    await live.write(lambda tx: tx.everywhere().run(harm))
    for organisation, many in ((ORGANISATION, 1), (OTHER, 0)):
        theirs = await live.read(lambda tx, whose=organisation: breaches.found(tx, whose, NOON))  # type: ignore[misc]
        assert len(theirs) == many
    for _ in range(3):
        found = counts(await check.metrics())
        assert found == {**dict.fromkeys(breaches.QUERIES, "0"), invariant: "1"}
        live.clock.passes(61)


async def test_it_is_looked_at_once_a_minute_however_often_it_is_asked(live: Backstage) -> None:
    _, check = await after_a_talk(live)
    await check.look()
    await live.write(lambda tx: tx.everywhere().run("UPDATE conversation SET last_seq = 99"))
    assert counts(await check.metrics())["I12"] == "0"
    live.clock.passes(61)
    assert counts(await check.metrics())["I12"] == "1"


async def test_what_is_left_of_a_removed_organisation_is_not_looked_at(live: Backstage) -> None:
    _, check = await after_a_talk(live)

    def removed(tx: Tx) -> None:
        found = organisations.load(tx, ORGANISATION)
        assert found is not None
        removal.take_away(tx, found, removal.waiting(tx, ORGANISATION), "an operator", live.clock.at)
        tx.everywhere().run("DELETE FROM message")

    await live.write(removed)
    assert counts(await check.metrics())["I12"] == "0"
