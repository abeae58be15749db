"""Quote the part of a passage that speaks to a question: two to four whole sentences, or the steps.

Pure. Every sentence of the answer stands in the passage word for word; a step list is quoted whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from escalade.assistant.passages import sentences
from escalade.assistant.retrieval import Passage
from escalade.assistant.words import stem, words

MOST_SENTENCES = 4
MOST_ITEMS = 12
LONGEST_LINE = 600  # signs of a table or code line that is still worth quoting

_ITEM = re.compile(r"(?:\d{1,5}\.|-) ")
_LEANING = re.compile(r"(?:It|This|That|These|Those|They|He|She|Then|Otherwise|If so|If not|However|But|And|Also|"
                      r"Instead|In this case|Alternatively|Afterwards|Once more)\b")  # fmt: skip


@dataclass(slots=True, kw_only=True)
class _Section:
    """A heading with the units under it: sentences, and lists that are quoted whole."""

    heading: str = ""
    units: list[list[str]] = field(default_factory=list)  # one line: a sentence; several: a list


def extract(passage: Passage, *, number: int) -> str:
    """Give the answer a passage holds, marked with its citation's number; nothing if it holds no sentence."""
    weights = dict(passage.matched)
    sections = [section for section in _sections(passage) if section.units]
    if not sections:
        return ""
    best = max(sections, key=lambda section: (_section_weight(section, weights), -sections.index(section)))
    chosen = _chosen(best, weights)
    lines: list[str] = []
    for unit in chosen:
        if len(unit) > 1 or not lines or _ITEM.match(lines[-1].rsplit("\n", 1)[-1]) or _ITEM.match(unit[0]):
            lines.append("\n".join(unit))
        else:
            lines[-1] += " " + unit[0]
    return "\n\n".join(lines) + f" [{number}]" if lines else ""


def _sections(passage: Passage) -> list[_Section]:
    """Take a passage apart as it was put together."""
    first = _Section(heading=passage.heading.split(" · ", 1)[0].rsplit(" › ", 1)[-1])
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


def _section_weight(section: _Section, weights: dict[str, float]) -> float:
    whole = " ".join(line for unit in section.units for line in unit)
    return _weight(f"{section.heading} {whole}", weights) + 0.5 * _weight(section.heading, weights)


def _chosen(section: _Section, weights: dict[str, float]) -> list[list[str]]:
    """Choose neighbouring units: the list that belongs to the question, or the sentences around the best one."""
    units = section.units
    values = [_weight(" ".join(unit), weights) for unit in units]
    lists = [at for at, unit in enumerate(units) if len(unit) > 1]
    at = max(range(len(units)), key=lambda place: (values[place], -place))
    if lists and at not in lists and not (values[at] > values[lists[0]] and at > lists[0]):
        at = lists[0]  # the sentence that leads to a list is best told with it
    if at in lists:
        lead = at
        while lead > 0 and lead - 1 not in lists and at - lead < 2:
            lead -= 1
        following = at + 2 if at + 1 < len(units) and at + 1 not in lists else at + 1
        return units[lead:following]
    start = at
    while start > 0 and start - 1 not in lists and at - start < 2 and _LEANING.match(units[start][0]):
        start -= 1
    end = at + 1
    while end < len(units) and end - start < MOST_SENTENCES - 1 and end not in lists:
        end += 1
    if end - start == 1 and start > 0 and start - 1 not in lists:
        start -= 1
    return units[start:end]
