"""Quote the part of a passage that speaks to a question: two to four whole sentences, or the steps.

Pure. Every sentence of the answer stands in the passage word for word; a step list is quoted whole.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from escalade.assistant.likeness import sentences_of
from escalade.assistant.passages import sentences
from escalade.assistant.retrieval import ALIKE, Passage, query_terms
from escalade.assistant.words import STOP_WORDS, stem, words

MOST_SENTENCES = 4
MOST_ITEMS = 12
LONGEST_LINE = 600  # signs of a table or code line that is still worth quoting

_ITEM = re.compile(r"(?:\d{1,5}\.|-) ")
_LEANING = re.compile(r"(?:It|This|That|These|Those|They|He|She|Then|Otherwise|If so|If not|However|But|And|Also|"
                      r"Instead|In this case|Alternatively|Afterwards|Once more)\b")  # fmt: skip

_HOW = re.compile(
    r"\b(?:how (?:do|does|can|could|would|should|to)|where (?:do|can) i|i forgot|i lost)\b", re.IGNORECASE
)
_MAY = re.compile(r"\b(?:(?:can|could|may) i|i (?:want|need|would like) to|id like to|i'd like to)\b", re.IGNORECASE)
_ANSWERED_WITH = (
    (
        re.compile(r"\b(?:how (?:long|soon|fast|quickly)|when)\b", re.IGNORECASE),
        ("long", "day", "hour", "week", "month", "year"),
    ),
    (re.compile(r"\bhow much\b", re.IGNORECASE), ("cost", "euro", "dollar", "price", "free")),
)
_ARTICLES = frozenset({"a", "an", "the", "is", "are", "of", "to", "and", "in", "for", "my", "your", "i", "you", "or"})


@dataclass(slots=True, kw_only=True)
class _Section:
    """A heading with the units under it: sentences, and lists that are quoted whole."""

    heading: str = ""
    units: list[list[str]] = field(default_factory=list)  # one line: a sentence; several: a list


def extract(passage: Passage, question: str, *, number: int) -> str:
    """Give the answer a passage holds, marked with its citation's number; nothing if it holds no sentence."""
    weights = _weights(passage, question)
    sections = [section for section in _sections(passage) if section.units]
    if not sections:
        return ""
    meant = _meant(passage)
    best = max(sections, key=lambda section: (_holds(section, meant), _worth(section, weights, question)))
    chosen = _chosen(best, weights, meant)
    lines: list[str] = []
    for unit in chosen:
        if len(unit) > 1 or not lines or _ITEM.match(lines[-1].rsplit("\n", 1)[-1]) or _ITEM.match(unit[0]):
            lines.append("\n".join(unit))
        else:
            lines[-1] += " " + unit[0]
    return "\n\n".join(lines) + f" [{number}]" if lines else ""


def _meant(passage: Passage) -> str:
    """Give the sentence that is nearest to the question in meaning, where a model has read it."""
    if passage.likeness is None:
        return ""
    said = sentences_of(passage.text)
    return said[passage.likeness.at] if passage.likeness.at < len(said) else ""


def _holds(section: _Section, sentence: str) -> bool:
    return bool(sentence) and any(sentence in line for unit in section.units for line in unit)


def _weights(passage: Passage, question: str) -> dict[str, float]:
    """Give what each stem is worth: the question's words, and the words its kind of question is answered with."""
    title = {stem(word) for word in words(passage.title)}  # what the whole article is about chooses no part of it
    held = dict(passage.matched)
    weights: dict[str, float] = {}
    for term in query_terms(question):
        factor = 1.0 if term.stems.isdisjoint(title) else 0.5
        for root in term.stems & held.keys():
            weights[root] = held[root] * factor * (1.0 if root == term.stem else ALIKE)
    most = max(weights.values(), default=1.0)
    for asked, answered in _ANSWERED_WITH:
        if asked.search(question):
            weights |= {stem(word): 0.5 * most for word in answered if stem(word) not in weights}
    return weights


def _sections(passage: Passage) -> list[_Section]:
    """Take a passage apart as it was put together."""
    heading = passage.heading.split(" · ", 1)[0]
    opens_without = f"## {heading}" in passage.text.split("\n\n")  # then it is an inner heading
    first = _Section(heading="" if opens_without else heading.rsplit(" › ", 1)[-1])
    sections = [first]
    for part in passage.text.split("\n\n"):
        if part.startswith("## "):
            sections.append(_Section(heading=part[3:]))
            continue
        lines = [line for line in part.split("\n") if line.strip()]
        if len(lines) > 1:
            lines = [line for line in lines if len(line) <= LONGEST_LINE]
        items = [line for line in lines if _ITEM.match(line)]
        if items and len(items) == len(lines):
            sections[-1].units.append(items[:MOST_ITEMS] if len(items) > 1 else [items[0]])
        elif len(lines) == 1:
            sections[-1].units.extend([sentence] for sentence in sentences(lines[0]))
        elif lines:
            sections[-1].units.append(lines[:MOST_ITEMS])
    return sections


def _weight(text: str, weights: dict[str, float]) -> float:
    return sum(weights.get(root, 0.0) for root in {stem(word) for word in words(text)})


def _worth(section: _Section, weights: dict[str, float], question: str) -> float:
    """Say what a section is worth: its words, twice in its heading, and steps where the question is how."""
    counts = Counter(stem(word) for unit in section.units for line in unit for word in words(line))
    heading = words(section.heading)
    stems = {stem(word) for word in heading}
    total = sum(weight * (counts[root] / (counts[root] + 1) + (root in stems)) for root, weight in weights.items())
    most = max(weights.values(), default=1.0)
    small = {stem(word) for word in heading if word in STOP_WORDS and word not in _ARTICLES}
    if small:  # "how long does it take" is nearer to "how long it takes" than its rare words tell
        total += 0.7 * most * len(small & {stem(word) for word in words(question)}) / len(small)
    if any(len(unit) > 1 and unit[0][0].isdigit() for unit in section.units):
        total += most * (0.7 if _HOW.search(question) else 0.3 if _MAY.search(question) else 0.0)
    return total


def _chosen(section: _Section, weights: dict[str, float], meant: str) -> list[list[str]]:
    """Choose neighbouring units: the list that belongs to the question, or the sentences around the best one."""
    units = section.units
    values = [_weight(" ".join(unit), weights) for unit in units]
    lists = [at for at, unit in enumerate(units) if len(unit) > 1]
    held = [bool(meant) and any(meant in line for line in unit) for unit in units]
    at = max(range(len(units)), key=lambda place: (held[place], values[place], -place))
    if lists and at not in lists and not (values[at] > values[lists[0]] and at > lists[0]):
        at = lists[0]  # the sentence that leads to a list is best told with it
    if at in lists:
        lead = at
        while lead > 0 and lead - 1 not in lists and at - lead < 2:
            lead -= 1
        following = at + 2 if at + 1 < len(units) and at + 1 not in lists else at + 1
        return units[lead:following]
    first, last = at, at + 1
    while first > 0 and first - 1 not in lists:
        first -= 1
    while last < len(units) and last not in lists:
        last += 1
    if last - first == 1 and first - 1 in lists:  # one sentence after a list says little without it
        first = max(0, first - 2)
    if last - first <= MOST_SENTENCES:
        return units[first:last]
    start = at
    while start > first and at - start < 2 and _LEANING.match(units[start][0]):
        start -= 1
    return units[start : min(last, start + MOST_SENTENCES - 1)]
