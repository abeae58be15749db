"""The words and shapes that make a wish to reach a person: each has its reason, and none says two things."""

from __future__ import annotations

import random
import re
import time
from pathlib import Path

import pytest

from escalade.assistant.grammar import SHAPES, Shape
from escalade.assistant.intent import asks_for_person, wish_in
from escalade.assistant.lexicon import ROLES, TONGUES, WISHES, entries, spellings
from escalade.assistant.slips import Slips

FILES = sorted(TONGUES.glob("*.toml"))


def spoken(text: str) -> list[str]:
    """Return the names of the languages a text may be in, the likeliest first."""
    return [tongue.name for tongue in WISHES.likely(WISHES.tokens(text)[0])]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.example)
def test_every_shape_is_there_for_its_example(shape: Shape) -> None:
    words, places = WISHES.tokens(shape.example)
    assert any(shape.pattern.search(tongue.hear(words, places).roles) for tongue in WISHES.likely(words))
    assert wish_in(shape.example)


def test_every_role_a_shape_names_is_a_role() -> None:
    named = "".join(re.sub(r"\{[\d,]+\}|\(\?<?[=!:]", "", shape.pattern.pattern) for shape in SHAPES)
    assert set(re.findall("[A-Za-z&]", named)) <= set(ROLES.values())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_entry_of_a_language_has_one_role(path: Path) -> None:
    roles: dict[tuple[str, ...], set[str]] = {}
    for key, listed in entries(path).items():
        assert set(key.split("+")) <= set(ROLES)
        for entry in listed.replace("\n", " ").split(","):
            assert entry.strip(), key
            for phrase in spellings(entry):
                roles.setdefault(phrase, set()).add(key)
    assert {phrase: keys for phrase, keys in roles.items() if len(keys) > 1} == {}


def test_eight_languages_are_known() -> None:
    assert [path.stem for path in FILES] == ["de", "en", "es", "fr", "it", "nl", "pl", "pt"]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Where can I see what I paid for the last order?", "en"),
        ("Wo sehe ich, was ich für die letzte Bestellung bezahlt habe?", "de"),
        ("Onde vejo quanto paguei pela minha última encomenda?", "pt"),
        ("Gdzie mogę zobaczyć, ile zapłaciłem za ostatnie zamówienie?", "pl"),
    ],
)
def test_a_text_is_heard_in_the_language_it_is_in(text: str, language: str) -> None:
    assert language in spoken(text)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("agnet", "agent"),  # swapped
        ("agentt", "agent"),  # doubled
        ("agen", "agent"),  # left out
        ("agemt", "agent"),  # beside it
        ("tlak", "talk"),
        ("talc", ""),  # a short word is not guessed at
        ("reprasentatve", "representative"),  # two slips in a long one
        ("gadget", ""),
        ("x" * 500, ""),
    ],
)
def test_a_slip_of_the_finger_is_forgiven(written: str, meant: str) -> None:
    assert Slips(["agent", "talk", "representative"]).meant(written) == meant


def test_of_two_words_that_may_be_meant_the_likely_one_is() -> None:
    assert Slips(["prison", "person"], unlikely=["person"]).meant("prson") == "prison"
    assert Slips(["prison", "person"], unlikely=["prison"]).meant("prson") == "person"


def test_what_is_quoted_is_not_the_customers_own() -> None:
    assert asks_for_person('The "talk to an agent" button is blue') == ""
    assert asks_for_person('"talk to an agent"') == "talk to an agent"


def a_long_text() -> str:
    drawn = random.Random(7)
    return " ".join("".join(drawn.choice("abcdeimnorst") for _ in range(drawn.randint(2, 11))) for _ in range(600))


@pytest.mark.parametrize(
    "text",
    ["Where is my parcel, and when will it come? " * 100, "a human who " * 400, "not to a bot " * 400, a_long_text()],
)
def test_four_thousand_letters_take_milliseconds(text: str) -> None:
    taken = []
    for _ in range(5):
        began = time.process_time()
        asks_for_person(text[:4_000])
        taken.append(time.process_time() - began)
    assert min(taken) < 0.02  # 2 to 6 ms where nothing else runs
