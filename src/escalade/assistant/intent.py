"""Hear when a customer asks for a person: directly, indirectly, rudely or misspelt, in any language we know.

Pure. What counts is a wish to reach someone here; a person or an agent merely mentioned is none. The answer is the
customer's own words, as the evidence that is kept with the handoff.
"""

from __future__ import annotations

import re

from escalade.assistant.grammar import found
from escalade.assistant.lexicon import likely, tokens
from escalade.assistant.phrases import UNHELPED
from escalade.assistant.words import fold

LONGEST_TEXT = 4_000

_TOKEN = re.compile(r"[^\W_]+(?:['’ʼ][^\W_]+)*|[.,!?;:\n()]")


def asks_for_person(text: str) -> str:
    """Give the words that ask for a person, or nothing."""
    text = text[:LONGEST_TEXT]
    words, places = tokens(text)
    for tongue in likely(words):
        heard = tongue.hear(words, places)
        wish = found(heard.roles)
        if wish is not None:
            return _between(text, heard.places[wish[0]][0], heard.places[wish[1] - 1][1])
    return ""


def says_unhelpful(text: str) -> str:
    """Give the words that say the last answer did not help, or nothing."""
    parts: list[str] = []
    places: list[tuple[int, int, int]] = []
    at = 0
    for token in _TOKEN.finditer(text[:LONGEST_TEXT]):
        word = re.sub(r"['’ʼ]", "", fold(token.group()))
        places.append((at, token.start(), token.end()))
        parts.append(word)
        at += len(word) + 1
    said = UNHELPED.search(" ".join(parts))
    if said is None:
        return ""
    inside = [place for place in places if said.start() <= place[0] < said.end()]
    return _between(text, inside[0][1], inside[-1][2]) if inside else ""


def _between(text: str, start: int, end: int) -> str:
    return text[start:end].strip(" ,.!?;:\n()")
