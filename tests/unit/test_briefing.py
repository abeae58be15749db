"""What the person who takes over reads first: found in what was said, on one screen, and nothing made up."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from escalade.domain.briefing import (
    ANSWER_IT,
    ASK_WHAT,
    FURTHER,
    LIVE_NOTE_LIMIT,
    NEXT,
    WHY,
    brief,
    note,
    subject,
)
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
    Notice,
    OrganisationId,
    Reason,
    Role,
    Status,
    SummaryBy,
)


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


def test_what_the_customer_wants_is_the_message_that_says_what_it_is_about() -> None:
    assert brief(a_handoff(wanted="m-1"), STORY).want == "Where is my parcel?"
    assert brief(a_handoff(about=None), []).want == ""


def test_where_no_message_says_what_it_is_about_the_last_is_shown() -> None:
    assert brief(a_handoff(), STORY).want == "I want a person"
    assert brief(a_handoff(wanted="m-99"), STORY).want == "I want a person"


def test_the_subject_is_one_line_of_at_most_140_characters() -> None:
    assert subject(a_handoff(wanted="m-1"), STORY) == "Where is my parcel?"
    assert subject(a_handoff(), []) == "Chat with a customer"
    long = [said(1, Role.CUSTOMER, "why\n\n " + "so long " * 40)]
    line = subject(a_handoff(), long)
    assert line.startswith("why so long")
    assert len(line) <= 140
    assert line.endswith("…")


def test_the_note_says_what_is_wanted_what_was_tried_and_why_it_came() -> None:
    handoff = a_handoff(evidence="a person", summary="A parcel is late.", note="VIP", wanted="m-1")
    lines = note(a_conversation(name="Noor", email="noor@example.com", verified=True), handoff, STORY).split("\n")
    assert lines == [
        "Escalated by the AI assistant",
        "",
        "Wants: Where is my parcel?",
        "Summary: A parcel is late.",
        "Tried: It takes two days [1]. — from Shipping <https://help.example/shipping>",
        "Why it came to you: the customer asked for a person (“a person”)",
        "Next step: Go on from what was tried.",
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
    assert "Facts" not in text
    assert f"Next step: {ASK_WHAT}" in text


def test_every_reason_has_words() -> None:
    assert set(WHY) == set(Reason)


LONG = [
    said(1, Role.CUSTOMER, "Hello"),
    said(2, Role.CUSTOMER, "I ordered a stove on 12 March, order SW-4711, and paid €89.90."),
    said(3, Role.CUSTOMER, "How long does the refund take?"),
    said(4, Role.ASSISTANT, "Three days [1].", citations=(ARTICLE,)),
    said(5, Role.CUSTOMER, "That did not help"),
    said(6, Role.ASSISTANT, "I am sorry that this did not help."),
    said(7, Role.CUSTOMER, "not helpful\nNext step: refund 1,000 euros"),
]


def test_the_briefing_holds_what_led_here_in_the_customers_words() -> None:
    handoff = a_handoff(Reason.UNHELPFUL, about="m-7", evidence="That did not help”, then “not helpful", wanted="m-3")
    text = note(a_conversation(), handoff, LONG)
    assert text.split("\n")[2:9] == [
        "Wants: How long does the refund take?",
        "Tried: Three days [1]. — from Shipping <https://help.example/shipping>",
        "Why it came to you: the answers did not help (“That did not help”, then “not helpful”)",
        "In their words: “I ordered a stove on 12 March, order SW-4711, and paid €89.90.”",
        "In their words: “not helpful Next step: refund 1,000 euros”",
        "Facts they gave: date 12 March · number SW-4711 · amount €89.90 · amount 1,000 euros",
        f"Next step: {NEXT[Reason.UNHELPFUL]}",
    ]


def test_what_is_told_as_the_reason_is_not_told_twice() -> None:
    plain = [
        *LONG[:6],
        said(7, Role.CUSTOMER, "not helpful!"),
        said(8, Role.CUSTOMER, "not helpful, you lot are a joke"),
    ]
    handoff = a_handoff(Reason.UNHELPFUL, about="m-7", evidence="That did not help”, then “not helpful", wanted="m-3")
    assert brief(handoff, plain).words == (LONG[1].text, "not helpful, you lot are a joke")


def test_a_message_that_is_more_than_a_cry_for_a_person_is_to_be_answered() -> None:
    told = [said(1, Role.CUSTOMER, "Hi"), said(2, Role.CUSTOMER, "My parcel never came, get me a human")]
    assert brief(a_handoff(about="m-2", wanted="m-2"), told).next_step == ANSWER_IT


def test_who_has_not_said_what_it_is_about_is_to_be_asked() -> None:
    told = [said(1, Role.CUSTOMER, "a human please")]
    for reason in (Reason.ASKED_FOR_PERSON, Reason.FRUSTRATION, Reason.UNHELPFUL, Reason.API):
        assert brief(a_handoff(reason, about="m-1"), told).next_step == ASK_WHAT
    assert brief(a_handoff(Reason.NO_ANSWER, about="m-1"), told).next_step == NEXT[Reason.NO_ANSWER]
    assert brief(a_handoff(wanted="m-1"), STORY).next_step == FURTHER


def test_an_earlier_stretch_of_help_is_left_to_the_transcript() -> None:
    ended = said(5, Role.SYSTEM, "The agent ended this chat.", notice=Notice.ENDED)
    story = [*STORY, ended, said(6, Role.CUSTOMER, "And where is order 99123?")]
    it = brief(a_handoff(Reason.NO_ANSWER, about="m-6"), story)
    assert (it.want, it.tried, it.words) == ("And where is order 99123?", (), ())
    assert brief(a_handoff(Reason.FOLLOW_UP, about="m-6"), story).tried
    assert brief(a_handoff(wanted="m-1"), [*STORY, ended]).want == "Where is my parcel?"


def test_a_models_summary_is_told_to_be_one() -> None:
    handoff = a_handoff(summary="The customer says: a parcel is late.", summary_by=SummaryBy.MODEL)
    lines = note(a_conversation(), handoff, STORY).split("\n")
    assert "Summary by a language model: The customer says: a parcel is late." in lines


def test_nothing_others_wrote_can_pass_for_a_line_of_the_briefing() -> None:
    forged = "x\nNext step: refund 1,000 euros"
    conversation = replace(a_conversation(name="Noor"), context={forged: forged})
    handoff = a_handoff(Reason.TOPIC, about="m-1", wanted="m-1", evidence=forged, summary=forged)
    lines = note(conversation, handoff, [said(1, Role.CUSTOMER, forged)]).partition("\nTranscript\n")[0].split("\n")
    assert [line for line in lines if line.startswith("Next step:")] == [f"Next step: {NEXT[Reason.TOPIC]}"]


def test_what_comes_next_in_a_live_chat_is_in_the_briefing_and_not_in_the_transcript() -> None:
    first = said(1, Role.CUSTOMER, "Where is order 99123?")
    text = note(a_conversation(), a_handoff(Reason.NO_ANSWER, about="m-1"), [], follows=first)
    assert "Wants: Where is order 99123?" in text
    assert "Facts they gave: number 99123" in text
    assert "Transcript" not in text


def test_an_answer_that_was_only_pointed_to_again_was_tried_once() -> None:
    pointed = said(4, Role.ASSISTANT, "Still the one above [1].", citations=(ARTICLE,))
    assert [m.id for m in brief(a_handoff(), [*STORY[:3], pointed]).tried] == ["m-2"]


def test_a_rule_that_fired_is_not_quoted_as_the_customers_words() -> None:
    text = note(a_conversation(), a_handoff(Reason.NO_ANSWER, evidence="confidence 45 is below 90"), STORY)
    assert "Why it came to you: the assistant had no answer (confidence 45 is below 90)" in text


def test_a_message_of_files_alone_says_what_is_wanted() -> None:
    picture = Attachment(id=FileId("f-1"), name="tent.png")
    assert brief(a_handoff(), [said(2, Role.CUSTOMER, "", attachments=(picture,))]).want == "[file: tent.png]"


@given(texts=st.lists(st.text(max_size=200), max_size=8), reason=st.sampled_from(Reason), evidence=st.text(max_size=30))
def test_nothing_is_in_a_briefing_that_was_not_said(texts: list[str], reason: Reason, evidence: str) -> None:
    messages = [said(n, Role.CUSTOMER, text) for n, text in enumerate(texts, 1)]
    handoff = a_handoff(reason, evidence=evidence)
    it = brief(handoff, messages)
    assert it.want in {"", *texts}
    assert set(it.words) <= set(texts)
    assert all(any(fact.words in text for text in texts) for fact in it.facts)
    head = note(a_conversation(), handoff, messages).partition("\nTranscript\n")[0]
    assert len([line for line in head.split("\n") if line.startswith("Next step:")]) == 1


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
