"""Cut a document into passages of some 80 to 200 words that keep their headings and never cut a sentence.

A passage is text in plain Markdown: paragraphs apart by a blank line, list items on lines of their own, an inner
heading as a line that begins with `## `.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from escalade.assistant.document import Block, Document, Kind

SHORTEST, LONGEST = 80, 200
NO_SENTENCE = 400  # more words than this without an end are not a sentence

_ABBREVIATIONS = (
    "e.g. i.e. etc. mr. mrs. ms. dr. prof. no. nr. vs. approx. st. inc. ltd. co. corp. fig. sec. cf. ca. z.b. d.h. "
    "bzw. p. pp. vol. jan. feb. mar. apr. jun. jul. aug. sep. sept. oct. nov. dec. min. max. tel. u.s. u.k."
)
ABBREVIATIONS = frozenset(_ABBREVIATIONS.split())
_END = re.compile(r"[.!?…。！？]+[\"'”’)\]]*(?=\s+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A passage before it is stored: the headings above it, and its text."""

    heading: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Atom:
    """What is never parted; `after` is what stands between it and the one before."""

    text: str
    words: int
    after: str
    heading: tuple[str, ...]
    is_heading: bool = False


def sentences(text: str) -> list[str]:
    """Give the sentences of a paragraph; an abbreviation ends none."""
    found: list[str] = []
    start = 0
    for end in _END.finditer(text):
        last = text[start : end.end()].rsplit(None, 1)[-1].lower().lstrip("(\"'")
        following = text[end.end() :].lstrip()[:1]
        if last in ABBREVIATIONS or re.fullmatch(r"[a-z]\.", last) or following.islower():
            continue
        found.append(text[start : end.end()].strip())
        start = end.end()
    rest = text[start:].strip()
    return [*found, rest] if rest else found


def cut(document: Document) -> list[Piece]:
    """Give the passages of a document, in order."""
    atoms = list(_atoms(document.blocks))
    pieces: list[list[_Atom]] = []
    current: list[_Atom] = []
    size = 0
    for at, atom in enumerate(atoms):
        ahead = _section_words(atoms, at) if atom.is_heading else atom.words
        full = size + ahead > LONGEST
        if current and full and (size >= SHORTEST or not atom.is_heading) and any(not it.is_heading for it in current):
            carried: list[_Atom] = []
            while current[-1].is_heading:  # a heading belongs to what it heads
                carried.insert(0, current.pop())
            pieces.append(current)
            current, size = carried, sum(it.words for it in carried)
        current.append(atom)
        size += atom.words
    if any(not it.is_heading for it in current):
        pieces.append(current)
    return [_piece(piece) for piece in pieces]


def _section_words(atoms: list[_Atom], at: int) -> int:
    total = atoms[at].words
    for atom in atoms[at + 1 :]:
        if atom.is_heading or total > LONGEST:
            break
        total += atom.words
    return total


def _piece(atoms: list[_Atom]) -> Piece:
    path = list(atoms[0].heading)
    inner = [atom.heading[-1] for atom in atoms[1:] if atom.is_heading and atom.heading[-1] not in path]
    heading = " · ".join(filter(None, [" › ".join(path), *inner]))
    if atoms[0].is_heading:
        atoms = atoms[1:]  # its heading says it already
    parts = [atoms[0].text]
    for atom in atoms[1:]:
        parts += (atom.after, atom.text)
    return Piece(heading=heading, text="".join(parts))


def _atoms(blocks: tuple[Block, ...]) -> Iterator[_Atom]:
    path: list[tuple[int, str]] = []
    last = Kind.PARAGRAPH
    for block in blocks:
        same, last = block.kind is last, block.kind
        if block.kind is Kind.HEADING:
            path = [(level, text) for level, text in path if level < block.level]
            path.append((block.level, block.text))
            yield _atom(f"## {block.text}", "\n\n", path, is_heading=True)
            continue
        mark = {Kind.STEP: f"{block.n}. ", Kind.POINT: "- "}.get(block.kind, "")
        after = "\n" if mark and same else "\n\n"
        lines = block.kind is Kind.LINES
        if len(block.text.split()) <= LONGEST:
            parts = [block.text]
        else:
            parts = block.text.splitlines() if lines else sentences(block.text)
        first = True
        for part in parts:
            for bit in _bounded(part):
                yield _atom(mark + bit if first else bit, after if first else "\n" if lines else " ", path)
                first = False


def _bounded(sentence: str) -> Iterator[str]:
    bits = sentence.split() if len(sentence) > NO_SENTENCE * 4 else []
    if len(bits) > NO_SENTENCE:
        for at in range(0, len(bits), LONGEST):
            yield " ".join(bits[at : at + LONGEST])
    elif len(sentence) > 20_000:  # one endless word
        for at in range(0, len(sentence), 20_000):
            yield sentence[at : at + 20_000]
    elif sentence.strip():
        yield sentence


def _atom(text: str, after: str, path: list[tuple[int, str]], *, is_heading: bool = False) -> _Atom:
    return _Atom(
        text=text,
        words=max(len(text.split()), len(text) // 40),  # endless words count for what they are
        after=after,
        heading=tuple(text for _, text in path),
        is_heading=is_heading,
    )
