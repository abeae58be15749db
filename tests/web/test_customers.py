"""What is kept about a customer is given out whole and taken away whole (T14, I18)."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from escalade.domain.model import ConversationId, Wish
from escalade.store.database import Tx
from tests.web.counter import ORGANISATION, Counter, counter

MARK = "marigold"  # planted wherever something of a customer's can stand
HERE = "/conversations/c-1"


@pytest.fixture
async def front(tmp_path: Path) -> AsyncIterator[Counter]:
    async with counter(tmp_path) as opened:
        yield opened


async def planted(front: Counter, *, live: str | None = None) -> None:
    """Open a conversation that has the mark in every place."""
    person = {"id": "noor", "name": f"Noor {MARK}", "email": f"{MARK}@example.com"}
    opened = {"id": "c-1", "customer": person, "context": {"order": f"{MARK} boots"}}
    assert (await front.api("POST", "/conversations", opened)).status == 201
    uploaded = await front.send(
        "POST",
        f"/api/v1{HERE}/files?name={MARK}.txt",
        [("authorization", "Bearer ek_1"), ("content-type", "text/plain")],
        f"{MARK} in a file".encode(),
    )
    assert uploaded.status == 201, uploaded.body
    said = {"id": "m-1", "text": f"My {MARK} is wilting", "attachments": [{"id": uploaded.json["id"]}]}
    assert (await front.api("POST", f"{HERE}/messages", said)).status == 201
    asked = {"mode": "live" if live else "ticket", "summary": f"{MARK} trouble", "note": f"a {MARK} note"}
    assert (await front.api("POST", f"{HERE}/escalate", asked)).status == 202
    handoff = (await front.conversation()).handoff
    assert handoff is not None

    def bruised(tx: Tx) -> None:
        """Leave what a long life leaves: answers of Zendesk, frozen requests, raw events."""
        first = tx.value("SELECT id FROM delivery WHERE lane = 'desk' ORDER BY id LIMIT 1")
        tx.run("UPDATE delivery SET frozen = :it, why = :it WHERE id = :id", it=f'{{"subject":"{MARK}"}}', id=first)
        tx.run(
            "INSERT INTO attempt (delivery, number, kind, verdict, detail, started_at)"
            " VALUES (:id, 1, 'send', 'uncertain', :it, 0)",
            id=first, it=f"Zendesk said: {MARK}",
        )  # fmt: skip
        tx.run(
            "INSERT INTO receipt (organisation, source, key, kind, conversation, handoff, body, state, received_at)"
            " VALUES ('org_1', 'zendesk', 'k', 'comment_added', 'c-1', :handoff, :it, 'settled', 0)",
            handoff=handoff.id, it=f'{{"body":"{MARK}"}}',
        )  # fmt: skip
        tx.run("UPDATE handoff SET ticket_id = '4711' WHERE id = :id", id=handoff.id)
        if live:
            tx.run(
                "INSERT INTO link (organisation, channel, kind, theirs, ours, handoff)"
                " VALUES ('org_1', 'sunshine', 'conversation', :live, :id, :id)",
                live=live, id=handoff.id,
            )  # fmt: skip

    await front.write(bruised)


async def rows(front: Counter) -> dict[str, list[Any]]:
    def read(tx: Tx) -> dict[str, list[Any]]:
        names = [row["name"] for row in tx.all("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: [tuple(row) for row in tx.all(f"SELECT * FROM {name}")] for name in names}

    return await front.read(read)


async def marked(front: Counter) -> list[str]:
    return [name for name, found in (await rows(front)).items() if MARK in repr(found)]


async def test_an_export_holds_all_of_it(front: Counter) -> None:
    await planted(front)
    assert {
        "message",
        "customer",
        "conversation",
        "handoff",
        "file",
        "file_piece",
        "delivery",
        "attempt",
        "receipt",
    } <= {*await marked(front)}
    answer = await front.api("GET", "/customers/noor/export")
    assert answer.status == 200
    given = answer.json
    assert given["customer"]["name"] == f"Noor {MARK}"
    (conversation,) = given["conversations"]
    assert conversation["context"] == {"order": f"{MARK} boots"}
    for kind in ("messages", "files", "handoffs", "receipts", "deliveries", "attempts"):
        assert MARK in repr(conversation[kind]), kind
    assert given["at_zendesk"] == [{"kind": "ticket", "id": "4711"}]


async def test_after_an_erasure_no_word_is_left(front: Counter) -> None:
    await planted(front)
    answer = await front.api("DELETE", "/customers/noor")
    assert (answer.status, answer.json) == (
        200,
        {"status": "erased", "conversations": 1, "at_zendesk": [{"kind": "ticket", "id": "4711", "state": "pending"}]},
    )
    assert await marked(front) == []
    assert "noor" not in repr(await rows(front))
    for path in (HERE, f"{HERE}/messages"):
        shown = await front.api("GET", path)
        assert MARK not in shown.body.decode()
        assert shown.status in {200, 404}


async def test_the_bare_rows_follow_when_nothing_is_under_way(front: Counter) -> None:
    await planted(front)
    await front.api("DELETE", "/customers/noor")
    await front.write(lambda tx: tx.run("UPDATE lane SET head = tail, due_at = NULL"))
    await front.product.upkeep.round()
    left = {name: found for name, found in (await rows(front)).items() if "c-1" in repr(found)}
    assert left == {}
    assert await front.read(lambda tx: tx.value("SELECT count(*) FROM customer")) == 0
    assert (await front.api("GET", HERE)).status == 404


async def test_what_zendesk_does_not_take_is_given_up_after_a_week(front: Counter) -> None:
    await planted(front)
    await front.api("DELETE", "/customers/noor")
    await front.product.upkeep.round()
    assert (await front.api("GET", HERE)).status == 200
    front.clock.passes(8 * 24 * 3600)
    await front.product.upkeep.round()
    assert (await front.api("GET", HERE)).status == 404


async def test_the_file_itself_holds_no_word(front: Counter, tmp_path: Path) -> None:
    await planted(front)
    assert MARK.encode() in (tmp_path / "escalade.db").read_bytes() + (tmp_path / "escalade.db-wal").read_bytes()
    await front.api("DELETE", "/customers/noor")
    connection = sqlite3.connect(tmp_path / "escalade.db")
    assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    connection.close()
    assert MARK.encode() not in (tmp_path / "escalade.db").read_bytes()
    assert MARK.encode() not in (tmp_path / "escalade.db-wal").read_bytes()


async def test_erasing_twice_is_the_same_as_once(front: Counter) -> None:
    await planted(front)
    await front.api("DELETE", "/customers/noor")
    again = await front.api("DELETE", "/customers/noor")
    assert (again.status, again.json) == (200, {"status": "erased", "conversations": 0, "at_zendesk": []})
    assert (await front.api("GET", "/customers/noor/export")).status == 404
    assert (await front.api("DELETE", "/customers/never-was")).status == 404
    assert await front.read(lambda tx: tx.value("SELECT count(*) FROM audit WHERE what = 'customer.erased'")) == 1
    assert "noor" not in repr((await rows(front))["audit"])


async def test_in_a_live_chat_the_agent_sees_the_customer_leave(front: Counter) -> None:
    await planted(front, live="sun-1")
    handoff = (await front.conversation()).handoff
    assert handoff is not None
    answer = await front.api("DELETE", "/customers/noor")
    assert {"kind": "sunshine conversation", "id": "sun-1", "state": "pending"} in answer.json["at_zendesk"]
    owed = await front.read(
        lambda tx: [(row["effect"], row["state"]) for row in tx.all("SELECT effect, state FROM delivery ORDER BY id")]
    )
    assert ("ReleaseControl", "pending") in owed
    assert {state for effect, state in owed if effect != "ReleaseControl"} == {"withdrawn"}
    assert (await front.api("GET", HERE)).json["status"] == "closed"


async def test_what_comes_in_late_is_not_kept(front: Counter) -> None:
    await front.handed_over("c-1", wish=Wish.TICKET, ticket="4711")
    customer = (await front.conversation()).customer.id
    await front.api("DELETE", f"/customers/{customer}")
    late = {
        "type": "zen:event-type:ticket.status_changed",
        "id": "event-late-1",
        "detail": {"id": "4711", "status": "SOLVED"},
        "event": {"previous": "OPEN", "current": "SOLVED"},
    }
    head = {"authorization": "Bearer wt_1", "fv-organisation-id": "org_1"}
    await front.call("POST", "/ai-agent/escalation/webhooks/zendesk/all", late, head)
    assert [m.text for m in await front.messages()] == []
    refused = await front.api("POST", f"{HERE}/messages", {"text": f"{MARK} again"})
    assert refused.status == 409
    assert await marked(front) == []


async def test_the_same_person_may_come_back(front: Counter) -> None:
    await planted(front)
    await front.api("DELETE", "/customers/noor")
    again = {"id": "c-2", "customer": {"id": "noor", "name": "Noor"}}
    assert (await front.api("POST", "/conversations", again)).status == 201
    said = await front.api("POST", "/conversations/c-2/messages", {"text": "Hello"})
    assert said.status == 201
    assert (await front.product.desk.load(ORGANISATION, ConversationId("c-2"))).customer.name == "Noor"
    export = (await front.api("GET", "/customers/noor/export")).json
    assert [one["id"] for one in export["conversations"]] == ["c-2"]


async def test_a_visitor_who_was_erased_is_signed_out(front: Counter) -> None:
    begun = await front.call("POST", "/widget/v1/sessions", {"key": "pk_1"})
    head = {"authorization": f"Bearer {begun.json['token']}"}
    await front.call("POST", "/widget/v1/conversations", {"id": "conversation-0001"}, head)
    await front.api("DELETE", f"/customers/{begun.json['customer']['id']}")
    assert (await front.call("GET", "/widget/v1/conversations", headers=head)).status == 401
