"""Customers and agents who talk without a pause, each in a process of their own, and write down what they see.

They stop when they are told to, wait until they are told that all of it has arrived, and take their final view. Nothing
here knows when the product dies; a customer repeats what was not acknowledged, and an agent is not the product's
business at all.
"""

from __future__ import annotations

import asyncio
import json
import random
import secrets
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx2

from torture.crash.caller import Caller, Lost
from torture.crash.stage import CONTROL_TOKEN, Stage
from torture.customer import Customer, Request, Response
from torture.history import History

ANSWER_S = 5.0


class Load:
    """Both sides of a company, for as long as `going` says so."""

    def __init__(self, stage: Stage, *, live: bool, seed: int) -> None:
        self._stage = stage
        self._live = live
        self._seed = seed
        self._stop = stage.folder / "stop"
        self._quiet = stage.folder / "quiet"
        self.histories = stage.folder / "histories"
        self.histories.mkdir(exist_ok=True)

    def stop(self) -> None:
        """Have everybody finish what they are at."""
        self._stop.touch()

    def going(self) -> bool:
        """Say whether there is more to say."""
        return not self._stop.exists()

    def hush(self) -> None:
        """Tell everybody that all has arrived, and have them take their final view."""
        self._quiet.touch()

    def silent(self) -> int:
        """Say how many customers have said their last."""
        return len(list(self.histories.glob("*.silent")))

    # in processes of their own

    def customer(self, number: int) -> Callable[[], None]:
        """Give the life of one customer."""
        return lambda: self._stage.haste.run(self._talk(number))

    def agent(self) -> None:
        """Take every chat, and answer now here, now there."""
        dice = random.Random(f"agent {self._seed}")
        desk = Caller(self._stage.desk_port, {"Authorization": f"Bearer {CONTROL_TOKEN}"})
        known: list[str] = []
        said, looked = 0, 0.0
        while self.going():
            try:
                if time.monotonic() - looked > 1:
                    looked = time.monotonic()
                    _, state = desk("GET", "/emulator/state")
                    for ticket in state["tickets"]:
                        if str(ticket["id"]) not in known:
                            known.append(str(ticket["id"]))
                            desk("POST", "/emulator/agent/accept", {"ticket": known[-1]})
                if known:
                    said += 1
                    action = "reply" if self._live else "comment"
                    body = {"ticket": dice.choice(known), "body": f"agent line {said}"}
                    status, _ = desk("POST", f"/emulator/agent/{action}", body)
                    if status == 409:  # the chat has become a ticket
                        desk("POST", "/emulator/agent/comment", body)
            except Lost:
                desk.close()
            time.sleep(dice.uniform(0.05, 0.4))

    async def _talk(self, number: int) -> None:
        dice = random.Random(f"customer {self._seed} {number}")
        history = History(f"customer.{number}", self._stage.haste.millis, self._path(f"customer-{number}"))
        url = f"http://127.0.0.1:{self._stage.product_port}"
        async with httpx2.AsyncClient(base_url=url, timeout=ANSWER_S, trust_env=False) as http:
            statuses: Counter[str] = Counter()
            customer = Customer(
                send=_sender(http, statuses),
                history=history,
                organisation=self._stage.keys["organisation_id"],
                conversation=f"conversation-{number}-{secrets.token_hex(8)}",
                headers={"Authorization": f"Bearer {self._stage.keys['api_key']}"},
                sleep=asyncio.sleep,
                new_id=lambda: secrets.token_hex(16),
            )
            await customer.open(name=f"Customer {number}", email=f"customer{number}@example.com")
            await customer.say("I want to talk to a person")
            await customer.escalate()
            said = 0
            while self.going():
                said += 1
                await customer.say(f"customer {number} line {said}")
                await customer.follow()
                if said % 10 == 0:
                    await customer.reload()
                await asyncio.sleep(dice.uniform(0.02, 0.5))
            self._path(f"customer-{number}").with_suffix(".silent").touch()
            while not self._quiet.exists():
                await asyncio.sleep(1)
                await customer.reload()
            await customer.reload(final=True)
        history.close()
        self._path(f"customer-{number}").with_suffix(".answers").write_text(json.dumps(statuses))

    def answers(self) -> Counter[str]:
        """Count what the product answered to customers: a status, `none`, or `503 without Retry-After`."""
        counted: Counter[str] = Counter()
        for path in self.histories.glob("*.answers"):
            counted.update(json.loads(path.read_text()))
        return counted

    def _path(self, name: str) -> Path:
        return self.histories / f"{name}.jsonl"


def _sender(http: httpx2.AsyncClient, answers: Counter[str]) -> Callable[[Request], Awaitable[Response | None]]:
    async def send(request: Request) -> Response | None:
        try:
            answer = await http.request(
                request.method, request.path, headers=dict(request.headers), content=request.body
            )
        except httpx2.HTTPError:
            answers["none"] += 1
            return None
        told = answer.status_code != 503 or "retry-after" in answer.headers
        answers[str(answer.status_code) if told else "503 without Retry-After"] += 1
        return Response(status=answer.status_code, body=answer.content)

    return send
