"""The sets that measure "does the customer ask for a person?" are complete, and what was reached on them is kept."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from escalade.assistant.intent import asks_for_person

SETS = Path(__file__).parents[2] / "evaluation" / "persons"
LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl", "pl")
LEAST = {  # of each kind in each language
    "dev": {"ask": 1_000, "hard": 650, "other": 450, "ordinary": 60},
    "test": {"ask": 99, "hard": 100, "ordinary": 200},
}
# What was reached, a language each: of those who ask how many are heard, and of the others how many are misheard.
# Of the test set only these figures are known. Whoever misses one looks at dev.csv and never at test.csv.
REACHED = {
    "en": (99, 2, 0),
    "de": (98, 0, 0),
    "fr": (98, 1, 0),
    "es": (96, 1, 0),
    "it": (95, 3, 0),
    "pt": (97, 3, 0),
    "nl": (96, 3, 0),
    "pl": (98, 1, 0),
}
LEARNT = 0.985  # of the development set, in each language; it has been learnt from it


def rows(name: str) -> list[tuple[str, str, str]]:
    """Return (language, kind, text) of each message of a set."""
    with (SETS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        header, *lines = csv.reader(file)
    assert header == ["language", "kind", "text"]
    return [(language, kind, text) for language, kind, text in lines]


@pytest.mark.parametrize("name", LEAST)
def test_every_language_has_its_share_of_every_kind(name: str) -> None:
    counted = Counter((language, kind) for language, kind, _ in rows(name))
    assert {kind for _, kind in counted} == set(LEAST[name])
    few = [(at, kind) for at in LANGUAGES for kind, least in LEAST[name].items() if counted[at, kind] < least]
    assert few == []


@pytest.mark.parametrize("name", LEAST)
def test_a_set_is_sorted_by_language_and_kind(name: str) -> None:
    places = [(LANGUAGES.index(language), kind) for language, kind, _ in rows(name)]
    assert places == sorted(places)


def test_no_text_is_there_twice() -> None:
    texts = Counter(text.casefold() for name in LEAST for _, _, text in rows(name))
    assert [text for text, times in texts.items() if times > 1] == []


def test_every_text_is_a_trimmed_line() -> None:
    texts = [text for name in LEAST for _, _, text in rows(name)]
    assert [text for text in texts if text != text.strip() or "\n" in text or not text] == []


def heard(name: str, language: str) -> Counter[str]:
    """Count in whom of a set a wish is heard."""
    return Counter(kind for spoken, kind, text in rows(name) if spoken == language and asks_for_person(text))


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_was_reached_is_kept(language: str) -> None:
    found, (asked, hard, ordinary) = heard("test", language), REACHED[language]
    kept = (found["ask"] >= asked, found["hard"] <= hard, found["ordinary"] <= ordinary)
    assert kept == (True, True, True), f"{language}: {dict(found)}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_was_learnt_from_is_heard(language: str) -> None:
    found = heard("dev", language)
    there = Counter(kind for spoken, kind, _ in rows("dev") if spoken == language)
    assert found["ask"] >= LEARNT * there["ask"]
    misheard = [kind for kind in ("hard", "other", "ordinary") if found[kind] > (1 - LEARNT) * there[kind]]
    assert misheard == []
