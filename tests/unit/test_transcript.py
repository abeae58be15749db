"""What a person who takes over is told, and how a long text is cut without tearing a character."""

from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from escalade.domain.model import Attachment, DeliveryView, FileId, Message, MessageId, Role
from escalade.domain.transcript import LIVE_LIMIT, files, parts, spoken, words_of

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


def test_files_are_named_where_they_were_sent() -> None:
    picture = Attachment(id=FileId("f-1"), name="tent.png")
    story = [said(1, Role.CUSTOMER, "Look", attachments=(picture,)), said(2, Role.CUSTOMER, "", attachments=(picture,))]
    assert list(spoken(story)) == ["Customer: Look\n[file: tent.png]", "Customer: [file: tent.png]"]
    assert words_of(story[1]) == "[file: tent.png]"


def test_the_last_files_of_the_customer_are_passed_on() -> None:
    story = [
        said(n, role, "x", attachments=(Attachment(id=FileId(f"f-{n}"), name=f"{n}.png"),))
        for n, role in enumerate([Role.AGENT, *[Role.CUSTOMER] * 12])
    ]
    assert [file.id for file in files(story)] == [f"f-{n}" for n in range(3, 13)]


def test_each_line_says_who_spoke_and_notices_are_left_out() -> None:
    story = [
        said(1, Role.CUSTOMER, "A person"),
        said(2, Role.SYSTEM, "I am passing this to our team."),
        said(3, Role.AGENT, "On it.", name="Inès"),
        said(4, Role.AGENT, "Done."),
    ]
    assert list(spoken(story)) == ["Customer: A person", "Agent Inès: On it.", "Agent: Done."]
