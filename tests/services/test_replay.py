"""A receipt can be decided again, or only rehearsed, and a rehearsal leaves no trace."""

from __future__ import annotations

import pytest

from escalade.channels.base import Arrival, ArrivalKind
from escalade.domain.errors import Invalid, NotFound
from escalade.domain.events import HandoffAsked
from escalade.domain.model import Control, HandoffId, Reason, Role
from escalade.services.intake import policy_of
from escalade.services.replay import Replay
from escalade.store.database import Tx
from tests.backstage import ORGANISATION, OTHER, Backstage, Customer


async def with_a_ticket(stage: Backstage) -> Customer:
    customer = await stage.open()
    await customer.says("My stove is broken")
    await stage.desk.escalate(ORGANISATION, customer.id)
    await stage.drain()
    return customer


async def everything(stage: Backstage, customer: Customer) -> tuple[object, ...]:
    owed = [tuple(row) for row in await stage.deliveries()]
    return await customer.conversation(), await customer.messages(), owed, await stage.receipts()


async def arrives(stage: Backstage, kind: ArrivalKind, **more: str) -> int:
    arrival = Arrival(kind=kind, key="e-1", ticket_id="4711", **more)  # type: ignore[arg-type]

    def written(tx: Tx) -> None:
        stage.arrivals.arrive(tx, ORGANISATION, "zendesk", arrival, "", policy_of(tx, ORGANISATION))

    await stage.write(written)
    return (await stage.receipts())[-1].id


async def test_an_agents_word_is_not_shown_twice_when_it_is_replayed(stage: Backstage) -> None:
    customer = await with_a_ticket(stage)
    receipt = await arrives(stage, ArrivalKind.MESSAGE_ADDED, message_id="a", actor_type="agent", text="I am on it")
    for dry_run in (True, False):
        outcome = await Replay(stage.database, stage.intake, stage.arrivals, stage.ports.wall).replay(
            ORGANISATION, receipt, dry_run=dry_run
        )
        assert (outcome["messages"], outcome["deliveries"], outcome["dry_run"]) == ([], [], dry_run)
    assert await customer.transcript(Role.AGENT) == ["I am on it"]


async def test_a_rehearsal_says_what_would_happen_and_leaves_everything_as_it_is(stage: Backstage) -> None:
    customer = await with_a_ticket(stage)
    receipt = await arrives(stage, ArrivalKind.SESSION_END)
    assert (await customer.conversation()).control is Control.ASSISTANT
    await customer.happens(HandoffAsked(id=HandoffId("hof_9"), reason=Reason.API))

    def tied(tx: Tx) -> None:
        tx.everywhere().run("UPDATE link SET handoff = 'hof_9', ours = 'hof_9' WHERE kind = 'ticket'")
        tx.everywhere().run("UPDATE receipt SET handoff = 'hof_9'")

    await stage.write(tied)
    before = await everything(stage, customer)
    stage.rung.clear()
    rehearsed = await Replay(stage.database, stage.intake, stage.arrivals, stage.ports.wall).replay(
        ORGANISATION, receipt, dry_run=True
    )
    assert rehearsed["control"] == {"before": "pending", "after": "assistant"}
    assert rehearsed["handoff"] == {"before": "requested", "after": "ended"}
    assert len(rehearsed["messages"]) >= 1
    assert await everything(stage, customer) == before
    assert stage.rung == set()
    done = await Replay(stage.database, stage.intake, stage.arrivals, stage.ports.wall).replay(
        ORGANISATION, receipt, dry_run=False
    )
    assert done == rehearsed | {"dry_run": False}
    assert (await customer.conversation()).control is Control.ASSISTANT


async def test_what_belongs_to_nobody_we_know_cannot_be_replayed(stage: Backstage) -> None:
    await with_a_ticket(stage)
    receipt = await arrives(stage, ArrivalKind.SESSION_END)
    replay = Replay(stage.database, stage.intake, stage.arrivals, stage.ports.wall).replay
    with pytest.raises(NotFound):
        await replay(OTHER, receipt, dry_run=True)
    with pytest.raises(NotFound):
        await replay(ORGANISATION, 999, dry_run=False)
    await stage.write(
        lambda tx: tx.everywhere().run("UPDATE receipt SET conversation = NULL WHERE id = :id", id=receipt)
    )
    with pytest.raises(Invalid):
        await replay(ORGANISATION, receipt, dry_run=False)
