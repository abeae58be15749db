"""Sunshine Conversations' language, both ways, without a socket."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from escalade.channels import strict_json
from escalade.channels.base import Arrival, ArrivalKind, Heard
from escalade.channels.sunshine import wire
from escalade.channels.sunshine.webhook import SunshineEvent, arrival, controller, read, split, verify_key
from escalade.domain.errors import Invalid, Unverified
from escalade.domain.model import (
    Agent,
    AgentId,
    Attachment,
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
    Reason,
    Role,
)
from escalade.domain.organisation import TicketSettings

BATCH = Path(__file__).parent.parent / "payloads" / "sunshine" / "batch.json"
CONVERSATION = "67bf0000000000000000c0de"


def an_event(n: int, kind: str, **known: Any) -> SunshineEvent:
    defaults: dict[str, Any] = {
        "conversation_id": CONVERSATION,
        "message_id": None,
        "author_type": None,
        "handoff": "hof_1",
        "left_agents": False,
    }
    return SunshineEvent(kind=kind, event_id=f"67c0000000000000000e{n:04d}", **{**defaults, **known})


MEANING = (
    an_event(1, "conversation:message", message_id="67c00000000000000000beef", author_type="business"),
    an_event(2, "switchboard:releaseControl", left_agents=True),
    an_event(3, "switchboard:passControl", left_agents=True),
    an_event(4, "switchboard:passControl"),
    an_event(5, "switchboard:passControl:failure"),
    an_event(
        6,
        "conversation:message",
        conversation_id="foreign",
        message_id="67c00000000000000000beef",
        author_type="user",
        handoff=None,
    ),
    an_event(7, "user:merge", conversation_id=None, handoff=None),
    SunshineEvent(
        kind="unknown", event_id="odd", conversation_id=None, message_id=None, author_type=None, handoff=None,
        left_agents=False,
    ),
)  # fmt: skip


def test_a_batch_is_cut_into_events_and_each_is_read() -> None:
    events = split(strict_json.parse(BATCH.read_bytes()))
    assert tuple(read(event) for event in events) == MEANING


def test_events_are_put_in_common_words() -> None:
    arrived = [arrival(event) for event in MEANING]
    assert arrived[0] == Arrival(
        kind=ArrivalKind.MESSAGE_ADDED,
        key="67c0000000000000000e0001",
        conversation_id=CONVERSATION,
        message_id="67c00000000000000000beef",
        actor_type="business",
    )
    assert [one.kind for one in arrived] == [
        ArrivalKind.MESSAGE_ADDED,
        ArrivalKind.CONTROL_LEFT,
        ArrivalKind.CONTROL_LEFT,
        ArrivalKind.OTHER,
        ArrivalKind.OTHER,
        ArrivalKind.MESSAGE_ADDED,
        ArrivalKind.OTHER,
        ArrivalKind.OTHER,
    ]


@pytest.mark.parametrize(
    ("payload", "pointer"),
    [
        ([], ""),
        (None, ""),
        ({}, "/events"),
        ({"events": {}}, "/events"),
        ({"events": ["x"]}, "/events/0"),
        ({"events": [{"id": "a"}, {}]}, "/events/1"),
        ({"events": [{"id": 5}]}, "/events/0"),
        ({"events": [{"id": ""}]}, "/events/0"),
    ],
)
def test_what_is_no_batch_is_pointed_at(payload: object, pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        split(payload)
    assert refused.value.pointer == pointer


def test_an_empty_batch_is_one() -> None:
    assert split({"events": []}) == ()


@pytest.mark.parametrize("given", [None, "", "wrong", "tökén", "\udcff", "secret ", "Secret"])
def test_only_the_shared_key_opens(given: str | None) -> None:
    verify_key(["old", "secret"], "secret")
    with pytest.raises(Unverified):
        verify_key(["", "old", "secret"], given)
    with pytest.raises(Unverified):
        verify_key([], given)


# Out


def a_handoff() -> Handoff:
    return Handoff(id=HandoffId("hof_1"), mode=Mode.LIVE, state=HandoffState.REQUESTED, reason=Reason.API, asked_at=0)


def a_message(text: str) -> Message:
    return Message(
        id=MessageId("msg_1"), seq=1, role=Role.CUSTOMER, text=text, name=None, avatar_url=None, citations=(),
        attachments=(), notice=None, delivery=DeliveryView.PENDING, created_at=0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("customer", "profile"),
    [
        (Customer(id=CustomerId("c")), {}),
        (Customer(id=CustomerId("c"), name=" Mara "), {"givenName": "Mara"}),
        (
            Customer(id=CustomerId("c"), name="Mara van  Okafor", email="m@example.com", locale="de-AT"),
            {"givenName": "Mara", "surname": "van Okafor", "email": "m@example.com", "locale": "de-AT"},
        ),
        (Customer(id=CustomerId("c"), name="x" * 200, email="y" * 200), {"givenName": "x" * 128}),
    ],
)
def test_a_user_is_named_as_far_as_known(customer: Customer, profile: dict[str, str]) -> None:
    assert json.loads(wire.user_body(customer)) == {"externalId": "escalade:c", "profile": profile}


def test_a_conversation_says_whose_it_is_and_what_its_ticket_carries() -> None:
    settings = TicketSettings(tags=("ai", "chat"), custom_fields={"5": "x", "6": True, "7": None})
    assert json.loads(wire.conversation_body("u", a_handoff(), settings)) == {
        "type": "personal",
        "participants": [{"userId": "u", "subscribeSDKClient": False}],
        "metadata": {
            "bridge_session": "hof_1",
            "zen:ticket:tags": "ai, chat",
            "zen:ticket_field:5": "x",
            "zen:ticket_field:6": True,
        },
    }
    assert wire.conversation_metadata(a_handoff(), TicketSettings(tags=())) == {"bridge_session": "hof_1"}


def test_the_ticket_is_filled_with_flat_texts_that_fit() -> None:
    settings = TicketSettings(
        assignee_id=1, group_id=2, tags=("ai",), brand_id=3, priority="high", custom_fields={"5": True, "6": 7}
    )
    customer = Customer(id=CustomerId("c"), name="Mara", email="m@example.com")
    prefix = "dataCapture.systemField."
    assert wire.pass_metadata(customer, settings, "Invoice", "m1") == {
        "first_message_id": "m1",
        f"{prefix}requester.name": "Mara",
        f"{prefix}requester.email": "m@example.com",
        f"{prefix}tags": "ai",
        f"{prefix}group_id": "2",
        f"{prefix}assignee_id": "1",
        f"{prefix}brand_id": "3",
        f"{prefix}priority": "high",
        f"{prefix}subject": "Invoice",
        "dataCapture.ticketField.5": "true",
        "dataCapture.ticketField.6": "7",
    }
    nobody = wire.pass_metadata(Customer(id=CustomerId("c")), TicketSettings(tags=()), "", None)
    assert nobody == {}
    crowded = TicketSettings(tags=(), custom_fields={str(n): "é" * 200 for n in range(50)})
    kept = wire.pass_metadata(customer, crowded, "Invoice", "m1")
    assert len(json.dumps(kept, ensure_ascii=False, separators=(",", ":")).encode()) <= 4000
    assert kept[f"{prefix}requester.name"] == "Mara"
    assert 3 < len(kept) < 20


def test_control_and_seats_are_asked_for_by_name() -> None:
    assert json.loads(wire.control_body("seat")) == {"switchboardIntegration": "seat"}
    assert json.loads(wire.control_body("seat", {"a": "b"})) == {
        "switchboardIntegration": "seat",
        "metadata": {"a": "b"},
    }
    assert json.loads(wire.seat_body("int", None)) == {
        "name": "escalade",
        "integrationId": "int",
        "deliverStandbyEvents": True,
    }
    assert json.loads(wire.seat_body("int", "agents"))["nextSwitchboardIntegrationId"] == "agents"


def test_messages_are_marked_and_long_ones_split() -> None:
    assert wire.post_parts(a_message("hi")) == [wire.Part(mark="msg_1", text="hi")]
    parts = wire.post_parts(a_message("word " * 2000))
    assert [part.mark for part in parts] == ["msg_1:0", "msg_1:1", "msg_1:2"]
    assert "".join(part.text for part in parts) == "word " * 2000
    assert json.loads(wire.part_body(wire.customer_author("u"), wire.Part(mark="msg_1", text="hi"))) == {
        "author": {"type": "user", "userId": "u"},
        "content": {"type": "text", "text": "hi"},
        "metadata": {"bridge_msg": "msg_1"},
    }
    assert wire.context_mark(a_handoff(), 2) == "ctx:hof_1:2"
    assert json.loads(wire.part_body(wire.BUSINESS, wire.Part(mark="ctx:h:0", text="note")))["author"] == {
        "type": "business",
        "displayName": "Assistant",
    }


PICTURE = Attachment(id=FileId("f-1"), name='torn "tent".png', media_type="image/png")
PAPER = Attachment(id=FileId("0"), name="invoice.pdf", media_type="application/pdf")


def test_files_follow_the_words_each_with_a_mark_of_its_own() -> None:
    both = replace(a_message("Look"), attachments=(PICTURE, PAPER))
    assert wire.post_parts(both) == [
        wire.Part(mark="msg_1:0", text="Look"),
        wire.Part(mark="msg_1:1", file=PICTURE),
        wire.Part(mark="msg_1:2", file=PAPER),
    ]
    assert wire.post_parts(replace(both, text="")) == [
        wire.Part(mark="msg_1:0", file=PICTURE),
        wire.Part(mark="msg_1:1", file=PAPER),
    ]
    alone = replace(both, text="", attachments=(PAPER,))
    assert wire.post_parts(alone) == [wire.Part(mark="msg_1", file=PAPER)]
    context = wire.context_parts(a_handoff(), "Wants: a tent", [PICTURE, PAPER])
    assert [part.mark for part in context] == ["ctx:hof_1:0", "ctx:hof_1:f-1:file", "ctx:hof_1:0:file"]
    assert [wire.starts_context({"metadata": {"bridge_msg": part.mark}}) for part in context] == [True, False, False]


def test_a_picture_is_shown_a_paper_handed_over_and_what_is_refused_named() -> None:
    user = wire.customer_author("u")
    shown = json.loads(wire.file_body(user, wire.Part(mark="m", file=PICTURE), "https://z/1"))
    assert shown["content"] == {"type": "image", "mediaUrl": "https://z/1", "altText": PICTURE.name}
    paper = json.loads(wire.file_body(user, wire.Part(mark="m", file=PAPER), "https://z/2"))
    assert paper["content"]["type"] == "file"
    lost = wire.lost_body(user, wire.Part(mark="m", file=PAPER))
    assert "invoice.pdf" in json.loads(lost)["content"]["text"]
    assert wire.lost_in(lost) == "0"
    assert wire.lost_in(wire.part_body(user, wire.Part(mark="m", text="x"))) is None
    assert wire.place_of({"id": "1", **json.loads(lost)}) == wire.Place(id="1", lost=PAPER.id)
    strange: list[object] = [None, [], {}, {"id": 5}]
    assert [wire.place_of(odd) for odd in strange] == [None] * 4


def test_a_form_holds_one_file_whose_name_ends_nothing_early() -> None:
    kind, body = wire.form('a"\r\nX: y.png', "image/png", b"\x89PNG\r\n--")
    boundary = kind.partition("boundary=")[2]
    assert (
        body
        == (
            f'--{boundary}\r\nContent-Disposition: form-data; name="source"; filename="a%22%0D%0AX: y.png"\r\n'
            "Content-Type: image/png\r\n\r\n"
        ).encode()
        + b"\x89PNG\r\n--"
        + f"\r\n--{boundary}--\r\n".encode()
    )


# Back


def test_seats_are_found_by_what_they_are() -> None:
    seats = [
        "x",
        {"name": "escalade"},
        {"id": "1", "name": "zd-agentWorkspace", "integrationType": "zd:agentWorkspace"},
        {"id": "2", "name": "zd-answerBot", "integrationType": "zd:answerBot"},
        {"id": "3", "name": "escalade", "integrationType": "custom"},
    ]
    assert wire.read_seats(seats) == wire.Seats(ours="3", agents="1")
    assert wire.read_seats([]) == wire.Seats(ours=None, agents=None)


def test_marks_are_read_leniently() -> None:
    for odd in (None, "x", {}, {"metadata": None}, {"metadata": {"bridge_msg": 5}}):
        assert wire.mark_of(odd) is None
        assert not wire.starts_context(odd)
        assert wire.activity_of(odd) is None
        assert wire.received_at(odd) is None
    assert wire.starts_context({"metadata": {"bridge_msg": "ctx:hof_1:0"}})
    assert not wire.starts_context({"metadata": {"bridge_msg": "ctx:hof_1:10"}})
    assert wire.session_mark({"metadata": {"bridge_session": "hof_1"}}) == "hof_1"
    assert wire.received_at({"received": "2026-01-15T09:30:00.123Z"}) == 1768469400123
    assert wire.received_at({"received": "soon"}) is None
    assert controller({}) is None


def test_pages_are_turned_the_right_way_round() -> None:
    first, second = {"received": "2026-01-15T09:30:00.000Z"}, {"received": "2026-01-15T09:30:01.000Z"}
    assert wire.oldest_first([first, second]) == [first, second]
    assert wire.oldest_first([second, first]) == [first, second]
    assert wire.oldest_first([second, {}]) == [second, {}]
    assert wire.oldest_first([]) == []


def a_said(**changes: Any) -> dict[str, Any]:
    said: dict[str, Any] = {
        "id": "m1",
        "author": {"type": "business", "displayName": "Jonas Berg", "subtypes": ["agent"]},
        "content": {"type": "text", "text": "Hi"},
        "source": {"type": "zd:agentWorkspace"},
        "metadata": {"__zendesk_msg.agent.id": "36000000000123"},
    }
    return {**said, **changes}


JONAS = Agent(id=AgentId("36000000000123"), name="Jonas Berg")


@pytest.mark.parametrize(
    ("message", "heard"),
    [
        (a_said(), Heard(id="m1", ours=False, role=Role.AGENT, text="Hi", agent=JONAS)),
        (
            a_said(author={"type": "business", "displayName": "Jonas", "avatarUrl": "https://cdn.example.com/j.png"}),
            Heard(
                id="m1",
                ours=False,
                role=Role.AGENT,
                text="Hi",
                agent=Agent(id=AgentId("36000000000123"), name="Jonas", avatar_url="https://cdn.example.com/j.png"),
            ),
        ),
        (
            a_said(metadata={}, author={"type": "business", "subtypes": ["agent", 5], "avatarUrl": "javascript:x"}),
            Heard(id="m1", ours=False, role=Role.AGENT, text="Hi", agent=Agent(name="Agent")),
        ),
        (
            a_said(metadata={"bridge_msg": "m"}),
            Heard(id="m1", ours=True, role=Role.ASSISTANT, text="Hi", mark="m"),
        ),
        (a_said(source={"type": "api:conversations"}), Heard(id="m1", ours=True, role=Role.ASSISTANT, text="")),
        (a_said(author={"type": "user"}), Heard(id="m1", ours=True, role=Role.CUSTOMER, text="")),
        (a_said(activity={"type": "ticket:closed"}), None),
        (a_said(author={"type": "business", "subtypes": ["activity"]}), None),
        (a_said(source={"type": "zd:answerBot"}), Heard(id="m1", ours=False, role=Role.SYSTEM, text="Hi")),
        (
            a_said(author={"type": "business", "subtypes": ["bot"]}),
            Heard(id="m1", ours=False, role=Role.SYSTEM, text="Hi"),
        ),
        (
            a_said(metadata={"__zendesk_msg.agent.id": "__trigger"}),
            Heard(id="m1", ours=False, role=Role.SYSTEM, text="Hi"),
        ),
        (
            a_said(author={"type": "business", "displayName": "Automated Response", "subtypes": ["agent"]}),
            Heard(id="m1", ours=False, role=Role.SYSTEM, text="Hi"),
        ),
        (
            a_said(metadata={"type": "csat", "__zendesk_msg.agent.id": "1"}),
            Heard(id="m1", ours=False, role=Role.SYSTEM, text="Hi"),
        ),
        (a_said(metadata={}, author={"type": "business"}), Heard(id="m1", ours=False, role=Role.SYSTEM, text="Hi")),
        (a_said(source={"type": "whatsapp"}), Heard(id="m1", ours=False, role=Role.SYSTEM, text="Hi")),
        (a_said(id=None), None),
        ("x", None),
        ({"id": "m1"}, Heard(id="m1", ours=False, role=Role.SYSTEM, text="(unknown message: open Zendesk to see it)")),
    ],
)
def test_who_speaks_is_told_in_the_contracts_order(message: object, heard: Heard | None) -> None:
    assert wire.hear(message) == heard


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"type": "text", "text": "a\nb"}, "a\nb"),
        ({"type": "text", "htmlText": "<p>a &amp; b</p><b>c</b>"}, "a & b\nc"),
        (
            {"type": "text", "text": "Rate us", "actions": [{"type": "link", "text": "Here", "uri": "https://a.example"}]},
            "Rate us\n• Here: https://a.example",
        ),
        ({"type": "text", "text": "Pick", "actions": [{"type": "reply", "text": "Yes"}, "x", {}]}, "Pick\n• Yes"),
        ({"type": "image", "mediaUrl": "https://a.example/x.png"}, ""),
        ({"type": "file", "mediaUrl": "https://a.example/x.pdf", "text": "see"}, "see"),
        (
            {
                "type": "carousel",
                "items": [
                    {"title": "One", "description": "first", "actions": [{"text": "Buy", "uri": "https://a.example/1"}]},
                    {"title": "Two"},
                    {},
                    "x",
                ],
            },
            "One: first\n• Buy: https://a.example/1\nTwo",
        ),
        ({"type": "list", "items": None}, ""),
        ({"type": "form", "fields": [{"label": "Name"}, {"label": "Mail"}]}, "• Name\n• Mail"),
        (
            {
                "type": "formResponse",
                "fields": [{"label": "Name", "text": "Mara"}, {"label": "Mail", "email": "m@a.example"}],
            },
            "• Name: Mara\n• Mail: m@a.example",
        ),
        ({"type": "location", "coordinates": {"lat": 1.5, "long": 2}}, "(1.5, 2)"),
        ({"type": "template", "text": "known"}, "known"),
        ({"type": "hologram"}, "(hologram message: open Zendesk to see it)"),
        ({}, "(unknown message: open Zendesk to see it)"),
    ],
)  # fmt: skip
def test_no_content_is_dropped_because_it_is_not_known(content: dict[str, Any], text: str) -> None:
    assert wire.content_text(content) == text


def test_files_are_told_by_address() -> None:
    image = {"type": "image", "mediaUrl": "https://a.example/b/x.png?sig=1", "mediaType": "image/png"}
    heard = wire.hear(a_said(content=image))
    assert heard is not None
    assert heard.attachments == (
        Attachment(name="x.png", url="https://a.example/b/x.png?sig=1", media_type="image/png"),
    )
    heard = wire.hear(a_said(content={"type": "file", "mediaUrl": "https://a.example/", "altText": "invoice.pdf"}))
    assert heard is not None
    assert heard.attachments[0].name == "invoice.pdf"
    heard = wire.hear(a_said(content={"type": "file", "mediaUrl": "https://a.example/"}))
    assert heard is not None
    assert heard.attachments[0].name == "file"
