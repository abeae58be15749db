"""What goes wrong between two systems, and the same transcript on both ends afterwards."""

from __future__ import annotations

import time

import pytest

from tests.stories.talk import of, same_transcript, start_live
from tests.world import World, eventually

pytestmark = pytest.mark.processes

WEBHOOK = {"side": "webhook"}
MESSAGES = {"side": "api", "method": "POST", "path": r"/conversations/[^/]+/messages"}
FIRST = "My tent arrived torn"


def talk(world: World, customer_lines: list[str], agent_lines: list[str]) -> None:
    """Let both sides speak in turn, then compare the ends."""
    customer, ticket = start_live(world)
    for mine, theirs in zip(customer_lines, agent_lines, strict=True):
        customer.says(mine)
        world.zendesk.agent("reply", ticket=ticket, body=theirs)
    same_transcript(world, customer, ticket, customers=[FIRST, *customer_lines], agents=agent_lines)


def test_webhooks_delivered_five_times_change_nothing(world: World) -> None:
    world.zendesk.fault(side="webhook", action="duplicate", copies=4)
    talk(world, ["one", "two", "three"], ["uno", "due", "tre"])


def test_webhooks_out_of_order_change_nothing(world: World) -> None:
    customer, ticket = start_live(world)
    world.zendesk.fault(side="webhook", action="reorder", count=4)
    for line in ("first", "second", "third", "fourth"):
        world.zendesk.agent("reply", ticket=ticket, body=line)
    same_transcript(world, customer, ticket, customers=[FIRST], agents=["first", "second", "third", "fourth"])


def test_webhooks_that_never_come_are_read_from_the_list(world: World) -> None:
    customer, ticket = start_live(world)
    world.zendesk.fault(side="webhook", action="drop")
    for line in ("can you hear me?", "and now?"):
        world.zendesk.agent("reply", ticket=ticket, body=line)
    same_transcript(world, customer, ticket, customers=[FIRST], agents=["can you hear me?", "and now?"])
    world.zendesk.agent("end-session", ticket=ticket)
    customer.wait_until(state="ended", ended="by_agent")


def test_a_request_that_arrives_when_it_no_longer_can_is_noticed_and_its_second_copy_removed(world: World) -> None:
    customer, ticket = start_live(world)
    world.zendesk.fault(**MESSAGES, action="zombie", hold=0, seconds=8, times=1)  # the wait is over after 4
    customer.says("is anyone there?")

    def copies() -> int:
        chats = world.zendesk.state()["conversations"]
        said = [message for chat in chats for message in chat["messages"]]
        return sum("is anyone there?" in str(message) for message in said)

    eventually(lambda: copies() == 2, "the late one arrives")
    eventually(lambda: copies() == 1, "the second copy is removed")
    deliveries = world.product.api("GET", "/deliveries")["deliveries"]
    assert [d["state"] for d in deliveries if d["effect"] == "RemoveDouble"] in (["sending"], ["delivered"])
    same_transcript(world, customer, ticket, customers=[FIRST, "is anyone there?"], agents=[])


def test_a_rate_limit_is_waited_out_and_order_holds(world: World) -> None:
    customer, ticket = start_live(world)
    world.zendesk.fault(**MESSAGES, action="answer", status=429, headers={"Retry-After": "1"}, times=2)
    for line in ("a", "b", "c"):
        customer.says(line)
    same_transcript(world, customer, ticket, customers=[FIRST, "a", "b", "c"], agents=[])


def test_a_message_that_arrived_although_its_answer_was_lost_is_there_once(world: World) -> None:
    customer, ticket = start_live(world)
    world.zendesk.fault(**MESSAGES, action="drop", when="after", times=1)
    for line in ("a", "b", "c"):
        customer.says(line)
    same_transcript(world, customer, ticket, customers=[FIRST, "a", "b", "c"], agents=[])


def test_a_message_that_was_lost_before_it_arrived_is_sent_again(world: World) -> None:
    customer, ticket = start_live(world)
    world.zendesk.fault(**MESSAGES, action="drop", when="before", times=1)
    for line in ("a", "b"):
        customer.says(line)
    same_transcript(world, customer, ticket, customers=[FIRST, "a", "b"], agents=[])


def test_a_server_error_after_the_effect_is_not_a_second_message(world: World) -> None:
    customer, ticket = start_live(world)
    world.zendesk.fault(**MESSAGES, action="answer", status=502, when="after", times=1)
    customer.says("a")
    same_transcript(world, customer, ticket, customers=[FIRST, "a"], agents=[])


def test_a_ticket_whose_answer_was_lost_is_opened_once(world: World) -> None:
    world.zendesk.fault(
        side="api", method="POST", path=r"/api/v2/tickets(\.json)?$", action="drop", when="after", times=1
    )
    customer = world.customer()
    handoff = customer.escalate(mode="ticket")
    customer.wait_until(state="asynchronous")
    assert len([t for t in world.zendesk.tickets() if t["external_id"] == handoff["id"]]) == 1


def test_when_live_chat_is_refused_a_ticket_is_opened_and_the_customer_is_told(world: World) -> None:
    world.zendesk.fault(
        side="api",
        method="POST",
        path=r"/sc/v2/apps/[^/]+/conversations$",
        action="answer",
        status=400,
        body={"errors": []},
    )
    customer = world.customer()
    customer.says("I want to talk to a person")
    customer.says("it is urgent")
    customer.wait_until(state="asynchronous", mode="ticket")
    ticket = world.ticket_of(customer)
    eventually(
        lambda: (
            [c["body"] for c in world.ticket_of(customer)["comments"] if c["public"]]
            == ["I want to talk to a person", "it is urgent"]
        ),
        "both messages are on the ticket, once",
    )
    assert ticket["from_messaging_channel"] is False
    assert "asynchronous" in customer.notices()


def test_zendesk_out_of_reach_for_a_while_loses_nothing(world: World) -> None:
    customer, ticket = start_live(world)
    world.zendesk.fault(side="api", path="/", action="answer", status=503, headers={"Retry-After": "1"})
    for line in ("a", "b", "c"):
        customer.says(line)
    time.sleep(2)
    assert of(world.zendesk.ticket(ticket), "customer") == [FIRST]
    world.zendesk.heal()
    same_transcript(world, customer, ticket, customers=[FIRST, "a", "b", "c"], agents=[])


def test_the_service_killed_while_both_sides_talk_loses_and_repeats_nothing(fresh_world: World) -> None:
    """Kill the service between and during their words; `torture/crash/kills.py` does it a thousand times."""
    world = fresh_world
    world.connect(live=True)
    customer, ticket = start_live(world)
    mine, theirs = ["one", "two", "three"], ["uno", "due", "tre"]
    for said, answered in zip(mine, theirs, strict=True):
        customer.says(said)
        world.zendesk.agent("reply", ticket=ticket, body=answered)
        world.product.program.kill()
        world.product.program.start()
    same_transcript(world, customer, ticket, customers=[FIRST, *mine], agents=theirs)


@pytest.mark.parametrize("pause", [0.0, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12])
def test_killed_during_the_handoff_it_goes_on_where_it_was(fresh_world: World, pause: float) -> None:
    world = fresh_world
    world.connect(live=True)
    customer = world.customer()
    customer.says("I want to talk to a person")
    time.sleep(pause)
    world.product.program.kill()
    world.product.program.start()
    customer.wait_until(state="queued")
    ticket = world.ticket_of(customer)
    same_transcript(world, customer, str(ticket["id"]), customers=["I want to talk to a person"], agents=[])
    assert len(world.zendesk.tickets()) == 1
    contexts = [e for e in world.ticket_of(customer)["log"] if e.get("author", {}).get("type") == "bot"]
    assert len(contexts) == 1, "the context is there once"
