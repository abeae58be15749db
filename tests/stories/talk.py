"""What both ends should hold after a talk, whatever happened on the way."""

from __future__ import annotations

from typing import Any

from tests.world import Customer, World, eventually


def said_at_desk(ticket: dict[str, Any]) -> list[tuple[str, str]]:
    """Give who said what on the agent's screen, in order, the context left out."""
    lines = []
    for entry in ticket["log"]:
        if entry["type"] != "Messaging::ConversationMessage" or entry["author"]["type"] == "bot":
            continue
        who = "customer" if entry["author"]["type"] == "user" else "agent"
        lines.append((who, entry["content"]["text"]))
    return lines


def of(ticket: dict[str, Any], who: str) -> list[str]:
    return [text for speaker, text in said_at_desk(ticket) if speaker == who]


def start_live(world: World) -> tuple[Customer, str]:
    """Let a customer ask for a person and an agent accept; give the customer and the ticket's number."""
    customer = world.customer()
    customer.says("My tent arrived torn")
    customer.wait_until(control="pending")
    customer.wait_until(state="queued")
    ticket = str(world.ticket_of(customer)["id"])
    world.zendesk.agent("accept", ticket=ticket)
    customer.wait_until(state="with_agent")
    return customer, ticket


def same_transcript(world: World, customer: Customer, ticket: str, *, customers: list[str], agents: list[str]) -> None:
    """Expect each side's words exactly once and in order on both ends."""
    eventually(
        lambda: of(world.zendesk.ticket(ticket), "customer") == customers,
        f"the agent sees {customers}; sees {said_at_desk(world.zendesk.ticket(ticket))}",
        40,
    )
    eventually(
        lambda: customer.transcript("agent") == agents,
        f"the customer sees {agents}; sees {customer.transcript('agent')}",
        40,
    )
    assert of(world.zendesk.ticket(ticket), "agent") == agents
    assert [t for t in customer.transcript("customer") if t in customers] == customers
