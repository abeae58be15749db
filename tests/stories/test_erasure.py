"""A customer asks to be forgotten while an agent is talking to them."""

from __future__ import annotations

import pytest

from tests.stories.talk import said_at_desk, start_live
from tests.world import World, eventually

pytestmark = pytest.mark.processes


def test_erased_in_the_middle_of_a_live_chat(world: World) -> None:
    customer, ticket = start_live(world)
    customer.wait_delivered(customer.says("My marigold is wilting"))
    world.zendesk.agent("reply", ticket=ticket, body="Let me look at your marigold.")
    customer.wait_for("agent", "marigold")
    person = world.product.api("GET", f"/conversations/{customer.id}")["customer"]["id"]
    assert "marigold" in repr(world.product.api("GET", f"/customers/{person}/export"))

    erased = world.product.api("DELETE", f"/customers/{person}")
    assert {"kind": "ticket", "id": ticket, "state": "pending"} in erased["at_zendesk"]
    # The agent is still writing; the end of the session may reach the desk before the answer is sent (409).
    answer = world.zendesk.offer("reply", ticket=ticket, body="Still there? Your marigold …")
    assert answer.status_code in {200, 201, 409}, answer.text

    eventually(
        lambda: (
            world.product.http.get(f"/api/v1/conversations/{customer.id}", headers=world.product.key).status_code == 404
        ),
        "the last rows are gone",
        60,
    )
    assert world.product.http.get(f"/api/v1/customers/{person}/export", headers=world.product.key).status_code == 404
    customer.is_erased()
    world.customers.remove(customer)
    events = [entry["type"] for entry in world.zendesk.ticket(ticket)["log"]]
    assert said_at_desk(world.zendesk.ticket(ticket)), "what Zendesk has is Zendesk's to delete"
    assert events, events
    log = world.product.program.log()
    for fault in ("lane_stumbled", "attempt_broke", "look_failed", "upkeep_stumbled", "Traceback"):
        assert fault not in log, log[-3000:]
