"""What nobody expected is answered with a problem that tells nothing of it, and is logged once, whole."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from escalade.store import operators, overview
from escalade.store.database import Tx
from escalade.web.api import requests
from tests.backstage import NOON, ORGANISATION
from tests.web.counter import Answer, Counter, counter


@pytest_asyncio.fixture
async def front(tmp_path: Path) -> AsyncIterator[Counter]:
    async with counter(tmp_path) as found:
        yield found


async def visitor(front: Counter) -> dict[str, str]:
    begun = await front.call("POST", "/widget/v1/sessions", {"key": "pk_1"})
    return {"authorization": f"Bearer {begun.json['token']}"}


@pytest.mark.parametrize("door", ["api", "api events", "widget"])
async def test_a_fault_of_ours_is_a_problem_and_logged_once(front: Counter, door: str) -> None:
    token = await visitor(front)
    front.product.desk._database = None  # type: ignore[assignment] # from here on whatever the desk does goes wrong
    with capture_logs() as logs:
        answer = await knock(front, door, token)
    assert (answer.status, answer.problem) == (500, "internal")
    assert "NoneType" not in answer.body.decode()
    (told,) = [entry for entry in logs if entry["log_level"] == "error"]
    assert (told["event"], told["exc_info"]) == ("request_broke", True)


@pytest.mark.parametrize("door", ["api", "api events", "widget"])
async def test_who_comes_while_memory_is_short_is_told_to_come_again(
    front: Counter, door: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = await visitor(front)

    async def falter(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(front.product.database, "read", falter)
    monkeypatch.setattr(front.product.database, "write", falter)
    answer = await knock(front, door, token)
    assert (answer.status, answer.problem, answer.headers["retry-after"]) == (503, "unavailable", "3")


async def knock(front: Counter, door: str, token: dict[str, str]) -> Answer:
    document = {"id": uuid.uuid4().hex, "text": "Hello"}
    match door:
        case "api":
            return await front.api("POST", "/conversations/c-1/messages", document)
        case "api events":
            return await front.api("GET", "/conversations/c-1/events")
        case _:
            return await front.call("POST", "/widget/v1/conversations/c-1/messages", document, token)


def broken(*_: object, **__: object) -> None:
    raise RuntimeError("nobody expected this")


async def test_a_fault_in_the_console_is_a_page_of_the_console_and_logged_once(
    front: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def signed_in(tx: Tx) -> None:
        person = operators.Operator(id="op-1", organisation=ORGANISATION, email="olga@example.com", role="owner")
        operators.add(tx, person, NOON)
        operators.open_session(tx, "op-1", "session", "csrf", NOON, NOON + 10**12)

    await front.write(signed_in)
    monkeypatch.setattr(overview, "list_conversations", broken)
    with capture_logs() as logs:
        answer = await front.send("GET", "/console/conversations", [("cookie", "__Host-escalade=session")])
    assert (answer.status, answer.headers["content-type"]) == (500, "text/html; charset=utf-8")
    assert "Something went wrong here" in answer.body.decode()
    assert "nobody expected this" not in answer.body.decode()
    (told,) = [entry for entry in logs if entry["log_level"] == "error"]
    assert (told["event"], told["path"], told["exc_info"]) == ("request_broke", "/console/conversations", True)


async def test_a_body_for_the_api_that_trickles_is_cut_off(front: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "BODY_SECONDS", 0.02)
    lines = [("authorization", "Bearer ek_1"), ("content-type", "application/json")]
    answer = await front.send("POST", "/api/v1/conversations", lines, [b"{", b'"'], endless=True)
    assert (answer.status, answer.problem, answer.headers["connection"]) == (408, "timeout", "close")
