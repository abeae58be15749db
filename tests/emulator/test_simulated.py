"""The emulator on a virtual clock: no threads, no sockets, the same story twice."""

from __future__ import annotations

import ast
import asyncio
import random
import selectors
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

import zendesk_emulator
from zendesk_emulator.app import build
from zendesk_emulator.emulator import Emulator
from zendesk_emulator.ports import ConnectionDropped, Outbound, Ports, Reply, Tasks

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class VirtualSelector(selectors.SelectSelector):
    """Never waits: it moves the loop's clock instead."""

    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> list[Any]:
        assert timeout is not None, "nothing is scheduled"
        self.loop.seconds += max(timeout, 0)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes at once."""

    def __init__(self) -> None:
        self.seconds = 0.0
        selector = VirtualSelector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self.seconds


def simulate(story: Callable[[Emulator, httpx2.AsyncClient, list[Outbound]], Awaitable[None]], seed: int = 1) -> Any:
    """Run a story on virtual time and give what was sent, when."""
    loop = VirtualLoop()
    sent: list[tuple[float, Outbound]] = []
    requests: list[Outbound] = []

    async def send(request: Outbound) -> Reply:
        sent.append((loop.time(), request))
        requests.append(request)
        await asyncio.sleep(30)  # a receiver that never answers in time
        return Reply(status=200)

    async def run() -> None:
        tasks = Tasks()
        ports = Ports(
            now=lambda: NOON + timedelta(seconds=loop.time()),
            dice=random.Random(seed),
            sleep=asyncio.sleep,
            send=send,
            spawn=tasks.spawn,
            stop=tasks.stop,
        )
        emulator = Emulator(ports)
        auth = (f"{emulator.seed.admin_email}/token", emulator.seed.api_token)
        transport = httpx2.ASGITransport(app=build(emulator))
        async with httpx2.AsyncClient(transport=transport, base_url="http://zendesk.example", auth=auth) as client:
            await story(emulator, client, requests)

    try:
        loop.run_until_complete(run())
    finally:
        loop.close()
    return sent


async def a_ticket_nobody_takes(emulator: Emulator, client: httpx2.AsyncClient, _: list[Outbound]) -> None:
    hook = {
        "name": "hook",
        "status": "active",
        "endpoint": "http://us.example/",
        "http_method": "POST",
        "request_format": "json",
        "subscriptions": ["zen:event-type:ticket.created"],
    }
    assert (await client.post("/api/v2/webhooks", json={"webhook": hook})).status_code == 201
    await client.post("/api/v2/tickets", json={"ticket": {"comment": {"body": "Help"}}})
    await asyncio.sleep(600)
    attempts = next(iter(emulator.account.records.webhooks.values())).invocations[0].attempts
    assert [attempt.status for attempt in attempts] == ["timeout"] * 5 + ["terminated"]


def test_six_timeouts_take_no_time_and_twelve_seconds_each() -> None:
    sent = simulate(a_ticket_nobody_takes)
    assert [round(at) for at, _ in sent] == [0, 13, 27, 43, 63, 91]


def test_the_same_dice_tell_the_same_story() -> None:
    first, second = simulate(a_ticket_nobody_takes, 7), simulate(a_ticket_nobody_takes, 7)
    assert first == second
    assert simulate(a_ticket_nobody_takes, 8) != first


def test_in_process_a_dropped_connection_is_an_exception() -> None:
    async def story(emulator: Emulator, client: httpx2.AsyncClient, _: list[Outbound]) -> None:
        emulator.faults.add({"path": "/tickets", "action": "drop", "when": "after"})
        with pytest.raises(ConnectionDropped):
            await client.post("/api/v2/tickets", json={"ticket": {"comment": {"body": "Help"}}})
        assert len(emulator.account.records.tickets) == 1

    simulate(story)


FORBIDDEN = {
    "datetime": {"now", "utcnow", "today"},
    "time": {"time", "monotonic", "sleep"},
    "asyncio": {"sleep", "create_task", "to_thread", "ensure_future"},
    "uuid": {"uuid4", "uuid1"},
    "random": {"random", "choice", "randint", "randrange", "shuffle", "SystemRandom"},
    "secrets": {"token_hex", "token_urlsafe", "token_bytes", "choice"},
    "threading": {"Thread"},
}


def test_only_the_ports_touch_time_and_chance() -> None:
    folder = Path(zendesk_emulator.__file__).parent
    for path in sorted(folder.rglob("*.py")):
        if path.name in ("ports.py", "cli.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                assert node.attr not in FORBIDDEN.get(node.value.id, set()), f"{path.name}:{node.lineno}"
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [name.name for name in node.names]
                assert not any(name.partition(".")[0] == "escalade" for name in names), path.name
