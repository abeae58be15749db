"""Find what a question is about: its words, the passages that hold them or mean it, and the order of those.

Words alone order where no model has read the passages; where one has, its likenesses count beside them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Protocol

from escalade.assistant.likeness import Likeness
from escalade.assistant.words import LONGEST_WORD, STOP_WORDS, stem, words
from escalade.domain.model import OrganisationId

MOST_TERMS = 24
SUPPORT = 0.06  # what each of the next three passages of a document adds to its best
ALIKE = 0.6  # what another word for the same counts
TITLE, HEADING = 3.0, 1.5  # how many times in the text a word in a title or a heading counts
SATURATION, LENGTH = 2.0, 0.75  # BM25's k1 and b
AIM = 0.9  # what a title that is the question adds
NEAR = 0.3  # what words that stand together add
SENTENCE = 16  # words that count as together
LEAD = 0.8  # how many times in the text a word in the document's opening counts
LONGEST_QUESTION = 4_000  # signs that are read; a longer text is a story, and its beginning says what it is about

# Everyday words for the same thing; a group is written once and matches either way. Not tuned to any one company.
SAME = (
    ("pay", "payment", "paid"),
    ("delivery", "deliver", "shipping", "ship", "shipment", "dispatch"),
    ("parcel", "package"),
    ("refund", "reimburse", "reimbursement"),
    ("buy", "purchase", "bought"),
    ("login", "signin", "logon"),
    ("cost", "price", "fee", "charge"),
    ("invoice", "receipt", "bill"),
    ("delete", "remove", "erase", "drop"),
    ("change", "modify", "alter", "update", "edit"),
    ("telephone", "phone", "call"),
    ("email", "mail"),
    ("broken", "defective", "faulty", "damaged", "broke", "damage"),
    ("exchange", "swap"),
    ("cancel", "cancellation", "stop", "abort", "terminate", "kill"),
    ("unsubscribe", "unsubscribing"),
    ("coupon", "voucher", "promo"),
    ("repair", "fix", "mend"),
    ("shop", "store"),
    ("collect", "pickup", "collection"),
    ("complain", "complaint"),
    ("size", "sizing", "fit"),
    ("choose", "select", "pick"),
    ("send", "sent"),
)


PARTICLES = frozenset({"up", "in", "out", "off", "on", "down", "over", "back", "away"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A word of a question that says what it is about, with other words for the same; `stem` is its own."""

    word: str
    stem: str
    stems: frozenset[str]
    alternatives: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A passage the index offers; the services bring it from the store."""

    document: str
    source_id: str
    title: str
    url: str | None
    heading: str
    text: str
    lead: str = ""  # how its document opens
    likeness: Likeness | None = None  # none where no model has read it


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A passage that speaks to a question, with what speaks for it.

    `score` orders; `coverage` is the share of the question's weight its words and title hold; `focus` says how well
    its title or heading is the question; `matched` holds the stems found, with their weights.
    """

    document: str
    source_id: str
    title: str
    url: str | None
    heading: str
    text: str
    score: float
    coverage: float
    focus: float
    likeness: Likeness | None = None
    matched: tuple[tuple[str, float], ...] = ()


class Knowledge(Protocol):
    """What an organisation knows; services implement it over the store."""

    async def search(self, organisation: OrganisationId, text: str, limit: int) -> list[Passage]:
        """Give the passages that speak to a text, best first."""
        ...


_GROUPS: dict[str, tuple[str, ...]] = {}
for _group in SAME:
    for _word in _group:
        _GROUPS[stem(_word)] = _group


def query_terms(text: str) -> tuple[Term, ...]:
    """Give the words that say what a question is about, each once, in its order."""
    found: dict[str, Term] = {}
    said = words(text[:LONGEST_QUESTION])
    for word, following in pairwise([*said, ""]):
        if word in STOP_WORDS or len(word) > LONGEST_WORD or (len(word) < 2 and not word.isdigit()):
            continue
        root = stem(word)
        if root in found:
            continue
        others = tuple(other for other in _GROUPS.get(root, ()) if stem(other) != root)
        if following in PARTICLES:
            others += (word + following,)  # who asks how to set up, may read of a setup
        alike = frozenset({root, *(stem(other) for other in others)})
        if any(term.stems == alike for term in found.values()):
            continue
        found[root] = Term(word=word, stem=root, stems=alike, alternatives=others)
        if len(found) == MOST_TERMS:
            break
    return tuple(found.values())


def rank(
    terms: Sequence[Term], candidates: Sequence[Candidate], *, total: int, frequencies: Sequence[int], limit: int
) -> list[Passage]:
    """Order what the index offers by what it says about the question; `frequencies` count passages for each term."""
    weights = [math.log(1 + (total - seen + 0.5) / (seen + 0.5)) if total else 0.0 for seen in frequencies]
    by_meaning = bool(candidates) and all(candidate.likeness is not None for candidate in candidates)
    full = sum(weights)
    if not full and not by_meaning:
        return []
    full = full or 1.0  # no word says anything: the meaning alone speaks
    lengths = [len(candidate.text) for candidate in candidates]
    average = sum(lengths) / len(lengths) if lengths else 1.0
    passages = _together([_weigh(terms, weights, full, candidate, average) for candidate in candidates])
    if by_meaning:
        passages = [replace(passage, score=_fused(passage)) for passage in passages]
    passages.sort(key=lambda passage: (-passage.score, passage.source_id, passage.text))
    return passages[:limit]


def _together(passages: list[Passage]) -> list[Passage]:
    """Let the passages of a document speak for each other: a page about the thing says so more than once."""
    scores: dict[str, list[float]] = {}
    for passage in passages:
        scores.setdefault(passage.document, []).append(passage.score)
    support = {document: sum(sorted(each, reverse=True)[1:4]) for document, each in scores.items()}
    return [replace(it, score=round(min(1.0, it.score + SUPPORT * support[it.document]), 4)) for it in passages]


def _fused(passage: Passage) -> float:
    """Join words and meaning: fitted by logistic regression on the shop's `dev` questions (evaluation/README.md)."""
    like = passage.likeness
    assert like is not None
    by_words = 0.6 * passage.score + 0.1 * passage.focus
    return round((by_words + 0.3 * like.title + 0.4 * like.heading + 0.8 * like.sentence) / 2.2, 4)


def _weigh(
    terms: Sequence[Term], weights: Sequence[float], full: float, candidate: Candidate, average: float
) -> Passage:
    text = list(map(stem, words(candidate.text)))
    counts = Counter(text)
    title, heading, lead = _content(candidate.title), _content(candidate.heading), _content(candidate.lead)
    length = 1 - LENGTH + LENGTH * len(candidate.text) / average
    score, covered, named = 0.0, 0.0, 0.0
    matched: list[tuple[str, float]] = []
    for term, weight in zip(terms, weights, strict=True):
        others = term.stems - {term.stem}
        often = counts[term.stem] + ALIKE * sum(counts[root] for root in others)
        in_title, in_heading = not term.stems.isdisjoint(title), not term.stems.isdisjoint(heading)
        frequency = often / length + TITLE * in_title + HEADING * in_heading + LEAD * (not term.stems.isdisjoint(lead))
        if frequency:
            score += weight * frequency / (frequency + SATURATION)
            covered += weight
            matched += [(root, weight) for root in term.stems]
        named += weight * in_title
    asked = frozenset().union(*(term.stems for term in terms))
    aim = max(_overlap(title, asked, named / full), _overlap(heading, asked, _held(terms, weights, heading) / full))
    coverage = covered / full
    score = score / full
    score += AIM * score * aim + NEAR * _nearness(terms, weights, full, text)
    return Passage(
        document=candidate.document,
        source_id=candidate.source_id,
        title=candidate.title,
        url=candidate.url,
        heading=candidate.heading,
        text=candidate.text,
        score=round(score / (1 + AIM + NEAR), 4),
        coverage=round(coverage, 4),
        focus=round(aim, 4),
        likeness=candidate.likeness,
        matched=tuple(matched),
    )


def _content(text: str) -> frozenset[str]:
    return frozenset(map(_content_of, words(text))) - {""}


@lru_cache(maxsize=65_536)
def _content_of(word: str) -> str:
    return "" if word in STOP_WORDS or word.isdigit() else stem(word)


def _held(terms: Sequence[Term], weights: Sequence[float], stems: frozenset[str]) -> float:
    return sum(weight for term, weight in zip(terms, weights, strict=True) if not term.stems.isdisjoint(stems))


def _overlap(named: frozenset[str], asked: frozenset[str], recall: float) -> float:
    """Say how well a title is the question: the harmonic mean of what each holds of the other."""
    if not named or not recall:
        return 0.0
    precision = len(named & asked) / len(named)
    return 2 * precision * recall / (precision + recall) if precision else 0.0


def _nearness(terms: Sequence[Term], weights: Sequence[float], full: float, text: Sequence[str]) -> float:
    """Say how much of the question stands within a sentence's length of the text."""
    if len(terms) < 2:
        return 0.0
    by_stem = {root: at for at, term in enumerate(terms) for root in term.stems}
    places = [(place, by_stem[root]) for place, root in enumerate(text) if root in by_stem]
    best, start = 0.0, 0
    for end in range(len(places)):
        while places[end][0] - places[start][0] > SENTENCE:
            start += 1
        held = {term for _, term in places[start : end + 1]}
        if len(held) > 1:
            best = max(best, sum(weights[term] for term in held))
    return best / full
