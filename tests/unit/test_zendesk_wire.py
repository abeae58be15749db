"""Zendesk Support's language, both ways, without a socket: payloads with their meaning beside them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from escalade.channels import strict_json
from escalade.channels.base import Arrival, ArrivalKind, Heard, Job
from escalade.channels.zendesk import staffing, wire
from escalade.channels.zendesk.webhook import (
    STATIC_TEST_SECRET,
    AssignmentChanged,
    CommentAdded,
    ConversationClosed,
    Inbound,
    MessageAdded,
    NotRendered,
    Other,
    StatusChanged,
    arrival,
    read_instant,
    read_webhook,
    verify_signature,
)
from escalade.domain.effects import OpenTicket
from escalade.domain.errors import Invalid, Refused, Retryable, Unverified
from escalade.domain.model import (
    Agent,
    AgentId,
    Attachment,
    Control,
    Conversation,
    ConversationId,
    Customer,
    CustomerId,
    DeliveryView,
    FileId,
    Handoff,
    HandoffId,
    HandoffState,
    Message,
    MessageId,
    Mode,
    OrganisationId,
    Reason,
    Role,
    Status,
)
from escalade.domain.organisation import TicketSettings

PAYLOADS = Path(__file__).parent.parent / "payloads" / "zendesk"
ACCOUNT = "18500042"
EVENT = "0b6c7a52-8f3e-4f41-9d0a-6c1f2e3d4b5a"
AT = 1772443211987

MEANING: dict[str, Inbound] = {
    "message_added_by_agent": MessageAdded(
        event_id="01KTR6B23G65XY9HMFCRX19C9A",
        ticket_id="4711",
        conversation_id="67ab0000000000000000c0de",
        message_id="67ab0000000000000000beef",
        actor_type="agent",
        actor_id="36000000000123",
        actor_name="Jonas Berg",
        body="Hi Mara, let me look.",
        account_id=ACCOUNT,
        at=1772443211265,
    ),
    "message_added_without_conversation": MessageAdded(
        event_id="01KTR6B23G65XY9HMFCRX19C9B",
        ticket_id="4711",
        conversation_id=None,
        message_id="67ab0000000000000000bee1",
        actor_type="end_user",
        actor_id="67ab0000000000000000a11c",
        actor_name="Web User",
        body="my parcel",
        account_id=ACCOUNT,
        at=1772443211000,
    ),
    "message_added_without_text": MessageAdded(
        event_id="01KTR6B23G65XY9HMFCRX19C9C",
        ticket_id="4711",
        conversation_id=None,
        message_id=None,
        actor_type="system",
        actor_id="zd:answerBot",
        actor_name="Bot",
        body="",
        account_id=ACCOUNT,
        at=AT,
    ),
    "status_changed": StatusChanged(event_id=EVENT, ticket_id="4711", current="solved", account_id=ACCOUNT, at=AT),
    "assigned": AssignmentChanged(
        event_id=EVENT, ticket_id="4711", agent_id="36000000000123", previous_id=None, account_id=ACCOUNT, at=AT
    ),
    "assigned_by_number": AssignmentChanged(
        event_id=EVENT,
        ticket_id="4711",
        agent_id="36000000000124",
        previous_id="36000000000123",
        account_id=ACCOUNT,
        at=AT,
    ),
    "unassigned": AssignmentChanged(
        event_id=EVENT, ticket_id="4711", agent_id=None, previous_id="36000000000123", account_id=ACCOUNT, at=AT
    ),
    "comment_added": CommentAdded(
        event_id=EVENT,
        ticket_id="4711",
        comment_id="36000000000901",
        body="Looking into it.",
        is_public=True,
        is_staff=True,
        author_id="36000000000123",
        author_name="Jonas Berg",
        account_id=ACCOUNT,
        at=AT,
    ),
    "note_added": CommentAdded(
        event_id=EVENT,
        ticket_id="4711",
        comment_id="36000000000902",
        body="between us",
        is_public=False,
        is_staff=True,
        author_id="36000000000123",
        author_name="Jonas Berg",
        account_id=ACCOUNT,
        at=AT,
    ),
    "unknown_event": Other(
        kind="zen:event-type:ticket.something_new", event_id=EVENT, ticket_id="4711", account_id=ACCOUNT
    ),
    "trigger_documented": ConversationClosed(ticket_id="4711"),
    "trigger_mended": ConversationClosed(ticket_id="4711"),
    "trigger_not_rendered": NotRendered(),
}


def test_every_payload_has_its_meaning_beside_it() -> None:
    assert {path.stem for path in PAYLOADS.glob("*.json")} == MEANING.keys()


@pytest.mark.parametrize("name", MEANING)
def test_a_payload_is_read_for_what_it_means(name: str) -> None:
    document, tolerated = strict_json.parse_lenient((PAYLOADS / f"{name}.json").read_bytes())
    assert read_webhook(document) == MEANING[name]
    assert tolerated == (name in {"trigger_documented", "trigger_not_rendered"})


@pytest.mark.parametrize(
    "id",
    ["", "0", "-1", "1e3", "1_000", "١٢٣", "１２", " 12\n", "12\n", "12; DROP TABLE", "../12", str(10**25), "00",
     True, False, None, [1], {}, 0, -5, 1.0],
)  # fmt: skip
def test_a_ticket_id_is_digits_and_nothing_else(id: object) -> None:
    with pytest.raises(Invalid) as refused:
        read_webhook({"type": "fv:conversation_closed", "ticket_id": id})
    assert refused.value.pointer == "/ticket_id"


@pytest.mark.parametrize(
    ("payload", "pointer"),
    [
        ([], ""),
        ("x", ""),
        (1, ""),
        (None, ""),
        ({}, "/type"),
        ({"type": 1}, "/type"),
        ({"type": ""}, "/type"),
        ({"type": "fv:conversation_closed"}, "/ticket_id"),
        ({"type": "zen:event-type:ticket.status_changed"}, "/id"),
        ({"type": "ticket.status_changed", "id": "e", "event": []}, "/event"),
        ({"type": "ticket.status_changed", "id": "e", "event": {}, "detail": {"id": "x"}}, "/detail/id"),
        ({"type": "ticket.status_changed", "id": "e", "event": {}, "detail": []}, "/detail/id"),
        ({"type": "ticket.status_changed", "id": "e", "event": {}, "detail": {"id": "1"}}, "/event/current"),
    ],
)
def test_what_cannot_be_read_is_pointed_at(payload: object, pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_webhook(payload)
    assert refused.value.pointer == pointer


def test_the_ticket_is_found_in_the_subject_too() -> None:
    event = {"type": "ticket.status_changed", "id": "e", "subject": "zen:ticket:12", "event": {"current": "OPEN"}}
    assert read_webhook(event) == StatusChanged(event_id="e", ticket_id="12", current="open", account_id=None)


def test_an_unknown_kind_is_never_an_error() -> None:
    assert read_webhook({"type": "fv:other", "id": 5, "subject": "zen:user:3"}) == Other(kind="fv:other")
    assert read_webhook({"type": "x" * 500}) == Other(kind="x" * 128)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-01-15T09:30:00Z", 1768469400000),
        ("2026-01-15T09:30:00.1Z", 1768469400100),
        ("2026-01-15T09:30:00.987654321Z", 1768469400987),
        ("2026-01-15t09:30:00.12z", 1768469400120),
        ("2026-01-15T10:30:00.000+01:00", 1768469400000),
        ("2026-01-15 10:30:00 +0100", 1768469400000),
        ("2026-01-15T09:30:00", None),
        ("2026-13-15T09:30:00Z", None),
        ("2026-01-15T09:30:00.1234567890Z", None),
        ("٢٠٢٦-01-15T09:30:00Z", None),
        ("yesterday", None),
        ("", None),
        ("0001-01-01T00:00:00+14:00", None),
    ],
)
def test_an_instant_has_up_to_nine_digits_of_fraction(text: str, instant: int | None) -> None:
    assert read_instant(text) == instant


# Signatures

SIGNED_AT = "2026-01-15T09:30:00Z"
NOW = 1768469400000
TRIGGER = b'{ "ticket_id": "42", "type": "fv:conversation_closed", }'
VECTOR = "oFqQDd8pIdPglpZ3DHKALmS8+NSqwdw++xe8TVoioIM="
EMPTY_VECTOR = "WruCHKQVc8FGDQ3dPYQtjLehCTbP3+MZvtPrHaKH+fA="


def sign(secret: str, timestamp: str, body: bytes) -> str:
    return base64.b64encode(hmac.new(secret.encode(), timestamp.encode() + body, hashlib.sha256).digest()).decode()


def test_the_documented_vectors_verify_in_development() -> None:
    for body, signature in ((TRIGGER, VECTOR), (b"", EMPTY_VECTOR)):
        assert verify_signature([STATIC_TEST_SECRET], SIGNED_AT, body, signature, NOW, development=True) == NOW


def test_the_secret_everyone_knows_is_worth_nothing_in_production() -> None:
    with pytest.raises(Unverified):
        verify_signature([STATIC_TEST_SECRET], SIGNED_AT, TRIGGER, VECTOR, NOW)
    real = sign("real", SIGNED_AT, TRIGGER)
    assert verify_signature(["", STATIC_TEST_SECRET, "old", "real"], SIGNED_AT, TRIGGER, real, NOW) == NOW


@pytest.mark.parametrize(
    ("timestamp", "body", "signature"),
    [
        (SIGNED_AT, TRIGGER.replace(b" ", b""), sign("real", SIGNED_AT, TRIGGER)),
        ("2026-01-15T09:30:01Z", TRIGGER, sign("real", SIGNED_AT, TRIGGER)),
        (SIGNED_AT, TRIGGER, ""),
        (SIGNED_AT, TRIGGER, "tökén 😀"),
        (SIGNED_AT, TRIGGER, "\udcff"),
        ("\udcff", TRIGGER, sign("real", SIGNED_AT, TRIGGER)),
        (SIGNED_AT, TRIGGER, sign("real", "", TRIGGER + SIGNED_AT.encode())),
        (SIGNED_AT, TRIGGER, sign("real", SIGNED_AT, TRIGGER).lower()),
        (SIGNED_AT, TRIGGER, sign("wrong", SIGNED_AT, TRIGGER)),
    ],
)
def test_anything_else_is_not_genuine(timestamp: str, body: bytes, signature: str) -> None:
    with pytest.raises(Unverified) as refused:
        verify_signature(["real"], timestamp, body, signature, NOW)
    assert refused.value.code == "signature"


@pytest.mark.parametrize("minutes", [16, -16])
def test_a_signature_is_good_for_a_quarter_of_an_hour(minutes: int) -> None:
    signature = sign("real", SIGNED_AT, TRIGGER)
    with pytest.raises(Unverified) as refused:
        verify_signature(["real"], SIGNED_AT, TRIGGER, signature, NOW + minutes * 60_000)
    assert refused.value.code == "stale"
    assert verify_signature(["real"], SIGNED_AT, TRIGGER, signature, NOW + minutes * 50_000) == NOW
    with pytest.raises(Unverified, match="quarter"):
        verify_signature(["real"], "soon", TRIGGER, sign("real", "soon", TRIGGER), NOW)


# In the words of all channels


@pytest.mark.parametrize(
    ("name", "arrived"),
    [
        (
            "message_added_by_agent",
            Arrival(
                kind=ArrivalKind.MESSAGE_ADDED,
                key="01KTR6B23G65XY9HMFCRX19C9A",
                ticket_id="4711",
                conversation_id="67ab0000000000000000c0de",
                message_id="67ab0000000000000000beef",
                actor_type="agent",
                agent_id="36000000000123",
                agent_name="Jonas Berg",
                text="Hi Mara, let me look.",
                sent_at=5,
            ),
        ),
        (
            "message_added_without_conversation",
            Arrival(
                kind=ArrivalKind.MESSAGE_ADDED,
                key="01KTR6B23G65XY9HMFCRX19C9B",
                ticket_id="4711",
                message_id="67ab0000000000000000bee1",
                actor_type="end_user",
                text="my parcel",
                sent_at=5,
            ),
        ),
        (
            "status_changed",
            Arrival(kind=ArrivalKind.STATUS_CHANGED, key=EVENT, ticket_id="4711", status="solved", sent_at=5),
        ),
        (
            "assigned",
            Arrival(
                kind=ArrivalKind.ASSIGNMENT_CHANGED, key=EVENT, ticket_id="4711", agent_id="36000000000123", sent_at=5
            ),
        ),
        (
            "comment_added",
            Arrival(
                kind=ArrivalKind.COMMENT_ADDED,
                key=EVENT,
                ticket_id="4711",
                message_id="36000000000901",
                actor_type="agent",
                agent_id="36000000000123",
                agent_name="Jonas Berg",
                text="Looking into it.",
                sent_at=5,
            ),
        ),
        ("trigger_documented", Arrival(kind=ArrivalKind.SESSION_END, key="inv", ticket_id="4711", sent_at=5)),
        ("trigger_not_rendered", Arrival(kind=ArrivalKind.OTHER, key="inv", sent_at=5)),
        ("unknown_event", Arrival(kind=ArrivalKind.OTHER, key=EVENT, ticket_id="4711", sent_at=5)),
    ],
)
def test_an_event_is_put_in_common_words(name: str, arrived: Arrival) -> None:
    assert arrival(MEANING[name], delivery="inv", sent_at=5) == arrived


def test_a_notes_words_go_nowhere() -> None:
    arrived = arrival(MEANING["note_added"], delivery="inv")
    assert arrived.kind is ArrivalKind.OTHER
    assert arrived.text == ""
    assert "between us" not in repr(arrived)
    assert arrival(Other(kind="x"), delivery="inv").key == "inv"
    customer = CommentAdded(
        event_id="e", ticket_id="1", comment_id="2", body="b", is_public=True, is_staff=False, author_id="3",
        author_name="Mara", account_id=None,
    )  # fmt: skip
    assert arrival(customer, delivery="inv").agent_id is None


# Words that must arrive as written


@given(st.text(alphabet=st.sampled_from("{%}\u2060a \n<&>\"'é😀")))
@example("{{ticket.requester.email}}")
@example("{\u2060{x}}")
@example("{{{% raw %}}}")
def test_neutral_text_holds_no_template_and_can_be_restored(text: str) -> None:
    inert = wire.neutral(text)
    assert "{{" not in inert
    assert "{%" not in inert
    assert wire.restored(inert) == text
    assert inert.replace("\u2060", "") == text.replace("\u2060", "")


@given(st.text(alphabet=st.sampled_from("{%}a \n<&>\"'é😀"), max_size=60))
def test_html_shows_the_text_as_it_was_written(text: str) -> None:
    markup = wire.as_html(text)
    assert not re.sub(r"<br>", "", markup).count("<")
    assert wire.restored(html.unescape(markup.replace("<br>", "\n"))) == text


def test_lines_and_indents_are_kept() -> None:
    assert wire.as_html("a\r\n  b\rc") == "a<br>&nbsp; b<br>c"
    assert wire.as_html("<script>&\"'") == "&lt;script&gt;&amp;&quot;&#x27;"


@pytest.mark.parametrize("char", ["a", "é", "😀", "&", "<", "\n"])
def test_a_comment_is_cut_where_zendesk_would_cut_it_and_says_so(char: str) -> None:
    markup = wire.as_html(char * 70_000)
    kept = wire.fitted(markup)
    assert len(kept.encode()) <= wire.COMMENT_LIMIT
    assert kept.endswith(wire.CUT)
    body = kept.removesuffix(wire.CUT)
    assert markup.startswith(body)
    assert not re.search(r"&[^;]*\Z|<[^>]*\Z", body)
    assert wire.fitted("short") == "short"


# Out


def a_handoff() -> Handoff:
    return Handoff(id=HandoffId("hof_1"), mode=Mode.TICKET, state=HandoffState.REQUESTED, reason=Reason.API, asked_at=0)


def a_message(text: str) -> Message:
    return Message(
        id=MessageId("msg_1"), seq=1, role=Role.CUSTOMER, text=text, name=None, avatar_url=None, citations=(),
        attachments=(), notice=None, delivery=DeliveryView.PENDING, created_at=0,
    )  # fmt: skip


def a_job(customer: Customer | None = None, message: Message | None = None) -> Job:
    handoff = a_handoff()
    conversation = Conversation(
        id=ConversationId("con_1"), organisation=OrganisationId("org_1"), status=Status.OPEN, control=Control.PENDING,
        customer=customer or Customer(id=CustomerId("cus_1")), created_at=0, updated_at=0, handoff=handoff,
    )  # fmt: skip
    transcript = (message,) if message else ()
    return Job(
        key="k", effect=OpenTicket(handoff=handoff.id), conversation=conversation, links={}, message=message,
        transcript=transcript,
    )  # fmt: skip


def test_a_plain_ticket_carries_nothing_that_was_not_chosen() -> None:
    body = json.loads(wire.ticket_body(a_job(), a_handoff(), TicketSettings(tags=())))["ticket"]
    assert body == {
        "subject": "Chat with a customer",
        "comment": {"html_body": "Chat with a customer", "public": True},
        "requester": {"name": "Visitor"},
        "external_id": "hof_1",
        "metadata": {"handoff": "hof_1", "conversation": "con_1"},
    }


def test_a_ticket_carries_everything_that_was() -> None:
    settings = TicketSettings(
        assignee_id=1, group_id=2, tags=("a", "b"), form_id=3, brand_id=4, priority="urgent",
        custom_fields={"5": "x", "6": True, "seven": None},
    )  # fmt: skip
    job = a_job(message=a_message("Where is {{it}}?"))
    first, second = (wire.ticket_body(job, a_handoff(), settings) for _ in range(2))
    assert first == second
    body = json.loads(first)["ticket"]
    assert body["comment"]["html_body"] == "Where is {\u2060{it}}?"
    assert body["subject"] == "Where is {\u2060{it}}?"
    assert (body["assignee_id"], body["group_id"], body["ticket_form_id"], body["brand_id"]) == (1, 2, 3, 4)
    assert (body["priority"], body["tags"]) == ("urgent", ["a", "b"])
    assert body["custom_fields"] == [
        {"id": 5, "value": "x"},
        {"id": 6, "value": True},
        {"id": "seven", "value": None},
    ]
    assert body["metadata"]["bridge_msg"] == "msg_1"


@pytest.mark.parametrize(
    ("name", "email", "requester"),
    [
        (None, None, {"name": "Visitor"}),
        ("  Mara \n Okafor ", None, {"name": "Mara Okafor"}),
        ("Mara", "m@example.com", {"name": "Mara", "email": "m@example.com"}),
        (None, "m.o@example.com", {"name": "m.o", "email": "m.o@example.com"}),
        ("{{x}}" + "y" * 400, None, {"name": "{\u2060{x}}" + "y" * 245}),
    ],
)
def test_a_requester_is_named_as_well_as_we_can(name: str | None, email: str | None, requester: dict[str, str]) -> None:
    assert wire.requester(Customer(id=CustomerId("c"), name=name, email=email)) == requester


@pytest.mark.parametrize(("status", "reopens"), [("new", False), ("open", False), ("pending", True), ("solved", True)])
def test_a_post_reopens_what_rests(status: str, reopens: bool) -> None:
    ticket = wire.Ticket(id="1", status=status, updated_at="2026-01-15T09:30:00Z")
    body = json.loads(wire.post_body(a_message("x"), "77", ticket))["ticket"]
    assert body == {
        "comment": {"html_body": "x", "public": True, "author_id": 77},
        "metadata": {"bridge_msg": "msg_1"},
        **({"status": "open"} if reopens else {}),
    }
    careful = json.loads(wire.post_body(a_message("x"), None, ticket, careful=True))["ticket"]
    assert careful["safe_update"] is True
    assert careful["updated_stamp"] == "2026-01-15T09:30:00Z"
    assert "author_id" not in careful["comment"]
    undated = wire.post_body(a_message("x"), None, replace(ticket, updated_at=""), careful=True)
    assert "safe_update" not in undated


def test_a_post_is_never_cut() -> None:
    with pytest.raises(Refused, match="longer than Zendesk takes"):
        wire.post_body(a_message("&" * 20_000), None, wire.Ticket(id="1", status="open"))


def test_a_note_is_internal_and_marked_and_never_cut() -> None:
    text = " ".join(f"\n{{{{{n}}}}} 'é' <b>&" for n in range(12_000))
    job = a_job(message=a_message(text))
    parts = wire.note_parts(job, a_handoff())
    assert [mark for mark, _ in parts][:3] == ["note:hof_1", "note:hof_1:1", "note:hof_1:2"]
    assert text in "".join(part for _, part in parts)
    for mark, part in parts:
        body = json.loads(wire.note_body(part, mark))["ticket"]
        assert body["comment"]["public"] is False
        assert len(body["comment"]["html_body"].encode()) <= wire.COMMENT_LIMIT
        assert wire.CUT not in body["comment"]["html_body"]
        assert body["metadata"] == {"bridge_msg": mark}
    assert json.loads(wire.requester_body(job.conversation.customer)) == {"ticket": {"requester": {"name": "Visitor"}}}


def test_files_wait_behind_a_token_and_those_refused_are_named_and_remembered() -> None:
    paper = Attachment(id=FileId("f-2"), name="plan <1>.pdf")
    message = replace(a_message("Look"), attachments=(Attachment(id=FileId("f-1"), name="a.png"), paper))
    uploads = wire.Uploads(token="tok", lost=(paper,))
    body = json.loads(wire.post_body(message, None, wire.Ticket(id="1", status="open"), uploads))["ticket"]
    assert body["comment"]["uploads"] == ["tok"]
    line = "[The customer sent a file, plan &lt;1&gt;.pdf, that could not be delivered here.]"
    assert body["comment"]["html_body"].replace("&nbsp;", " ") == f"Look<br>{line}"
    assert body["metadata"] == {"bridge_msg": "msg_1", "bridge_lost": "f-2"}
    alone = json.loads(wire.post_body(replace(message, text=""), None, wire.Ticket(id="1", status="open")))["ticket"]
    assert alone["comment"]["html_body"] == "[file: a.png]<br>[file: plan &lt;1&gt;.pdf]"
    assert wire.lost_in({"metadata": {"custom": body["metadata"]}}) == ("f-2",)
    assert wire.lost_in({"metadata": {"custom": {"bridge_msg": "x"}}}) == ()
    assert wire.lost_in("x") == ()
    assert wire.upload_token({"upload": {"token": "tok"}}) == "tok"
    for odd in ({}, {"upload": None}, {"upload": {"token": 5}}, {"upload": {"token": ""}}):
        assert wire.upload_token(odd) is None


# Back


@pytest.mark.parametrize("found", [None, [], "x", {}, {"id": None}, {"id": 0}, {"id": True}])
def test_what_is_no_record_is_nothing(found: object) -> None:
    assert wire.read_ticket(found) is None
    assert wire.read_person(found) is None


def test_a_record_is_read_leniently() -> None:
    assert wire.read_ticket({"id": 7}) == wire.Ticket(id="7", status="")
    assert wire.read_ticket({"id": "7", "status": "OPEN", "requester_id": 5, "external_id": 3}) == wire.Ticket(
        id="7", status="open", requester_id="5", external_id="3"
    )
    photo = {"content_url": "https://cdn.example.com/a.png"}
    person = wire.read_person({"id": 1, "name": "Jonas Berg", "alias": "Jonas", "role": "agent", "photo": photo})
    assert person is not None
    assert person.as_agent() == Agent(id=AgentId("1"), name="Jonas", avatar_url="https://cdn.example.com/a.png")
    plain = wire.read_person({"id": 1, "role": "end-user", "email": "a@b.example", "remote_photo_url": "http://x/y"})
    assert plain == wire.Person(id="1", name="", role="end-user", email="a@b.example")
    assert not plain.is_staff
    assert plain.as_agent().name == "Agent"


def test_audits_lead_to_comments() -> None:
    audit = {"id": 1, "events": ["x", {"type": "Change", "id": 2}, {"type": "Comment", "id": 3}]}
    assert wire.comment_id(audit) == "3"
    assert wire.comment_id({"events": None}) is None
    assert wire.comment_id(None) is None
    marked = {**audit, "metadata": {"custom": {"bridge_msg": "msg_1"}}}
    assert wire.mark_of(marked) == "msg_1"
    others: list[object] = ["x", {}, {"metadata": {}}, {"metadata": {"custom": {"bridge_msg": 5}}}]
    assert [wire.mark_of(other) for other in others] == [None] * 4


JONAS = wire.Person(id="9", name="Jonas", role="agent")
MARA = wire.Person(id="5", name="Mara", role="end-user")


@pytest.mark.parametrize(
    ("comment", "heard"),
    [
        ({"id": 1, "public": False, "author_id": 9, "body": "between us"}, None),
        ({"id": 1, "author_id": 9, "body": "unclear"}, None),
        ({"public": True, "author_id": 9}, None),
        ("x", None),
        (
            {"id": 1, "public": True, "author_id": 9, "body": "Hi {\u2060{x}}"},
            Heard(id="1", ours=False, role=Role.AGENT, text="Hi {{x}}", agent=JONAS.as_agent()),
        ),
        (
            {"id": 1, "public": True, "author_id": 9, "body": "x", "metadata": {"custom": {"bridge_msg": "m"}}},
            Heard(id="1", ours=True, role=Role.AGENT, text="x", agent=JONAS.as_agent()),
        ),
        (
            {"id": 1, "public": True, "author_id": 5, "body": "me"},
            Heard(id="1", ours=True, role=Role.CUSTOMER, text="me"),
        ),
        ({"id": 1, "public": True, "author_id": 7}, Heard(id="1", ours=True, role=Role.CUSTOMER, text="")),
        (
            {"id": 1, "public": True, "author_id": -1, "plain_body": "closed soon"},
            Heard(id="1", ours=False, role=Role.SYSTEM, text="closed soon"),
        ),
        (
            {
                "id": 1,
                "public": True,
                "author_id": 9,
                "body": "",
                "attachments": [
                    {"file_name": "a.pdf", "content_url": "https://a.example/a.pdf", "content_type": "application/pdf"},
                    {"content_url": "https://a.example/b"},
                    {"file_name": "no address"},
                    "x",
                ],
            },
            Heard(
                id="1",
                ours=False,
                role=Role.AGENT,
                text="",
                agent=JONAS.as_agent(),
                attachments=(
                    Attachment(name="a.pdf", url="https://a.example/a.pdf", media_type="application/pdf"),
                    Attachment(name="file", url="https://a.example/b"),
                ),
            ),
        ),
    ],
)
def test_only_what_staff_say_in_public_is_heard(comment: object, heard: Heard | None) -> None:
    assert wire.hear(comment, ["5", None], {"9": JONAS, "5": MARA}) == heard


def test_an_agent_who_is_the_requester_is_the_customer_here() -> None:
    heard = wire.hear({"id": 1, "public": True, "author_id": 9, "body": "x"}, ["9"], {"9": JONAS})
    assert heard is not None
    assert heard.ours


# Who is there


def a_page(status: str = "online", taken: object = 0, room: object = 3, groups: object = (1,)) -> dict[str, Any]:
    channel = {"name": "messaging", "status": status, "max_capacity": room, "work_item_count": taken}
    return {
        "data": [
            {
                "attributes": {"agent_id": 1, "group_ids": list(groups) if isinstance(groups, tuple) else groups},
                "relationships": {"channels": {"data": [{"id": "c1"}, {"id": "c2"}, "x"]}},
            }
        ],
        "included": [
            {"type": "channels", "id": "c1", "attributes": {"name": "voice", "status": "online"}},
            {"type": "channels", "id": "c2", "attributes": channel},
            {"type": "channels", "id": "c3"},
            {"type": "other", "id": "c4", "attributes": {}},
        ],
    }


@pytest.mark.parametrize(
    ("page", "group", "free"),
    [
        (a_page(), None, True),
        (a_page(), 1, True),
        (a_page(), 2, False),
        (a_page(groups=None), 1, False),
        (a_page(status="away"), None, False),
        (a_page(status="transfers_only"), None, False),
        (a_page(taken=3), None, False),
        (a_page(taken=None), None, True),
        (a_page(room=None), None, True),
        ({"data": [{"relationships": []}]}, None, False),
        ({"data": [{"attributes": None}]}, 1, False),
    ],
)
def test_live_is_staffed_when_someone_online_has_room(page: dict[str, Any], group: int | None, free: bool) -> None:
    assert staffing.has_room(page, group) is free


@pytest.mark.parametrize("page", [{}, {"data": "x", "included": None}])
def test_an_answer_without_its_list_says_nothing_about_who_is_there(page: dict[str, Any]) -> None:
    with pytest.raises(Retryable, match="shows no data"):
        staffing.has_room(page, None)
