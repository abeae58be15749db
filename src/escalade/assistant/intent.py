"""Hear when a customer asks for a person: directly, indirectly, rudely or misspelt, in any language we know.

Pure. What counts is a wish to reach someone here; a person or an agent merely mentioned is none. The answer is the
customer's own words, as the evidence that is kept with the handoff.
"""

from __future__ import annotations

import re
from functools import lru_cache

from escalade.assistant.phrases import ELSEWHERE, NEGATED, NOT_ASKING, SPELLINGS, UNHELPED, WISHES
from escalade.assistant.words import fold

LONGEST_TEXT = 4_000

_TOKEN = re.compile(r"[^\W_]+(?:['’ʼ][^\W_]+)*|[.,!?;:\n()]")

_LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ı": "i"})  # letters of their own, not accents


def asks_for_person(text: str) -> str:
    """Give the words that ask for a person, or nothing."""
    heard, places = _heard(text)
    if not heard:
        return ""
    for pattern in (*WISHES, *ELSEWHERE):
        for found in pattern.finditer(heard):
            before = heard[: found.start()]
            if pattern in WISHES and (NEGATED.search(before) or any(guard.search(heard) for guard in NOT_ASKING)):
                continue
            return _original(text, places, found.start(), found.end())
    return ""


def says_unhelpful(text: str) -> str:
    """Give the words that say the last answer did not help, or nothing."""
    heard, places = _heard(text)
    found = UNHELPED.search(heard)
    return _original(text, places, found.start(), found.end()) if found else ""


def _heard(text: str) -> tuple[str, list[tuple[int, int, int]]]:
    """Give a text as patterns read it, and where each of its words stands in the original."""
    parts: list[str] = []
    places: list[tuple[int, int, int]] = []
    at = 0
    for token in _TOKEN.finditer(text[:LONGEST_TEXT]):
        word = token.group()
        if word[0].isalnum():
            word = _spelt(re.sub(r"['’ʼ]", "", fold(word).translate(_LETTERS)))
        places.append((at, token.start(), token.end()))
        parts.append(word)
        at += len(word) + 1
    return " ".join(parts), places


def _original(text: str, places: list[tuple[int, int, int]], start: int, end: int) -> str:
    inside = [place for place in places if start <= place[0] < end]
    return text[inside[0][1] : inside[-1][2]].strip(" ,.!?;:\n()") if inside else ""


@lru_cache(maxsize=8_192)
def _spelt(word: str) -> str:
    """Give the word that was meant, when one slip of the finger is all that parts them."""
    calmed = re.sub(r"(.)\1{2,}", r"\1", word)  # pleeease, agenttt
    for candidate in (word, calmed):
        if candidate in SPELLINGS:
            return SPELLINGS[candidate]
    if len(word) < 4 or not word.isascii():
        return word
    for meant in SPELLINGS:
        if _one_slip(calmed, meant):
            return SPELLINGS[meant]
    return word


def _one_slip(word: str, meant: str) -> bool:
    """Say whether two letters are swapped, or one is doubled, missing, or wrong; long words may have two slips."""
    if len(meant) < 5:
        return sorted(word) == sorted(meant) and word[0] == meant[0]
    allowed = 2 if len(meant) >= 10 else 1
    return word[0] == meant[0] and abs(len(word) - len(meant)) <= allowed and _distance(word, meant) <= allowed


def _distance(one: str, other: str) -> int:
    """Count the slips between two words: a letter more, less or wrong, or two swapped."""
    rows = [list(range(len(other) + 1))]
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            cost = min(rows[i - 1][j] + 1, row[j - 1] + 1, rows[i - 1][j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, rows[i - 2][j - 2] + 1)
            row.append(cost)
        rows.append(row)
    return rows[-1][-1]
