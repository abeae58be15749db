"""The hunch: who asks for a person in no shape we know is heard, and a shape that is there by chance is none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from benchmarks.hunch import learn, rows

from escalade.assistant import hunch
from escalade.assistant.hunch import AGAINST, loudest, shipped
from escalade.assistant.intent import asks_for_person, wish_in

UNSHAPED = "someone who actually works there pls"
REFUSED = (
    "I don't want to talk to an agent",
    "please do not transfer me to a human",
    "Ich will nicht mit einem Mitarbeiter sprechen",
    "no quiero hablar con un agente",
)


def test_what_is_shipped_is_what_the_development_set_teaches() -> None:
    told = rows()
    model, kept = learn(told), shipped()
    apart = [abs(model.score(text) - kept.score(text)) for _, _, text in told[::7]]
    assert max(apart) < 0.3, "dev.csv or the roles of words have changed since; run `make hunch`"


def test_who_asks_in_no_shape_we_know_is_heard_all_the_same() -> None:
    assert wish_in(UNSHAPED) == ""
    assert asks_for_person(UNSHAPED) == UNSHAPED


def test_a_wish_the_grammar_overrules_is_none_however_it_sounds() -> None:
    assert [asks_for_person(text) for text in REFUSED] == [""] * len(REFUSED)
    assert any(loudest(text)[0] > shipped().bound for text in REFUSED), "some of them do sound like it"


def test_a_shape_in_what_sounds_nothing_like_asking_is_there_by_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "I want to talk to an agent"
    assert asks_for_person(text) == "talk to an agent"
    deaf = replace(shipped(), step=0, base=AGAINST - 0.1)
    monkeypatch.setattr(hunch, "shipped", lambda: deaf)
    assert asks_for_person(text) == ""


@pytest.mark.parametrize("text", ["", "?!", "12 345", "\U0001f9d1", "x" * 4_000, "Hello", "ok", "danke", "jacket"])
def test_what_says_nothing_sounds_like_nothing(text: str) -> None:
    assert loudest(text)[0] < shipped().bound
    assert asks_for_person(text) == ""


def test_a_long_story_is_judged_by_its_sentences() -> None:
    story = " ".join(f"On day {n} the parcel was said to be on its way to us, and it never came." for n in range(9))
    assert asks_for_person(story) == ""
    assert asks_for_person(f"{story} {UNSHAPED}. Thanks.") == f"{UNSHAPED}."


def test_case_and_accents_do_not_count() -> None:
    assert shipped().score("¿Hay ALGUIÉN ahí?") == shipped().score("¿hay alguien ahi?")


def test_what_was_learnt_is_read_as_it_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = [("en", "ask", "a living soul please"), ("en", "hard", "a living room please")] * 4
    model = learn(told)
    monkeypatch.setattr(hunch, "FILE", tmp_path / "hunch.z")
    hunch.ship(replace(model, bound=1.5))
    kept = shipped.__wrapped__()
    assert kept.bound == 1.5
    assert [kept.score(text) for _, _, text in told] == [model.score(text) for _, _, text in told]
    assert kept.score(told[0][2]) > 0 > kept.score(told[1][2])
