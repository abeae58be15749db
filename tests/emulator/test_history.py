"""What the emulator writes down: what agents see, whose it is, and never a text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torture.history import digest, malformed, read

from zendesk_emulator.emulator import Emulator
from zendesk_emulator.history import History
from zendesk_emulator.history import digest as digest_here
from zendesk_emulator.ports import production


@pytest.fixture(name="emulator")
def _emulator() -> Emulator:
    return Emulator(production())


def kinds(history: History, kind: str) -> list[dict[str, Any]]:
    return [fact for fact in history.facts if fact["k"] == kind]


def a_chat(emulator: Emulator) -> tuple[str, Any]:
    """Open a chat of the handoff `h1` and hand it to the agents; give its customer and conversation."""
    user = emulator.conversations.create_user({"externalId": "ada", "profile": {"givenName": "Ada"}})
    fields = {"type": "personal", "participants": [{"userId": user.id}], "metadata": {"bridge_session": "h1"}}
    conversation = emulator.conversations.create(fields)
    emulator.switchboard.pass_control(conversation, "zd-agentWorkspace", {})
    return user.id, conversation


def says(emulator: Emulator, conversation: Any, author: dict[str, str], text: str, mark: str | None = None) -> Any:
    body = {
        "author": author,
        "content": {"type": "text", "text": text},
        "metadata": {"bridge_msg": mark} if mark else {},
    }
    return emulator.conversations.post(conversation, body)


def test_a_chat_with_everyone_who_may_speak_in_it(emulator: Emulator) -> None:
    history = emulator.write_history()
    user, chat = a_chat(emulator)
    says(emulator, chat, {"type": "business", "displayName": "Assistant"}, "what was said", "ctx:h1:0")
    says(emulator, chat, {"type": "user", "userId": user}, "my tent is torn", "m1")
    ticket = emulator.desk.latest()
    emulator.desk.reply(ticket, emulator.desk.agent(), "let me see")
    emulator.desk.trigger_says(ticket, "we are busy")
    emulator.desk.note(ticket, emulator.desk.agent(), "difficult customer")
    emulator.desk.go_inactive(ticket)
    emulator.desk.become_active(ticket)
    emulator.desk.end_session(ticket, emulator.desk.agent())
    posts = [(fact["author"], fact["mid"], fact["h"]) for fact in kinds(history, "Z.post")]
    assert posts == [
        ("bot", "ctx:h1:0", digest("what was said")),
        ("customer", "m1", digest("my tent is torn")),
        ("agent", None, digest("let me see")),
        ("bot", None, digest("we are busy")),
    ]
    assert {(fact["handoff"], fact["at"], fact["list"]) for fact in kinds(history, "Z.post")} == {
        ("h1", "chat", chat.id)
    }
    assert [(fact["handoff"], fact["ticket"]) for fact in kinds(history, "Z.ticket")] == [("h1", str(ticket.id))]
    assert [fact["ending"] for fact in kinds(history, "Z.close")] == ["inactive", "by_agent"]
    assert [fact for fact in history.facts if malformed(fact)] == []
    assert [fact["n"] for fact in history.facts] == list(range(1, len(history.facts) + 1))


@given(st.text())
def test_a_text_has_the_same_digest_at_both_ends(text: str) -> None:
    assert digest_here(text) == digest(text)


def test_parts_grow_into_the_whole_text(emulator: Emulator) -> None:
    history = emulator.write_history()
    user, chat = a_chat(emulator)
    for part, text in enumerate(("one long ", "message in ", "parts")):
        says(emulator, chat, {"type": "user", "userId": user}, text, f"m1:{part}")
    grown = [digest(text) for text in ("one long", "one long message in", "one long message in parts")]
    assert [fact["h"] for fact in kinds(history, "Z.post")] == grown
    history.view()
    assert [entry[3] for entry in kinds(history, "Z.view")[0]["entries"]] == grown


def test_a_ticket_of_ours_with_comments_and_notes(emulator: Emulator) -> None:
    history = emulator.write_history()
    admin = emulator.desk.agent()
    opened = {
        "subject": "Torn",
        "external_id": "h2",
        "comment": {"html_body": "use {\u2060{code}}", "public": True},
        "requester": {"name": "Ada", "email": "ada@example.com"},
        "metadata": {"handoff": "h2", "bridge_msg": "m1"},
    }
    ticket, _ = emulator.tickets.create(opened, actor=admin)
    emulator.tickets.update(
        ticket.id,
        {"comment": {"html_body": "context", "public": False}, "metadata": {"bridge_msg": "note:h2"}},
        actor=admin,
    )
    emulator.desk.comment(ticket, admin, "which tent?")
    emulator.desk.set_status(ticket, admin, "solved")
    emulator.desk.set_status(ticket, admin, "closed")
    assert [(fact["author"], fact["mid"]) for fact in kinds(history, "Z.post")] == [
        ("customer", "m1"),
        ("note", "note:h2"),
        ("agent", None),
    ]
    assert kinds(history, "Z.post")[0]["h"] == digest("use {{code}}")
    assert [(fact["handoff"], fact["at"]) for fact in kinds(history, "Z.ticket")] == [("h2", "ticket")]
    assert [fact["ending"] for fact in kinds(history, "Z.close")] == ["solved", "closed"]
    history.view()
    view = kinds(history, "Z.view")[-1]
    assert (view["final"], [entry[0] for entry in view["entries"]]) == (True, [str(c.id) for c in ticket.comments])
    assert [fact for fact in history.facts if malformed(fact)] == []


def test_a_file_goes_on_where_it_was_and_ends_with_final_views(tmp_path: Path) -> None:
    path = tmp_path / "desk.jsonl"
    for _ in range(2):
        emulator = Emulator(production())
        history = emulator.write_history(path)
        user, chat = a_chat(emulator)
        says(emulator, chat, {"type": "user", "userId": user}, "a secret of mine", "m1")
        history.close()
    facts = list(read([path]))
    assert [fact["n"] for fact in facts] == list(range(1, len(facts) + 1))
    assert [fact["k"] for fact in facts].count("Z.view") == 2
    assert "secret" not in path.read_text()
    assert all(json.loads(line) for line in path.read_text().splitlines())
