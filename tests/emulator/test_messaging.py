"""Live chat over Sunshine: from the widget's first step to the end of the session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.serving import until

from .world import World

BRIDGE = {"type": "business", "displayName": "Assistant"}
EVERYTHING = (
    "conversation:message",
    "switchboard:passControl",
    "switchboard:passControl:failure",
    "switchboard:releaseControl",
)


def events(world: World, kind: str) -> list[Any]:
    found = [request.json["events"][0] for request in list(world.receiver.got) if request.path == "/sun"]
    return [event["payload"] for event in found if event["type"] == kind]


def shown(world: World, conversation: str) -> Any:
    return world.sun.get(f"/conversations/{conversation}").json()["conversation"]


@dataclass(frozen=True)
class Chat:
    """A conversation handed over by the book."""

    key: str
    user: str
    conversation: str
    first: str
    said: str
    ticket: int
    event: Any


@pytest.fixture(name="chat")
def _chat(world: World) -> Chat:
    """Go through the six steps: user, conversation, control to us, context, control to agents, the customer's words."""
    integration = world.integration(*EVERYTHING)
    bridge = take_a_seat(world, integration["id"])
    world.subscribe("messaging_ticket.message_added", "ticket.created")
    user = world.sun.post("/users", json={"externalId": "acme-web:7", "profile": {"givenName": "Mara"}}).json()["user"]
    body = {
        "type": "personal",
        "participants": [{"userId": user["id"]}],
        "metadata": {"bridge_session": "s1", "zen:ticket:tags": "website, vip"},
    }
    cid = world.sun.post("/conversations", json=body).json()["conversation"]["id"]
    assert shown(world, cid)["activeSwitchboardIntegration"]["name"] == "zd-answerBot"
    world.sun.post(f"/conversations/{cid}/passControl", json={"switchboardIntegration": bridge})
    assert shown(world, cid)["activeSwitchboardIntegration"]["id"] == bridge
    world.say(cid, BRIDGE, "earlier")
    first = world.say(cid, BRIDGE, "Transcript", metadata={"bridge_msg": "m1"})
    assert first["metadata"] == {"bridge_msg": "m1"}
    metadata = {
        "dataCapture.systemField.requester.name": "Mara Okafor",
        "dataCapture.systemField.requester.email": "mara@customer.example",
        "dataCapture.systemField.tags": "ai_handoff",
        "dataCapture.ticketField.4711": cid,
        "first_message_id": first["id"],
    }
    for _ in range(2):  # an explicit target may be repeated
        world.hand_over(cid, **metadata)
    assert shown(world, cid)["activeSwitchboardIntegration"]["integrationType"] == "zd:agentWorkspace"
    said = world.say(cid, {"type": "user", "userId": user["id"]}, "Still missing")
    added = until(lambda: [r for r in list(world.receiver.got) if r.path == "/events" and "message" in r.event])[0]
    return Chat(
        key=integration["webhooks"][0]["secret"],
        user=user["id"],
        conversation=cid,
        first=first["id"],
        said=said["id"],
        ticket=int(added.json["detail"]["id"]),
        event=added.event,
    )


def take_a_seat(world: World, integration: str) -> str:
    board = world.sun.get("/switchboards").json()["switchboards"][0]["id"]
    seat = {"name": "bridge", "integrationId": integration}
    made = world.sun.post(f"/switchboards/{board}/switchboardIntegrations", json=seat)
    assert made.status_code == 201
    assert made.json()["switchboardIntegration"]["deliverStandbyEvents"] is True
    return str(made.json()["switchboardIntegration"]["id"])


def test_a_taken_external_id_is_a_conflict(world: World) -> None:
    assert world.sun.post("/users", json={"externalId": "acme-web:7"}).status_code == 201
    again = world.sun.post("/users", json={"externalId": "acme-web:7"})
    assert (again.status_code, again.json()["errors"][0]["code"]) == (409, "conflict")
    assert world.sun.get("/users/acme-web:7").json()["user"]["externalId"] == "acme-web:7"


def test_the_customers_words_name_ticket_and_conversation(chat: Chat) -> None:
    assert chat.event["message"] == {"body": "Still missing", "id": chat.said}
    assert chat.event["conversation_id"] == chat.conversation
    assert chat.event["actor"] == {"id": chat.user, "name": "Mara", "type": "end_user"}


def test_the_handover_makes_a_ticket_with_its_fields(world: World, chat: Chat) -> None:
    ticket = world.zendesk.get(f"/tickets/{chat.ticket}").json()["ticket"]
    assert ticket["status"] == "new"
    assert ticket["via"]["channel"] == "sunshine_conversations_api"
    assert ticket["tags"] == ["ai_handoff", "website", "vip"]
    assert ticket["custom_fields"] == [{"id": 4711, "value": chat.conversation}]
    requester = world.zendesk.get(f"/users/{ticket['requester_id']}").json()["user"]
    assert (requester["email"], requester["external_id"]) == ("mara@customer.example", "acme-web:7")
    identities = world.zendesk.get(f"/users/{requester['id']}/identities").json()["identities"]
    assert {entry["type"]: entry["value"] for entry in identities}["messaging"] == chat.user
    comment = world.zendesk.get(f"/tickets/{chat.ticket}/comments").json()["comments"][0]
    assert (comment["body"], comment["public"]) == (f"Conversation with Web User {chat.user}", False)


def test_audits_and_log_lead_from_the_ticket_to_the_conversation(world: World, chat: Chat) -> None:
    audits = world.zendesk.get(f"/tickets/{chat.ticket}/audits").json()["audits"]
    started = next(event for audit in audits for event in audit["events"] if event["type"] == "ChatStartedEvent")
    assert started["value"]["conversation_id"] == chat.conversation
    assert [entry["message"] for entry in started["value"]["history"]] == ["Transcript"]
    log = world.zendesk.get(f"/tickets/{chat.ticket}/conversation_log").json()["events"]
    references = [event["reference"] for event in log if event["type"] == "Messaging::ConversationMessage"]
    assert references == [f"zen:sunco:conversation_message:{message}" for message in (chat.first, chat.said)]


def test_the_switchboard_tells_each_pass_once_with_the_key(world: World, chat: Chat) -> None:
    passed = until(lambda: found if len(found := events(world, "switchboard:passControl")) > 1 else None)
    assert len(passed) == 2
    assert passed[0]["conversation"]["metadata"]["bridge_session"] == "s1"
    assert {request.headers["x-api-key"] for request in world.receiver.got if request.path == "/sun"} == {chat.key}


def test_an_agents_reply_reaches_both_webhooks_with_the_same_message(world: World) -> None:
    world.integration(*EVERYTHING)
    world.subscribe("messaging_ticket.message_added")
    _, cid, ticket = world.live()
    agent = world.emulator.desk.agent("jonas")
    world.agent("accept", agent="jonas")
    state = world.agent("reply", agent="jonas", body="Hi Mara")
    assert (state["status"], state["assignee_id"]) == ("open", agent.id)
    event = until(lambda: [r for r in list(world.receiver.got) if r.path == "/events"])[0].event
    message = until(lambda: events(world, "conversation:message"))[0]["message"]
    assert event["actor"] == {"id": str(agent.id), "name": "Jonas Berg", "type": "agent"}
    assert event["message"]["id"] == message["id"]
    assert message["author"] == {"type": "business", "displayName": "Jonas Berg", "subtypes": ["agent"]}
    assert message["source"] == {"type": "zd:agentWorkspace"}
    assert message["metadata"]["__zendesk_msg.agent.id"] == str(agent.id)
    listed = world.sun.get(f"/conversations/{cid}/messages").json()["messages"]
    assert [entry["content"]["text"] for entry in listed] == ["Hi Mara"]
    assert world.zendesk.get(f"/tickets/{ticket}").json()["ticket"]["from_messaging_channel"] is True


def test_trigger_and_system_messages_are_told_as_such(world: World) -> None:
    world.subscribe("messaging_ticket.message_added")
    world.live()
    world.agent("trigger-message", body="We are busy")
    world.agent("system-message", body="How was it?", metadata={"type": "csat"})
    got = world.receiver.wait(2)
    assert sorted(request.event["actor"]["type"] for request in got) == ["system", "trigger"]


def test_conversation_id_can_be_left_out_of_events(world: World) -> None:
    world.steer("/settings", {"conversation_id_in_events": False})
    world.subscribe("messaging_ticket.message_added")
    world.live()
    world.agent("reply", body="Hi")
    assert "conversation_id" not in world.receiver.wait(1)[0].event


def test_ending_the_session_releases_control_and_keeps_the_status(world: World) -> None:
    world.integration(*EVERYTHING)
    world.subscribe("ticket.status_changed", "messaging_ticket.message_added")
    user, cid, ticket = world.live()
    world.agent("reply", body="Bye")
    world.receiver.wait(3)
    state = world.agent("end-session")
    assert (state["session"], state["status"], state["session_ended_reason"]) == ("ended", "open", "agent")
    released = until(lambda: events(world, "switchboard:releaseControl"))[0]
    assert "activeSwitchboardIntegration" not in released["conversation"]
    assert "reason" not in released
    assert "activeSwitchboardIntegration" not in shown(world, cid)
    refused = world.control.post("/agent/reply", json={"body": "more"})
    assert refused.status_code == 409
    world.agent("note", body="still possible")
    before = world.emulator.account.records.conversations[cid].messages[-1]
    assert before.content["text"] == "Bye"  # the customer is not told
    world.say(cid, {"type": "user", "userId": user}, "hello?")
    assert shown(world, cid)["activeSwitchboardIntegration"]["name"] == "zd-answerBot"
    last = world.sun.get(f"/conversations/{cid}/messages").json()["messages"][-1]
    assert last["source"]["type"] == "zd:answerBot"
    world.hand_over(cid)
    assert world.emulator.account.records.conversations[cid].ticket_id != ticket
    world.agent("reply", body="Second ticket")
    log = world.zendesk.get(f"/tickets/{ticket}/conversation_log").json()["events"]
    texts = [event["content"]["text"] for event in log if event["type"] == "Messaging::ConversationMessage"]
    assert "Bye" in texts
    assert "Second ticket" not in texts


def test_a_message_posted_before_taking_control_is_answered_by_the_bot_and_costs_the_fields(world: World) -> None:
    user, cid = world.conversation()
    world.say(cid, {"type": "user", "userId": user}, "Hi")
    texts = world.sun.get(f"/conversations/{cid}/messages").json()["messages"]
    assert [message["author"]["type"] for message in texts] == ["user", "business"]
    world.hand_over(cid, **{"dataCapture.systemField.tags": "ai"})
    assert world.agent("accept")["tags"] == []


def test_solving_keeps_the_conversation_and_a_message_reopens(world: World) -> None:
    world.subscribe("ticket.status_changed")
    user, cid, _ = world.live()
    world.agent("status", status="solved")
    assert shown(world, cid)["activeSwitchboardIntegration"]["name"] == "zd-agentWorkspace"
    world.say(cid, {"type": "user", "userId": user}, "One more thing")
    changes = {(request.event["previous"], request.event["current"]) for request in world.receiver.wait(2)}
    assert changes == {("NEW", "SOLVED"), ("SOLVED", "OPEN")}


@pytest.mark.parametrize(("setting", "event"), [("release", "releaseControl"), ("pass", "passControl")])
def test_closing_gives_control_away_as_the_account_says(world: World, setting: str, event: str) -> None:
    world.steer("/settings", {"conversation_control": setting})
    world.integration(*EVERYTHING)
    _, cid, _ = world.live()
    state = world.agent("status", status="closed")
    assert state["session"] == "ended"
    payload = until(lambda: [p for p in events(world, f"switchboard:{event}") if p.get("reason")])[0]
    assert payload["reason"] == "ticketClosed"
    activity = until(lambda: [p for p in events(world, "conversation:message") if p["message"].get("activity")])[0]
    assert activity["message"]["activity"] == {"type": "ticket:closed"}
    active = shown(world, cid).get("activeSwitchboardIntegration", {}).get("name")
    assert active == (None if setting == "release" else "zd-answerBot")


def test_going_on_by_mail_releases_control_with_a_reason(world: World) -> None:
    world.integration(*EVERYTHING)
    world.live()
    assert world.agent("transfer-to-email")["session"] == "ended"
    released = until(lambda: events(world, "switchboard:releaseControl"))[0]
    assert released["reason"] == "transferToEmail"


def test_an_idle_session_wakes_with_the_next_message(world: World) -> None:
    user, cid, ticket = world.live()
    assert world.agent("inactive")["session"] == "inactive"
    assert shown(world, cid)["activeSwitchboardIntegration"]["name"] == "zd-agentWorkspace"
    world.say(cid, {"type": "user", "userId": user}, "Back")
    assert world.emulator.desk.ticket(ticket).session == "active"


def test_a_session_goes_idle_by_itself_when_told_to(world: World) -> None:
    world.steer("/settings", {"inactive_after_minutes": 0.001})
    _, _, ticket = world.live()
    world.agent("reply", body="Hi")
    reached = world.control.get("/wait", params={"ticket": str(ticket), "session": "inactive"}).json()
    assert reached["reached"] is True


def test_a_bad_target_fails_later_by_event(world: World) -> None:
    world.integration(*EVERYTHING)
    _, cid = world.conversation()
    answer = world.sun.post(f"/conversations/{cid}/passControl", json={"switchboardIntegration": "nobody"})
    assert (answer.status_code, answer.json()) == (200, {})
    failure = until(lambda: events(world, "switchboard:passControl:failure"))[0]
    assert failure["error"]["code"] == "switchboard_invalid_target"


def test_next_moves_one_hop_each_time(world: World) -> None:
    _, cid = world.conversation()
    hops = []
    for _ in range(2):
        world.sun.post(f"/conversations/{cid}/passControl", json={"switchboardIntegration": "next"})
        hops.append(shown(world, cid)["activeSwitchboardIntegration"]["name"])
    assert hops == ["zd-agentWorkspace", "zd-answerBot"]


def test_a_seat_without_standby_hears_only_while_offered_or_active(world: World) -> None:
    integration = world.integration("conversation:message")
    board = world.sun.get("/switchboards").json()["switchboards"][0]["id"]
    seat = {"name": "quiet", "integrationId": integration["id"], "deliverStandbyEvents": False}
    world.sun.post(f"/switchboards/{board}/switchboardIntegrations", json=seat)
    _, cid, _ = world.live()
    world.agent("reply", body="unheard")
    world.sun.post(f"/conversations/{cid}/offerControl", json={"switchboardIntegration": "quiet"})
    world.agent("reply", body="heard")
    until(lambda: events(world, "conversation:message"))
    assert [payload["message"]["content"]["text"] for payload in events(world, "conversation:message")] == ["heard"]
    world.sun.post(f"/conversations/{cid}/acceptControl", json={})
    assert shown(world, cid)["activeSwitchboardIntegration"]["name"] == "quiet"


def test_messages_are_paged_newest_page_first(world: World) -> None:
    _, cid = world.conversation()
    ids = [world.say(cid, BRIDGE, f"m{number}")["id"] for number in range(205)]
    path = f"/conversations/{cid}/messages"
    newest = world.sun.get(path).json()
    assert [message["id"] for message in newest["messages"]] == ids[105:]
    assert newest["meta"] == {"hasMore": True, "beforeCursor": ids[105], "afterCursor": ids[204]}
    older = world.sun.get(path, params={"page[before]": ids[105]}).json()
    assert [message["id"] for message in older["messages"]] == ids[5:105]
    oldest = world.sun.get(path, params={"page[before]": ids[5]}).json()
    assert (oldest["meta"]["hasMore"], len(oldest["messages"])) == (False, 5)
    newer = world.sun.get(path, params={"page[after]": ids[3]}).json()
    assert (newer["messages"][0]["id"], newer["meta"]["hasMore"]) == (ids[4], True)
    rest = world.sun.get(path, params={"page[after]": ids[103]}).json()
    assert (len(rest["messages"]), rest["meta"]["hasMore"]) == (100, True)
    last = world.sun.get(path, params={"page[after]": ids[200]}).json()
    assert (len(last["messages"]), last["meta"]["hasMore"]) == (4, False)
    both = world.sun.get(path, params={"page[after]": ids[3], "page[before]": ids[9]})
    assert both.status_code == 400


def test_limits_are_kept(world: World) -> None:
    user, cid = world.conversation()
    path = f"/conversations/{cid}/messages"
    fine = {"author": BRIDGE, "content": {"type": "text", "text": "x" * 4096}}
    assert world.sun.post(path, json=fine).status_code == 201
    long = {**fine, "content": {"type": "text", "text": "x" * 4097}}
    assert world.sun.post(path, json=long).json()["errors"][0]["code"] == "bad_request"
    assert world.sun.post(path, json={**fine, "metadata": {"a": {"b": 1}}}).status_code == 400
    assert world.sun.post(path, json={**fine, "metadata": {"a": "x" * 4096}}).status_code == 400
    assert world.sun.post(path, json={**fine, "author": {"type": "user", "userId": "0" * 24}}).status_code == 404
    typing = {"author": {"type": "user", "userId": user}, "type": "typing:start"}
    assert world.sun.post(f"/conversations/{cid}/activity", json=typing).status_code == 400
    typing["author"] = dict(BRIDGE)
    assert world.sun.post(f"/conversations/{cid}/activity", json=typing).json() == {}
    world.steer("/settings", {"messages_per_conversation": 1})
    full = world.sun.post(path, json=fine)
    assert (full.status_code, full.json()["errors"][0]["code"]) == (423, "locked")
    world.sun.delete(f"/conversations/{cid}/messages")
    assert world.sun.post(path, json=fine).status_code == 201


def test_a_chat_can_be_full_or_gone_with_its_customer(world: World) -> None:
    user, cid, ticket = world.live()
    world.agent("fill", ticket=ticket)
    fine = {"author": {"type": "user", "userId": user}, "content": {"type": "text", "text": "x"}}
    assert world.sun.post(f"/conversations/{cid}/messages", json=fine).status_code == 423
    world.agent("forget-customer", ticket=ticket)
    assert world.sun.get(f"/conversations/{cid}").status_code == 404
    assert world.sun.post(f"/conversations/{cid}/messages", json=fine).status_code == 404


def test_deleting_a_chats_ticket_gives_control_away(world: World) -> None:
    _, cid, ticket = world.live()
    world.agent("delete", ticket=ticket)
    assert world.sun.get(f"/conversations/{cid}").json()["conversation"].get("activeSwitchboardIntegration") is None


def test_without_multi_conversations_a_second_one_is_refused(world: World) -> None:
    user, cid = world.conversation()
    world.steer("/settings", {"multi_conversations": False})
    body = {"type": "personal", "participants": [{"userId": user}]}
    assert world.sun.post("/conversations", json=body).status_code == 400
    listed = world.sun.get("/conversations", params={"filter[userId]": user}).json()["conversations"]
    assert [conversation["id"] for conversation in listed] == [cid]
    changed = world.sun.patch(f"/conversations/{cid}", json={"metadata": {"a": "1"}}).json()["conversation"]
    assert changed["metadata"] == {"a": "1"}


def test_files_go_up_and_private_ones_need_the_key_to_come_down(world: World) -> None:
    _, cid, _ = world.live()
    world.agent("file", name="a.png", content_type="image/png", data="aGVsbG8=")
    content = world.sun.get(f"/conversations/{cid}/messages").json()["messages"][-1]["content"]
    assert content["type"] == "image"
    assert world.anonymous.get(content["mediaUrl"]).status_code == 401
    assert world.sun.get(content["mediaUrl"]).content == b"hello"
    up = world.sun.post(
        "/attachments",
        params={"access": "public", "for": "message"},
        files={"source": ("b.txt", b"data", "text/plain")},
    )
    assert up.status_code == 201
    assert world.sun.get(up.json()["attachment"]["mediaUrl"]).content == b"data"


@pytest.mark.parametrize(("status", "tries"), [(500, 5), (429, 5), (409, 5), (400, 1), (401, 1), (404, 1), (406, 1)])
def test_sunshine_webhooks_are_tried_five_times_unless_the_answer_is_final(
    world: World, status: int, tries: int
) -> None:
    world.integration("conversation:message")
    _, cid = world.conversation()
    world.receiver.answers = [(status, {}, 0.0)] * 10
    world.say(cid, BRIDGE, "x")
    world.receiver.wait(tries)
    counts = world.control.get("/wait", params={"webhooks_sent": str(tries + 1), "timeout": "0.2"}).json()["counts"]
    assert counts["webhooks_sent"] == tries
    ids = {request.json["events"][0]["id"] for request in world.receiver.got}
    assert len(ids) == 1
