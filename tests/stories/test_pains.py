"""What customers and agents of such bridges suffer from, in their own words, and that they do not suffer from it here.

One company, the real programs. When all of it has happened and drained, everybody's histories go to the judge.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.stories.talk import of, said_at_desk, same_transcript, start_live
from tests.world import Customer, World, a_world, eventually

pytestmark = pytest.mark.processes

FIRST = "My tent arrived torn"
TENTS = """# What does a tent weigh?

The tent Larch weighs 2.4 kilograms. The tent Birch weighs 3.1 kilograms.
"""
WEIGHT = "What does the tent Larch weigh?"


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A company with live chat and an article."""
    folder = tmp_path_factory.mktemp("pains")
    with a_world(folder) as world:
        world.connect(live=True, require_online_agent=False)
        (folder / "tents.md").write_text(TENTS)
        organisation = world.product.keys["organisation_id"]
        world.product.command("knowledge", "add", str(folder / "tents.md"), "--org", organisation)
        yield world
        world.drain()


@pytest.fixture
def world(company: World) -> Iterator[World]:
    company.zendesk.heal()
    yield company
    company.zendesk.heal()


@contextmanager
def settings(world: World, **live: Any) -> Iterator[None]:
    """Run with other choices for live chat, and take them back afterwards."""
    before = world.product.api("GET", "/settings")["live"]
    world.product.api("PATCH", "/settings", live=live)
    try:
        yield
    finally:
        world.product.api("PATCH", "/settings", live={name: before[name] for name in live})


def after_the_request(customer: Customer, *roles: str) -> list[str]:
    """Give what was said by these roles since a person was asked for the last time."""
    messages = customer.page()["messages"]
    asked = max(place for place, m in enumerate(messages) if m.get("notice") == "handoff_requested")
    return [m["text"] for m in messages[asked:] if m["author"]["role"] in roles]


def test_01_the_bot_keeps_talking_after_a_person_joined(world: World) -> None:
    customer, ticket = start_live(world)
    world.zendesk.agent("reply", ticket=ticket, body="Let me see")
    customer.wait_for("agent", "Let me see")
    customer.wait_delivered(customer.says(WEIGHT))
    # A bot of one's own, whose answer comes too late, is told so.
    answer = world.product.api(
        "POST",
        f"/conversations/{customer.id}/messages",
        expect=409,
        author="assistant",
        text="It weighs 2.4 kilograms.",
    )
    assert answer["code"] == "out_of_turn"
    world.zendesk.agent("reply", ticket=ticket, body="2.4 kilograms")
    same_transcript(world, customer, ticket, customers=[FIRST, WEIGHT], agents=["Let me see", "2.4 kilograms"])
    assert after_the_request(customer, "assistant") == []


def test_02_it_said_it_was_transferring_me_and_nothing_happened(world: World) -> None:
    with settings(world, answer_within_s=10):
        world.zendesk.fault(side="api", path="/", action="answer", status=503, headers={"Retry-After": "1"})
        customer = world.customer()
        customer.says("I want to talk to a person")
        customer.wait_until(control="pending", state="requested")
        customer.wait_for("system", "We are still trying to reach our team")
        assert not any("Our team has your conversation" in text for text in customer.transcript("system"))
        world.zendesk.heal()
        customer.wait_for("system", "Our team has your conversation")
    assert said_at_desk(world.ticket_of(customer)) == [("customer", "I want to talk to a person")]


def test_03_it_transferred_silently(world: World) -> None:
    customer = world.customer()
    customer.says(WEIGHT)
    customer.wait_for("assistant", "2.4 kilograms")
    customer.escalate()
    assert customer.notices()[:1] == ["handoff_requested"], "told at once, in the same answer"
    assert after_the_request(customer, "system")[0].startswith("I am connecting you with our team")
    customer.wait_until(state="queued")
    assert customer.notices() == ["handoff_requested", "waiting"]


def test_04_it_said_goodbye_twice(world: World) -> None:
    customer, ticket = start_live(world)
    world.zendesk.fault(side="webhook", action="duplicate", copies=3)
    world.zendesk.agent("reply", ticket=ticket, body="Goodbye!")
    world.zendesk.agent("end-session", ticket=ticket)
    world.zendesk.agent("status", ticket=ticket, status="solved")
    world.zendesk.agent("status", ticket=ticket, status="closed")
    customer.wait_until(state="ended", control="assistant")
    told = [r for r in world.product.api("GET", "/receipts")["receipts"] if r["conversation"] == customer.id]
    eventually(
        lambda: all(
            r["state"] != "waiting"
            for r in world.product.api("GET", "/receipts")["receipts"]
            if r["conversation"] == customer.id
        ),
        f"every webhook has been decided; {told}",
    )
    assert customer.notices().count("ended") == 1
    assert after_the_request(customer, "assistant") == []


def test_05_after_coming_back_to_the_bot_it_loops_or_stays_mute(world: World) -> None:
    customer, ticket = start_live(world)
    world.zendesk.agent("reply", ticket=ticket, body="A new tent is on its way")
    world.zendesk.agent("end-session", ticket=ticket)
    customer.wait_until(state="ended", control="assistant")
    customer.says(WEIGHT)
    customer.wait_for("assistant", "2.4 kilograms")
    assert customer.notices().count("handoff_requested") == 1, "the old request is not made again"
    customer.says("I want to talk to a person")
    customer.wait_until(state="queued")
    assert customer.notices().count("handoff_requested") == 2
    assert of(world.ticket_of(customer), "customer") == ["I want to talk to a person"]


def test_06_nobody_is_there_and_nobody_told_me(world: World) -> None:
    world.zendesk.agent("availability", agent="Jonas Berg", state="away")
    try:
        with settings(world, require_online_agent=True):
            customer = world.customer(name="", email="")
            customer.says("I want a human")
            customer.wait_until(state="asynchronous", mode="ticket")
    finally:
        world.zendesk.agent("availability", agent="Jonas Berg", state="online")
    ticket = world.ticket_of(customer)
    assert f"with our team as number {ticket['id']}" in customer.transcript("system")[-1]
    assert customer.handoff()["needs_email"] is True
    world.product.api("POST", f"/conversations/{customer.id}/customer", email="late@example.com")
    assert customer.handoff()["needs_email"] is False

    def is_named() -> bool:
        requester = world.zendesk.support(f"/tickets/{ticket['id']}")["ticket"]["requester_id"]
        return bool(world.zendesk.support(f"/users/{requester}")["user"]["email"] == "late@example.com")

    eventually(is_named, "the ticket can be answered by mail")
    world.zendesk.agent("comment", ticket=str(ticket["id"]), body="Good morning!")
    customer.wait_for("agent", "Good morning!")


def test_07_i_am_stuck_with_the_human_thread_for_days(world: World) -> None:
    customer, ticket = start_live(world)
    world.zendesk.agent("reply", ticket=ticket, body="I have to ask the warehouse")
    customer.wait_for("agent", "I have to ask the warehouse")
    world.zendesk.agent("status", ticket=ticket, status="solved")  # which Zendesk does not call closed for days
    customer.leave("back")
    customer.says(WEIGHT)
    customer.wait_for("assistant", "2.4 kilograms")
    assert WEIGHT not in of(world.zendesk.ticket(ticket), "customer")
    assert world.zendesk.ticket(ticket)["status"] == "solved"


def test_08_the_agent_ended_it_and_i_did_not_know(world: World) -> None:
    customer, ticket = start_live(world)
    world.zendesk.fault(side="webhook", action="drop")
    world.zendesk.agent("end-session", ticket=ticket)
    customer.wait_until(state="ended", ended="by_agent", control="assistant")
    assert customer.notices()[-1] == "ended"
    assert customer.transcript("system")[-1].startswith("The agent ended this chat")
    before = len(world.zendesk.tickets())
    customer.says("Thank you")
    customer.wait_for("assistant", "")
    assert len(world.zendesk.tickets()) == before, "the next word opens no ticket behind anyone's back"


def test_09_it_closed_while_i_was_looking_for_my_order_number(world: World) -> None:
    with settings(world, on_session_inactive="keep"):
        customer, ticket = start_live(world)
        world.zendesk.agent("reply", ticket=ticket, body="What is your order number?")
        customer.wait_for("agent", "What is your order number?")
        world.zendesk.agent("inactive", ticket=ticket)
        customer.wait_delivered(customer.says("Here it is: 4711"))
        world.zendesk.agent("reply", ticket=ticket, body="Found it")
        answers = ["What is your order number?", "Found it"]
        same_transcript(world, customer, ticket, customers=[FIRST, "Here it is: 4711"], agents=answers)
        assert not {"ended", "inactive"} & set(customer.notices())


def test_14_two_bots_on_one_zendesk_see_each_others_tickets(world: World) -> None:
    customer, ticket = start_live(world)
    world.zendesk.post(
        "/emulator/admin/ticket",
        {"subject": "Of another bot", "comment": {"body": "Not ours"}, "external_id": "theirs-1"},
    )
    theirs = next(t for t in world.zendesk.tickets() if t["subject"] == "Of another bot")
    world.zendesk.agent("comment", ticket=str(theirs["id"]), body="An answer for somebody else")
    world.zendesk.agent("assign", ticket=str(theirs["id"]), to="Jonas Berg")
    world.zendesk.agent("status", ticket=str(theirs["id"]), status="closed")
    told = eventually(
        lambda: [r for r in world.product.api("GET", "/receipts")["receipts"] if r["outcome"] == "unknown_ticket"],
        "news of a strange ticket is kept and left alone",
    )
    assert all(r["conversation"] is None for r in told)
    world.zendesk.agent("reply", ticket=ticket, body="An answer for you")
    same_transcript(world, customer, ticket, customers=[FIRST], agents=["An answer for you"])
    assert world.zendesk.ticket(str(theirs["id"]))["tags"] == []
    everything = [entry["content"]["text"] for entry in world.zendesk.ticket(ticket)["log"] if "content" in entry]
    assert not any("own bot" in text for text in everything), "Zendesk's own bot was not let in"


def test_15_long_messages_and_transcripts_vanish(world: World) -> None:
    customer = world.customer()
    said = [f"Question {n}: " + f"why does pole {n} bend? " * 60 for n in range(6)]
    world.product.api("PATCH", "/settings", assistant={"enabled": False})
    try:
        for words in said:
            customer.says(words)
        customer.escalate()
        customer.wait_until(state="queued")
    finally:
        world.product.api("PATCH", "/settings", assistant={"enabled": True})
    long = "🏕 torn " * 570  # 4,000 characters, and more than Sunshine takes at once
    customer.wait_delivered(customer.says(long.strip()))
    ticket = world.ticket_of(customer)
    log = [entry for entry in ticket["log"] if entry["type"] == "Messaging::ConversationMessage"]
    context = "".join(entry["content"]["text"] for entry in log if entry["author"]["type"] == "bot")
    assert len([entry for entry in log if entry["author"]["type"] == "bot"]) > 1, "the context is longer than a message"
    assert [words for words in said[:-1] if words.strip() not in context] == []
    last, *parts = of(ticket, "customer")
    assert last == said[-1], "what led here is a message of its own"
    assert len(parts) > 1
    assert "".join(parts) == long.strip()


def test_17_it_worked_until_the_token_expired(world: World) -> None:
    customer = world.customer()
    customer.says(WEIGHT)
    customer.wait_for("assistant", "2.4 kilograms")  # else it may itself have called for somebody to chat with by now
    customer.escalate(mode="ticket")
    customer.wait_until(state="asynchronous")
    world.zendesk.post("/emulator/clock", {"advance_seconds": 7200})
    customer.wait_delivered(customer.says("An hour has passed"))
    assert world.zendesk.post("/emulator/admin/revoke_oauth_tokens")["revoked"] >= 1
    customer.wait_delivered(customer.says("Somebody has withdrawn every token"))
    ticket = str(world.ticket_of(customer)["id"])
    world.zendesk.agent("comment", ticket=ticket, body="We are still here")
    customer.wait_for("agent", "We are still here")
    public = [c["body"] for c in world.zendesk.ticket(ticket)["comments"] if c["public"]]
    assert public[1:3] == ["An hour has passed", "Somebody has withdrawn every token"]


def test_18_messages_come_out_of_order_and_the_end_races_the_last_reply(world: World) -> None:
    customer, ticket = start_live(world)
    world.zendesk.fault(side="webhook", action="hold")
    replies = ["Your parcel is in Graz", "It leaves tomorrow", "All the best!"]
    for reply in replies:
        world.zendesk.agent("reply", ticket=ticket, body=reply)
    world.zendesk.agent("end-session", ticket=ticket)
    world.zendesk.post("/emulator/faults/release", {"order": "last"})
    customer.wait_until(state="ended", ended="by_agent")
    assert after_the_request(customer, "agent", "system")[-4:-1] == replies, "the last words, then the end"
    assert customer.notices()[-1] == "ended"


def test_19_our_endpoint_hiccuped_and_customers_sat_in_limbo(world: World) -> None:
    customer, ticket = start_live(world)
    world.product.program.kill()
    world.zendesk.agent("reply", ticket=ticket, body="Are you still there?")
    world.zendesk.agent("reply", ticket=ticket, body="I will wait")
    world.product.program.start()
    customer.wait_for("agent", "I will wait")
    customer.says("Yes, the page was gone")
    answers = ["Are you still there?", "I will wait"]
    same_transcript(world, customer, ticket, customers=[FIRST, "Yes, the page was gone"], agents=answers)


def test_20_the_agent_asked_me_everything_again(world: World) -> None:
    customer = world.customer(context={"order": "4711", "page": "/tents/larch"})
    customer.says(WEIGHT)
    customer.wait_for("assistant", "2.4 kilograms")
    customer.says("I want to talk to a person")
    customer.wait_until(state="queued")
    log = [e for e in world.ticket_of(customer)["log"] if e["type"] == "Messaging::ConversationMessage"]
    context = log[0]["content"]["text"]
    for told in (
        f"Wants: {WEIGHT}",
        "Why it came to you: the customer asked for a person (“talk to a person”)",
        "Tried: The tent Larch weighs 2.4 kilograms",
        "What does a tent weigh?",
        "Customer: Noor, noor@example.com",
        "order: 4711",
        "page: /tents/larch",
        f"Customer: {WEIGHT}",
    ):
        assert told in context, f"{told!r} is not in what the agent reads first:\n{context}"
