"""The evaluation sets are what their README says: counts, articles that exist, honest splits, enough unanswerable."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SETS = ROOT / "evaluation"
INTENTS = SETS / "shop" / "intents.csv"
UTTERANCES = ROOT.parent / "shared" / "eval" / "customer-utterances.csv"
# Left without an article on purpose, as the README says.
UNANSWERED = {"check_cancellation_fee", "review", "switch_account"}


@dataclass(frozen=True)
class Collection:
    """A help centre with its questions, and what is promised of them."""

    questions: Path
    articles: Path
    articles_at_least: int
    questions_at_least: int
    each_at_least: int
    words: tuple[int, int]
    splits: frozenset[str]


FERRIES = Collection(
    questions=SETS / "ferries" / "questions.csv",
    articles=SETS / "ferries" / "articles",
    articles_at_least=34,
    questions_at_least=360,
    each_at_least=4,
    words=(150, 450),
    splits=frozenset({"test"}),
)
SHOP = Collection(
    questions=SETS / "shop" / "questions.csv",
    articles=ROOT / "src" / "escalade" / "demo" / "articles",
    articles_at_least=42,
    questions_at_least=160,
    each_at_least=2,
    words=(80, 250),
    splits=frozenset({"dev", "test"}),
)
BOTH = pytest.mark.parametrize("collection", [FERRIES, SHOP], ids=["ferries", "shop"])


def table(path: Path, *header: str) -> list[list[str]]:
    """Return the lines of a file below the header it must have, each as long as that header."""
    with path.open(encoding="utf-8", newline="") as file:
        first, *lines = csv.reader(file)
    assert first == list(header)
    assert [line for line in lines if len(line) != len(header)] == []
    return lines


def questions(collection: Collection) -> list[list[str]]:
    return table(collection.questions, "question", "article", "split")


def names(cell: str) -> list[str]:
    """Return the articles a cell names; none for an empty cell."""
    return cell.split("|") if cell else []


def plain(text: str) -> str:
    """Return the words alone, so that case and punctuation make no second question of one."""
    return " ".join(re.findall(r"\w+", text.casefold()))


@BOTH
def test_there_are_as_many_articles_and_questions_as_promised(collection: Collection) -> None:
    assert len(list(collection.articles.glob("*.md"))) >= collection.articles_at_least
    assert len(questions(collection)) >= collection.questions_at_least


@BOTH
def test_an_article_has_one_title_sections_and_a_fair_length(collection: Collection) -> None:
    least, most = collection.words
    for path in collection.articles.glob("*.md"):
        text = path.read_text(encoding="utf-8")
        assert text.startswith("# "), path.name
        assert len(re.findall(r"^# ", text, re.MULTILINE)) == 1, path.name
        assert "\n## " in text, path.name
        assert least <= len(text.split()) <= most, path.name


@BOTH
def test_every_article_that_is_named_exists(collection: Collection) -> None:
    there = {path.name for path in collection.articles.glob("*.md")}
    assert {name for _, cell, _ in questions(collection) for name in names(cell)} - there == set()


@BOTH
def test_every_article_is_asked_about(collection: Collection) -> None:
    asked = Counter(name for _, cell, _ in questions(collection) for name in names(cell))
    rarely = [path.name for path in collection.articles.glob("*.md") if asked[path.name] < collection.each_at_least]
    assert rarely == []


@BOTH
def test_a_third_of_the_questions_is_answered_nowhere(collection: Collection) -> None:
    for split in collection.splits:
        cells = [cell for _, cell, half in questions(collection) if half == split]
        assert 0.32 <= cells.count("") / len(cells) <= 0.37


@BOTH
def test_no_question_is_there_twice_or_repeats_a_heading(collection: Collection) -> None:
    asked = Counter(plain(question) for question, _, _ in questions(collection))
    assert [question for question, times in asked.items() if times > 1 or not question] == []
    headings = {
        plain(line)
        for path in collection.articles.glob("*.md")
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.startswith("#")
    }
    assert headings & set(asked) == set()


@BOTH
def test_every_question_is_a_trimmed_line(collection: Collection) -> None:
    texts = [question for question, _, _ in questions(collection)]
    assert [text for text in texts if text != text.strip() or "\n" in text] == []


@BOTH
def test_nothing_is_in_a_split_that_it_should_not_be_in(collection: Collection) -> None:
    assert {split for _, _, split in questions(collection)} == collection.splits


def test_the_shops_halves_are_equal_and_both_ask_about_every_article() -> None:
    halves = Counter(split for _, _, split in questions(SHOP))
    assert halves["dev"] == halves["test"]
    for split in SHOP.splits:
        asked = {name for _, cell, half in questions(SHOP) if half == split for name in names(cell)}
        assert asked == {path.name for path in SHOP.articles.glob("*.md")}


def test_an_intent_leads_to_articles_that_exist_or_to_a_person() -> None:
    there = {path.name for path in SHOP.articles.glob("*.md")} | {"person"}
    rows = table(INTENTS, "intent", "article", "split")
    assert {name for _, cell, _ in rows for name in names(cell)} - there == set()
    assert {split for _, _, split in rows} == {"both"}
    assert {intent for intent, cell, _ in rows if not cell} == UNANSWERED


@pytest.mark.skipif(not UTTERANCES.exists(), reason="the customers' utterances are not beside this checkout")
def test_every_intent_of_the_customers_is_mapped_once() -> None:
    intents = Counter(intent for intent, _, _ in table(INTENTS, "intent", "article", "split"))
    with UTTERANCES.open(encoding="utf-8", newline="") as file:
        assert intents == Counter({row["intent"] for row in csv.DictReader(file)})
