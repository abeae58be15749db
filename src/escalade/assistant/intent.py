"""Hear when a customer asks for a person: directly, indirectly, rudely or misspelt, in any language we know.

Pure. What counts is a wish to reach someone here; a person or an agent merely mentioned is none. The answer is the
customer's own words, as the evidence that is kept with the handoff.
"""

from __future__ import annotations

from escalade.assistant.grammar import found
from escalade.assistant.lexicon import WISHES

LONGEST_TEXT = 4_000


def asks_for_person(text: str) -> str:
    """Give the words that ask for a person, or nothing."""
    text = text[:LONGEST_TEXT]
    for heard in WISHES.heard(text):
        wish = found(heard.roles)
        if wish is not None:
            return heard.words(text, *wish)
    return ""
