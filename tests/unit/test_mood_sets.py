"""The sets that measure "has the customer had enough, and did the answer help?", and what was reached on them."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from escalade.assistant.moods import says_unhelpful, sounds_fed_up

SETS = Path(__file__).parents[2] / "evaluation"
LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl", "pl")
KINDS = ("frustrated", "calm", "unhelped", "other")
COUNTS = {
    "dev": {"frustrated": 38, "calm": 28, "unhelped": 31, "other": 13},
    "test": {"frustrated": 24, "calm": 24, "unhelped": 17, "other": 14},
    "late": {"frustrated": 10, "calm": 5, "unhelped": 5},
}
# What was reached, a language each: how many of the frustrated are heard; of the calm and the ordinary, misheard; how
# many of the unhelped are heard; of the other and the ordinary, misheard. Whoever misses one looks at dev.csv alone.
REACHED = {
    "dev": {
        "en": (37, 0, 0, 31, 0, 0),
        "de": (36, 0, 0, 30, 0, 0),
        "fr": (36, 0, 0, 31, 0, 0),
        "es": (36, 0, 0, 31, 0, 0),
        "it": (36, 0, 0, 29, 0, 0),
        "pt": (34, 1, 0, 30, 0, 0),
        "nl": (38, 0, 0, 29, 0, 0),
        "pl": (37, 0, 0, 30, 0, 0),
    },
    "test": {
        "en": (24, 0, 0, 17, 0, 1),
        "de": (23, 1, 1, 17, 0, 0),
        "fr": (24, 1, 1, 17, 0, 2),
        "es": (24, 1, 0, 17, 0, 1),
        "it": (24, 2, 0, 17, 0, 1),
        "pt": (24, 1, 0, 17, 0, 1),
        "nl": (23, 1, 1, 16, 0, 1),
        "pl": (22, 1, 0, 17, 0, 0),
    },
    "late": {
        "en": (7, 1, 0, 2, 0, 0),
        "de": (5, 1, 0, 4, 0, 0),
        "fr": (6, 0, 0, 4, 0, 0),
        "es": (6, 0, 0, 2, 0, 0),
        "it": (7, 1, 0, 2, 0, 0),
        "pt": (7, 0, 0, 4, 0, 0),
        "nl": (5, 1, 0, 5, 0, 0),
        "pl": (6, 1, 0, 2, 0, 0),
    },
}


def rows(folder: str, name: str) -> list[tuple[str, str, str]]:
    """Return (language, kind, text) of each message of a set."""
    with (SETS / folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        header, *lines = csv.reader(file)
    assert header == ["language", "kind", "text"]
    return [(language, kind, text) for language, kind, text in lines]


def ordinary(name: str, language: str) -> list[str]:
    """Return the ordinary questions of the same split; those who ask for a person are measured on them, too."""
    if name == "late":
        return []
    return [text for spoken, kind, text in rows("persons", name) if (spoken, kind) == (language, "ordinary")]


@pytest.mark.parametrize("name", COUNTS)
def test_every_language_has_its_share_of_every_kind(name: str) -> None:
    counted = Counter((language, kind) for language, kind, _ in rows("moods", name))
    assert counted == {(language, kind): n for language in LANGUAGES for kind, n in COUNTS[name].items()}


@pytest.mark.parametrize("name", COUNTS)
def test_a_set_is_sorted_by_language_and_kind(name: str) -> None:
    places = [(LANGUAGES.index(language), KINDS.index(kind)) for language, kind, _ in rows("moods", name)]
    assert places == sorted(places)


def test_no_text_is_there_twice() -> None:
    texts = Counter((spoken, text.casefold()) for name in COUNTS for spoken, _, text in rows("moods", name))
    assert [text for text, times in texts.items() if times > 1] == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", COUNTS)
def test_what_was_reached_is_kept(name: str, language: str) -> None:
    said = [(kind, text) for spoken, kind, text in rows("moods", name) if spoken == language]
    fed_up = Counter(kind for kind, text in said if sounds_fed_up(text))
    unhelped = Counter(kind for kind, text in said if says_unhelpful(text))
    plain = ordinary(name, language)
    now = (
        fed_up["frustrated"],
        fed_up["calm"],
        sum(map(bool, map(sounds_fed_up, plain))),
        unhelped["unhelped"],
        unhelped["other"],
        sum(map(bool, map(says_unhelpful, plain))),
    )
    kept = REACHED[name][language]
    better = [
        one >= other if at in {0, 3} else one <= other for at, (one, other) in enumerate(zip(now, kept, strict=True))
    ]
    assert all(better), f"{name}, {language}: {now}"
