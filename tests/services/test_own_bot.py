"""A bot of an organisation's own answers over HTTP, or a person does; the page that explains it holds its example."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from escalade.assistant.answering import Assistant
from escalade.channels.bot.channel import BotChannel
from escalade.channels.http import Outbound
from escalade.domain.errors import Invalid
from escalade.domain.model import Reason, Role
from escalade.services.own_bot import OwnBot
from escalade.services.replier import AssistantReplier
from escalade.store import conversations
from tests.backstage import ORGANISATION, Backstage, Customer, backstage
from tests.knowledge import Shelf
from tests.serving import served, until
from tests.world import free_port

PAGE = Path(__file__).parents[2] / "docs" / "own-bot.md"
SECRET = "a-secret-both-sides-know-of"
ASKED = "When are you open?"


@dataclass
class Bot:
    """A bot that answers with what it was given, a piece at a time."""

    url: str = ""
    pieces: list[bytes] = field(default_factory=list)
    status: int = 200
    kind: str = "application/x-ndjson"
    holds: threading.Event | None = None  # waits for it before the last piece
    asked: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def says(self, *lines: dict[str, Any]) -> None:
        self.pieces = [json.dumps(line).encode() + b"\n" for line in lines]

    async def answer(self, request: Request) -> StreamingResponse:
        self.asked.append((dict(request.headers), await request.body()))

        async def pieces() -> AsyncIterator[bytes]:
            for at, piece in enumerate(self.pieces):
                while self.holds is not None and at == len(self.pieces) - 1 and not self.holds.is_set():
                    await asyncio.sleep(0.01)
                yield piece

        return StreamingResponse(pieces(), self.status, media_type=self.kind)


@contextmanager
def bot() -> Iterator[Bot]:
    found = Bot()
    with served(lambda _url: Starlette(routes=[Route("/bot", found.answer, methods=["POST"])])) as url:
        found.url = f"{url}/bot"
        yield found


@pytest.fixture(scope="module")
def serving() -> Iterator[Bot]:
    with bot() as found:
        yield found


@pytest.fixture
def there(serving: Bot) -> Bot:
    serving.asked.clear()
    serving.status, serving.kind, serving.holds = 200, "application/x-ndjson", None
    return serving


@pytest_asyncio.fixture
async def stage(database_url: str) -> AsyncIterator[Backstage]:
    async with backstage(database_url, development=True) as found, asks_bots(found):
        yield found


class asks_bots:  # noqa: N801 - reads as what it does
    """Let the stage's assistant ask bots, over the network."""

    def __init__(self, stage: Backstage, *, development: bool = True) -> None:
        self._outbound = Outbound(development)
        line = BotChannel(self._outbound, stage.clock.wall)
        assistant = Assistant(Shelf(), bot=OwnBot(stage.database, stage.ports, stage.accounts, line))
        replier = AssistantReplier(stage.database, stage.ports, assistant, stage.desk._staffed, stage.bell)
        stage.courier._sender._replier = replier

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(self, *_error: object) -> None:
        await self._outbound.close()


async def set_up(stage: Backstage, url: str, **more: Any) -> None:
    chosen = {"url": url, "secret": SECRET} | more
    await stage.tuning.change(ORGANISATION, {"assistant": {"bot": chosen}}, "a test")


async def asked(stage: Backstage, url: str, text: str = ASKED, **more: Any) -> Customer:
    await set_up(stage, url, **more)
    customer = await stage.open(locale="en")
    await customer.says(text, "m-1")
    await stage.drain()
    return customer


async def test_a_bot_answers_and_can_tell_who_asks(stage: Backstage, there: Bot) -> None:
    cited = {"n": 1, "title": "Hours", "url": "https://shop.example/hours"}
    there.says(
        {"say": "We are open "}, {"say": "on weekdays. [1]", "citations": [cited], "mood": "fine"}, {"done": True}
    )
    customer = await asked(stage, there.url)
    (answer,) = [message for message in await customer.messages() if message.role is Role.ASSISTANT]
    assert (answer.text, answer.name) == ("We are open on weekdays. [1]", "Assistant")
    assert [(it.n, it.title, it.url) for it in answer.citations] == [(1, "Hours", "https://shop.example/hours")]
    ((headers, body),) = there.asked
    assert json.loads(body) == {
        "organisation": ORGANISATION,
        "conversation": "c-1",
        "locale": "en",
        "message": {"id": "m-1", "text": ASKED},
        "history": [],
    }
    assert (headers["webhook-id"], int(headers["webhook-timestamp"])) == ("c-1.m-1", stage.clock.wall() // 1000)
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    right = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{right}"


async def test_its_answer_grows_before_it_is_whole(stage: Backstage, there: Bot) -> None:
    there.says({"say": "We are open "}, {"say": "on weekdays.", "done": True})
    there.holds = threading.Event()
    await set_up(stage, there.url)
    customer = await stage.open()
    await customer.says(ASKED)
    with stage.bell.listen(("conversation", conversations.topic(ORGANISATION, "c-1"))) as listener:
        answering = asyncio.create_task(stage.drain())
        while listener.draft is None:
            await listener.wait(5)
        assert listener.draft.text == "We are open "
        there.holds.set()
        await answering
    assert await customer.transcript(Role.ASSISTANT) == ["We are open on weekdays."]


async def test_its_wish_for_a_person_is_a_handoff_and_takes_back_its_words(stage: Backstage, there: Bot) -> None:
    there.says(
        {"say": "I am connecting you."},
        {"escalate": {"reason": "topic", "summary": "Wants to sue.", "group": 999}},
        {"say": "Done!", "done": True},
        {"escalate": {"reason": "no_answer"}},
    )
    customer = await asked(stage, there.url)
    handoff = (await customer.conversation()).handoff
    assert handoff is not None
    assert (handoff.reason, handoff.summary) == (Reason.TOPIC, "Wants to sue.")
    assert await customer.transcript(Role.ASSISTANT) == []
    assert [effect for effect, _ in stage.zendesk.arrived].count("OpenTicket") == 1


BROKEN: dict[str, tuple[list[bytes], dict[str, Any]]] = {
    "500": ([b'{"say":"x","done":true}'], {"status": 500}),
    "401": ([b"{}"], {"status": 401}),
    "302": ([b"{}"], {"status": 302}),
    "202": ([b'{"say":"x","done":true}'], {"status": 202}),
    "nothing": ([], {}),
    "no end": ([b'{"say":"We are "}\n'], {}),
    "half a line": ([b'{"say":"We are "}\n{"say":"op'], {}),
    "no JSON": ([b"We are open"], {}),
    "no object": ([b'["We are open"]'], {}),
    "no text": ([b'{"say":17,"done":true}'], {}),
    "no words": ([b'{"say":" ","done":true}'], {}),
    "a page": ([b"<html></html>"], {"kind": "text/html"}),
    "a surrogate": ([b'{"say":"\\ud800","done":true}'], {}),
    "a book": ([b'{"say":"' + b"x" * 5_000 + b'","done":true}'], {}),
    "a library": ([b'{"note":"' + b"x" * 40_000 + b'"}\n'] * 3, {}),
    "a wrong source": ([b'{"say":"x [1]","citations":[{"n":"1"}],"done":true}'], {}),
    "a script for a source": (
        [b'{"say":"x","citations":[{"n":1,"title":"x","url":"javascript:alert(1)"}],"done":true}'],
        {},
    ),
}


@pytest.mark.parametrize("what", BROKEN)
async def test_an_answer_that_is_none_is_a_handoff(stage: Backstage, there: Bot, what: str) -> None:
    there.pieces, more = BROKEN[what]
    there.status, there.kind = more.get("status", 200), more.get("kind", there.kind)
    customer = await asked(stage, there.url)
    handoff = (await customer.conversation()).handoff
    assert handoff is not None
    assert handoff.reason is Reason.ERROR
    assert handoff.evidence.startswith("your bot did not answer: ")
    assert await customer.transcript(Role.ASSISTANT) == []
    assert len(there.asked) == 1


async def test_a_bot_that_is_too_slow_or_away_is_not_waited_for(stage: Backstage, there: Bot) -> None:
    there.says({"say": "We are "}, {"say": "open.", "done": True})
    there.holds = threading.Event()
    customer = await asked(stage, there.url, wait_s=1)
    there.holds.set()
    handoff = (await customer.conversation()).handoff
    assert handoff is not None
    assert (handoff.reason, "within 1 s" in handoff.evidence) == (Reason.ERROR, True)


async def test_no_bot_is_looked_for_in_a_private_network(database_url: str, there: Bot) -> None:
    there.says({"say": "secrets", "done": True})
    async with backstage(database_url, development=True) as stage, asks_bots(stage, development=False):
        for number, url in enumerate((there.url, "https://127.0.0.1:1/bot", "https://10.0.0.1/", "https://[::1]/")):
            await set_up(stage, url)
            customer = await stage.open(f"c-{number}")
            await customer.says(ASKED)
            await stage.drain(f"c-{number}")
            handoff = (await customer.conversation()).handoff
            assert handoff is not None
            assert handoff.reason is Reason.ERROR
    assert there.asked == []


async def test_rules_come_before_the_bot(stage: Backstage, there: Bot) -> None:
    there.says({"say": "No.", "done": True})
    customer = await asked(stage, there.url, "I want to talk to a human")
    handoff = (await customer.conversation()).handoff
    assert handoff is not None
    assert handoff.reason is Reason.ASKED_FOR_PERSON
    assert there.asked == []


@pytest.mark.parametrize(
    ("bot", "pointer"),
    [
        ({"url": "http://bot.example.com", "secret": SECRET}, "/assistant/bot/url"),
        ({"url": "https://user@bot.example.com", "secret": SECRET}, "/assistant/bot/url"),
        ({"url": "https://bot.example.com/#x", "secret": SECRET}, "/assistant/bot/url"),
        ({"url": "https://[bot", "secret": SECRET}, "/assistant/bot/url"),
        ({"url": "bot.example.com", "secret": SECRET}, "/assistant/bot/url"),
        ({"url": "https://bot.example.com"}, "/assistant/bot/secret"),
        ({"url": "https://bot.example.com", "secret": "short"}, "/assistant/bot/secret"),
        ({"url": "https://bot.example.com", "secret": SECRET, "wait_s": 0}, "/assistant/bot/wait_s"),
        ({"url": "https://bot.example.com", "secret": SECRET, "wait_s": 61}, "/assistant/bot/wait_s"),
        ({"address": "https://bot.example.com"}, "/assistant/bot/address"),
    ],
)
async def test_what_makes_no_sense_is_refused(stage: Backstage, bot: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Invalid) as error:
        await stage.tuning.change(ORGANISATION, {"assistant": {"bot": bot}}, "a test")
    assert error.value.pointer == pointer


async def test_a_bots_secret_is_kept_and_never_shown(stage: Backstage) -> None:
    await set_up(stage, "https://bot.example.com")
    chosen = (await stage.tuning.read(ORGANISATION))["assistant"]["bot"]
    assert chosen == {"url": "https://bot.example.com", "wait_s": 20, "secret": {"set": True, "last4": SECRET[-4:]}}
    await stage.tuning.change(ORGANISATION, {"assistant": {"bot": {"url": "", "secret": None}}}, "a test")
    assert (await stage.tuning.read(ORGANISATION))["assistant"]["bot"]["secret"] == {"set": False}


def example() -> str:
    """Give the page's program."""
    found = re.search(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found is not None
    return found[1]


def test_the_example_is_short() -> None:
    assert len(example().splitlines()) <= 30


@pytest.mark.parametrize("secret", [SECRET, "another-secret-than-the-bots-own"])
async def test_the_pages_example_is_a_bot(stage: Backstage, tmp_path: Path, secret: str) -> None:
    (tmp_path / "bot.py").write_text(example())
    port = free_port()
    environment = os.environ | {"BOT_SECRET": SECRET, "PORT": str(port)}
    stage.clock.at = int(time.time() * 1000)
    process = subprocess.Popen([sys.executable, str(tmp_path / "bot.py")], env=environment, stderr=subprocess.DEVNULL)
    try:
        await asyncio.to_thread(until, lambda: _listens(port))
        await set_up(stage, f"http://127.0.0.1:{port}/", secret=secret)
        knows = secret == SECRET
        for id, text, answer, reason in (
            ("c-1", ASKED, ["We are open from 9 to 17 o'clock, on weekdays."], None),
            ("c-2", "Where is my parcel?", [], Reason.NO_ANSWER),
        ):
            customer = await stage.open(id)
            await customer.says(text)
            await stage.drain(id)
            handoff = (await customer.conversation()).handoff
            assert await customer.transcript(Role.ASSISTANT) == (answer if knows else [])
            assert (None if handoff is None else handoff.reason) == (reason if knows else Reason.ERROR)
    finally:
        process.kill()
        process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", port)) == 0
