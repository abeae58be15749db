"""How long a message takes through us at 50 messages a second, both ways, with real processes on both sides.

    python -m benchmarks.relay [--seconds 20] [--chats 10]

Agent to customer: from the moment the fake Zendesk has the agent's message (it posts its webhook then) to its text in
the customer's event stream. Customer to agent: from the customer's POST to the moment the fake Zendesk has accepted the
message. Beside them, in the same run, one bare call to the fake Zendesk: what a relay cannot do without.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
import uuid
from datetime import datetime
from pathlib import Path

import httpx2
from tests.world import Customer, World, a_world, eventually

RATE = 50.0  # messages a second, both directions together


def milliseconds(text: str) -> float:
    """Read an instant of the fake Zendesk as milliseconds since the epoch."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000


async def follow(world: World, chat: Customer, seen: dict[str, float], ready: asyncio.Event) -> None:
    """Read a chat's stream and note when each text came."""
    url = f"{world.product.url}/api/v1/conversations/{chat.id}/events"
    async with (
        httpx2.AsyncClient(timeout=None) as client,
        client.stream("GET", url, headers=world.product.key) as stream,
    ):
        event = ""
        async for line in stream.aiter_lines():
            ready.set()
            if line.startswith("event: "):
                event = line[7:]
            elif line.startswith("data: ") and event == "message":
                seen.setdefault(json.loads(line[6:])["text"], time.time() * 1000)


async def speak(world: World, chats: list[Customer], tickets: list[str], seconds: float) -> dict[str, float]:
    """Let customers and agents write in turn at the rate; give when each customer's POST began."""
    posted: dict[str, float] = {}
    tasks: list[asyncio.Task[None]] = []
    control = {"Authorization": f"Bearer {world.zendesk.token}"}
    async with httpx2.AsyncClient(timeout=30) as client:

        async def customer(n: int) -> None:
            text = f"customer {uuid.uuid4().hex}"
            posted[text] = time.time() * 1000
            answer = await client.post(
                f"{world.product.url}/api/v1/conversations/{chats[n % len(chats)].id}/messages",
                json={"id": uuid.uuid4().hex, "text": text},
                headers=world.product.key,
            )
            assert answer.status_code == 201, answer.text

        async def agent(n: int) -> None:
            body = {"ticket": tickets[n % len(tickets)], "body": f"agent {uuid.uuid4().hex}"}
            answer = await client.post(f"{world.zendesk.url}/emulator/agent/reply", json=body, headers=control)
            assert answer.status_code == 200, answer.text

        started = time.monotonic()
        for n in range(int(RATE * seconds)):
            await asyncio.sleep(max(0.0, started + n / RATE - time.monotonic()))
            tasks.append(asyncio.create_task(customer(n // 2) if n % 2 else agent(n // 2)))
        await asyncio.gather(*tasks)
    return posted


async def bare_calls(world: World, app: str, count: int = 200) -> list[float]:
    """Time bare calls to the fake Zendesk, as one relay needs at the least."""
    took = []
    auth = (world.zendesk.seed["key_id"], world.zendesk.seed["key_secret"])
    async with httpx2.AsyncClient(timeout=30, auth=auth) as client:
        for _ in range(count):
            before = time.perf_counter()
            await client.get(f"{world.zendesk.url}/sc/v2/apps/{app}")
            took.append((time.perf_counter() - before) * 1000)
    return took


def show(name: str, took: list[float]) -> None:
    ordered = sorted(took)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    print(f"{name:44} {len(took):6} {statistics.median(ordered):8.1f} {p99:8.1f} {ordered[-1]:8.1f}")


async def measure(world: World, chats: int, seconds: float) -> None:
    """Open the chats, speak, and print the table."""
    customers = [world.customer(name=f"Customer {n}", email=f"c{n}@example.com") for n in range(chats)]
    tickets: list[str] = []
    for one in customers:
        one.escalate(mode="live")
        one.wait_until(state="queued")
        one.wait_delivered(one.says("hello"))
        ticket = str(world.ticket_of(one)["id"])
        world.zendesk.agent("accept", ticket=ticket)
        one.wait_until(state="with_agent")
        tickets.append(ticket)
    seen: dict[str, float] = {}
    gates = [asyncio.Event() for _ in customers]
    readers = [asyncio.create_task(follow(world, one, seen, gate)) for one, gate in zip(customers, gates, strict=True)]
    await asyncio.gather(*(gate.wait() for gate in gates))
    posted = await speak(world, customers, tickets, seconds)

    def at_desk() -> dict[str, float]:
        return {
            entry["content"]["text"]: milliseconds(entry["created_at"])
            for ticket in world.zendesk.tickets()
            for entry in ticket.get("log", [])
            if entry["type"] == "Messaging::ConversationMessage"
        }

    eventually(lambda: posted.keys() <= at_desk().keys(), "every customer's message is at the desk", 60)
    desk = at_desk()
    spoken = [text for text in desk if text.startswith("agent ")]
    while not all(text in seen for text in spoken):
        await asyncio.sleep(0.2)
    for reader in readers:
        reader.cancel()
    print(f"{'milliseconds at 50 messages/s':44} {'count':>6} {'p50':>8} {'p99':>8} {'worst':>8}")
    show("agent's message -> customer's stream", [seen[text] - desk[text] for text in spoken])
    show("customer's POST -> accepted by fake Zendesk", [desk[text] - at for text, at in posted.items()])
    show("one bare call to the fake Zendesk", await bare_calls(world, world.zendesk.seed["app_id"]))
    print("aim: p99 below 50 ms added by us")


def main() -> None:
    """Run the measurement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--chats", type=int, default=10)
    chosen = parser.parse_args()
    with a_world(Path(tempfile.mkdtemp(prefix="escalade-relay-"))) as world:
        world.connect(live=True, require_online_agent=False)
        asyncio.run(measure(world, chosen.chats, chosen.seconds))


if __name__ == "__main__":
    main()
