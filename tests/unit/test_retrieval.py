"""Words are compared as the index compares them, and confidence falls with every word nobody has written about."""

from __future__ import annotations

import sqlite3
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escalade.assistant.confidence import confidence
from escalade.assistant.likeness import Likeness
from escalade.assistant.retrieval import Candidate, Passage, query_terms, rank
from escalade.assistant.words import stem, stems, words

_SAMPLE = """
caresses ponies ties caress cats feed agreed plastered motoring sing conflated troubled sized hopping falling hissing
fizzed failing filing happy sky relational conditional rational valenci digitizer conformabli radicalli vileli
vietnamization predication operator feudalism decisiveness hopefulness callousness formaliti sensitiviti triplicate
formative formalize electriciti electrical hopeful goodness revival allowance inference airliner gyroscopic adjustable
defensible irritant replacement adjustment dependent adoption homologou communism activate angulariti homologous
effective bowdlerize probate rate cease controll roll payments shipping deliveries cancelled returning oxen
"""
SAMPLE = _SAMPLE.split()


def test_stems_are_those_of_the_full_text_index() -> None:
    index = sqlite3.connect(":memory:")
    index.execute("CREATE VIRTUAL TABLE t USING fts5 (a, tokenize = 'porter unicode61 remove_diacritics 2')")
    index.execute("CREATE VIRTUAL TABLE v USING fts5vocab (t, 'instance')")
    index.executemany("INSERT INTO t VALUES (?)", [(word,) for word in SAMPLE])
    theirs = [row[0] for row in index.execute("SELECT term FROM v ORDER BY doc")]
    index.close()
    assert [stem(word) for word in SAMPLE] == theirs


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Größe, ÉTÉ & naïve", ["grosse", "ete", "naive"]),
        ("don't I’m", ["dont", "im"]),
        ("a-b_c/d", ["a", "b", "c", "d"]),
        ("😀 \x00 ★", []),
        ("", []),
    ],
)
def test_words_are_folded(text: str, parts: list[str]) -> None:
    assert words(text) == parts


@given(st.text())
def test_words_are_what_letters_and_digits_stand_together(text: str) -> None:
    """By the definition, sign for sign; the product goes a shorter way."""
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign)).casefold()
    joined = "".join(sign for sign in plain if sign not in "'\u2019\u02bc")
    assert words(text) == "".join(sign if sign.isalnum() else " " for sign in joined).split()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("How do I return an item?", ["return", "item"]),
        ("Returns and returning the returned", ["returns"]),
        ("and the of", []),
        ("pay the payment", ["pay"]),
        ('NEAR( "x" * ) AND NOT title:order', ["near", "title", "order"]),
    ],
)
def test_only_words_that_say_what_it_is_about_are_terms(text: str, found: list[str]) -> None:
    assert [term.word for term in query_terms(text)] == found


def test_who_sets_up_may_read_of_a_setup() -> None:
    (term,) = query_terms("how do I back up")
    assert "backup" in term.alternatives


@given(st.text(max_size=500))
def test_no_text_makes_terms_fail(text: str) -> None:
    assert len(query_terms(text)) <= 24
    stems(text)


def a_candidate(title: str, text: str, *, heading: str = "", lead: str = "") -> Candidate:
    return Candidate(
        document=title, source_id=title, title=title, url=None, heading=heading, text=text, lead=lead or text[:100]
    )


SHOP = (
    a_candidate("Cancel an order", "You can cancel an order until it is packed."),
    a_candidate("Return an item", "You can return an item within 30 days. An order can be returned in part."),
    a_candidate("Gift cards", "Buy a gift card for any amount."),
)


def found(text: str, frequencies: dict[str, int] | None = None) -> list[Passage]:
    terms = query_terms(text)
    known = {root for candidate in SHOP for root in stems(f"{candidate.title} {candidate.text}")}
    counts = [(frequencies or {}).get(term.word, 1 if term.stems & known else 0) for term in terms]
    return rank(terms, SHOP, total=30, frequencies=counts, limit=3)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("How do I cancel my order?", "Cancel an order"),
        ("return an item", "Return an item"),
        ("gift cards", "Gift cards"),
    ],
)
def test_the_passage_about_the_question_comes_first(text: str, title: str) -> None:
    passages = found(text)
    assert passages[0].title == title
    assert confidence(passages) >= 90


@pytest.mark.parametrize(
    "text", ["How do I cancel my passport?", "Can I return a car?", "order of magnitude", "bitcoin gift"]
)
def test_a_word_nobody_wrote_about_takes_the_confidence(text: str) -> None:
    assert confidence(found(text)) < 90


def test_the_score_lies_between_nothing_and_one() -> None:
    for passage in found("cancel order"):
        assert 0 <= passage.score <= 1


def test_nothing_found_is_no_confidence() -> None:
    assert confidence([]) == 0
    assert rank((), SHOP, total=3, frequencies=(), limit=3) == []
    assert rank(query_terms("order"), SHOP, total=0, frequencies=(0,), limit=3) == []


def test_an_article_whose_title_shares_nothing_is_never_certain() -> None:
    aside = a_candidate("Loyalty points", "If you return what you bought, the points go back.", heading="Expiry")
    passages = rank(query_terms("return what I bought"), [aside], total=30, frequencies=(1, 1), limit=1)
    assert passages[0].coverage == 1
    assert confidence(passages) < 90


@pytest.mark.parametrize(("rival", "sure"), [(0.3, True), (0.6, False), (0.7, False)])
def test_an_answer_is_surer_the_further_its_sentence_is_ahead_of_another_article(rival: float, sure: bool) -> None:
    def passage(document: str, score: float, sentence: float) -> Passage:
        return Passage(
            document=document,
            source_id=document,
            title="T",
            url=None,
            heading="",
            text="",
            score=score,
            coverage=1,
            focus=1,
            likeness=Likeness(title=0.5, heading=0.5, sentence=sentence, at=0),
        )

    best, beside = passage("a", 0.45, 0.6), passage("a", 0.44, 0.6)
    alone = confidence([best])
    assert confidence([best, beside, passage("b", 0.1, rival)]) <= alone, "a passage of its own is no rival"
    assert (confidence([best, beside, passage("b", 0.1, rival)]) >= 85) == sure
