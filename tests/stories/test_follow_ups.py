"""What is written to people who can no longer be reached there goes on as a new request, once, and its sender knows."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stories.talk import of, start_live
from tests.world import Customer, World, eventually

pytestmark = pytest.mark.processes


def ask_in_a_ticket(world: World) -> tuple[Customer, str]:
    customer = world.customer()
    customer.escalate(mode="ticket")
    customer.wait_until(state="asynchronous")
    customer.wait_delivered(customer.says("My tent arrived torn"))
    return customer, str(world.ticket_of(customer)["id"])


def is_gone(world: World, ticket: str, how: str) -> None:
    if how == "merged":
        other, _ = ask_in_a_ticket(world)
        world.zendesk.agent("merge", ticket=ticket, into=world.ticket_of(other)["id"])
    elif how == "deleted":
        world.zendesk.agent("delete", ticket=ticket)
    else:
        world.zendesk.agent("status", ticket=ticket, status="closed")


def follow_up_of(world: World, customer: Customer, before: dict[str, Any]) -> dict[str, Any]:
    eventually(lambda: customer.handoff()["id"] != before["id"], f"it goes on; it is {customer.page()}")
    customer.wait_until(reason="follow_up")
    assert customer.notices().count("handoff_requested") == 2
    return customer.handoff()


def public(ticket: dict[str, Any]) -> list[str]:
    return [comment["body"] for comment in ticket["comments"] if comment["public"]]


@pytest.mark.parametrize("how", ["closed", "deleted", "merged"])
def test_what_is_written_to_a_ticket_that_takes_no_more_opens_another(world: World, how: str) -> None:
    customer, ticket = ask_in_a_ticket(world)
    before = customer.handoff()
    world.zendesk.fault(side="webhook", action="drop")
    is_gone(world, ticket, how)
    late = customer.says("The second one is torn too")
    customer.wait_delivered(late)
    follow_up_of(world, customer, before)
    customer.wait_until(state="asynchronous")
    customer.wait_delivered(customer.says("And the third"))
    opened = world.ticket_of(customer)
    assert public(opened) == ["The second one is torn too", "And the third"]
    note = next(comment["body"] for comment in opened["comments"] if not comment["public"])
    assert f"ticket {ticket}" in note
    assert "My tent arrived torn" in note, "who takes it over sees what came before"
    handoffs = {before["id"], customer.handoff()["id"]}
    assert len([found for found in world.zendesk.tickets() if found["external_id"] in handoffs]) == 2
    world.zendesk.heal()
    world.zendesk.agent("comment", ticket=opened["id"], body="You get new ones.")
    customer.wait_for("agent", "You get new ones.")


def test_words_under_way_when_a_ticket_is_closed_open_another_in_their_order(world: World) -> None:
    customer, ticket = ask_in_a_ticket(world)
    before = customer.handoff()
    world.zendesk.fault(side="api", method="PUT", path="/tickets/", action="answer", status=503)
    said = ["The second one is torn too", "And the third", "And I go on holiday tomorrow"]
    ids = [customer.says(text) for text in said]
    world.zendesk.agent("status", ticket=ticket, status="closed")
    customer.wait_until(reason="follow_up")
    world.zendesk.heal()
    for id in ids:
        customer.wait_delivered(id)
    follow_up_of(world, customer, before)
    assert public(world.ticket_of(customer)) == said
    assert "not_delivered" not in customer.notices()


@pytest.mark.parametrize("how", ["fill", "forget-customer"])
def test_what_is_written_into_a_chat_that_is_full_or_gone_opens_another(world: World, how: str) -> None:
    customer, ticket = start_live(world)
    before = customer.handoff()
    world.zendesk.fault(side="webhook", action="drop")
    world.zendesk.agent(how, ticket=ticket)
    late = customer.says("The second one is torn too")
    customer.wait_delivered(late)
    follow_up_of(world, customer, before)
    customer.wait_until(state="queued", mode="live")
    world.zendesk.heal()
    opened = world.ticket_of(customer)
    assert str(opened["id"]) != ticket
    customer.wait_delivered(customer.says("And the third"))
    assert of(world.zendesk.ticket(opened["id"]), "customer") == ["The second one is torn too", "And the third"]
    world.zendesk.agent("accept", ticket=opened["id"])
    world.zendesk.agent("reply", ticket=opened["id"], body="You get new ones.")
    customer.wait_for("agent", "You get new ones.")
