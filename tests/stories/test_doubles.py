"""A request that a doubt has opened twice: noticed, merged into the ticket people work on, and nothing shown twice."""

from __future__ import annotations

from typing import Any

import pytest

from tests.world import Customer, World, eventually

pytestmark = pytest.mark.processes

OPENING = {"side": "api", "method": "POST", "path": "/tickets"}


def opened_in_doubt(world: World) -> tuple[Customer, dict[str, Any]]:
    """Let a customer ask for a person, and the answer to the ticket be lost on its way."""
    world.zendesk.fault(**OPENING, action="drop", when="after", times=1)
    customer = world.customer()
    customer.escalate(mode="ticket")
    customer.wait_until(state="asynchronous")
    return customer, world.ticket_of(customer)


def late_arrival(world: World, first: dict[str, Any]) -> str:
    """Open the second ticket, as a repetition would whose key is forgotten while the list lags."""
    body = {"external_id": first["external_id"], "subject": first["subject"], "comment": {"body": first["subject"]}}
    requester = {"name": "Noor", "email": "noor@example.com"}
    return str(world.zendesk.create_ticket(**body, requester=requester)["id"])


def is_merged(world: World, ticket: str) -> None:
    eventually(lambda: world.zendesk.ticket(ticket)["status"] == "closed", f"{ticket} is merged", 80)


def test_a_second_ticket_is_merged_into_the_first_and_what_was_said_on_it_is_shown_once(world: World) -> None:
    customer, first = opened_in_doubt(world)
    double = late_arrival(world, first)
    world.zendesk.agent("comment", ticket=double, body="Which tent is it?")
    world.zendesk.agent("comment", ticket=first["id"], body="Hello from the other desk")
    is_merged(world, double)
    customer.wait_for("agent", "Which tent is it?")
    customer.wait_delivered(customer.says("The green one"))
    kept = world.zendesk.ticket(first["id"])
    assert [c["body"] for c in kept["comments"] if c["public"]][-1] == "The green one"
    assert any(f"#{double}" in c["body"] for c in kept["comments"] if not c["public"])
    assert customer.transcript("agent").count("Which tent is it?") == 1
    assert customer.handoff()["ticket_id"] == str(first["id"])
    assert "ended" not in customer.notices()


def test_where_people_work_on_the_second_ticket_the_chat_goes_on_there(world: World) -> None:
    customer, first = opened_in_doubt(world)
    double = late_arrival(world, first)
    world.zendesk.agent("comment", ticket=double, body="Which tent is it?")
    is_merged(world, str(first["id"]))
    customer.wait_for("agent", "Which tent is it?")
    customer.wait_until(ticket_id=double, state="asynchronous")
    customer.wait_for("system", f"number {double}")
    customer.wait_delivered(customer.says("The green one"))
    assert world.zendesk.ticket(double)["comments"][-1]["body"] == "The green one"
    world.zendesk.agent("comment", ticket=double, body="You get a new one.")
    customer.wait_for("agent", "You get a new one.")
    assert customer.transcript("agent") == ["Which tent is it?", "You get a new one."]
    assert "ended" not in customer.notices()
