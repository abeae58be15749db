"""The words and shapes in which a customer has had enough, or was not helped: each has its reason, and is heard."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from escalade.assistant.lexicon import TONGUES, entries, spellings
from escalade.assistant.moods import ENOUGH, LEXICON, ROLES, UNHELPED, Shape, says_unhelpful, sounds_fed_up

FILES = sorted(TONGUES.glob("*.toml"))


@pytest.mark.parametrize("shape", [*ENOUGH, *UNHELPED], ids=lambda shape: shape.example)
def test_every_shape_is_there_for_its_example(shape: Shape) -> None:
    assert any(shape.pattern.search(heard.roles) for heard in LEXICON.heard(shape.example))
    assert (sounds_fed_up if shape in ENOUGH else says_unhelpful)(shape.example)


def test_every_role_a_shape_names_is_a_role() -> None:
    named = "".join(re.sub(r"\{[\d,]+\}|\(\?<?[=!:]", "", shape.pattern.pattern) for shape in (*ENOUGH, *UNHELPED))
    assert set(re.findall("[A-Za-z&]", named)) <= set(ROLES.values())
    assert len(set(ROLES.values())) == len(ROLES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_entry_of_a_language_has_one_role(path: Path) -> None:
    roles: dict[tuple[str, ...], set[str]] = {}
    for key, listed in entries(path, "mood").items():
        assert key in ROLES
        for entry in listed.replace("\n", " ").split(","):
            assert entry.strip(), key
            for phrase in spellings(entry.strip()):
                roles.setdefault(phrase, set()).add(key)
    assert {phrase: keys for phrase, keys in roles.items() if len(keys) > 1} == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Where is it? This is absolutely ridiculous. I ordered in May", "This is absolutely ridiculous"),
        ("f***ing hell", "f***ing"),
        ("Nothing works 😡😡", "😡😡"),
        ("WHERE IS MY PARCEL?!", "WHERE IS MY PARCEL?!"),
        ("ihr IDIOTEN habt die falsche Größe geschickt", "ihr IDIOTEN"),
        ("this is ridiculuos", "this is ridiculuos"),
    ],
)
def test_the_evidence_is_what_the_customer_wrote(text: str, words: str) -> None:
    assert sounds_fed_up(text) == words


@pytest.mark.parametrize(
    "text",
    [
        "WHERE IS MY PARCEL",  # the key was left on
        "USB-C, HDMI!!",
        "My order arrived! Finally!!!",
        "Do you have the poster of Stupid Bloody Tuesday?",
        'Is the mug "This is bullshit" dishwasher safe?',
        "it is **not** bold",
        "how can I change my bloody address",
        "Is there an emoji cushion with 😡 on it?",
    ],
)
def test_what_only_looks_like_anger_is_none(text: str) -> None:
    assert sounds_fed_up(text) == ""
