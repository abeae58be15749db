"""Faults on purpose, and the control API."""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.client import HTTPConnection
from typing import Any

import httpx2
import pytest
from typer.testing import CliRunner

from tests.serving import until
from zendesk_emulator import fidelity
from zendesk_emulator.cli import app

from .world import World


def create(world: World, subject: str = "x") -> httpx2.Response:
    return world.zendesk.post("/tickets", json=ticket(subject))


def ticket(subject: str) -> dict[str, Any]:
    return {"ticket": {"subject": subject, "comment": {"body": "Help"}}}


def test_an_answer_can_be_made_up_before_or_after_the_effect(world: World) -> None:
    world.fault(path="/tickets", method="POST", action="answer", status=429, headers={"Retry-After": "7"}, times=1)
    answer = create(world)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert world.control.get("/counts").json()["tickets"] == 0
    world.fault(path="/tickets", action="answer", status=500, body={"error": "boom"}, when="after", times=1)
    assert create(world).json() == {"error": "boom"}
    assert world.control.get("/counts").json()["tickets"] == 1
    assert create(world).status_code == 201


@pytest.fixture
def it_is_over(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Whatever a fault waits for lasts until this is set, however busy the machine is."""
    over = threading.Event()

    async def sleep(seconds: float) -> None:
        while seconds and not over.is_set():
            await asyncio.sleep(0.01)

    monkeypatch.setattr(world.emulator, "ports", replace(world.emulator.ports, sleep=sleep))
    yield over
    over.set()


def test_a_caller_who_gives_up_after_success_has_it_applied_once(world: World, it_is_over: threading.Event) -> None:
    world.fault(path="/tickets", action="delay", when="after", times=1)
    secret = base64.b64encode(f"{world.seed.admin_email}/token:{world.seed.api_token}".encode()).decode()
    head = {"Authorization": f"Basic {secret}", "Content-Type": "application/json"}
    line = HTTPConnection(world.base.removeprefix("http://"), timeout=20)
    line.request("POST", "/api/v2/tickets", json.dumps(ticket("x")), head)
    assert world.control.get("/wait", params={"tickets": "1", "timeout": "20"}).json()["reached"] is True
    line.close()
    it_is_over.set()
    assert world.control.get("/counts").json()["tickets"] == 1


@pytest.mark.parametrize(("when", "tickets"), [("before", 0), ("after", 1)])
def test_a_connection_can_be_dropped(world: World, when: str, tickets: int) -> None:
    world.fault(path="/tickets", action="drop", when=when, times=1)
    with pytest.raises(httpx2.TransportError):
        create(world)
    assert world.control.get("/counts").json()["tickets"] == tickets


def test_a_zombie_is_applied_after_the_caller_gave_up(world: World, it_is_over: threading.Event) -> None:
    world.fault(path="/tickets", action="zombie", times=1)
    with pytest.raises(httpx2.TransportError):
        create(world)
    assert world.control.get("/counts").json()["tickets"] == 0
    it_is_over.set()
    assert world.control.get("/wait", params={"tickets": "1", "timeout": "20"}).json()["reached"] is True


def test_half_an_answer_a_login_page_and_a_redirect(world: World) -> None:
    world.fault(path="/tickets", action="truncate", times=1)
    with pytest.raises(httpx2.TransportError):
        create(world)
    world.fault(path="/users/me", action="html", times=1)
    page = world.zendesk.get("/users/me")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    world.fault(path="/users/me", action="redirect", location="http://evil.example/", times=1)
    assert world.zendesk.get("/users/me").headers["location"] == "http://evil.example/"


def test_skip_probability_and_clearing(world: World) -> None:
    rule = world.fault(path="/users/me", action="answer", status=503, skip=1)
    assert [world.zendesk.get("/users/me").status_code for _ in range(3)] == [200, 503, 503]
    world.control.delete(f"/faults/{rule['id']}")
    world.fault(path="/users/me", action="answer", status=503, probability=0.0)
    assert world.zendesk.get("/users/me").status_code == 200
    assert world.control.post("/faults", json={"action": "explode"}).status_code == 400
    assert world.control.post("/faults", json={"action": "drop", "path": "("}).status_code == 400


def test_webhooks_can_be_lost_doubled_and_held(world: World) -> None:
    world.subscribe("ticket.created")
    world.fault(kind="ticket.created", action="drop", times=1)
    world.fault(kind="ticket.created", action="duplicate", copies=3, times=1)
    world.fault(kind="ticket.created", action="hold", times=3)
    create(world, "lost")
    create(world, "doubled")
    got = world.receiver.wait(4)
    assert {request.json["detail"]["subject"] for request in got} == {"doubled"}
    assert len({request.json["id"] for request in got}) == 1
    for subject in ("one", "two", "three"):
        create(world, subject)
    assert world.steer("/faults/release", {"order": "last"}) == {"released": 3}
    got = world.receiver.wait(7)
    assert [request.json["detail"]["subject"] for request in got[4:]] == ["three", "two", "one"]


def test_webhooks_can_be_reordered_and_delayed(world: World) -> None:
    world.subscribe("ticket.created")
    rule = world.fault(kind="ticket.created", action="reorder", count=2)
    create(world, "one")
    create(world, "two")
    assert [request.json["detail"]["subject"] for request in world.receiver.wait(2)] == ["two", "one"]
    world.control.delete(f"/faults/{rule['id']}")
    world.fault(kind="ticket.created", action="delay", seconds=0.3)
    started = time.monotonic()
    create(world, "late")
    world.receiver.wait(3)
    assert time.monotonic() - started >= 0.3


def test_the_budget_can_be_enforced(world: World) -> None:
    world.steer("/settings", {"rate_limit": 3, "enforce_rate_limit": True})
    answers = [world.zendesk.get("/users/me") for _ in range(8)]
    assert answers[-1].status_code == 429
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60
    assert "x-rate-limit" in answers[0].headers


def test_every_call_is_logged_without_secrets(world: World) -> None:
    world.subscribe("ticket.created", authentication={"type": "bearer_token", "data": {"token": "hush"}})
    world.subscribe(authentication={"type": "api_key", "data": {"name": "X-Our-Key", "value": "hush"}})
    world.anonymous.post("/oauth/tokens", data={"client_secret": "hush", "client_id": "x"})
    create(world)
    world.receiver.wait(1)
    until(lambda: world.control.get("/counts").json()["webhooks_sent"])
    answer = world.control.get("/requests")
    assert "hush" not in answer.text
    assert world.seed.api_token not in answer.text
    directions = [entry["direction"] for entry in answer.json()["requests"]]
    assert sorted(directions) == ["in", "in", "in", "in", "out"]
    assert world.control.get("/requests", params={"direction": "out"}).json()["requests"][0]["status"] == 200


def test_reset_forgets_everything_but_the_credentials(world: World) -> None:
    world.ticket()
    world.live()
    world.steer("/reset")
    state = world.control.get("/state").json()
    assert (state["tickets"], state["conversations"], len(state["agents"])) == ([], [], 3)
    assert world.zendesk.get("/users/me").status_code == 200
    assert world.sun.get("").status_code == 200


def test_state_shows_what_the_agent_sees(world: World) -> None:
    world.live()
    world.agent("reply", body="Hi")
    ticket = world.control.get("/state").json()["tickets"][0]
    assert ticket["session"] == "active"
    assert [event["type"] for event in ticket["log"]] == ["Comment", "Messaging::ConversationMessage"]
    assert world.control.post("/agent/dance", json={}).status_code == 400
    assert world.control.get("/wait", params={"nonsense": "1"}).status_code == 400


def test_every_behaviour_has_a_grade(world: World) -> None:
    shown = world.anonymous.get("/emulator/fidelity").json()["behaviours"]
    assert len(shown) == len(fidelity.BEHAVIOURS)
    assert {behaviour["grade"] for behaviour in shown} == {"documented", "guess"}


def test_bodies_can_be_bytes_or_very_long(world: World) -> None:
    world.fault(path="/users/me", action="answer", status=200, size=2_000_000, times=1)
    assert len(world.zendesk.get("/users/me").content) == 2_000_000
    world.fault(path="/users/me", action="answer", status=200, body_base64="/////w==", times=1)
    assert world.zendesk.get("/users/me").content == b"\xff" * 4


def test_any_event_can_be_sent_by_hand(world: World) -> None:
    hook = world.subscribe("ticket.created")
    world.steer("/admin/send_webhook", {"webhook_id": hook["id"], "body": "not json"})
    assert world.receiver.wait(1)[0].body == b"not json"
    integration = world.integration("conversation:message")
    event = {"id": "1", "type": "conversation:message", "payload": {}}
    body = {"webhook_id": integration["webhooks"][0]["id"], "event": event}
    world.steer("/admin/send_sunshine_event", body)
    assert world.receiver.wait(2)[1].json["events"] == [event]


def test_the_command_refuses_to_be_reached_by_others() -> None:
    done = CliRunner().invoke(app, ["serve", "--host", "0.0.0.0"])
    assert done.exit_code == 2
    assert "--allow-remote" in done.stderr


@pytest.mark.processes
def test_the_command_serves_and_says_where() -> None:
    code = "from zendesk_emulator.cli import main; main()"
    command = [sys.executable, "-c", code, "serve", "--port", "0", "--token", "t0k"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        said: dict[str, str] = {}
        for line in running.stdout:
            name, _, value = line.strip().partition("  ")
            said[name] = value.strip()
            if name == "Control token":
                break
        base = said["Support API"].removesuffix("/api/v2")
        until(lambda: _answers(f"{base}/emulator/counts"))
        answer = httpx2.get(
            said["Conversations API"], auth=(said["Conversations key id"], said["Conversations secret"])
        )
        running.terminate()
    assert answer.status_code == 200
    assert said["Control token"] == "t0k"


def _answers(url: str) -> bool:
    try:
        return httpx2.get(url, headers={"Authorization": "Bearer t0k"}).status_code == 200
    except httpx2.TransportError:
        return False
