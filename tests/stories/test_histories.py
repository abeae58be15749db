"""The real programs and their customers write down what they saw, and the judge finds nothing to convict."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest
from torture.customer import Customer, Request, Response, Send
from torture.history import Fact, History, malformed, read
from torture.judge import judge

from tests.world import PATIENCE_S, World, a_world

LONG = "🏕 Zelt " * 570  # more UTF-16 units than Sunshine takes at once: it goes there in parts


def over_http(client: httpx2.AsyncClient) -> Send:
    """Carry requests over real HTTP."""

    async def send(request: Request) -> Response | None:
        try:
            answer = await client.request(
                request.method, request.path, headers=dict(request.headers), content=request.body
            )
        except httpx2.HTTPError:
            return None
        return Response(status=answer.status_code, body=answer.content)

    return send


class Told:
    """A customer whose words and views are written down, and the agent they talk to."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.history = History("customer", lambda: time.time_ns() // 1_000_000, folder / "customer.jsonl")
        self.client = httpx2.AsyncClient(base_url=world.product.url, timeout=60)

    def customer(self) -> Customer:
        return Customer(
            send=over_http(self.client),
            history=self.history,
            organisation=self.world.product.keys["organisation_id"],
            conversation=uuid.uuid4().hex,
            headers=self.world.product.key,
            sleep=asyncio.sleep,
            new_id=lambda: uuid.uuid4().hex,
        )

    async def stream(self, customer: Customer) -> None:
        """Read a conversation's event stream, as an open page does, until this is cancelled."""
        asked = customer.stream_request()
        async with self.client.stream(asked.method, asked.path, headers=dict(asked.headers)) as answer:
            await customer.watch(answer.aiter_bytes())

    async def agent(self, action: str, ticket: str, **body: str) -> None:
        await asyncio.to_thread(self.world.zendesk.agent, action, ticket=ticket, **body)


async def until(customer: Customer, reached: Callable[[], bool], what: str) -> None:
    """Follow a conversation until something is so."""
    deadline = time.monotonic() + PATIENCE_S
    while not reached():
        assert time.monotonic() < deadline, f"never happened: {what}; {customer.control} {customer.handoff}"
        await customer.follow()
        await asyncio.sleep(0.05)


def stands(customer: Customer, **expected: str) -> Callable[[], bool]:
    return lambda: customer.handoff is not None and all(customer.handoff[name] == expected[name] for name in expected)


async def drained(customer: Customer) -> None:
    """Wait until nothing of theirs is under way, and take the final views."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        await customer.reload()
        if customer.shown("stream") == customer.shown("reload") and not customer.waits("reload"):
            break
        assert time.monotonic() < deadline, "something is still under way, or the stream has not brought it"
        await asyncio.sleep(0.05)
    await customer.follow(final=True)
    await customer.reload(final=True)
    customer.view("stream", final=True)


async def a_live_talk(told: Told) -> None:
    customer = told.customer()
    await customer.open(name="Noor", email="noor@example.com")
    page = asyncio.create_task(told.stream(customer))
    await customer.say("Where is my parcel?")
    await customer.say("I want to talk to a person")
    await until(customer, stands(customer, state="queued"), "the chat is with the agents")
    await until(customer, lambda: bool((customer.handoff or {}).get("ticket_id")), "the ticket's number is known")
    ticket = str((customer.handoff or {})["ticket_id"])
    await told.agent("accept", ticket)
    assert await customer.say(LONG)
    await told.agent("reply", ticket, body="Let me look it up")
    await told.agent("note", ticket, body="always the same courier")
    await customer.say("Thank you {{ticket.id}}")
    await told.agent("reply", ticket, body="It is on its way")
    await until(customer, lambda: len(customer.said_by("agent")) == 2, "both answers are shown")
    await told.agent("end-session", ticket)
    await until(customer, stands(customer, state="ended"), "the end is told")
    await customer.say("And what does a tent weigh?")
    await until(customer, stands(customer, state="queued"), "what nobody has written an article about goes to a person")
    await drained(customer)
    page.cancel()


async def a_ticket_talk(told: Told) -> None:
    customer = told.customer()
    await customer.open(name="Ada", email="ada@example.com")
    page = asyncio.create_task(told.stream(customer))
    await customer.say("My order {{ticket.id}} is torn")
    await customer.escalate()
    await until(customer, stands(customer, state="asynchronous"), "the ticket is open")
    ticket = str((customer.handoff or {})["ticket_id"])
    await customer.say("It is the blue one")
    await told.agent("comment", ticket, body="We send you another")
    await until(customer, lambda: len(customer.said_by("agent")) == 1, "the answer is shown")
    await customer.go_back()
    await drained(customer)
    page.cancel()


@pytest.mark.parametrize("live", [True, False])
async def test_what_everybody_wrote_down_is_acquitted(tmp_path: Path, live: bool) -> None:
    with a_world(tmp_path) as world:
        world.connect(live=live, **({"require_online_agent": False} if live else {}))
        told = Told(world, tmp_path)
        await (a_live_talk if live else a_ticket_talk)(told)
        await told.client.aclose()
        told.history.close()
    facts: list[Fact] = list(read(sorted(tmp_path.glob("*.jsonl"))))
    assert {fact["p"] for fact in facts} == {"customer", "escalade", f"desk.{world.zendesk.seed['subdomain']}"}
    assert [f"{fact} {malformed(fact)}" for fact in facts if malformed(fact)] == []
    verdict = judge(facts)
    assert verdict.holds, str(verdict)
    examined = {name for name, count in verdict.examined.items() if count}
    assert examined >= {"I1", "I2", "I3", "I4", "I5", "I7", "I8", "I9", "I10", "I11", "I12", "I13"}
