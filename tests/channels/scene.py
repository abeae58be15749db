"""Conversations, handoffs and jobs to send, and a running emulator to send them to."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import uvicorn

from escalade.channels.base import Account, ChannelName, Job, Link, LinkKind, Sent, SunshineApp, ZendeskAccount
from escalade.domain.effects import Effect
from escalade.domain.model import (
    Control,
    Conversation,
    ConversationId,
    Customer,
    CustomerId,
    DeliveryView,
    Handoff,
    HandoffId,
    HandoffState,
    Message,
    MessageId,
    Mode,
    OrganisationId,
    Reason,
    Role,
    Status,
)
from escalade.domain.organisation import AuthType, Settings
from tests.serving import Server
from zendesk_emulator.app import build
from zendesk_emulator.emulator import Emulator
from zendesk_emulator.ports import production

HANDOFF = HandoffId("hof_1")


def message(id: str, text: str, role: Role = Role.CUSTOMER, seq: int = 1) -> Message:
    return Message(
        id=MessageId(id),
        seq=seq,
        role=role,
        text=text,
        name=None,
        avatar_url=None,
        citations=(),
        attachments=(),
        notice=None,
        delivery=DeliveryView.PENDING,
        created_at=0,
    )


def conversation(now: int, *, handoff: str = HANDOFF, customer: Customer | None = None) -> Conversation:
    return Conversation(
        id=ConversationId("con_1"),
        organisation=OrganisationId("org_1"),
        customer=customer or Customer(id=CustomerId("cus_1"), name="Mara Okafor", email="mara@example.com"),
        status=Status.OPEN,
        control=Control.PENDING,
        created_at=now,
        updated_at=now,
        handoff=Handoff(
            id=HandoffId(handoff),
            mode=Mode.TICKET,
            state=HandoffState.REQUESTED,
            reason=Reason.NO_ANSWER,
            asked_at=now,
            about=MessageId("msg_1"),
        ),
        context={"plan": "gold"},
    )


TRANSCRIPT = (
    message("msg_0", "Hello", seq=1),
    message("msg_a", "Hi, how can I help?", Role.ASSISTANT, seq=2),
    message("msg_1", "My invoice is wrong: {{ticket.requester.email}} <b>40</b>  not 14", seq=3),
)


def a_job(effect: Effect, now: int, links: Mapping[tuple[ChannelName, LinkKind], str] | None = None) -> Job:
    return Job(
        key=f"dlv_{type(effect).__name__}",
        effect=effect,
        conversation=conversation(now),
        links=dict(links or {}),
        transcript=TRANSCRIPT,
        message=TRANSCRIPT[-1],
        now=now,
    )


def again(job: Job, *, after: int = 1000) -> Job:
    """The next attempt at the same delivery."""
    first = job.first_attempt_at if job.first_attempt_at is not None else job.now
    return replace(job, attempts=job.attempts + 1, first_attempt_at=first, now=job.now + after)


def links_of(*sent: Sent) -> dict[tuple[ChannelName, LinkKind], str]:
    found: list[Link] = [link for one in sent for link in one.links if link.kind is not LinkKind.MESSAGE]
    return {(link.channel, link.kind): link.theirs for link in found}


def millis() -> int:
    return int(time.time() * 1000)


class World:
    """An emulator behind a real port, and an account in it."""

    def __init__(self, emulator: Emulator, base_url: str) -> None:
        self.emulator = emulator
        self.base_url = base_url
        self.skipped = 0

    def now(self) -> int:
        return millis() + self.skipped

    def advance(self, seconds: float) -> None:
        self.skipped += int(seconds * 1000)
        self.emulator.account.advance(seconds)

    def account(self, settings: Settings | None = None, **zendesk: str | AuthType) -> Account:
        seed = self.emulator.seed
        support: dict[str, object] = {
            "base_url": self.base_url,
            "auth": AuthType.CLIENT_CREDENTIALS,
            "client_id": seed.oauth_client_id,
            "client_secret": seed.oauth_client_secret,
            **zendesk,
        }
        return Account(
            organisation=OrganisationId("org_1"),
            settings=settings or Settings(),
            zendesk=ZendeskAccount(**support),  # type: ignore[arg-type]
            sunshine=SunshineApp(
                base_url=f"{self.base_url}/sc", app_id=seed.app_id, key_id=seed.key_id, secret=seed.key_secret
            ),
        )

    def break_next(self, action: str, method: str, path: str, **options: Any) -> None:
        rule = {"side": "api", "action": action, "method": method, "path": path, "times": 1, **options}
        self.emulator.faults.add(rule)

    def calls(self, method: str, path: str) -> int:
        """Count the calls that came in."""
        entries = [entry for entry in self.emulator.log.entries if entry["direction"] == "in"]
        return sum(1 for entry in entries if entry["method"] == method and path in entry["url"])


@asynccontextmanager
async def running() -> AsyncIterator[World]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # asyncio sets it where it knows the protocol
        base_url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        emulator = Emulator(production(), base_url=base_url)
        config = uvicorn.Config(
            build(emulator), log_level="error", lifespan="on", ws="none", timeout_graceful_shutdown=1
        )
        server = Server(config)
        task = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            while not server.started:
                if task.done():
                    task.result()
                await asyncio.sleep(0.005)
            yield World(emulator, base_url)
        finally:
            server.should_exit = True
            await task
