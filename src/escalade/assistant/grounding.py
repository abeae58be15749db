"""Hold a language model's words against the passages they cite, before anybody sees them.

A model may choose, shorten and join what the passages say. It may not add to it: every word that carries meaning, every
figure, address and sign of a sentence stands in one sentence of a cited passage, or in two that follow each other, and
what turns or bounds a meaning there (not, only, unless, if, must, may, at least) is neither dropped nor added. Where
several figures stand together, their order and company are kept. No second model judges; the same words always come to
the same. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from escalade.assistant.passages import sentences
from escalade.assistant.retrieval import Passage
from escalade.assistant.words import fold

# Words of grammar: a sentence may leave them out or put in others. What tells who speaks of himself, what has already
# happened, and what is certain, is not among them.
_FREE = """
    a an the this that these those it its they them their theirs he she his her hers you your yours yourself we us our
    ours who which whose of to in on at for from by with into onto as and or also too then there here how what where be
    is are has have do does can please following via
"""
FREE = frozenset(_FREE.split())

# Words that turn or bound what a sentence says, folded, in eight languages; those of a line weigh the same.
_TURNS = """
    not no never none nothing nobody neither nor cannot cant dont doesnt didnt isnt arent wasnt werent wont wouldnt
    couldnt shouldnt mustnt havent hasnt without nicht kein keine keinen keiner keinem keines nie niemals ohne weder pas
    jamais aucun aucune sans nunca sin ningun ninguna ninguno tampoco non mai senza nessun nessuno nessuna nao sem
    nenhum nenhuma niet geen nooit zonder nigdy bez zaden zadna zadne nikt

    only solely nur lediglich seulement uniquement solo solamente unicamente soltanto apenas somente alleen slechts
    tylko

    unless except excluding ausser sauf excepte salvo excepto tranne eccetto exceto tenzij behalve chyba oprocz

    if when once provided until till wenn falls sobald sofern bis si quand lorsque cuando hasta se quando finche als
    indien zodra tot jesli gdy dopoki

    must should need needs required muss mussen soll sollte doit doivent debe deben deve devono devem moet moeten musi

    may might could perhaps maybe possibly usually normally sometimes often konnte vielleicht meist meistens parfois
    quizas podria forse potrebbe talvez misschien moze

    least most maximum minimum than almost nearly mindestens hochstens moins menos meno minstens hoogstens najmniej
"""
TURNS = {word: kind for kind, line in enumerate(_TURNS.split("\n\n")) for word in line.split()}

_EDGE = ".,;:!?…()[]{}\"«»„“”‘’'*_#–—-•>"
_JOINTS = re.compile(r"[-–—/]")
_MARK = re.compile(r"\s*(?:#{1,6} |(?:\d{1,3}[.)]|[-*•]) )+")
_LINK = re.compile(r"\]\s*\(|!\[|\]\s*:")
UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs", "Cn"})  # https://www.unicode.org/reports/tr44/#General_Category_Values


@dataclass(frozen=True, slots=True)
class _Said:
    """What a sentence says: its words that carry meaning, in order, and what turns or bounds them."""

    content: tuple[str, ...]
    turns: Counter[int]

    @property
    def figures(self) -> int:
        return sum(any(sign.isdigit() for sign in word) for word in self.content)

    def __add__(self, other: _Said) -> _Said:
        return _Said(self.content + other.content, self.turns + other.turns)


class Ground:
    """A text and the headings above it, as what may be said of it: section by section, each under its own headings."""

    def __init__(self, text: str, above: Sequence[str] = ()) -> None:
        self.signs = frozenset("".join((text, *above)))
        self._sections: list[tuple[list[_Said], list[_Said]]] = []
        for at, section in enumerate(f"\n{text}".split("\n## ")):
            inner, _, body = section.partition("\n") if at else ("", "", section)
            said = [_said(sentence) for sentence in _sentences(body)]
            context = [_said(heading) for heading in dict.fromkeys((*above, inner)) if heading]
            self._sections.append(([*said, *(one + two for one, two in pairwise(said))], context))

    @classmethod
    def of(cls, passage: Passage) -> Ground:
        """Take a passage with its title and headings."""
        return cls(passage.text, (passage.title, *passage.heading.split(" · ", 1)[0].split(" › ")))

    def bears(self, sentence: str) -> bool:
        """Say whether the text says this, in one sentence or in two that follow each other."""
        claim = _said(sentence)
        if not claim.content:
            return sentence.rstrip().endswith(":") and not claim.turns  # "here is how:" claims nothing
        return any(_follows(claim, window, context) for windows, context in self._sections for window in windows)


def objection(claim: str, cited: Sequence[Ground]) -> str:
    """Say what speaks against showing a claim that cites these passages, in words of our own; nothing if it stands.

    Each sentence must be borne by one of the passages, and each passage must bear one.
    """
    if not cited:
        return "it cites nothing it was shown"
    if any(unicodedata.category(sign) in UNSEEN and sign not in "\n\t" for sign in claim):
        return "it holds signs that nobody sees"
    if _LINK.search(claim):
        return "it holds a link"
    symbols = {sign for sign in claim if unicodedata.category(sign).startswith("S")}
    if any(not any(sign in ground.signs for ground in cited) for sign in symbols):
        return "it holds signs that its passages do not"
    said = list(_sentences(claim))
    if not said:
        return "it says nothing"
    borne = [[ground.bears(sentence) for ground in cited] for sentence in said]
    if not all(any(each) for each in borne):
        return "it says what its passages do not"
    if not all(any(each[at] for each in borne) for at in range(len(cited))):
        return "it cites a passage for what that does not say"
    return ""


def _follows(claim: _Said, window: _Said, context: Sequence[_Said]) -> bool:
    """Say whether a sentence says no more than a piece of a passage, its own words first, then with a heading's."""
    if window.figures > 1:
        return claim.turns == window.turns and _is_run(claim.content, window.content)
    for around in ((), *((piece,) for piece in context), tuple(context)):
        held = window
        for piece in around:
            held += piece
        if set(claim.content) <= set(held.content):
            return claim.turns == held.turns
    return False


def _is_run(some: tuple[str, ...], all: tuple[str, ...]) -> bool:
    return any(all[at : at + len(some)] == some for at in range(len(all) - len(some) + 1))


def _sentences(text: str) -> Iterator[str]:
    """Give the sentences of a text in plain Markdown, without the marks of its lists and headings."""
    for line in text.split("\n"):
        if line.strip():
            mark = _MARK.match(line)
            yield from sentences(line[mark.end() :] if mark else line)


def _said(sentence: str) -> _Said:
    content: list[str] = []
    turns: Counter[int] = Counter()
    for token in fold(sentence).split():
        for word in _words(token):
            if word in TURNS:
                turns[TURNS[word]] += 1
            elif word and word not in FREE:
                content.append(_one(word))
    return _Said(tuple(content), turns)


def _words(token: str) -> list[str]:
    """Take a token apart at its hyphens if only words are joined there; a figure or an address stays whole."""
    bare = token.strip(_EDGE).replace("'", "").replace("’", "")
    parts = _JOINTS.split(bare)
    return parts if all(part.isalpha() for part in parts) else [bare]


def _one(word: str) -> str:
    """Give one form for one and many; every other form of a word is another word: what is approved is not approves."""
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
