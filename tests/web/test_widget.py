"""The widget's door is open to everyone, for one's own conversation only, in a closed shape."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from escalade.domain.model import DeliveryView, MessageId, Role
from escalade.store import messages, organisations
from escalade.store.database import Tx
from tests.web.counter import Answer, Counter, counter

JSON = ("content-type", "application/json")
ID = "conversation-0001"  # a browser's ids have at least 16 characters
MESSAGE = "message-00000001"


@pytest_asyncio.fixture
async def front(tmp_path: Path) -> AsyncIterator[Counter]:
    async with counter(tmp_path) as found:
        yield found


class Browser:
    """A visitor with the widget open."""

    def __init__(self, front: Counter, token: str) -> None:
        self._front = front
        self.token = token
        self.headers = [("authorization", f"Bearer {token}"), JSON]

    @classmethod
    async def of(cls, front: Counter, key: str = "pk_1") -> Browser:
        begun = await front.call("POST", "/widget/v1/sessions", {"key": key, "locale": "nl"})
        assert begun.status == 201, begun.body
        return cls(front, begun.json["token"])

    async def call(self, method: str, path: str, document: Any = None) -> Answer:
        headers = {"authorization": f"Bearer {self.token}"}
        return await self._front.call(method, f"/widget/v1{path}", document, headers)

    async def opens(self, id: str = ID) -> Answer:
        return await self.call("POST", "/conversations", {"id": id})

    async def says(self, text: str, id: str = MESSAGE, conversation: str = ID, **more: Any) -> Answer:
        return await self.call("POST", f"/conversations/{conversation}/messages", {"id": id, "text": text} | more)


@pytest_asyncio.fixture
async def noor(front: Counter) -> Browser:
    browser = await Browser.of(front)
    assert (await browser.opens()).status == 201
    return browser


# Sessions


async def test_a_session_begins_with_a_widget_key(front: Counter) -> None:
    begun = await front.call("POST", "/widget/v1/sessions", {"key": "pk_1", "locale": "nl"})
    assert begun.status == 201
    assert set(begun.json) == {"token", "customer", "organisation", "assistant", "files"}
    assert begun.json["organisation"] == {"name": "Company 1"}
    assert begun.json["assistant"] == {"name": "Assistant", "enabled": True}
    assert (begun.json["customer"]["locale"], begun.json["customer"]["email"]) == ("nl", None)
    again = await front.call("POST", "/widget/v1/sessions", {"key": "pk_1"})
    assert again.json["token"] != begun.json["token"]
    assert again.json["customer"]["id"] != begun.json["customer"]["id"]
    rows = await front.read(lambda tx: [tuple(row) for row in tx.all("SELECT * FROM visitor")])
    assert begun.json["token"] not in str(rows)


@pytest.mark.parametrize("key", ["pk_none", "", "ek_1", "wt_1", "org_1"])
async def test_a_key_that_is_not_a_widgets_begins_nothing(front: Counter, key: str) -> None:
    begun = await front.call("POST", "/widget/v1/sessions", {"key": key})
    assert (begun.status, begun.problem, begun.pointer) == (404, "not-found", "/key")
    assert await front.read(lambda tx: tx.value("SELECT count(*) FROM visitor")) == 0


ROUTES = [
    ("GET", "/conversations"),
    ("POST", "/conversations"),
    ("POST", f"/conversations/{ID}/messages"),
    ("GET", f"/conversations/{ID}/messages"),
    ("GET", f"/conversations/{ID}/events"),
    ("POST", f"/conversations/{ID}/messages/answer-{MESSAGE}/feedback"),
    ("POST", f"/conversations/{ID}/escalate"),
    ("POST", f"/conversations/{ID}/customer"),
    ("POST", f"/conversations/{ID}/release"),
    ("POST", f"/conversations/{ID}/close"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_every_route_needs_a_visitors_token(front: Counter, noor: Browser, method: str, path: str) -> None:
    for token in ("", "wrong", "ek_1", "wt_1", "pk_1", noor.token + "x", noor.token[:-1]):
        answer = await Browser(front, token).call(method, path, {} if method == "POST" else None)
        assert (answer.status, answer.problem, answer.headers["www-authenticate"]) == (401, "unauthorized", "Bearer")


async def test_a_visitors_token_opens_the_widget_and_nothing_else(front: Counter, noor: Browser) -> None:
    for method, path in (("GET", "/settings"), ("GET", "/deliveries"), ("POST", "/conversations")):
        answer = await front.api(method, path, {} if method == "POST" else None, key=noor.token)
        assert answer.status == 401


async def test_a_session_ends_after_a_month(front: Counter, noor: Browser) -> None:
    front.clock.passes(30 * 24 * 3600 - 1)
    assert (await noor.call("GET", "/conversations")).status == 200
    front.clock.passes(2)
    assert (await noor.call("GET", "/conversations")).status == 401


# Conversations


async def test_opening_twice_is_one_conversation(front: Counter, noor: Browser) -> None:
    again = await noor.opens()
    assert (again.status, again.json["id"], again.json["control"]) == (201, ID, "assistant")
    listed = (await noor.call("GET", "/conversations")).json["conversations"]
    assert [one["id"] for one in listed] == [ID]
    made = await noor.call("POST", "/conversations", {})
    assert made.status == 201
    assert made.json["id"]


async def test_a_conversation_of_another_visitor_is_not_there(front: Counter, noor: Browser) -> None:
    await noor.says("Hello")
    for key in ("pk_1", "pk_2"):
        mallory = await Browser.of(front, key)
        for method, path in ROUTES[2:]:
            document: Any = None
            if path.endswith("/messages") and method == "POST":
                document = {"id": MESSAGE, "text": "Hi"}
            elif path.endswith("/feedback"):
                document = {"feedback": "helpful"}
            elif path.endswith(("/escalate", "/customer")):
                document = {}
            foreign = await mallory.call(method, path, document)
            missing = await mallory.call(method, path.replace(ID, "conversation-0009"), document)
            assert (foreign.status, foreign.problem) == (404, "not-found"), path
            assert foreign.body == missing.body
        assert (await mallory.call("GET", "/conversations")).json == {"conversations": []}
    assert [m.text for m in await front.messages(ID)] == ["Hello"]


async def test_a_taken_id_opens_nothing_for_anybody_else(front: Counter, noor: Browser) -> None:
    mallory = await Browser.of(front)
    taken = await mallory.opens()
    assert (taken.status, taken.problem, taken.pointer) == (409, "conflict", "/id")
    assert (await (await Browser.of(front, "pk_2")).opens()).status == 201  # another organisation's ids are its own


@pytest.mark.parametrize("id", ["a", "a b", "x" * 129, "ü" * 16, "..", "%2e%2e", "a/b", "", "\x00"])
async def test_a_malformed_conversation_is_not_there(noor: Browser, id: str) -> None:
    assert (await noor.call("GET", f"/conversations/{id}/messages")).status == 404


# Messages


async def test_p01_the_same_message_twice_is_one(front: Counter, noor: Browser) -> None:
    first, again = await noor.says("Hello"), await noor.says("Hello")
    assert (first.status, again.status) == (201, 201)
    assert first.json == again.json
    assert (first.json["id"], first.json["seq"], first.json["author"]["role"]) == (MESSAGE, 1, "customer")
    other = await noor.says("Hello!")  # P02
    assert (other.status, other.problem) == (409, "conflict")
    assert [m.text for m in await front.messages(ID)] == ["Hello"]


async def test_p03_a_message_names_itself(front: Counter, noor: Browser) -> None:
    for id in ("", "x", "x" * 15, "x" * 129, "x" * 300, "😀" * 16, "a b" * 6, "a.b" * 6, "message-0000001\n"):
        answer = await noor.says("Hello", id=id)
        assert (answer.status, answer.problem, answer.pointer) == (422, "validation", "/id")
    missing = await noor.call("POST", f"/conversations/{ID}/messages", {"text": "Hello"})
    assert missing.status == 422
    assert await front.messages(ID) == []


@pytest.mark.parametrize(
    "more",
    [{"author": "agent"}, {"role": "agent"}, {"seq": 7}, {"tenant_id": "x"}, {"created_at": "2020"}, {"__proto__": {}}],
)
async def test_p04_the_shape_is_closed(front: Counter, noor: Browser, more: dict[str, Any]) -> None:
    answer = await noor.says("Hello", **more)
    assert (answer.status, answer.problem) == (422, "validation")
    assert await front.messages(ID) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "empty"), ("\u200d\u200d", "empty"), (" \n ", "empty"), ("x" * 4001, "too-long")],
)
async def test_p05_a_text_says_something_and_not_too_much(noor: Browser, text: str, code: str) -> None:
    answer = await noor.says(text)
    assert (answer.status, answer.json["code"], answer.pointer) == (422, code, "/text")


@pytest.mark.parametrize(
    "text",
    [
        "x" * 4000,
        "😀" * 4000,
        "\u202eabc\u2066 Z̷̡a̶ \u2028",
        "<script>alert(1)</script><img src=x onerror=alert(1)>",
        "{{ticket.requester.email}} {% for x in y %}",
        "=HYPERLINK(1)",
        "' OR 1=1 --",
    ],
)
async def test_p06_p07_words_are_kept_as_they_were_written(front: Counter, noor: Browser, text: str) -> None:
    said = await noor.says(text)
    assert (said.status, said.json["text"]) == (201, text)
    page = (await noor.call("GET", f"/conversations/{ID}/messages")).json
    assert [message["text"] for message in page["messages"]] == [text]


async def test_p12_a_place_is_a_whole_number(noor: Browser) -> None:
    for after in ("-1", "1.5", "x", str(10**30), "١"):
        for path in ("messages", "events"):
            answer = await noor.call("GET", f"/conversations/{ID}/{path}?after={after}")
            assert (answer.status, answer.pointer) == (422, "/after")
    twice = await noor.call("GET", f"/conversations/{ID}/messages?after=1&after=2")
    assert (twice.status, twice.problem) == (400, "malformed-request")


@pytest.mark.parametrize(
    "kind", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
async def test_p15_another_sites_form_cannot_speak_for_a_visitor(
    front: Counter, noor: Browser, kind: str | None
) -> None:
    headers = [("authorization", f"Bearer {noor.token}"), *([] if kind is None else [("content-type", kind)])]
    body = b'{"id":"message-00000001","text":"Hi"}'
    answer = await front.send("POST", f"/widget/v1/conversations/{ID}/messages", headers, body)
    assert (answer.status, answer.problem) == (415, "unsupported-media-type")


async def test_no_answer_lets_another_site_read_it(front: Counter, noor: Browser) -> None:
    headers = [*noor.headers, ("origin", "https://evil.example")]
    answer = await front.send("GET", "/widget/v1/conversations", headers)
    assert not any(name.startswith("access-control") for name in answer.headers)
    preflight = await front.send("OPTIONS", "/widget/v1/conversations", headers)
    assert preflight.status == 403
    assert not any(name.startswith("access-control") for name in preflight.headers)


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b'{"id":"a","id":"b"}', 400), (b"[]", 422), (b"null", 422), (b"", 400), (b"x" * 70_000, 413)],
)
async def test_a_body_that_cannot_be_read_is_refused(front: Counter, noor: Browser, body: bytes, status: int) -> None:
    answer = await front.send("POST", f"/widget/v1/conversations/{ID}/messages", noor.headers, body)
    assert answer.status == status
    assert answer.problem in {"invalid-json", "validation", "too-large"}


# A person


async def test_p18_asking_in_ten_tabs_is_one_handoff(front: Counter, noor: Browser) -> None:
    await noor.says("I want a person")
    asked = await asyncio.gather(*(noor.call("POST", f"/conversations/{ID}/escalate", {}) for _ in range(10)))
    assert {answer.status for answer in asked} == {202}
    assert len({answer.json["handoff"]["id"] for answer in asked}) == 1
    assert asked[0].json["handoff"]["reason"] == "asked_for_person"
    for field, value in (("reason", "bored"), ("mode", "pigeon")):
        wrong = await noor.call("POST", f"/conversations/{ID}/escalate", {field: value})
        assert (wrong.status, wrong.pointer) == (422, f"/{field}")


async def test_p19_after_the_end_nothing_is_silently_lost(front: Counter, noor: Browser) -> None:
    closed = await noor.call("POST", f"/conversations/{ID}/close")
    assert (closed.status, closed.json["conversation"]["control"]) == (200, "nobody")
    late = await noor.says("Still there?")
    assert (late.status, late.problem, late.json["code"]) == (409, "conflict", "session_closed")


async def test_p22_an_address_is_checked_and_proves_nothing(front: Counter, noor: Browser) -> None:
    path = f"/conversations/{ID}/customer"
    for email in (
        "a@b",
        '"><svg>@x.example',
        "a@b.example\r\nBcc: c@d.example",
        "x" * 320 + "@b.example",
        "a b@c.example",
    ):
        answer = await noor.call("POST", path, {"email": email})
        assert (answer.status, answer.json["code"]) in {(422, "email"), (422, "validation")}
        assert answer.pointer == "/email"
    good = await noor.call("POST", path, {"email": "noor@example.com", "name": "Noor"})
    assert (good.status, good.json["customer"]["email"], good.json["customer"]["name"]) == (
        200,
        "noor@example.com",
        "Noor",
    )
    assert (await front.conversation(ID)).customer.verified is False
    assert (await noor.call("POST", path, {"email": None, "role": "owner"})).status == 422


async def test_back_to_the_assistant(noor: Browser) -> None:
    await noor.says("I want a person")
    await noor.call("POST", f"/conversations/{ID}/escalate", {"mode": "ticket"})
    released = await noor.call("POST", f"/conversations/{ID}/release")
    assert (released.status, released.json["conversation"]["control"]) == (200, "assistant")


# Reading along


async def test_a_visitor_reads_along(front: Counter, noor: Browser) -> None:
    await noor.says("one")
    async with front.stream(f"/widget/v1/conversations/{ID}/events?after=0", noor.headers) as stream:
        assert (await stream.take("message"))["text"] == "one"
        await front.product.desk.say(
            (await front.conversation(ID)).organisation,
            (await front.conversation(ID)).id,
            role=Role.ASSISTANT,
            text="two",
        )
        assert (await stream.take("message"))["text"] == "two"


async def test_a_visitor_polls_along(front: Counter, noor: Browser) -> None:
    polling = asyncio.create_task(noor.call("GET", f"/conversations/{ID}/messages?after=0&wait=20"))
    while not front.product.bell.listening():
        await asyncio.sleep(0.001)
    await noor.says("one")
    assert [message["text"] for message in (await polling).json["messages"]] == ["one"]


async def test_what_is_owed_to_a_person_is_said_to_be_pending(front: Counter, noor: Browser) -> None:
    await noor.says("I want a person")
    await noor.call("POST", f"/conversations/{ID}/escalate", {})
    assert (await noor.says("Hello?", id="message-00000002")).json["delivery"] == "pending"


async def test_an_open_page_and_one_that_comes_back_hear_what_became_of_every_message(
    front: Counter, noor: Browser
) -> None:
    await noor.says("I want a person")
    await noor.call("POST", f"/conversations/{ID}/escalate", {})
    conversation = await front.conversation(ID)
    ids = [MESSAGE, *(f"message-1{n:07}" for n in range(30))]
    for id in ids[1:]:
        await front.product.desk.say(
            conversation.organisation, conversation.id, role=Role.CUSTOMER, text="Hello?", id=id
        )
    events = f"/widget/v1/conversations/{ID}/events"
    after = (await front.conversation(ID)).last_seq

    def arrives(id: str) -> Callable[[Tx], None]:
        where = (conversation.organisation, conversation.id)
        return lambda tx: messages.mark(tx, *where, MessageId(id), DeliveryView.DELIVERED)

    async with front.stream(f"{events}?after=0", noor.headers) as page:
        await page.take("conversation")
        for id in ids:
            await front.write(arrives(id))
            assert await page.take("delivery") == {"id": id, "delivery": "delivered"}
    async with front.stream(f"{events}?after={after}", noor.headers) as back:
        heard = [await back.take("delivery") for _ in ids]
    assert {one["id"] for one in heard if one["delivery"] == "delivered"} == set(ids)


async def test_who_polls_hears_what_became_of_messages_that_were_read_before(front: Counter, noor: Browser) -> None:
    await noor.says("I want a person")
    await noor.call("POST", f"/conversations/{ID}/escalate", {})
    await noor.says("Hello?", id="message-00000002")
    conversation = await front.conversation(ID)
    path = f"/conversations/{ID}/messages?after={conversation.last_seq}"
    owed = [MESSAGE, "message-00000002"]

    async def marks(of: str) -> dict[str, str]:
        return {mark["id"]: mark["delivery"] for mark in (await noor.call("GET", of)).json["deliveries"]}

    assert await marks(path) == dict.fromkeys(owed, "pending")
    assert await marks(f"/conversations/{ID}/messages?after=0") == {}, "each says it itself"
    polling = asyncio.create_task(marks(f"{path}&wait=20"))
    while not front.product.bell.listening():
        await asyncio.sleep(0.001)
    where = (conversation.organisation, conversation.id)
    await front.write(lambda tx: messages.mark(tx, *where, MessageId(MESSAGE), DeliveryView.DELIVERED))
    assert await polling == dict(zip(owed, ("delivered", "pending"), strict=True))


# The panel and its files


async def panel(front: Counter, query: str = "key=pk_1&origin=https://shop.example") -> Answer:
    return await front.send("GET", f"/widget/v1/panel?{query}")


async def test_the_panel_runs_its_own_files_only(front: Counter) -> None:
    page = await panel(front)
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["img-src"] == "'self' blob:"  # a picture is read with the visitor's token, then shown
    assert (policy["base-uri"], policy["form-action"]) == ("'none'", "'none'")
    assert policy["require-trusted-types-for"] == "'script'"
    assert page.headers["referrer-policy"] == "no-referrer"
    files = re.findall(rb'(?:src|href)="(/widget/[^"]+)"', page.body)
    assert len(files) == 2
    for name in files:
        found = await front.send("GET", name.decode())
        assert found.status == 200
        assert found.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert found.headers["content-type"] in {"text/javascript; charset=utf-8", "text/css; charset=utf-8"}
        assert found.headers["x-content-type-options"] == "nosniff"


async def test_a_name_with_markup_in_it_is_text(front: Counter) -> None:
    evil = '"><script>alert(1)</script>'
    await front.write(lambda tx: tx.run("UPDATE organisation SET name = :name WHERE id = 'org_1'", name=evil))
    page = await panel(front, "key=pk_1&origin=%22%3E%3Cscript%3E")
    assert page.status == 200
    assert b"<script>alert" not in page.body
    assert b'data-origin="&quot;&gt;&lt;script&gt;"' in page.body


async def test_an_unknown_key_has_no_panel(front: Counter) -> None:
    for query in ("key=pk_none", "key=", ""):
        assert (await panel(front, query)).status == 404


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://shop.example", True),
        ("https://SHOP.example", False),
        ("https://shop.example/cart?x=1", False),
        ("null", False),
        ("", False),
        ("http://shop.example", False),
        ("https://shop.example.evil.com", False),
        ("https://shopXexample", False),
        ("https://shop.example:8443", False),
        ("https://shop.example.", False),
        ("https://evil.example/https://shop.example", False),
        ("https://shop.example@evil.example", False),
    ],
)
async def test_p14_only_the_sites_on_the_list_show_the_panel(tmp_path: Path, origin: str, allowed: bool) -> None:
    async with counter(tmp_path, origins=("https://shop.example",)) as front:
        page = await panel(front, f"key=pk_1&origin={origin}")
        assert page.status == (200 if allowed else 403)
        if allowed:
            assert "frame-ancestors https://shop.example;" in page.headers["content-security-policy"]
        else:
            assert page.problem == "forbidden"


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://support.example", 200),  # the public address
        ("https://127.0.0.1:8700", 200),  # the address it was called by
        ("null", 403),
        ("https://shop.example", 403),  # may show the panel, and calls nothing itself
        ("https://support.example.evil.com", 403),
        ("https://support.example.", 403),
        ("https://support.example:8443", 403),
        ("HTTPS://SUPPORT.EXAMPLE", 403),
        ("http://support.example", 403),
        ("", 403),
    ],
)
async def test_p13_only_our_own_panel_calls_the_api(tmp_path: Path, origin: str, status: int) -> None:
    async with counter(tmp_path, origins=("https://shop.example",)) as front:
        noor = await Browser.of(front)
        answer = await front.send("GET", "/widget/v1/conversations", [*noor.headers, ("origin", origin)])
        assert answer.status == status
        assert not any(name.startswith("access-control") for name in answer.headers)


async def test_p12_a_place_that_was_never_reached_is_gone(noor: Browser) -> None:
    await noor.says("Hello")
    for path in ("messages", "events"):
        answer = await noor.call("GET", f"/conversations/{ID}/{path}?after=7")
        assert (answer.status, answer.problem) == (410, "gone")


async def test_the_loader_is_fresh_and_may_be_used_anywhere(front: Counter) -> None:
    loader = await front.send("GET", "/widget/loader.js")
    assert (loader.status, loader.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
    assert loader.headers["cross-origin-resource-policy"] == "cross-origin"
    assert "max-age=300" in loader.headers["cache-control"]
    assert len(loader.body) > 100


@pytest.mark.parametrize(
    "path",
    [
        "/widget/assets/none.js",
        "/widget/assets/..",
        "/widget/assets/../manifest.json",
        "/widget/manifest.json",
        "/widget/",
        "/widget/v1/moon",
    ],
)
async def test_there_is_nothing_else(front: Counter, path: str) -> None:
    answer = await front.send("GET", path)
    assert (answer.status, answer.problem) == (404, "not-found")


async def test_a_wrong_method_is_told_the_right_one(front: Counter) -> None:
    answer = await front.send("DELETE", f"/widget/v1/conversations/{ID}/messages")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, POST")


async def test_while_the_store_is_away_the_browser_comes_back(front: Counter, noor: Browser) -> None:
    await front.product.database.close()
    answer = await noor.says("Hello")
    assert (answer.status, answer.problem, answer.headers["retry-after"]) == (503, "unavailable", "3")


async def test_a_revoked_session_is_over_at_once(front: Counter, noor: Browser) -> None:
    digest = organisations.digest(noor.token)
    await front.write(lambda tx: tx.run("DELETE FROM visitor WHERE digest = :digest", digest=digest))
    assert (await noor.says("Hello")).status == 401
