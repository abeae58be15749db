"""What an operator may ask about is a row, and a row can be played again."""

from __future__ import annotations

import pytest

from tests.stories.talk import start_live
from tests.world import World

pytestmark = pytest.mark.processes


def test_a_receipt_replayed_as_a_rehearsal_says_what_it_would_do_and_does_nothing(world: World) -> None:
    customer, ticket = start_live(world)
    world.zendesk.agent("inactive", ticket=ticket)
    customer.wait_until(state="ended", ended="inactive")
    before = customer.page()
    receipts = world.product.api("GET", "/receipts")["receipts"]
    joined = next(r for r in receipts if r["conversation"] == customer.id and r["kind"] == "HandoffQueued")
    told = world.product.api("POST", f"/receipts/{joined['id']}/replay?dry_run=true")
    assert told["dry_run"] is True
    assert told["outcome"] == "the handoff is ended"
    assert told["deliveries"] == []
    assert customer.page() == before
    again = world.product.api("POST", f"/receipts/{joined['id']}/replay")
    assert again["outcome"] == "the handoff is ended"
    assert customer.page() == before, "a replay of what is known changes nothing"


def test_the_asking_receipt_played_again_opens_no_second_handoff(world: World) -> None:
    customer = world.customer()
    customer.says("I want to talk to a person")
    customer.wait_until(state="queued")
    customer.leave("back")
    receipts = world.product.api("GET", "/receipts")["receipts"]
    asked = next(r for r in receipts if r["conversation"] == customer.id and r["kind"] == "HandoffAsked")
    told = world.product.api("POST", f"/receipts/{asked['id']}/replay")
    assert told["outcome"] == "this handoff was asked for before"
    assert told["deliveries"] == []
    assert customer.handoff()["state"] == "ended"


def test_a_strangers_receipt_is_not_there(world: World) -> None:
    world.product.api("POST", "/receipts/999999999/replay", expect=404)
