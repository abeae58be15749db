"""What of a passage is compared with a question in meaning: its title, its headings, and each of its sentences.

A question is like the sentence that answers it, or like a title, and seldom like a whole passage: on the shop's
questions a vector of the passage added nothing to those. A passage is short enough for all of its sentences. Pure; the
numbers are made in `meaning`.
"""

from __future__ import annotations

from dataclasses import dataclass

from escalade.assistant.passages import sentences

MOST_SENTENCES = 24


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike in meaning a question and a passage are: cosines, at most 1."""

    title: float
    heading: float  # of the best heading; the title's where there is none
    sentence: float  # of the best sentence
    at: int  # which sentence that is, from 0


def headings_of(heading: str, text: str) -> list[str]:
    """Give the headings above a passage and in it."""
    above = [part for part in heading.replace(" › ", " · ").split(" · ") if part]
    return list(dict.fromkeys((*above, *(line[3:] for line in text.split("\n") if line.startswith("## ")))))


def sentences_of(text: str) -> list[str]:
    """Give a passage's sentences, list items and lines."""
    lines = (line for line in text.split("\n") if line.strip() and not line.startswith("## "))
    said = [sentence for line in lines for sentence in sentences(line)]
    return said[:MOST_SENTENCES] or [text]


def texts_of(title: str, heading: str, text: str) -> tuple[list[str], int]:
    """Give the texts of which a passage's meaning is made, title first, and how many of them are headings."""
    named = headings_of(heading, text)
    told = [title, *(f"{title}. {name}" for name in named)]
    return [*told, *(f"{title}. {sentence}" for sentence in sentences_of(text))], len(named)
