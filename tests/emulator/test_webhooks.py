"""Webhooks: what is sent, how it is signed, when it is tried again."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from tests.serving import until
from zendesk_emulator.delivery import TEST_SECRET, signature

from .world import World


def test_the_signature_is_over_timestamp_and_body_with_the_secret_as_text() -> None:
    body = b'{ "ticket_id": "42", "type": "fv:conversation_closed", }'
    assert signature(TEST_SECRET, "2026-01-15T09:30:00Z", body) == "oFqQDd8pIdPglpZ3DHKALmS8+NSqwdw++xe8TVoioIM="
    assert signature(TEST_SECRET, "2026-01-15T09:30:00Z", b"") == "WruCHKQVc8FGDQ3dPYQtjLehCTbP3+MZvtPrHaKH+fA="


def test_an_event_arrives_signed_and_shaped_like_zendesks(world: World) -> None:
    hook = world.subscribe(
        "ticket.status_changed",
        authentication={"type": "bearer_token", "data": {"token": "t0k"}, "add_position": "header"},
        custom_headers={"X-Acme": "1"},
    )
    secret = world.zendesk.get(f"/webhooks/{hook['id']}/signing_secret").json()["signing_secret"]["secret"]
    ticket = world.ticket()["id"]
    world.zendesk.put(f"/tickets/{ticket}", json={"ticket": {"status": "solved"}})
    (got,) = world.receiver.wait(1)
    stamp = got.headers["x-zendesk-webhook-signature-timestamp"]
    expected = base64.b64encode(hmac.new(secret.encode(), stamp.encode() + got.body, hashlib.sha256).digest()).decode()
    assert got.headers["x-zendesk-webhook-signature"] == expected
    assert got.headers["authorization"] == "Bearer t0k"
    assert got.headers["x-acme"] == "1"
    assert got.headers["x-zendesk-webhook-id"] == hook["id"]
    assert got.headers["user-agent"] == "Zendesk Webhook"
    assert got.body.startswith(b'{\n   "')
    assert got.body.endswith(b"}\n")
    event = got.json
    assert event["type"] == "zen:event-type:ticket.status_changed"
    assert (event["event"]["previous"], event["event"]["current"]) == ("NEW", "SOLVED")
    assert (event["detail"]["id"], event["detail"]["status"]) == (str(ticket), "SOLVED")
    assert event["subject"] == f"zen:ticket:{ticket}"
    assert set(event["detail"]) >= {"assignee_id", "group_id", "requester_id", "tags", "via", "form_id"}


def test_every_subscribed_change_of_a_ticket_is_told(world: World) -> None:
    world.subscribe(
        "ticket.created",
        "ticket.comment_added",
        "ticket.agent_assignment_changed",
        "ticket.group_assignment_changed",
        "ticket.status_changed",
    )
    ticket = world.ticket()["id"]
    agent = world.emulator.desk.agent("mira")
    body = {"ticket": {"assignee_id": agent.id, "comment": {"body": "note", "public": False}}}
    world.zendesk.put(f"/tickets/{ticket}", json=body)
    got = world.receiver.wait(6)
    kinds = sorted(request.kind for request in got)
    assert kinds == sorted(
        [
            "ticket.created",
            "ticket.comment_added",
            "ticket.comment_added",
            "ticket.agent_assignment_changed",
            "ticket.group_assignment_changed",
            "ticket.status_changed",
        ]
    )
    changed = next(request.event for request in got if request.kind == "ticket.agent_assignment_changed")
    assert (changed["previous"], changed["current"]) == (None, str(agent.id))
    sequences = {request.event["meta"]["sequence"]["id"] for request in got}
    assert len(sequences) == 2
    notes = [request.event["comment"] for request in got if request.kind == "ticket.comment_added"]
    assert {note["is_public"] for note in notes} == {True, False}


@pytest.mark.parametrize(
    ("status", "headers", "tries"),
    [
        (409, {}, 4),
        (429, {"Retry-After": "0"}, 4),
        (503, {"Retry-After": "0"}, 4),
        (503, {"Retry-After": "60"}, 1),
        (503, {}, 1),
        (429, {}, 1),
        (500, {}, 1),
        (502, {}, 1),
        (404, {}, 1),
        (302, {"Location": "/elsewhere"}, 1),
    ],
)
def test_only_the_documented_answers_are_tried_again(
    world: World, status: int, headers: dict[str, str], tries: int
) -> None:
    hook = world.subscribe("ticket.created")
    world.receiver.answers = [(status, headers, 0.0)] * 20
    world.ticket()
    until(lambda: invocation(world, hook).get("status") == "terminated")
    attempts = until(lambda: finished(world, hook, tries))
    assert len(attempts) == len(world.receiver.got) == tries
    assert {attempt["status_code"] for attempt in attempts} == {status}
    ids = {request.headers["x-zendesk-webhook-invocation-id"] for request in world.receiver.got}
    assert len(ids) == 1


def invocation(world: World, hook: Any) -> Any:
    listed = world.zendesk.get(f"/webhooks/{hook['id']}/invocations").json()["invocations"]
    return listed[0] if listed else {}


def finished(world: World, hook: Any, tries: int) -> Any:
    path = f"/webhooks/{hook['id']}/invocations/{invocation(world, hook)['id']}/attempts"
    attempts = world.zendesk.get(path).json()["attempts"]
    return attempts if len(attempts) >= tries else None


def test_a_timeout_is_tried_five_more_times(world: World) -> None:
    world.steer("/settings", {"webhook_timeout_seconds": 0.05})
    hook = world.subscribe("ticket.created")
    world.receiver.answers = [(200, {}, 0.3)] * 6
    world.ticket()
    attempts = until(lambda: finished(world, hook, 6) if invocation(world, hook) else None)
    assert [attempt["status_code"] for attempt in attempts] == [504] * 6


def test_a_second_try_can_succeed(world: World) -> None:
    hook = world.subscribe("ticket.created")
    world.receiver.answers = [(409, {}, 0.0)]
    world.ticket()
    until(lambda: invocation(world, hook).get("status") == "success")
    assert len(world.receiver.got) == 2


def test_the_breaker_loses_events_for_a_while(world: World) -> None:
    hook = world.subscribe("ticket.created")
    world.receiver.answers = [(500, {}, 0.0)] * 100
    for _ in range(100):
        world.ticket()
    world.receiver.wait(100)
    until(lambda: world.emulator.account.records.webhooks[hook["id"]].broken_until)
    world.ticket()
    last = until(lambda: world.emulator.account.records.webhooks[hook["id"]].invocations[100])
    until(lambda: last.status == "circuit broken")
    world.steer("/clock", {"advance_seconds": 6})
    world.ticket()
    world.receiver.wait(101)


def test_secrets_are_not_read_back_and_put_clears_what_it_omits(world: World) -> None:
    hook = world.subscribe(
        "ticket.created",
        description="d",
        authentication={"type": "basic_auth", "data": {"username": "u", "password": "p"}, "add_position": "header"},
    )
    assert hook["authentication"]["data"] == {"username": "u"}
    path = f"/webhooks/{hook['id']}"
    assert world.zendesk.patch(path, json={"webhook": {"name": "renamed"}}).status_code == 204
    shown = world.zendesk.get(path).json()["webhook"]
    assert (shown["name"], shown["description"]) == ("renamed", "d")
    keep = {key: hook[key] for key in ("name", "status", "endpoint", "http_method", "request_format")}
    assert world.zendesk.put(path, json={"webhook": keep}).status_code == 204
    shown = world.zendesk.get(path).json()["webhook"]
    assert "authentication" not in shown
    assert "description" not in shown
    assert shown["subscriptions"] == hook["subscriptions"]
    old = world.zendesk.get(f"{path}/signing_secret").json()["signing_secret"]["secret"]
    new = world.zendesk.post(f"{path}/signing_secret")
    assert new.status_code == 201
    assert new.json()["signing_secret"]["secret"] != old
    assert len(old) == 44
    assert world.zendesk.delete(path).status_code == 204
    assert world.zendesk.get(path).status_code == 404


def test_events_and_triggers_do_not_mix(world: World) -> None:
    hook = world.subscribe()
    body = {"webhook": {"subscriptions": ["zen:event-type:ticket.created"]}}
    assert world.zendesk.patch(f"/webhooks/{hook['id']}", json=body).status_code == 400
    both = {
        "name": "x",
        "status": "active",
        "endpoint": "https://x.example",
        "http_method": "POST",
        "request_format": "json",
        "subscriptions": ["zen:event-type:ticket.created", "conditional_ticket_events"],
    }
    assert world.zendesk.post("/webhooks", json={"webhook": both}).status_code == 400


def test_the_test_button_signs_with_the_static_secret_and_reports_failures(world: World) -> None:
    world.receiver.answers = [(418, {}, 0.0)]
    request = {
        "endpoint": f"{world.receiver.url}/t",
        "http_method": "POST",
        "request_format": "json",
        "payload": '{"a":1,}',
    }
    answer = world.zendesk.post("/webhooks/test", json={"request": request})
    assert answer.status_code == 200
    assert answer.json()["response"]["status_code"] == 418
    (got,) = world.receiver.got
    stamp = got.headers["x-zendesk-webhook-signature-timestamp"]
    assert got.headers["x-zendesk-webhook-signature"] == signature(TEST_SECRET, stamp, b'{"a":1,}')


# Triggers


def session_condition(world: World) -> tuple[str, dict[str, str]]:
    """Find the messaging session condition the way an installer has to."""
    definitions = world.zendesk.get("/triggers/definitions.json").json()["definitions"]["conditions_all"]
    entry = next(entry for entry in definitions if entry["title"] == "Messaging session state")
    return entry["subject"], {value["title"]: value["value"] for value in entry["values"]}


def closing_trigger(world: World, body: str) -> None:
    hook = world.subscribe(endpoint=f"{world.receiver.url}/trigger")
    subject, values = session_condition(world)
    category = world.zendesk.post("/trigger_categories", json={"trigger_category": {"name": "AI"}}).json()
    trigger = {
        "title": "left active",
        "category_id": category["trigger_category"]["id"],
        "conditions": {"all": [{"field": subject, "operator": "value_previous", "value": values["Active"]}], "any": []},
        "actions": [{"field": "notification_webhook", "value": [hook["id"], body]}],
    }
    answer = world.zendesk.post("/triggers.json", json={"trigger": trigger})
    assert answer.status_code == 201, answer.text


def test_a_trigger_body_goes_out_byte_for_byte(world: World) -> None:
    closing_trigger(world, '{ "ticket_id": "{{ticket.id}}",\t"type": "fv:conversation_closed", }')
    _, _, ticket = world.live()
    world.agent("end-session")
    (got,) = world.receiver.wait(1)
    assert got.body == f'{{ "ticket_id": "{ticket}",\t"type": "fv:conversation_closed", }}'.encode()
    with pytest.raises(json.JSONDecodeError):
        json.loads(got.body)
    assert "x-zendesk-webhook-signature" in got.headers


def test_idle_fires_changed_from_active_too_but_waking_does_not(world: World) -> None:
    closing_trigger(world, '{"ticket_id":"{{ticket.id}}"}')
    world.live()
    world.agent("inactive")
    world.receiver.wait(1)
    world.agent("active")
    world.agent("end-session")
    world.receiver.wait(2)
    assert len(world.receiver.got) == 2


def test_trigger_actions_change_tickets_and_each_rule_fires_once(world: World) -> None:
    rule = {
        "title": "tag",
        "all": [{"field": "update_type", "operator": "is", "value": "Create"}],
        "actions": [
            {"field": "current_tags", "value": "seen"},
            {"field": "priority", "value": "urgent"},
        ],
    }
    assert world.zendesk.post("/triggers", json={"trigger": rule}).status_code == 201
    ticket = world.ticket()["id"]
    shown = world.zendesk.get(f"/tickets/{ticket}").json()["ticket"]
    assert (shown["tags"], shown["priority"]) == (["seen"], "urgent")
