"""Tickets, from creation to close."""

from __future__ import annotations

from typing import Any

import pytest

from .world import World


def create(world: World, key: str | None = None, **fields: Any) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    body = {"ticket": {"comment": {"body": "Help"}, **fields}}
    return world.zendesk.post("/tickets.json", json=body, headers=headers)


def test_a_ticket_is_created_with_its_requester_and_audit(world: World) -> None:
    answer = create(
        world,
        subject="Refund",
        requester={"name": "Jo Doe", "email": "jo@customer.example"},
        tags=["ai", "web"],
        external_id="conv_1",
        priority="high",
        metadata={"conversation": "conv_1"},
    )
    assert answer.status_code == 201
    ticket, audit = answer.json()["ticket"], answer.json()["audit"]
    assert answer.headers["location"] == ticket["url"]
    assert (ticket["status"], ticket["tags"], ticket["via"]["channel"]) == ("new", ["ai", "web"], "api")
    assert audit["metadata"]["custom"] == {"conversation": "conv_1"}
    assert audit["events"][0]["type"] == "Comment"
    listed = world.zendesk.get("/tickets", params={"external_id": "conv_1"}).json()["tickets"]
    assert [found["id"] for found in listed] == [ticket["id"]]
    requester = world.zendesk.get(f"/users/{ticket['requester_id']}").json()["user"]
    assert requester["email"] == "jo@customer.example"
    again = create(world, requester={"name": "Other", "email": "JO@customer.example"}).json()["ticket"]
    assert again["requester_id"] == ticket["requester_id"]


def test_a_key_gives_one_ticket_for_two_hours(world: World) -> None:
    first, second = create(world, "k1"), create(world, "k1")
    assert (first.headers["x-idempotency-lookup"], second.headers["x-idempotency-lookup"]) == ("miss", "hit")
    assert first.json() == second.json()
    answer = create(world, "k1", subject="other")
    assert (answer.status_code, answer.json()["error"]) == (400, "IdempotentRequestError")
    world.steer("/clock", {"advance_seconds": 2 * 3600 + 1})
    assert create(world, "k1").json()["ticket"]["id"] != first.json()["ticket"]["id"]


def test_comments_notes_and_status_end_with_a_closed_ticket_that_refuses(world: World) -> None:
    ticket = world.ticket()["id"]
    agent = world.emulator.desk.agent("jonas")
    body = {"ticket": {"comment": {"body": "Internal", "public": False, "author_id": agent.id}, "status": "open"}}
    answer = world.zendesk.put(f"/tickets/{ticket}", json=body)
    assert answer.status_code == 200
    assert [event["type"] for event in answer.json()["audit"]["events"]] == ["Comment", "Change"]
    world.zendesk.put(f"/tickets/{ticket}", json={"ticket": {"comment": {"html_body": "<p>Hi<br>you</p>"}}})
    comments = world.zendesk.get(f"/tickets/{ticket}/comments", params={"page[size]": "2"}).json()
    assert [comment["public"] for comment in comments["comments"]] == [True, False]
    assert comments["meta"]["has_more"] is True
    rest = world.zendesk.get(comments["links"]["next"].removeprefix(f"{world.base}/api/v2")).json()
    assert [comment["plain_body"] for comment in rest["comments"]] == ["Hi\nyou"]
    newest = world.zendesk.get(f"/tickets/{ticket}/comments", params={"sort": "-created_at"}).json()["comments"]
    assert newest[0]["body"] == "Hi\nyou"
    assert world.zendesk.put(f"/tickets/{ticket}", json={"ticket": {"status": "closed"}}).status_code == 200
    refused = world.zendesk.put(f"/tickets/{ticket}", json={"ticket": {"comment": {"body": "late"}}})
    assert (refused.status_code, refused.json()["error"]) == (422, "RecordInvalid")


def test_safe_update_collides(world: World) -> None:
    ticket = world.ticket()
    stale = {"safe_update": True, "updated_stamp": "2020-01-01T00:00:00Z", "subject": "x"}
    assert world.zendesk.put(f"/tickets/{ticket['id']}", json={"ticket": stale}).status_code == 409
    fresh = {**stale, "updated_stamp": ticket["updated_at"]}
    assert world.zendesk.put(f"/tickets/{ticket['id']}", json={"ticket": fresh}).status_code == 200


def test_tags_are_replaced_or_added(world: World) -> None:
    ticket = world.ticket(tags=["a"])["id"]
    shown = world.zendesk.put(f"/tickets/{ticket}", json={"ticket": {"additional_tags": ["b"]}}).json()["ticket"]
    assert shown["tags"] == ["a", "b"]
    shown = world.zendesk.put(f"/tickets/{ticket}", json={"ticket": {"tags": ["c"]}}).json()["ticket"]
    assert shown["tags"] == ["c"]
    assert world.zendesk.put(f"/tickets/{ticket}/tags", json={"tags": ["d"]}).json() == {"tags": ["c", "d"]}


@pytest.mark.parametrize(
    ("fields", "key", "error"),
    [
        ({"comment": {}}, "base", "BlankValue"),
        ({"requester": {"name": "X", "email": "nonsense"}}, "requester", "InvalidFormat"),
        ({"requester": {"email": "new@customer.example"}}, "requester", "BlankValue"),
        ({"group_id": 1}, "group", "InvalidValue"),
        ({"assignee_id": 1}, "assignee", "InvalidValue"),
        ({"priority": "huge"}, "priority", "InvalidValue"),
        ({"comment": {"body": "x", "uploads": ["nonsense"]}}, "base", "InvalidValue"),
    ],
)
def test_bad_fields_are_refused_by_name(world: World, fields: Any, key: str, error: str) -> None:
    answer = create(world, **fields)
    assert answer.status_code == 422
    assert answer.json()["details"][key][0]["error"] == error


def test_an_assignee_must_be_in_the_group(world: World) -> None:
    groups = {group["name"]: group["id"] for group in world.zendesk.get("/groups/assignable").json()["groups"]}
    agents = {agent["name"]: agent["id"] for agent in world.zendesk.get("/users.json?role[]=agent").json()["users"]}
    wrong = create(world, group_id=groups["Billing"], assignee_id=agents["Jonas Berg"])
    assert "assignee" in wrong.json()["details"]
    right = create(world, group_id=groups["Billing"], assignee_id=agents["Mira Sato"]).json()["ticket"]
    assert (right["status"], right["group_id"]) == ("open", groups["Billing"])


def test_a_suspended_requester_is_refused_for_good(world: World) -> None:
    world.steer("/admin/user", {"name": "Sam", "email": "sam@customer.example", "suspended": True})
    answer = create(world, requester={"name": "Sam", "email": "sam@customer.example"})
    assert answer.status_code == 422
    assert answer.json()["details"]["requester"][0]["error"] == "UserSuspended"


def test_placeholders_are_expanded_and_long_bodies_cut_silently(world: World) -> None:
    ticket = world.ticket(
        subject="Title", comment={"body": "no {{ticket.id}} {{ticket.title}}{{nonsense}} {% raw %}end"}
    )
    comment = world.zendesk.get(f"/tickets/{ticket['id']}/comments").json()["comments"][0]
    assert comment["body"].startswith(f"no {ticket['id']}")
    assert "nonsense" not in comment["body"]
    assert "{" not in comment["body"]
    long = world.ticket(comment={"body": "ä" * 40_000})
    comment = world.zendesk.get(f"/tickets/{long['id']}/comments").json()["comments"][0]
    assert len(comment["body"].encode()) == 64 * 1024


def test_uploads_become_attachments(world: World) -> None:
    upload = world.zendesk.post("/uploads?filename=a.txt", content=b"abc", headers={"Content-Type": "text/plain"})
    assert upload.status_code == 201
    token = upload.json()["upload"]["token"]
    ticket = world.ticket(comment={"body": "see file", "uploads": [token]})
    file = world.zendesk.get(f"/tickets/{ticket['id']}/comments").json()["comments"][0]["attachments"][0]
    assert (file["file_name"], file["size"]) == ("a.txt", 3)
    assert world.anonymous.get(file["content_url"]).content == b"abc"


def test_search_finds_by_external_id_and_merging_closes(world: World) -> None:
    one, two = world.ticket(external_id="x-1")["id"], world.ticket()["id"]
    found = world.zendesk.get("/search.json", params={"query": "type:ticket external_id:x-1"}).json()
    assert [result["id"] for result in found["results"]] == [one]
    merged = world.zendesk.post(f"/tickets/{two}/merge", json={"ids": [one]}).json()
    assert merged["job_status"]["status"] == "completed"
    assert world.zendesk.get(f"/tickets/{one}").json()["ticket"]["status"] == "closed"


def test_a_deleted_ticket_is_gone_from_every_list_and_its_address(world: World) -> None:
    one = world.ticket(external_id="x-2")["id"]
    assert world.zendesk.delete(f"/tickets/{one}").status_code == 204
    assert world.zendesk.get(f"/tickets/{one}").status_code == 404
    assert world.zendesk.get(f"/tickets/{one}/audits").status_code == 404
    assert world.zendesk.put(f"/tickets/{one}", json={"ticket": {"comment": {"body": "hello?"}}}).status_code == 404
    assert world.zendesk.get("/tickets", params={"external_id": "x-2"}).json()["tickets"] == []
    assert world.zendesk.get("/search.json", params={"query": "type:ticket external_id:x-2"}).json()["results"] == []


def test_an_agent_merges_one_ticket_into_another(world: World) -> None:
    one, two = world.ticket()["id"], world.ticket()["id"]
    world.agent("merge", ticket=one, into=two)
    assert world.zendesk.get(f"/tickets/{one}").json()["ticket"]["status"] == "closed"
    assert f"#{one}" in world.zendesk.get(f"/tickets/{two}/comments").json()["comments"][-1]["body"]


def test_users_are_created_or_updated(world: World) -> None:
    body = {"user": {"name": "Jo", "email": "jo@customer.example", "external_id": "u1"}}
    assert world.zendesk.post("/users/create_or_update", json=body).status_code == 201
    assert world.zendesk.post("/users/create_or_update", json=body).status_code == 200
    found = world.zendesk.get("/users/search", params={"external_id": "u1"}).json()["users"]
    assert [user["name"] for user in found] == ["Jo"]
    assert world.zendesk.post("/users", json=body).status_code == 422


def test_availability_schedules_and_settings_are_readable(world: World) -> None:
    online = world.zendesk.get("/agent_availabilities", params={"filter[channel_status]": "messaging:online"}).json()
    assert len(online["data"]) == 1
    assert online["included"][0]["attributes"]["status"] == "online"
    world.steer("/agent/availability", {"agent": "jonas", "state": "offline"})
    online = world.zendesk.get("/agent_availabilities", params={"filter[channel_status]": "messaging:online"}).json()
    assert online["data"] == []
    schedule = world.zendesk.get("/business_hours/schedules.json").json()["schedules"][0]
    assert schedule["intervals"][0] == {"start_time": 1980, "end_time": 2460}
    holidays = world.zendesk.get(f"/business_hours/schedules/{schedule['id']}/holidays").json()["holidays"]
    assert holidays[0]["start_date"] == "2026-12-24"
    assert world.zendesk.get("/account/settings").json()["settings"]["agents"]["agent_workspace"] is True
    for path in ("brands", "ticket_forms", "ticket_fields", "group_memberships", "triggers", "trigger_categories"):
        assert world.zendesk.get(f"/{path}.json").json()[path.rpartition("/")[2]] is not None


def test_what_is_unknown_is_404(world: World) -> None:
    assert world.zendesk.get("/tickets/999").json() == {"error": "RecordNotFound", "description": "Not found"}
    assert world.zendesk.get("/nowhere").status_code == 404
    assert create(world, group_id="seven").status_code == 400
    assert world.zendesk.post("/tickets", content=b"{", headers={"Content-Type": "application/json"}).status_code == 400
