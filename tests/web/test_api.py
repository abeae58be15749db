"""The developer API keeps its promises: shapes, one answer for a repetition, and nothing of anybody else's."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from escalade.domain.effects import LaneName
from escalade.domain.events import AgentAssigned
from escalade.domain.model import Agent, AgentId, Citation, ConversationId, DeliveryView, MessageId, Role, Utterance
from escalade.services.bell import Draft
from escalade.services.intake import policy_of
from escalade.store import conversations, deliveries, lanes, messages, receipts
from escalade.store.database import Tx
from tests.web.counter import ORGANISATION, OTHER, Answer, Counter, counter

KEY = {"authorization": "Bearer ek_1"}
LINES = [("authorization", "Bearer ek_1"), ("content-type", "application/json")]


@pytest_asyncio.fixture
async def front(tmp_path: Path) -> AsyncIterator[Counter]:
    async with counter(tmp_path) as found:
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def quiet(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Counter]:
    """One application for every request that is to change nothing."""
    async with counter(tmp_path_factory.mktemp("quiet")) as found:
        yield found


TOGETHER = pytest.mark.asyncio(loop_scope="module")


async def opened(front: Counter, id: str = "c-1", **more: Any) -> dict[str, Any]:
    answer = await front.api("POST", "/conversations", {"id": id} | more)
    assert answer.status == 201, answer.body
    document: dict[str, Any] = answer.json
    return document


async def say(front: Counter, text: str, id: str | None = None, **more: Any) -> Answer:
    return await front.api("POST", "/conversations/c-1/messages", {"text": text} | ({"id": id} if id else {}) | more)


# Doors

ROUTES = [
    ("GET", "/settings"),
    ("PATCH", "/settings"),
    ("POST", "/conversations"),
    ("GET", "/conversations/c-1"),
    ("POST", "/conversations/c-1/messages"),
    ("GET", "/conversations/c-1/messages"),
    ("GET", "/conversations/c-1/events"),
    ("POST", "/conversations/c-1/messages/m-1/feedback"),
    ("POST", "/conversations/c-1/files?name=a.txt"),
    ("GET", "/conversations/c-1/files/f-1"),
    ("POST", "/conversations/c-1/files/f-1/fetch"),
    ("POST", "/conversations/c-1/escalate"),
    ("GET", "/customers/c-1/export"),
    ("DELETE", "/customers/c-1"),
    ("POST", "/conversations/c-1/customer"),
    ("POST", "/conversations/c-1/release"),
    ("POST", "/conversations/c-1/close"),
    ("POST", "/assistant/ask"),
    ("GET", "/deliveries"),
    ("POST", "/deliveries/1/resend"),
    ("POST", "/deliveries/1/skip"),
    ("GET", "/receipts"),
    ("GET", "/conversations.csv"),
    ("GET", "/deliveries.csv"),
    ("GET", "/receipts.csv"),
    ("POST", "/receipts/1/replay"),
]


@TOGETHER
@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize(
    "authorization", [None, "Bearer wrong", "Bearer wt_1", "Basic ZWtfMQ==", "Bearer ek_1\n", "Bearer é"]
)
async def test_every_route_needs_a_key(quiet: Counter, method: str, path: str, authorization: str | None) -> None:
    quiet.move()
    headers = {} if authorization is None else {"authorization": authorization}
    answer = await quiet.call(method, f"/api/v1{path}", {} if method in {"POST", "PATCH"} else None, headers)
    assert (answer.status, answer.problem, answer.headers["www-authenticate"]) == (401, "unauthorized", "Bearer")


@TOGETHER
async def test_the_list_of_routes_is_whole(quiet: Counter) -> None:
    document = (await quiet.call("GET", "/api/v1/openapi.json")).json
    described = {
        (
            method.upper(),
            re.sub(r"/(deliveries|receipts)/{id}", r"/\1/1", path)
            .replace("{id}", "c-1")
            .replace("{file}", "f-1")
            .replace("{message}", "m-1"),
        )
        for path, methods in document["paths"].items()
        for method in methods
    }
    asked = {(method, path.partition("?")[0]) for method, path in ROUTES}
    assert described - asked == set()  # a new route belongs on the list of those that need a key
    assert asked - described <= {("GET", "/conversations/c-1/events")}


async def test_health_and_the_pages_need_no_key(front: Counter) -> None:
    assert (await front.call("GET", "/api/v1/health")).json == {"status": "ok"}
    ready = await front.call("GET", "/api/v1/ready")
    metrics = await front.call("GET", "/metrics")
    assert 'bridge_invariant_violation_total{id="I12"} 0' in metrics.body.decode()
    assert (ready.status, ready.json) == (200, {"status": "ok"})
    document = (await front.call("GET", "/api/v1/openapi.json")).json
    assert document["info"]["title"] == "Escalade"
    page = await front.call("GET", "/api/v1/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert b"/conversations/{id}/escalate" in page.body
    for fetched in re.findall(rb'(?:src="|<link[^>]*href="|url\()([^")]*)', page.body):
        assert not fetched.startswith((b"http", b"//"))


async def test_it_is_not_ready_while_the_database_is_not(front: Counter) -> None:
    await front.product.database.close()
    assert (await front.call("GET", "/api/v1/ready")).status == 503
    assert (await front.call("GET", "/api/v1/health")).status == 200


@pytest.mark.parametrize(
    ("method", "path", "document"),
    [
        ("GET", "/conversations/c-1", None),
        ("POST", "/conversations/c-1/messages", {"text": "Hi"}),
        ("GET", "/conversations/c-1/messages", None),
        ("GET", "/conversations/c-1/events", None),
        ("POST", "/conversations/c-1/escalate", {}),
        ("POST", "/conversations/c-1/customer", {"email": "noor@example.com"}),
        ("POST", "/conversations/c-1/release", None),
        ("POST", "/conversations/c-1/close", None),
        ("POST", "/deliveries/{delivery}/resend", None),
        ("POST", "/receipts/{receipt}/replay", None),
        ("POST", "/receipts/{receipt}/replay?dry_run=true", None),
    ],
)
async def test_another_organisations_things_are_not_there(
    front: Counter, method: str, path: str, document: Any
) -> None:
    await front.handed_over("c-1", organisation=OTHER)
    delivery = await front.write(refuse_the_first)
    receipt = await front.write(lambda tx: receipts.accept(tx, OTHER, source="x", key="k", kind="x", body="{}", now=0))
    path = path.replace("{delivery}", str(delivery)).replace("{receipt}", str(receipt))
    foreign = await front.api(method, path, document)
    assert (foreign.status, foreign.problem) == (404, "not-found")
    missing = await front.api(method, path.replace("c-1", "c-none"), document)
    assert missing.body == foreign.body
    assert (await front.conversation(organisation=OTHER)).open_handoff is not None
    assert [m.text for m in await front.messages(organisation=OTHER) if m.role is Role.CUSTOMER] == [
        "My stove is broken"
    ]


def refuse_the_first(tx: Tx) -> int:
    """Settle the head of the other organisation's desk lane as refused."""
    lane = lanes.Lane(organisation=OTHER, conversation=ConversationId("c-1"), name=LaneName.DESK)
    found = deliveries.head(tx, lane)
    assert found is not None
    deliveries.finish(tx, found, "refused", "no such group", 0)
    return found.id


async def test_the_ledger_shows_ones_own_only(front: Counter) -> None:
    await front.handed_over("c-1", organisation=OTHER)
    assert (await front.api("GET", "/deliveries")).json == {"deliveries": []}
    assert (await front.api("GET", "/receipts")).json == {"receipts": []}


async def test_what_is_not_there_is_a_problem_too(front: Counter) -> None:
    missing = await front.api("GET", "/moon")
    assert (missing.status, missing.problem) == (404, "not-found")
    wrong = await front.api("DELETE", "/settings")
    assert (wrong.status, wrong.problem) == (405, "method-not-allowed")
    assert wrong.headers["allow"] == "GET, PATCH"


# Conversations


async def test_opening_a_conversation(front: Counter) -> None:
    made = await opened(front, customer={"id": "u-1", "name": "Noor", "email": "noor@example.com", "locale": "nl"})
    assert made == {
        "id": "c-1",
        "status": "open",
        "control": "assistant",
        "customer": {"id": "u-1", "name": "Noor", "email": "noor@example.com", "locale": "nl"},
        "created_at": "2026-01-15T12:00:00.000Z",
    }
    anonymous = await front.api("POST", "/conversations", {})
    assert anonymous.status == 201
    assert anonymous.json["id"]
    assert anonymous.json["customer"] | {"id": ""} == {"id": "", "name": None, "email": None, "locale": None}


async def test_opening_the_same_twice_is_one_and_anything_else_a_conflict(front: Counter) -> None:
    first = await opened(front, customer={"name": "Noor"})
    assert await opened(front, customer={"name": "Noor"}) == first
    other = await front.api("POST", "/conversations", {"id": "c-1", "customer": {"name": "Mara"}})
    assert (other.status, other.problem, other.pointer) == (409, "conflict", "/id")


async def test_an_idempotency_key_stands_for_an_id(front: Counter) -> None:
    async def post(path: str, document: Any, key: str) -> Answer:
        return await front.api("POST", path, document, idempotency_key=key)

    first = await post("/conversations", {}, "k-1")
    assert (await post("/conversations", {}, "k-1")).body == first.body
    assert (await post("/conversations", {}, "k-2")).json["id"] != first.json["id"]
    assert (await post("/conversations", {"context": {"a": 1}}, "k-1")).status == 409
    path = f"/conversations/{first.json['id']}/messages"
    said = await post(path, {"text": "Hello"}, "m-1")
    assert (await post(path, {"text": "Hello"}, "m-1")).json["seq"] == said.json["seq"] == 1
    assert (await post(path, {"text": "Hello!"}, "m-1")).status == 409


async def test_a_message_and_its_repetition(front: Counter) -> None:
    await opened(front)
    said = await say(front, "Hello", "m-1")
    assert said.status == 201
    assert said.json == {
        "id": "m-1",
        "seq": 1,
        "author": {"role": "customer", "name": None},
        "text": "Hello",
        "attachments": [],
        "citations": [],
        "created_at": "2026-01-15T12:00:00.000Z",
        "delivery": "none",
    }
    again = await say(front, "Hello", "m-1")
    assert (again.status, again.body) == (201, said.body)
    other = await say(front, "Hello?", "m-1")
    assert (other.status, other.problem, other.pointer) == (409, "conflict", "/id")


async def test_a_bot_of_ones_own_may_answer(front: Counter) -> None:
    await opened(front)
    said = await say(front, "Hi!", author="assistant")
    assert (said.json["author"]["role"], said.json["seq"]) == ("assistant", 1)
    await front.api("POST", "/conversations/c-1/escalate", {})
    late = await say(front, "By the way", author="assistant")
    assert (late.status, late.json["code"]) == (409, "out_of_turn")


@TOGETHER
@pytest.mark.parametrize(
    ("path", "document", "pointer"),
    [
        ("/conversations", {"colour": "red"}, "/colour"),
        ("/conversations", {"customer": {"role": "owner"}}, "/customer/role"),
        ("/conversations", {"customer": {"verified": True}}, "/customer/verified"),
        ("/conversations", {"customer": {"email": "a@b"}}, "/customer/email"),
        ("/conversations", {"id": "a b"}, "/id"),
        ("/conversations", {"id": 7}, "/id"),
        ("/conversations", {"context": []}, "/context"),
        ("/conversations", {"context": {"x": "y" * 5000}}, "/context"),
        ("/conversations/c-1/messages", {}, "/text"),
        ("/conversations/c-1/messages", {"text": ""}, "/text"),
        ("/conversations/c-1/messages", {"text": "\u200d"}, "/text"),
        ("/conversations/c-1/messages", {"text": "x" * 4001}, "/text"),
        ("/conversations/c-1/messages", {"text": 5}, "/text"),
        ("/conversations/c-1/messages", {"text": "x", "author": "agent"}, "/author"),
        ("/conversations/c-1/messages", {"text": "x", "seq": 1}, "/seq"),
        ("/conversations/c-1/messages", {"text": "x", "id": "a/b"}, "/id"),
        ("/conversations/c-1/messages", {"text": "x", "attachments": [{"name": "a"}]}, "/attachments"),
        ("/conversations/c-1/escalate", {"reason": "bored"}, "/reason"),
        ("/conversations/c-1/escalate", {"mode": "carrier pigeon"}, "/mode"),
        ("/conversations/c-1/escalate", {"group": 7}, "/group"),
        ("/conversations/c-1/escalate", {"note": "x" * 8001}, "/note"),
        ("/assistant/ask", {}, "/text"),
        ("/assistant/ask", {"text": "x", "history": [{"role": "oracle", "text": "y"}]}, "/history"),
    ],
)
async def test_a_field_that_is_wrong_is_pointed_at(quiet: Counter, path: str, document: Any, pointer: str) -> None:
    await opened(quiet)
    answer = await quiet.api("POST", path, document)
    assert (answer.status, answer.problem) == (422, "validation")
    assert answer.pointer.startswith(pointer)
    assert await quiet.messages() == []


@TOGETHER
@pytest.mark.parametrize(
    ("body", "status", "problem"),
    [
        (b"{", 400, "invalid-json"),
        (b'{"text":"a","text":"b"}', 400, "invalid-json"),
        (b'{"text":NaN}', 400, "invalid-json"),
        (b'{"text":"\\ud800"}', 400, "invalid-json"),
        (b'{"text":"a\\u0000b"}', 400, "invalid-json"),
        (b'{"text":"\xff"}', 400, "invalid-json"),
        (b'{"text":"x",}', 400, "invalid-json"),
        (b"[" * 50_000, 400, "invalid-json"),
        (b"[]", 422, "validation"),
        (b"", 422, "validation"),
        (b'{"text":"' + b"x" * 300_000 + b'"}', 413, "too-large"),
    ],
)
async def test_a_body_that_cannot_be_read_is_refused(quiet: Counter, body: bytes, status: int, problem: str) -> None:
    await opened(quiet)
    answer = await quiet.send("POST", "/api/v1/conversations/c-1/messages", LINES, body)
    assert (answer.status, answer.problem) == (status, problem)
    assert await quiet.messages() == []


@TOGETHER
@pytest.mark.parametrize(
    ("query", "pointer"),
    [("after=-1", "/after"), ("after=x", "/after"), ("wait=-1", "/wait"), (f"after={10**30}", "/after")],
)
async def test_a_place_is_a_whole_number(quiet: Counter, query: str, pointer: str) -> None:
    await opened(quiet)
    answer = await quiet.api("GET", f"/conversations/c-1/messages?{query}")
    assert (answer.status, answer.pointer) == (422, pointer)


async def test_reading_on_from_a_place(front: Counter) -> None:
    await opened(front)
    for n in range(3):
        await say(front, f"word {n}")
    page = (await front.api("GET", "/conversations/c-1/messages?after=1")).json
    assert [message["seq"] for message in page["messages"]] == [2, 3]
    assert page["conversation"] == {"status": "open", "control": "assistant", "handoff": None}


async def test_a_long_poll_ends_when_something_is_said(front: Counter) -> None:
    await opened(front)
    polling = asyncio.create_task(front.api("GET", "/conversations/c-1/messages?after=0&wait=20"))
    while not front.product.bell.listening():
        await asyncio.sleep(0.001)
    await say(front, "Hello")
    page = (await polling).json
    assert [message["text"] for message in page["messages"]] == ["Hello"]
    assert not front.product.bell.listening()


async def test_a_long_poll_does_not_wait_for_what_is_there(front: Counter) -> None:
    await opened(front)
    await say(front, "Hello")
    page = (await front.api("GET", "/conversations/c-1/messages?after=0&wait=20")).json
    assert len(page["messages"]) == 1


async def test_all_of_a_conversation(front: Counter) -> None:
    await front.handed_over()
    shown = (await front.api("GET", "/conversations/c-1")).json
    assert shown["ticket"] == {"id": "4711"}
    assert shown["handoff"] == {
        "id": shown["handoff"]["id"],
        "state": "asynchronous",
        "mode": "ticket",
        "reason": "api",
        "ticket_id": "4711",
        "agent": None,
        "ended": None,
        "needs_email": True,
    }
    assert (shown["status"], shown["control"], shown["context"]) == ("open", "pending", {})
    assert shown["counts"]["messages"] == 3
    assert {"created_at", "updated_at", "customer"} <= set(shown)


# Handoffs


async def test_asking_for_a_person_twice_gives_the_same_handoff(front: Counter) -> None:
    await opened(front)
    await say(front, "My stove is broken", "m-1")
    asked = await front.api("POST", "/conversations/c-1/escalate", {"mode": "ticket", "reason": "topic"})
    assert asked.status == 202
    handoff = asked.json["handoff"]
    assert (handoff["state"], handoff["mode"], handoff["reason"]) == ("requested", "ticket", "topic")
    again = await front.api("POST", "/conversations/c-1/escalate", {"mode": "ticket"})
    assert again.json["handoff"]["id"] == handoff["id"]
    upgraded = await front.api("POST", "/conversations/c-1/escalate", {"mode": "live"})
    assert (upgraded.json["handoff"]["id"], upgraded.json["handoff"]["mode"]) == (handoff["id"], "live")


async def test_a_body_is_not_needed_to_ask_for_a_person(front: Counter) -> None:
    await opened(front)
    asked = await front.send("POST", "/api/v1/conversations/c-1/escalate", list(KEY.items()))
    assert (asked.status, asked.json["handoff"]["reason"]) == (202, "api")


async def test_back_to_the_assistant(front: Counter) -> None:
    await front.handed_over()
    released = await front.api("POST", "/conversations/c-1/release")
    assert (released.status, released.json["control"], released.json["handoff"]["ended"]) == (
        200,
        "assistant",
        "by_customer",
    )
    assert (await front.api("POST", "/conversations/c-1/release")).status == 200


async def test_after_the_end_there_is_a_conflict(front: Counter) -> None:
    await opened(front)
    closed = await front.api("POST", "/conversations/c-1/close")
    assert (closed.status, closed.json["status"], closed.json["control"]) == (200, "closed", "nobody")
    assert (await front.api("POST", "/conversations/c-1/close")).status == 200
    for path, document in (("messages", {"text": "Hello?"}), ("escalate", {})):
        late = await front.api("POST", f"/conversations/c-1/{path}", document)
        assert (late.status, late.problem, late.json["code"]) == (409, "conflict", "session_closed")


# The assistant and the ledger


async def test_a_question_shows_its_evidence_and_does_nothing(front: Counter) -> None:
    verdict = await front.api("POST", "/assistant/ask", {"text": "I want a human", "history": [], "locale": "en"})
    assert verdict.status == 200
    assert set(verdict.json) == {"decision", "reason", "confidence", "text", "evidence", "citations", "passages"}
    assert (verdict.json["decision"], verdict.json["reason"]) == ("escalate", "asked_for_person")
    assert (await front.api("GET", "/deliveries")).json == {"deliveries": []}


async def test_the_ledger_tells_what_is_owed_and_what_came_in(front: Counter) -> None:
    await front.handed_over()
    owed = (await front.api("GET", "/deliveries?state=pending")).json["deliveries"]
    assert [(one["lane"], one["effect"]) for one in owed] == [
        ("desk", "Post"), ("desk", "AddNote"), ("desk", "OpenTicket"), ("assistant", "Answer"),
    ]  # fmt: skip
    assert set(owed[0]) == {
        "id", "conversation", "lane", "position", "effect", "message", "state", "why", "created_at", "settled_at",
        "attempts",
    }  # fmt: skip
    assert (await front.api("GET", "/deliveries?state=refused")).json == {"deliveries": []}
    assert len((await front.api("GET", "/deliveries?limit=1")).json["deliveries"]) == 1
    assert (await front.api("GET", f"/deliveries?limit={10**9}")).status == 200
    headers = {"authorization": "Bearer wt_1", "fv-organisation-id": ORGANISATION}
    body = {"ticket_id": "1", "type": "fv:conversation_closed"}
    await front.call("POST", "/ai-agent/escalation/webhooks/zendesk/all", body, headers)
    (receipt,) = (await front.api("GET", "/receipts")).json["receipts"]
    assert (receipt["source"], receipt["kind"], receipt["state"], receipt["outcome"]) == (
        "zendesk", "session_end", "ignored", "unknown_ticket",
    )  # fmt: skip


async def test_only_what_was_refused_is_sent_again(front: Counter) -> None:
    await front.handed_over("c-1", organisation=OTHER)
    delivery = await front.write(refuse_the_first)
    assert (await front.api("POST", f"/deliveries/{delivery}/resend", key="ek_2")).json == {"status": "pending"}
    for act in ("resend", "skip"):
        again = await front.api("POST", f"/deliveries/{delivery}/{act}", key="ek_2")
        assert (again.status, again.problem, again.json["code"]) == (409, "conflict", "wrong_state")
        assert again.json["detail"].startswith("it is resent; only what is refused")
        assert (await front.api("POST", f"/deliveries/{delivery}/{act}")).status == 404  # another organisation's
        assert (await front.api("POST", f"/deliveries/{10**9}/{act}", key="ek_2")).status == 404


# Settings


async def test_settings_are_read_changed_and_never_show_a_secret(front: Counter) -> None:
    tree = (await front.api("GET", "/settings")).json
    assert tree["live"]["secret"] == {"set": True, "last4": "cret"}
    changed = await front.api("PATCH", "/settings", {"tickets": {"priority": "high"}})
    assert (changed.status, changed.json["tickets"]["priority"]) == (200, "high")
    secret = {"zendesk": {"auth": {"client_secret": "correct-horse-wxyz"}}}
    assert b"horse" not in (await front.api("PATCH", "/settings", secret)).body
    assert b"horse" not in (await front.api("GET", "/settings")).body
    assert (await front.api("GET", "/settings", key="ek_2")).json["tickets"]["priority"] is None


@TOGETHER
@pytest.mark.parametrize(
    ("patch", "pointer"),
    [
        ({"moon": 1}, "/moon"),
        ({"tickets": {"priority": "asap"}}, "/tickets/priority"),
        ({"zendesk": {"subdomain": "a.b"}}, "/zendesk/subdomain"),
    ],
)
async def test_a_setting_that_is_wrong_is_pointed_at(quiet: Counter, patch: Any, pointer: str) -> None:
    answer = await quiet.api("PATCH", "/settings", patch)
    assert (answer.status, answer.problem, answer.pointer) == (422, "validation", pointer)


# The stream


async def test_a_stream_shows_what_was_said_and_what_is_said_next(front: Counter) -> None:
    await opened(front)
    await say(front, "one", "m-1")
    async with front.stream("/api/v1/conversations/c-1/events", list(KEY.items())) as stream:
        assert (stream.status, stream.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        assert stream.headers["cache-control"] == "no-store"
        kind, message, id = await stream.next()
        assert (kind, message["text"], id) == ("message", "one", "1")
        assert (await stream.take("conversation"))["control"] == "assistant"
        await say(front, "two", "m-2")
        kind, message, id = await stream.next()
        assert (kind, message["text"], id) == ("message", "two", "2")


async def test_a_stream_resumes_after_the_last_event_its_reader_has(front: Counter) -> None:
    await opened(front)
    for text in ("one", "two", "three"):
        await say(front, text)
    path = "/api/v1/conversations/c-1/events"
    async with front.stream(path, [*KEY.items(), ("last-event-id", "2")]) as stream:
        assert (await stream.take("message"))["text"] == "three"
    async with front.stream(path + "?after=1", [*KEY.items(), ("last-event-id", "3")]) as stream:
        assert (await stream.take("message"))["text"] == "two"
    gone = await front.send("GET", path + "?after=4", list(KEY.items()))
    assert (gone.status, gone.problem) == (410, "gone")
    wrong = await front.send("GET", path, [*KEY.items(), ("last-event-id", "-1")])
    assert (wrong.status, wrong.problem) == (422, "validation")


async def test_a_stream_shows_how_far_an_answer_has_come_while_the_assistant_has_the_say(front: Counter) -> None:
    await front.handed_over("c-2")
    await opened(front)
    bell, cited = front.product.bell, Citation(n=1, title="Cancel", url=None, source_id="cancel.md")
    topics = [conversations.topic(ORGANISATION, id) for id in ("c-1", "c-2")]
    path = "/api/v1/conversations/{}/events"
    async with front.stream(path.format("c-1"), list(KEY.items())) as stream:
        await stream.take("conversation")
        bell.draft(topics[0], Draft(id=MessageId("answer-m-1"), text="You can. [1]", citations=(cited,)))
        assert await stream.take("draft") == {
            "id": "answer-m-1",
            "text": "You can. [1]",
            "citations": [{"n": 1, "title": "Cancel", "url": None, "source_id": "cancel.md"}],
        }
        await say(front, "You can. [1] Do.", "answer-m-1", author="assistant")
        assert (await stream.take("message"))["id"] == "answer-m-1"
        bell.draft(topics[0], Draft(id=MessageId("answer-m-1"), text="You"))
        bell.typing(topics[0], "assistant", False)
        assert (await stream.next())[0] == "typing"  # the draft was overtaken by its answer
    async with front.stream(path.format("c-2"), list(KEY.items())) as stream:
        await stream.take("conversation")
        bell.draft(topics[1], Draft(id=MessageId("answer-m-2"), text="You"))
        bell.typing(topics[1], "agent", True)
        assert (await stream.next())[0] == "typing"  # the assistant has no say there any more


async def test_a_stream_tells_what_became_of_a_message_and_who_has_joined(front: Counter) -> None:
    handoff = await front.handed_over()

    def delivered(tx: Tx) -> None:
        messages.mark(tx, ORGANISATION, ConversationId("c-1"), MessageId("said-c-1"), DeliveryView.DELIVERED)

    def joined(tx: Tx) -> None:
        current = conversations.load(tx, ORGANISATION, ConversationId("c-1"))
        assert current is not None
        event = AgentAssigned(handoff=handoff.id, agent=Agent(id=AgentId("7"), name="Inès"))
        front.product.intake.apply(tx, current, event, policy_of(tx, ORGANISATION))

    async with front.stream("/api/v1/conversations/c-1/events", list(KEY.items())) as stream:
        await stream.take("conversation")
        await front.write(delivered)
        assert await stream.take("delivery") == {"id": "said-c-1", "delivery": "delivered"}
        await front.write(joined)
        assert (await stream.take("conversation"))["handoff"]["agent"]["name"] == "Inès"
        front.product.bell.typing(conversations.topic(ORGANISATION, "c-1"), "agent", True)
        assert await stream.take("typing") == {"role": "agent", "on": True}


async def test_a_reader_who_was_away_long_gets_every_message_at_once(front: Counter) -> None:
    await opened(front)

    def many(tx: Tx) -> None:
        current = conversations.load(tx, ORGANISATION, ConversationId("c-1"))
        assert current is not None
        for n in range(700):
            said = Utterance(role=Role.SYSTEM, text=f"word {n}")
            messages.append(tx, current, said, MessageId(f"m-{n}"), 0, said_at=0)

    await front.write(many)
    async with front.stream("/api/v1/conversations/c-1/events", list(KEY.items())) as stream:
        assert [(await stream.take("message"))["seq"] for _ in range(700)] == list(range(1, 701))


async def test_a_stream_is_for_reading(front: Counter) -> None:
    await opened(front)
    answer = await front.api("POST", "/conversations/c-1/events", {})
    assert (answer.status, answer.problem, answer.headers["allow"]) == (405, "method-not-allowed", "GET")


async def test_a_reader_who_leaves_is_forgotten(front: Counter) -> None:
    await opened(front)
    async with front.stream("/api/v1/conversations/c-1/events", list(KEY.items())) as stream:
        await stream.take("conversation")
        assert front.product.bell.listening() > 0
    assert front.product.bell.listening() == 0


# Trouble of ours


@pytest.mark.parametrize(
    ("method", "path", "document"),
    [
        ("GET", "/conversations/c-1", None),
        ("POST", "/conversations/c-1/messages", {"text": "Hello"}),
        ("GET", "/conversations/c-1/messages", None),
        ("GET", "/conversations/c-1/events", None),
        ("PATCH", "/settings", {}),
    ],
)
async def test_while_the_store_is_away_the_caller_is_asked_to_come_back(
    front: Counter, method: str, path: str, document: Any
) -> None:
    await opened(front)
    await front.product.database.close()
    for _ in range(2):  # the key is still remembered, and then no longer
        answer = await front.api(method, path, document)
        assert (answer.status, answer.problem, answer.headers["retry-after"]) == (503, "unavailable", "3")
        front.clock.passes(2)
