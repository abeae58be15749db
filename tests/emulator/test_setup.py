"""What installers and administrators do: rules, integrations, seats, clients, people."""

from __future__ import annotations

from typing import Any

import pytest

from tests.serving import until

from .world import Json, World


def rule(**fields: Any) -> Json:
    condition = {"field": "status", "operator": "is", "value": "open"}
    return {"title": "rule", "all": [condition], "actions": [{"field": "priority", "value": "low"}], **fields}


def test_rules_are_made_changed_listed_and_removed(world: World) -> None:
    made = world.zendesk.post("/triggers", json={"trigger": rule()}).json()["trigger"]
    assert made["conditions"]["all"][0]["field"] == "status"
    assert made["category_id"]
    path = f"/triggers/{made['id']}"
    changed = world.zendesk.put(path, json={"trigger": {"active": False, "title": "renamed"}}).json()["trigger"]
    assert (changed["active"], changed["title"], changed["actions"]) == (False, "renamed", made["actions"])
    assert world.zendesk.get("/triggers/active").json()["triggers"] == []
    assert world.zendesk.get("/triggers/search", params={"query": "RENAMED"}).json()["count"] == 1
    assert world.zendesk.get(path).json()["trigger"]["title"] == "renamed"
    category = f"/trigger_categories/{made['category_id']}"
    assert world.zendesk.delete(category).status_code == 400
    assert world.zendesk.delete(path).status_code == 204
    assert world.zendesk.get(path).status_code == 404
    named = world.zendesk.patch(category, json={"trigger_category": {"name": "Other"}}).json()["trigger_category"]
    assert named["name"] == world.zendesk.get(category).json()["trigger_category"]["name"] == "Other"
    assert world.zendesk.delete(category).status_code == 204
    assert world.zendesk.get(category).status_code == 404


@pytest.mark.parametrize(
    "fields",
    [
        {"title": ""},
        {"all": []},
        {"actions": []},
        {"category_id": "1"},
        {"actions": [{"field": "notification_webhook", "value": ["nobody", ""]}]},
    ],
)
def test_incomplete_rules_are_refused(world: World, fields: Json) -> None:
    assert world.zendesk.post("/triggers", json={"trigger": rule(**fields)}).status_code == 422


def test_a_rule_cannot_use_a_webhook_of_events(world: World) -> None:
    hook = world.subscribe("ticket.created")
    action = {"field": "notification_webhook", "value": [hook["id"], "{}"]}
    assert world.zendesk.post("/triggers", json={"trigger": rule(actions=[action])}).status_code == 422


@pytest.mark.parametrize(
    ("condition", "fires"),
    [
        (("status", "is_not", "solved"), False),
        (("status", "changed", None), True),
        (("status", "not_changed", None), False),
        (("status", "value", "solved"), True),
        (("status", "not_value", "solved"), False),
        (("status", "value_previous", "new"), True),
        (("status", "not_value_previous", "new"), False),
        (("status", "greater_than", "open"), True),
        (("status", "less_than", "solved"), False),
        (("priority", "is", ""), True),
        (("current_tags", "includes", "web ai"), True),
        (("current_tags", "not_includes", "web"), False),
        (("update_type", "is", "Change"), True),
        (("comment_is_public", "is", "true"), True),
        (("ticket_is_public", "is", "public"), True),
        (("current_via_id", "is_not", "5"), False),
        (("role", "is", "agent"), True),
        (("custom_fields_12", "is", "x"), True),
        (("unheard_of", "is", "x"), False),
    ],
)
def test_conditions_mean_what_they_say(world: World, condition: tuple[str, str, str | None], fires: bool) -> None:
    ticket = world.ticket(tags=["web"], custom_fields=[{"id": 12, "value": "x"}])["id"]
    named = dict(zip(("field", "operator", "value"), condition, strict=True))
    made = rule(all=[], any=[named], actions=[{"field": "set_tags", "value": "fired"}])
    assert world.zendesk.post("/triggers", json={"trigger": made}).status_code == 201
    world.zendesk.put(f"/tickets/{ticket}", json={"ticket": {"status": "solved", "comment": {"body": "x"}}})
    assert (world.zendesk.get(f"/tickets/{ticket}/tags").json()["tags"] == ["fired"]) is fires


def test_integrations_and_their_webhooks_can_be_managed(world: World) -> None:
    one = f"/integrations/{world.integration('conversation:message')['id']}"
    assert world.sun.patch(one, json={"displayName": "new"}).json()["integration"]["displayName"] == "new"
    body = {"target": "https://x.example/", "triggers": ["user:merge"], "includeFullUser": True}
    hook = world.sun.post(f"{one}/webhooks", json=body).json()["webhook"]
    assert len(world.sun.get(f"{one}/webhooks").json()["webhooks"]) == 2
    path = f"{one}/webhooks/{hook['id']}"
    changed = world.sun.patch(path, json={"triggers": ["user:remove"]}).json()["webhook"]
    assert (changed["triggers"], changed["secret"], changed["includeFullUser"]) == (
        ["user:remove"],
        hook["secret"],
        True,
    )
    assert world.sun.patch(path, json={"triggers": ["user:typing"]}).status_code == 400
    assert world.sun.patch(path, json={"target": "nowhere"}).status_code == 400
    assert world.sun.delete(path).json() == {}
    assert world.sun.get(path).status_code == 404
    assert (
        world.sun.get("/integrations", params={"filter[types]": "custom"}).json()["integrations"][0]["type"] == "custom"
    )
    assert world.sun.delete(one).status_code == 200
    assert world.sun.get(one).json()["errors"][0]["code"] == "integration_not_found"
    assert world.sun.post("/integrations", json={"type": "web"}).status_code == 400


def test_seats_can_be_managed_but_not_the_default_one(world: World) -> None:
    integration = world.integration("conversation:message")
    board = world.sun.get("/switchboards").json()["switchboards"][0]
    seats = f"/switchboards/{board['id']}/switchboardIntegrations"
    seat = {"name": "ours", "integrationId": integration["id"], "messageHistoryCount": 10}
    made = world.sun.post(seats, json=seat).json()["switchboardIntegration"]
    assert world.sun.post(seats, json=seat).status_code == 409
    assert world.sun.post(seats, json={**seat, "name": "no blanks"}).status_code == 400
    path = f"{seats}/{made['id']}"
    changed = world.sun.patch(path, json={"deliverStandbyEvents": False}).json()["switchboardIntegration"]
    assert (changed["deliverStandbyEvents"], changed["messageHistoryCount"]) == (False, 10)
    _, cid = world.conversation()
    world.sun.post(f"/conversations/{cid}/passControl", json={"switchboardIntegration": "ours"})
    assert world.sun.delete(path).status_code == 200
    active = world.sun.get(f"/conversations/{cid}").json()["conversation"]["activeSwitchboardIntegration"]
    assert active["id"] == board["defaultSwitchboardIntegrationId"]
    default = f"{seats}/{board['defaultSwitchboardIntegrationId']}"
    assert world.sun.delete(default).status_code == 400
    for number in range(8):
        assert world.sun.post(seats, json={**seat, "name": f"s{number}"}).status_code == 201
    full = world.sun.post(seats, json=seat).json()["errors"][0]["code"]
    assert full == "too_many_switchboard_integrations"
    agents = world.sun.get(seats).json()["switchboardIntegrations"][0]["id"]
    moved = world.sun.patch(f"/switchboards/{board['id']}", json={"defaultSwitchboardIntegrationId": agents}).json()
    assert moved["switchboard"]["defaultSwitchboardIntegrationId"] == agents
    user, cid = world.conversation("acme-web:2")
    world.say(cid, {"type": "user", "userId": user}, "straight to the agents")


def test_control_of_nobody_falls_to_the_default_responder(world: World) -> None:
    user, cid = world.conversation()
    agents = world.emulator.account.seat_of_type("zd:agentWorkspace").id
    world.emulator.account.records.default_seat = agents
    world.sun.post(f"/conversations/{cid}/releaseControl", json={})
    world.say(cid, {"type": "user", "userId": user}, "Anyone?")
    ticket = world.control.get("/state").json()["tickets"][0]
    assert (ticket["conversation_id"], ticket["session"]) == (cid, "active")


def test_messaging_users_change_and_go(world: World) -> None:
    user, cid = world.conversation()
    changed = world.sun.patch(f"/users/{user}", json={"profile": {"surname": "Okafor"}, "metadata": {"a": 1}})
    assert changed.json()["user"]["profile"]["surname"] == "Okafor"
    assert changed.json()["user"]["profile"]["givenName"] == "Mara"
    assert world.sun.delete(f"/conversations/{cid}").status_code == 400
    _, second = world.conversation()
    assert world.sun.delete(f"/conversations/{second}").status_code == 200
    message = world.say(cid, {"type": "business"}, "x")
    assert world.sun.delete(f"/conversations/{cid}/messages/{message['id']}").json() == {}
    assert world.sun.get(f"/conversations/{cid}/messages").json()["messages"] == []
    forgotten = world.sun.delete(f"/users/{user}/personalinformation").json()["user"]
    assert forgotten["metadata"] == {}
    assert world.sun.delete(f"/users/{user}").status_code == 200
    assert world.sun.get(f"/users/{user}").json()["errors"][0]["code"] == "user_not_found"
    assert world.sun.get(f"/conversations/{cid}").json()["errors"][0]["code"] == "conversation_not_found"


def test_everything_an_administrator_makes(world: World) -> None:
    group = world.steer("/admin/group", {"name": "VIP", "agents": ["mira"]})["group"]
    user = {"name": "Nils", "email": "nils@acme.example", "role": "agent", "group_ids": [group["id"]]}
    world.steer("/admin/user", user)
    members = world.zendesk.get(f"/groups/{group['id']}/users").json()["users"]
    assert [member["name"] for member in members] == ["Mira Sato", "Nils"]
    key = world.steer("/admin/conversations_key")
    address = f"/sc/v2/apps/{key['app_id']}"
    login = (key["key"]["id"], key["key"]["secret"])
    assert world.anonymous.get(address, auth=login).status_code == 200
    world.steer("/admin/revoke_conversations_key", {"id": key["key"]["id"]})
    assert world.anonymous.get(address, auth=login).status_code == 401
    token = world.steer("/admin/api_token")["api_token"]["token"]
    assert world.anonymous.get("/api/v2/users/me", auth=("nils@acme.example/token", token)).status_code == 200
    assert world.anonymous.get("/api/v2/webhooks", auth=("nils@acme.example/token", token)).status_code == 403
    hook = {"name": "h", "status": "active", "endpoint": "http://x.example", "http_method": "POST"}
    made = world.steer("/admin/webhook", {**hook, "request_format": "json"})
    assert len(made["signing_secret"]) == 44
    world.steer("/admin/trigger", rule())
    world.steer("/admin/integration", {"displayName": "b", "webhooks": []})
    world.steer("/admin/ticket", {"subject": "s", "comment": {"body": "b"}})
    assert world.steer("/admin/revoke_oauth_tokens") == {"revoked": 0}
    assert world.control.post("/admin/spaceship", json={}).status_code == 400


def test_an_account_on_trial_is_throttled(world: World) -> None:
    world.steer("/settings", {"trial_throttling": True})
    hook = world.subscribe("ticket.created")
    for _ in range(61):
        world.ticket()
    world.receiver.wait(60)
    record = world.emulator.account.records.webhooks[hook["id"]]
    until(lambda: sorted(invocation.status for invocation in record.invocations)[-1] == "throttled")
    assert len(world.receiver.got) == 60


def test_oauth_clients_and_ticket_fields_can_be_made_over_the_api(world: World) -> None:
    client = {"client": {"name": "C", "identifier": "c", "redirect_uri": "https://x.example/a https://x.example/b"}}
    made = world.zendesk.post("/oauth/clients", json=client)
    assert made.status_code == 201
    assert made.json()["client"]["redirect_uri"] == ["https://x.example/a", "https://x.example/b"]
    assert world.zendesk.get("/oauth/clients").json()["count"] == 2
    field = world.zendesk.post("/ticket_fields", json={"ticket_field": {"title": "F", "type": "text"}})
    assert field.json()["ticket_field"]["title"] == "F"
    world.ticket(tags=["vip"])
    assert world.zendesk.get("/tags").json()["tags"] == [{"name": "vip", "count": 1}]
    found = world.zendesk.get("/search", params={"query": "type:user role:admin"}).json()["results"]
    assert [user["name"] for user in found] == ["Ada Admin"]
    for query in ('"Help" status:new tags:vip', "created>2020-01-01 type:ticket", "custom_field_9:x"):
        count = world.zendesk.get("/search", params={"query": query}).json()["count"]
        assert count == (0 if query.startswith("custom") else 1)
