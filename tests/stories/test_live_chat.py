"""Live chat from the first word to the end, between real processes over HTTP."""

from __future__ import annotations

import pytest

from tests.stories.talk import said_at_desk, same_transcript, start_live
from tests.world import SESSION_END_BODY, World

pytestmark = pytest.mark.processes


def test_the_agent_gets_the_context_first_and_then_the_words_in_order(world: World) -> None:
    customer = world.customer()
    customer.says("Hello there")
    customer.wait_for("assistant", "")
    customer.says("Let me talk to a human please")
    customer.says("it is about my torn tent")
    customer.wait_until(state="queued")
    customer.wait_delivered(customer.says("order 4711"))

    ticket = world.ticket_of(customer)
    log = [entry for entry in ticket["log"] if entry["type"] == "Messaging::ConversationMessage"]
    assert "Hello there" in log[0]["content"]["text"], "the context comes first"
    assert said_at_desk(ticket) == [
        ("customer", "Let me talk to a human please"),
        ("customer", "it is about my torn tent"),
        ("customer", "order 4711"),
    ]
    assert ticket["tags"] == ["fullviewai"]


def test_the_agents_reply_appears_in_the_chat_with_the_agents_name(world: World) -> None:
    customer, ticket = start_live(world)
    world.zendesk.agent("reply", ticket=ticket, body="I am sorry to hear that.")
    customer.wait_for("agent", "I am sorry to hear that.")
    page = customer.page()
    assert page["conversation"]["control"] == "agent"
    assert page["conversation"]["handoff"]["agent"]["name"] == "Jonas Berg"
    assert [m["author"]["name"] for m in page["messages"] if m["author"]["role"] == "agent"] == ["Jonas Berg"]
    assert customer.notices().count("agent_joined") == 1


def test_end_session_closes_the_chat_and_leaves_the_ticket_open(world: World) -> None:
    customer, ticket = start_live(world)
    world.zendesk.agent("reply", ticket=ticket, body="A new tent is on its way. Goodbye!")
    world.zendesk.agent("end-session", ticket=ticket)
    customer.wait_until(state="ended", control="assistant", status="open")
    assert customer.handoff()["ended"] == "by_agent"
    assert customer.transcript("agent") == ["A new tent is on its way. Goodbye!"], "the last words came before the end"
    assert customer.notices()[-1] == "ended"
    assert world.zendesk.ticket(ticket)["status"] == "open"


def test_after_the_end_nothing_more_goes_into_the_old_chat_and_a_new_one_carries_the_context(world: World) -> None:
    customer, ticket = start_live(world)
    world.zendesk.agent("end-session", ticket=ticket)
    customer.wait_until(state="ended")
    before = said_at_desk(world.zendesk.ticket(ticket))
    customer.says("thank you")
    customer.says("I need a person again")
    customer.wait_until(state="queued")
    again = world.ticket_of(customer)
    assert str(again["id"]) != ticket
    assert said_at_desk(world.zendesk.ticket(ticket)) == before
    context = next(e for e in again["log"] if e["type"] == "Messaging::ConversationMessage")["content"]["text"]
    assert "My tent arrived torn" in context


def test_an_inactive_session_closes_the_chat_and_says_so(world: World) -> None:
    customer, ticket = start_live(world)
    world.zendesk.agent("inactive", ticket=ticket)
    customer.wait_until(state="ended", control="assistant")
    assert customer.handoff()["ended"] == "inactive"
    assert customer.notices()[-1] == "inactive"
    assert world.zendesk.ticket(ticket)["status"] == "open"


def test_solved_keeps_relaying_and_closed_ends(world: World) -> None:
    customer, ticket = start_live(world)
    world.zendesk.agent("status", ticket=ticket, status="solved")
    customer.says("one more thing")
    world.zendesk.agent("reply", ticket=ticket, body="Yes?")
    same_transcript(world, customer, ticket, customers=["My tent arrived torn", "one more thing"], agents=["Yes?"])
    world.zendesk.agent("status", ticket=ticket, status="closed")
    customer.wait_until(state="ended")
    assert customer.handoff()["ended"] == "closed"


def test_internal_notes_never_reach_the_customer(world: World) -> None:
    customer, ticket = start_live(world)
    world.zendesk.agent("note", ticket=ticket, body="this customer is difficult")
    world.zendesk.agent("reply", ticket=ticket, body="Hello")
    customer.wait_for("agent", "Hello")
    assert not any("difficult" in text for text in customer.transcript())


def test_the_customer_can_go_back_to_the_assistant(world: World) -> None:
    customer, _ticket = start_live(world)
    customer.leave("back")
    customer.wait_until(state="ended", control="assistant")
    assert customer.handoff()["ended"] == "by_customer"


def test_asking_twice_is_one_handoff(world: World) -> None:
    customer = world.customer()
    first = customer.escalate()
    second = customer.escalate()
    assert first["id"] == second["id"]


def test_nobody_answers_in_time_and_the_customer_is_told_on_the_same_ticket(fresh_world: World) -> None:
    fresh_world.connect(live=True, answer_within_s=10)
    customer = fresh_world.customer()
    customer.says("Is a person there?")
    customer.wait_until(state="asynchronous", control="pending")
    assert customer.notices()[-1] == "asynchronous"
    ticket = str(fresh_world.ticket_of(customer)["id"])
    fresh_world.zendesk.agent("reply", ticket=ticket, body="Here I am")
    customer.wait_for("agent", "Here I am")
    customer.wait_until(state="with_agent", control="agent", ticket_id=ticket)
    assert len(fresh_world.zendesk.tickets()) == 1


def test_keep_asks_zendesk_first_and_closes_only_on_a_real_end(fresh_world: World) -> None:
    fresh_world.connect(live=True, on_session_inactive="keep")
    customer, ticket = start_live(fresh_world)
    fresh_world.zendesk.agent("inactive", ticket=ticket)
    fresh_world.zendesk.agent("reply", ticket=ticket, body="Still here")
    customer.wait_for("agent", "Still here")
    customer.wait_until(state="with_agent")
    fresh_world.zendesk.agent("end-session", ticket=ticket)
    customer.wait_until(state="ended")
    assert customer.handoff()["ended"] == "by_agent"


def test_when_no_agent_is_online_it_is_a_ticket_from_the_start(fresh_world: World) -> None:
    fresh_world.connect(live=True)
    fresh_world.zendesk.agent("availability", agent="Jonas Berg", state="away")
    customer = fresh_world.customer()
    customer.says("I want a human")
    customer.wait_until(state="asynchronous", mode="ticket")


def test_a_customer_who_would_rather_not_wait_leaves_it_on_the_same_ticket(world: World) -> None:
    customer = world.customer()
    customer.says("I want a person")
    customer.wait_until(state="queued")
    first = customer.handoff()["id"]
    assert customer.escalate(mode="ticket")["id"] == first
    customer.wait_until(state="asynchronous", mode="live")
    ticket = str(world.ticket_of(customer)["id"])
    world.zendesk.agent("reply", ticket=ticket, body="Here is your answer")
    customer.wait_for("agent", "Here is your answer")
    customer.wait_until(state="with_agent")


def test_sunshines_own_webhook_is_a_second_way_in(fresh_world: World) -> None:
    world = fresh_world
    world.connect(live=True, webhooks=False)
    target = f"{world.product.url}/hooks/sunshine/{world.product.keys['organisation_id']}"
    triggers = ["conversation:message", "switchboard:passControl", "switchboard:releaseControl"]
    made = world.zendesk.post(
        "/emulator/admin/integration",
        {"displayName": "second way", "webhooks": [{"target": target, "triggers": triggers}]},
    )
    secret = made["integration"]["webhooks"][0]["secret"]
    world.product.api("PATCH", "/settings", live={"webhook_secret": secret})
    customer = world.customer()
    customer.says("I want a person")
    customer.wait_until(state="queued")
    world.zendesk.agent("accept")
    world.zendesk.agent("reply", body="Heard through Sunshine")
    customer.wait_for("agent", "Heard through Sunshine")
    heard = [r for r in world.product.api("GET", "/receipts")["receipts"] if r["source"] == "sunshine"]
    assert any(r["kind"] == "message_added" and r["conversation"] == customer.id for r in heard)
    world.zendesk.agent("end-session")
    customer.wait_until(state="ended", ended="by_agent")
    refused = world.product.http.post(
        f"/hooks/sunshine/{world.product.keys['organisation_id']}", json={"events": []}, headers={"X-API-Key": "wrong"}
    )
    assert refused.status_code == 401


def test_the_agents_last_words_come_before_a_closed_ticket_even_if_no_webhook_told_them(world: World) -> None:
    customer, ticket = start_live(world)
    world.zendesk.fault(side="webhook", kind="message_added", action="drop")
    world.zendesk.agent("reply", ticket=ticket, body="All the best!")
    world.zendesk.agent("status", ticket=ticket, status="closed")
    customer.wait_until(state="ended", ended="closed")
    said = customer.transcript("agent", "system")
    assert said[-2] == "All the best!", "the last words, then the end"


def test_with_the_assistant_switched_off_a_request_for_a_person_is_heard(fresh_world: World) -> None:
    fresh_world.connect()
    fresh_world.product.api("PATCH", "/settings", assistant={"enabled": False})
    customer = fresh_world.customer()
    customer.says("How do I return something?")
    customer.says("I want to talk to a human")
    customer.wait_until(state="asynchronous")
    assert customer.transcript("assistant") == []


def test_the_older_shape_without_a_conversation_id_finds_its_chat_all_the_same(fresh_world: World) -> None:
    world = fresh_world
    world.connect(live=True)
    world.zendesk.post("/emulator/settings", {"conversation_id_in_events": False})
    customer, ticket = start_live(world)
    world.zendesk.agent("reply", ticket=ticket, body="Found you")
    customer.wait_for("agent", "Found you")
    world.zendesk.agent("end-session", ticket=ticket)
    customer.wait_until(state="ended", ended="by_agent")


def test_signed_webhooks_are_checked_when_the_secrets_are_known(fresh_world: World) -> None:
    world = fresh_world
    world.connect(live=True)
    secrets = [
        world.zendesk.support(f"/webhooks/{hook['id']}/signing_secret")["signing_secret"]["secret"]
        for hook in world.zendesk.support("/webhooks")["webhooks"]
    ]
    world.product.api("PATCH", "/settings", webhooks={"signing_secrets": secrets})
    customer, ticket = start_live(world)
    world.zendesk.agent("reply", ticket=ticket, body="Signed and sealed")
    customer.wait_for("agent", "Signed and sealed")
    heard = world.product.api("GET", "/receipts")["receipts"]
    assert any(r["kind"] == "message_added" and r["conversation"] == customer.id for r in heard)
    unsigned = world.product.webhook(SESSION_END_BODY.replace("{{ticket.id}}", ticket).encode())
    assert unsigned.status_code == 401
    world.zendesk.agent("end-session", ticket=ticket)
    customer.wait_until(state="ended", ended="by_agent")
