"""Wrong credentials, wrong callers, unreachable systems, bad settings: a clear answer each, and nothing lost."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.world import SESSION_END_BODY, World, a_world, eventually, free_port

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with a_world(tmp_path_factory.mktemp("trouble")) as world:
        yield world


@pytest.fixture
def connected(company: World) -> World:
    company.zendesk.heal()
    company.connect(webhooks=False)
    return company


def test_before_zendesk_is_connected_asking_for_a_person_says_so(tmp_path: Path) -> None:
    with a_world(tmp_path) as world:
        customer = world.customer()
        answer = world.product.api("POST", f"/conversations/{customer.id}/escalate", expect=409)
        assert "connect" in answer["detail"]
        customer.says("I want a human")
        eventually(lambda: "handoff_failed" in customer.notices(), "the customer is told")


def test_a_wrong_oauth_secret_parks_the_ticket_until_it_is_mended(connected: World) -> None:
    wrong = {"auth": {"type": "client_credentials", "client_secret": "wrong-secret-of-this-story"}}
    connected.product.api("PATCH", "/settings", zendesk=wrong)
    customer = connected.customer()
    handoff = customer.escalate(mode="ticket")
    customer.says("Is anyone there?")

    def failed() -> bool:
        deliveries = connected.product.api("GET", "/deliveries")["deliveries"]
        mine = [d for d in deliveries if d["conversation"] == customer.id and d["effect"] == "OpenTicket"]
        return bool(mine) and any("invalid" in a["detail"].lower() or "401" in a["detail"] for a in mine[0]["attempts"])

    eventually(failed, "the ledger says what Zendesk said")
    assert "wrong-secret-of-this-story" not in connected.product.program.log()
    assert customer.handoff()["state"] == "requested", "parked, not lost"

    def owed() -> bool:
        deliveries = connected.product.api("GET", "/deliveries?state=pending")["deliveries"]
        return any(d["conversation"] == customer.id for d in deliveries)

    eventually(owed, "it is owed between one attempt and the next")
    connected.connect(webhooks=False)
    # A word from Zendesk clears the back-off, as a mended account would.
    connected.product.webhook(b'{"ticket_id": "999999", "type": "fv:conversation_closed"}')
    eventually(lambda: customer.handoff()["state"] == "asynchronous", "the ticket is opened", 75)
    assert customer.handoff()["id"] == handoff["id"]


def test_turning_live_chat_on_with_a_wrong_secret_is_refused_with_zendesks_answer(connected: World) -> None:
    seed = connected.zendesk.seed
    live = {
        "enabled": True,
        "app_id": seed["app_id"],
        "key_id": seed["key_id"],
        "secret": "wrong",
        "base_url": f"{connected.zendesk.url}/sc",
    }
    answer = connected.product.api("PATCH", "/settings", expect=422, live=live)
    assert "401" in answer["detail"]
    assert "unauthorized" in answer["detail"].lower()
    assert connected.product.api("GET", "/settings")["live"]["enabled"] is False


def test_live_chat_without_zendesk_is_refused(tmp_path: Path) -> None:
    with a_world(tmp_path) as world:
        live = {"enabled": True, "app_id": "a", "key_id": "b", "secret": "c"}
        answer = world.product.api("PATCH", "/settings", expect=422, live=live)
        assert answer["errors"][0]["pointer"] == "/live/enabled"


def test_zendesk_that_cannot_be_reached_loses_nothing(connected: World) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    connected.product.api("PATCH", "/settings", zendesk={"base_url": nowhere})
    customer = connected.customer()
    customer.escalate(mode="ticket")
    customer.says("still there?")

    def tried() -> bool:
        deliveries = connected.product.api("GET", "/deliveries")["deliveries"]
        return any(d["conversation"] == customer.id and d["attempts"] for d in deliveries)

    eventually(tried, "it is tried")
    connected.product.api("PATCH", "/settings", zendesk={"base_url": connected.zendesk.url})
    customer.wait_until(state="asynchronous")
    ticket = connected.ticket_of(customer)
    eventually(
        lambda: any(c["body"] == "still there?" for c in connected.zendesk.ticket(ticket["id"])["comments"]),
        "the words written meanwhile are there",
    )


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"fv-organisation-id": "org_unknown"}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": "Basic abc"}, 401),
        ({}, 200),
    ],
)
def test_webhooks_of_strangers_get_the_same_answer(connected: World, headers: dict[str, str], status: int) -> None:
    body = SESSION_END_BODY.replace("{{ticket.id}}", "12345").encode()
    answer = connected.product.webhook(body, **headers)
    assert answer.status_code == status
    if status == 401:
        assert answer.json()["type"] == "/problems/unauthorized"
    else:
        assert answer.json() == {"status": "ignored", "reason": "unknown_ticket"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (SESSION_END_BODY.encode(), 200),
        (b"", 400),
        (b"{", 400),
        (b'{"type":NaN}', 400),
        (b"[]", 422),
        (b'{"type":"fv:conversation_closed"}', 422),
        (b'{"type":"fv:conversation_closed","ticket_id":"12; DROP TABLE"}', 422),
        (b"\xff\xfe", 400),
        (b'{"type":"zen:event-type:something.new","id":"1"}', 200),
        (b"[" * 100_000, 400),
        (b" " * (1024 * 1024 + 1), 413),
    ],
)
def test_malformed_webhooks_get_a_clear_answer(connected: World, body: bytes, status: int) -> None:
    answer = connected.product.webhook(body)
    assert answer.status_code == status, answer.text
    if status >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == status


def test_the_unrendered_placeholder_closes_nothing_and_says_why(connected: World) -> None:
    answer = connected.product.webhook(SESSION_END_BODY.encode())
    assert answer.json() == {"status": "ignored", "reason": "placeholder_not_rendered"}


def test_bad_settings_are_all_named_at_once(tmp_path: Path) -> None:
    environment = os.environ | {
        "ESCALADE_ENV": "production",
        "ESCALADE_DATABASE_URL": "mysql://nowhere",
        "ESCALADE_PORT": "seventy",
        "ESCALADE_PUBLIC_URL": "not an address",
    }
    done = subprocess.run(
        [sys.executable, "-m", "escalade", "serve"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    for name in ("ESCALADE_PORT", "ESCALADE_PUBLIC_URL"):
        assert name in done.stderr
    assert "Traceback" not in done.stderr


def test_a_second_server_on_the_same_database_is_refused(company: World) -> None:
    environment = os.environ | company.product.environment | {"ESCALADE_PORT": str(free_port())}
    done = subprocess.run(
        [sys.executable, "-m", "escalade", "serve"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode != 0
    assert "another escalade is serving" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_zendesk_could_not_deliver_while_the_service_was_away_is_read_back(tmp_path: Path) -> None:
    with a_world(tmp_path) as world:
        world.connect()
        customer = world.customer()
        customer.escalate(mode="ticket")
        ticket = world.ticket_of(customer)["id"]

        def calls() -> int:
            return sum(r["source"] == "zendesk" for r in world.product.api("GET", "/receipts")["receipts"])

        world.zendesk.agent("status", ticket=ticket, status="pending")
        eventually(calls, "a webhook came, and with it the name of the webhook")
        before = calls()
        world.product.program.kill()
        world.zendesk.agent("status", ticket=ticket, status="open")
        eventually(
            lambda: any(
                invocation["status"] not in {"success", "accepted"}
                for hook in world.zendesk.state()["webhooks"]
                for invocation in hook["invocations"]
            ),
            "Zendesk has given up",
        )
        world.product.program.start()
        eventually(lambda: calls() > before, "the failed call is taken in after all", 90)
        assert "missed_webhook" in world.product.program.log()
