"""The asynchronous way: a ticket with everything the agent needs, answers back in the same chat."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.world import World, a_world, eventually

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with a_world(tmp_path_factory.mktemp("tickets")) as world:
        world.connect()
        yield world


def test_a_request_for_a_person_becomes_a_ticket_with_an_internal_note(company: World) -> None:
    company.product.api("PATCH", "/settings", tickets={"tags": ["ai-handoff"], "priority": "high"})
    customer = company.customer(name="Noor", email="noor@example.com")
    customer.says("Where is my parcel with the stove?")
    customer.wait_until(state="asynchronous", mode="ticket")
    ticket = company.ticket_of(customer)
    assert ticket["tags"] == ["ai-handoff"]
    assert ticket["priority"] == "high"
    assert ticket["external_id"] == customer.handoff()["id"]
    public = [c["body"] for c in ticket["comments"] if c["public"]]
    assert public == ["Where is my parcel with the stove?"]
    notes = eventually(
        lambda: [c["body"] for c in company.ticket_of(customer)["comments"] if not c["public"]], "the note is there"
    )
    assert "Wants: Where is my parcel with the stove?" in notes[0]
    assert "Noor" in notes[0]
    assert f"number {ticket['id']}" in customer.transcript("system")[-1]


def test_more_words_become_comments_and_the_agents_answer_comes_back(company: World) -> None:
    customer = company.customer()
    customer.says("I want a human")
    customer.wait_until(state="asynchronous")
    customer.wait_delivered(customer.says("It says delivered, but nothing came"))
    number = company.ticket_of(customer)["id"]
    company.zendesk.agent("comment", ticket=number, body="We are looking for it.")
    customer.wait_for("agent", "We are looking for it.")
    customer.wait_until(control="agent")
    public = [c["body"] for c in company.zendesk.ticket(number)["comments"] if c["public"]]
    assert public == ["I want a human", "It says delivered, but nothing came", "We are looking for it."]


def test_placeholders_in_a_customers_words_reach_the_agent_as_they_were_written(company: World) -> None:
    customer = company.customer()
    customer.says("I want a human {{ticket.requester.email}} and {% if x %}")
    customer.wait_until(state="asynchronous")
    body = company.ticket_of(customer)["comments"][0]["body"].replace("\u2060", "").replace("\u200d", "")
    assert "noor@example.com" not in body
    assert "{{ticket.requester.email}}" in body


def test_a_customer_without_an_address_gets_a_ticket_all_the_same(company: World) -> None:
    customer = company.customer(name="", email="")
    customer.says("I want a human")
    customer.wait_until(state="asynchronous")
    assert customer.handoff()["needs_email"] is True


def test_what_the_api_asks_is_what_the_ticket_says(company: World) -> None:
    customer = company.customer()
    handoff = customer.escalate(reason="topic", mode="ticket", summary="Refund for a stove", note="VIP desk")
    assert handoff["mode"] == "ticket"
    customer.wait_until(state="asynchronous")
    notes = eventually(
        lambda: [c["body"] for c in company.ticket_of(customer)["comments"] if not c["public"]], "the note is there"
    )
    assert "Refund for a stove" in notes[0]
    assert "VIP desk" in notes[0]


def test_a_closed_conversation_takes_no_more_words(company: World) -> None:
    customer = company.customer()
    customer.leave("close")
    company.product.api("POST", f"/conversations/{customer.id}/messages", expect=409, text="hello?")
