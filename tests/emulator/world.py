"""A running emulator, a receiver of its webhooks, and clients for both APIs: all over real HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
from starlette.types import Receive, Scope, Send

from tests.serving import served, until
from zendesk_emulator.app import build
from zendesk_emulator.emulator import Emulator
from zendesk_emulator.ports import production

Json = dict[str, Any]
EVENT = "zen:event-type:"


@dataclass
class Received:
    """One request that reached the receiver."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Json:
        return dict(json.loads(self.body))

    @property
    def event(self) -> Json:
        return dict(self.json["event"])

    @property
    def kind(self) -> str:
        return str(self.json["type"]).removeprefix(EVENT)


@dataclass
class Receiver:
    """Answers webhooks the way a test says, 200 by default."""

    url: str = ""
    got: list[Received] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str], float]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            for kind in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{kind}.complete"})
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {key.decode(): value.decode() for key, value in scope["headers"]}
        self.got.append(Received(scope["path"], headers, body))
        status, named, delay = self.answers.pop(0) if self.answers else (200, {}, 0.0)
        await asyncio.sleep(delay)
        raw = [(key.encode(), value.encode()) for key, value in named.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": b"ok"})

    def wait(self, count: int, kind: str | None = None) -> list[Received]:
        """Wait for this many requests and give them."""

        def enough() -> list[Received] | None:
            found = [request for request in list(self.got) if kind is None or request.kind == kind]
            return found if len(found) >= count else None

        return list(until(enough))


class World:
    """The emulator and everything that talks to it."""

    def __init__(self, emulator: Emulator, base: str, receiver: Receiver) -> None:
        seed = emulator.seed
        self.emulator, self.base, self.receiver, self.seed = emulator, base, receiver, seed
        self.zendesk = httpx2.Client(
            base_url=f"{base}/api/v2", auth=(f"{seed.admin_email}/token", seed.api_token), timeout=20
        )
        self.sun = httpx2.Client(
            base_url=f"{base}/sc/v2/apps/{seed.app_id}", auth=(seed.key_id, seed.key_secret), timeout=20
        )
        self.control = httpx2.Client(
            base_url=f"{base}/emulator", headers={"Authorization": f"Bearer {seed.control_token}"}, timeout=20
        )
        self.anonymous = httpx2.Client(base_url=base, timeout=20)

    def start_afresh(self) -> None:
        """Forget what earlier tests did, and keep pauses between retries short."""
        self.steer("/reset")
        self.receiver.got, self.receiver.answers = [], []
        settings = self.emulator.account.settings
        settings.webhook_retry_seconds, settings.sunshine_retry_seconds = 0.01, 0.005

    def close(self) -> None:
        for client in (self.zendesk, self.sun, self.control, self.anonymous):
            client.close()

    # Short ways

    def steer(self, path: str, body: Json | None = None) -> Json:
        answer = self.control.post(path, json=body or {})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def agent(self, action: str, **body: Any) -> Json:
        return dict(self.steer(f"/agent/{action}", body).get("ticket") or {})

    def fault(self, **rule: Any) -> Json:
        return dict(self.steer("/faults", rule)["fault"])

    def ticket(self, **fields: Any) -> Json:
        answer = self.zendesk.post("/tickets", json={"ticket": {"comment": {"body": "Help"}, **fields}})
        assert answer.status_code == 201, answer.text
        return dict(answer.json()["ticket"])

    def subscribe(self, *kinds: str, **fields: Any) -> Json:
        """Create a webhook for these events, or for triggers without any."""
        body = {
            "name": "hook",
            "status": "active",
            "endpoint": f"{self.receiver.url}/events",
            "http_method": "POST",
            "request_format": "json",
            "subscriptions": [EVENT + kind for kind in kinds] or ["conditional_ticket_events"],
            **fields,
        }
        answer = self.zendesk.post("/webhooks", json={"webhook": body})
        assert answer.status_code == 201, answer.text
        return dict(answer.json()["webhook"])

    def integration(self, *triggers: str) -> Json:
        body = {
            "type": "custom",
            "displayName": "bridge",
            "webhooks": [{"target": f"{self.receiver.url}/sun", "triggers": list(triggers)}],
        }
        answer = self.sun.post("/integrations", json=body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json()["integration"])

    def conversation(self, external_id: str = "acme-web:1", **fields: Any) -> tuple[str, str]:
        """Create a messaging user with a conversation, and give both ids."""
        answer = self.sun.post("/users", json={"externalId": external_id, "profile": {"givenName": "Mara"}})
        user = answer.json()["user"]["id"] if answer.status_code == 201 else None
        user = user or self.sun.get(f"/users/{external_id}").json()["user"]["id"]
        body = {"type": "personal", "participants": [{"userId": user}], **fields}
        answer = self.sun.post("/conversations", json=body)
        assert answer.status_code == 201, answer.text
        return user, answer.json()["conversation"]["id"]

    def say(self, conversation: str, author: Json, text: str, **fields: Any) -> Json:
        body = {"author": author, "content": {"type": "text", "text": text}, **fields}
        answer = self.sun.post(f"/conversations/{conversation}/messages", json=body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json()["messages"][0])

    def hand_over(self, conversation: str, **metadata: Any) -> None:
        body = {"switchboardIntegration": "zd-agentWorkspace", "metadata": metadata}
        answer = self.sun.post(f"/conversations/{conversation}/passControl", json=body)
        assert (answer.status_code, answer.json()) == (200, {}), answer.text

    def live(self) -> tuple[str, str, int]:
        """Create a conversation that is with the agents: user id, conversation id, ticket id."""
        user, conversation = self.conversation()
        self.hand_over(conversation)
        ticket = self.emulator.account.records.conversations[conversation].ticket_id
        assert ticket is not None
        return user, conversation, ticket


@contextmanager
def world() -> Iterator[World]:
    """Run the emulator and a receiver."""
    receiver = Receiver()
    emulator = Emulator(production())
    with served(lambda _: receiver) as receiver.url, served(lambda _: build(emulator)) as base:
        emulator.account.base_url = base
        running = World(emulator, base, receiver)
        try:
            yield running
        finally:
            running.close()
