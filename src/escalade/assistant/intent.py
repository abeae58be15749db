"""Hear when a customer asks for a person: directly, indirectly, rudely or misspelt, in any language we know.

Pure. What counts is a wish to reach someone here; a person or an agent merely mentioned is none. The answer is the
customer's own words, as the evidence that is kept with the handoff: those in which the grammar finds a wish, or else
the sentence that sounds like one.
"""

from __future__ import annotations

from escalade.assistant.grammar import wishes
from escalade.assistant.hunch import AGAINST, loudest, shipped
from escalade.assistant.lexicon import WISHES

LONGEST_TEXT = 4_000


def asks_for_person(text: str) -> str:
    """Give the words that ask for a person, or nothing.

    The grammar is believed unless the whole sounds like nothing of the kind, and where it finds no wish a text that
    sounds like one is. "I don't want to talk to an agent" sounds like one, too: what the grammar overrules is none.
    """
    text = text[:LONGEST_TEXT]
    wish, overruled = _heard(text)
    score, part = loudest(text)
    if wish:
        return wish if score > AGAINST else ""
    return part if score > shipped().bound and not overruled else ""


def wish_in(text: str) -> str:
    """Give the very words that ask for a person, where the grammar finds them, or nothing."""
    return _heard(text[:LONGEST_TEXT])[0]


def _heard(text: str) -> tuple[str, bool]:
    """Give the wish the grammar finds, or else whether it finds one that is overruled."""
    overruled = False
    for heard in WISHES.heard(text):
        for wish in wishes(heard.roles):
            if not wish.overruled:
                return heard.words(text, wish.start, wish.end), False
            overruled = True
    return "", overruled
