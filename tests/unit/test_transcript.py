"""What a person who takes over is told, and how a long text is cut without tearing a character."""

from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from escalade.domain.model import (
    Attachment,
    Citation,
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
from escalade.domain.transcript import (
    LIVE_LIMIT,
    LIVE_NOTE_LIMIT,
    WHY,
    files,
    note,
    parts,
    spoken,
    subject,
    want,
    words_of,
)

FAMILY = "👨‍👩‍👧‍👦"
GERMANY, WALES, HEART = "🇩🇪", "🏴󠁧󠁢󠁷󠁬󠁳󠁿", "❤️‍🔥"
PLAIN = ["a", "ß", "각", "क्ष", "。", "é", "e\u0301", "a\u0308\u0323", "नि", "👍🏽", "☺️", FAMILY, GERMANY, WALES, HEART]
CLUSTERS = [" ", "\n", "\r\n", *PLAIN]


def units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


# parts


@given(text=st.text(), limit=st.integers(2, 50))
def test_the_parts_joined_together_are_the_text(text: str, limit: int) -> None:
    found = parts(text, limit)
    assert "".join(found) == text
    assert all(units(part) <= limit for part in found)
    assert all(found) or text == ""


@given(clusters=st.lists(st.sampled_from(CLUSTERS)), limit=st.integers(16, 40))
@example(clusters=["a", *[GERMANY] * 30], limit=16)
@example(clusters=[*["a"] * 9, " ", "e\u0301", *["a"] * 9], limit=16)
def test_no_part_ends_inside_a_character_a_person_sees(clusters: list[str], limit: int) -> None:
    ends = set(accumulate(len(cluster) for cluster in clusters))
    cuts = set(accumulate(len(part) for part in parts("".join(clusters), limit)))
    assert cuts - {0} <= ends


@pytest.mark.parametrize("cluster", PLAIN)
@pytest.mark.parametrize("lead", ["", "a"])
def test_four_thousand_of_anything_reach_zendesk_whole(cluster: str, lead: str) -> None:
    text = lead + cluster * (8000 // len(cluster))
    found = parts(text)
    assert "".join(found) == text
    assert all(units(part) <= LIVE_LIMIT for part in found)
    for part in found[1:]:
        assert part.startswith(cluster)


def test_a_text_that_fits_is_one_part() -> None:
    assert parts("") == [""]
    assert parts("x" * LIVE_LIMIT) == ["x" * LIVE_LIMIT]
    assert [len(part) for part in parts("x" * (LIVE_LIMIT + 1))] == [LIVE_LIMIT, 1]
    assert [units(part) for part in parts("😀" * 2049)] == [4096, 2]


def test_a_line_is_a_better_place_to_cut_than_a_word_and_a_word_than_a_letter() -> None:
    assert parts("one two\nthree four", 12) == ["one two\n", "three four"]
    assert parts("one two three four", 12) == ["one two ", "three four"]
    assert parts("onetwothreefour", 12) == ["onetwothreef", "our"]


def test_a_character_larger_than_a_part_is_cut_where_nothing_better_is() -> None:
    zalgo = "a" + "\u0301" * 30
    assert "".join(parts(zalgo, 8)) == zalgo
    assert all(units(part) <= 8 for part in parts(zalgo, 8))


# words for the agent


def said(n: int, role: Role, text: str, **more: object) -> Message:
    facts: dict[str, object] = {
        "name": None, "avatar_url": None, "citations": (), "attachments": (), "notice": None,
        "delivery": DeliveryView.NONE, "created_at": 0,
    } | more  # fmt: skip
    return Message(id=MessageId(f"m-{n}"), seq=n, role=role, text=text, **facts)  # type: ignore[arg-type]


ARTICLE = Citation(n=1, title="Shipping", url="https://help.example/shipping", source_id="shipping.md")
STORY = [
    said(1, Role.CUSTOMER, "Where is my parcel?"),
    said(2, Role.ASSISTANT, "It takes\ntwo days [1].", citations=(ARTICLE,)),
    said(3, Role.CUSTOMER, "I want a person"),
    said(4, Role.SYSTEM, "I am passing this to our team."),
]


def a_conversation(**customer: object) -> Conversation:
    return Conversation(
        id=ConversationId("c-1"),
        organisation=OrganisationId("org_1"),
        customer=Customer(id=CustomerId("cu-1"), **customer),  # type: ignore[arg-type]
        status=Status.OPEN,
        control=Control.PENDING,
        created_at=0,
        updated_at=0,
        context={"page": "/cart", "build": 7},
    )


def a_handoff(reason: Reason = Reason.ASKED_FOR_PERSON, about: str | None = "m-3", **more: object) -> Handoff:
    return Handoff(
        id=HandoffId("hof_1"),
        mode=Mode.TICKET,
        state=HandoffState.REQUESTED,
        reason=reason,
        asked_at=0,
        about=None if about is None else MessageId(about),
        **more,  # type: ignore[arg-type]
    )


def test_what_the_customer_wants_is_the_question_before_the_cry_for_a_person() -> None:
    assert want(a_handoff(), STORY) == "Where is my parcel?"
    assert want(a_handoff(Reason.NO_ANSWER), STORY) == "I want a person"
    assert want(a_handoff(about="m-1"), STORY[:1]) == "Where is my parcel?"
    assert want(a_handoff(about=None), []) == ""


def test_the_subject_is_one_line_of_at_most_140_characters() -> None:
    assert subject(a_conversation(), a_handoff(), STORY) == "Where is my parcel?"
    assert subject(a_conversation(), a_handoff(), []) == "Chat with a customer"
    long = [said(1, Role.CUSTOMER, "why\n\n " + "so long " * 40)]
    line = subject(a_conversation(), a_handoff(), long)
    assert line.startswith("why so long")
    assert len(line) <= 140
    assert line.endswith("…")


def test_the_note_says_what_is_wanted_what_was_tried_and_why_it_came() -> None:
    handoff = a_handoff(evidence="a person", summary="A parcel is late.", note="VIP")
    lines = note(a_conversation(name="Noor", email="noor@example.com", verified=True), handoff, STORY).split("\n")
    assert lines == [
        "Escalated by the AI assistant",
        "",
        "Wants: Where is my parcel?",
        "Summary: A parcel is late.",
        "Why it came to you: the customer asked for a person (“a person”)",
        "Tried: It takes two days [1]. — from Shipping <https://help.example/shipping>",
        "Customer: Noor, noor@example.com (verified)",
        "build: 7",
        "page: /cart",
        "",
        "VIP",
        "",
        "Transcript",
        "Customer: Where is my parcel?",
        "Assistant (AI): It takes",
        "two days [1].",
        "Customer: I want a person",
    ]


def test_the_note_does_not_claim_what_is_not_known() -> None:
    text = note(a_conversation(), a_handoff(Reason.API, about=None), [])
    assert "Wants" not in text
    assert "Transcript" not in text
    assert "Customer: no name given, no address given (not verified)" in text
    assert "Tried" not in text
    assert "Summary" not in text


def test_every_reason_has_words() -> None:
    assert set(WHY) == set(Reason)


def test_a_note_that_is_too_long_keeps_what_was_said_last_and_counts_the_rest() -> None:
    endless = [said(n, Role.CUSTOMER, f"{n} " + "x" * 4000) for n in range(1, 41)]
    text = note(a_conversation(), a_handoff(), endless)
    assert len(text) <= LIVE_NOTE_LIMIT + 60
    assert "… 26 earlier messages are in Escalade.\nCustomer: 27 x" in text
    assert f"Customer: 40 {'x' * 4000}" in text
    whole = note(a_conversation(), a_handoff(), endless, limit=600_000)
    assert all(f"Customer: {n} x" in whole for n in range(1, 41))
    assert "earlier messages" not in whole


def test_one_message_longer_than_the_note_is_shown_by_its_end() -> None:
    text = note(a_conversation(), a_handoff(), [said(1, Role.AGENT, "x" * 70_000 + "the end")])
    assert "… 1 earlier messages are in Escalade." in text
    assert text.endswith("xthe end")


def test_files_are_named_where_they_were_sent() -> None:
    picture = Attachment(id=FileId("f-1"), name="tent.png")
    story = [said(1, Role.CUSTOMER, "Look", attachments=(picture,)), said(2, Role.CUSTOMER, "", attachments=(picture,))]
    assert list(spoken(story)) == ["Customer: Look\n[file: tent.png]", "Customer: [file: tent.png]"]
    assert words_of(story[1]) == want(a_handoff(), story[1:]) == "[file: tent.png]"


def test_the_last_files_of_the_customer_are_passed_on() -> None:
    story = [
        said(n, role, "x", attachments=(Attachment(id=FileId(f"f-{n}"), name=f"{n}.png"),))
        for n, role in enumerate([Role.AGENT, *[Role.CUSTOMER] * 12])
    ]
    assert [file.id for file in files(story)] == [f"f-{n}" for n in range(3, 13)]


def test_each_line_says_who_spoke_and_notices_are_left_out() -> None:
    story = [*STORY, said(5, Role.AGENT, "On it.", name="Inès"), said(6, Role.AGENT, "Done.")]
    assert list(spoken(story))[-2:] == ["Agent Inès: On it.", "Agent: Done."]
    assert not any("passing this" in line for line in spoken(story))
