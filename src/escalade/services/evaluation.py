"""Ask the assistant a set of questions whose right articles are known, and draw what it is worth.

A set is a folder: `questions.csv` with the columns `question`, `article` and `split` (an article is its file name, two
with `|` between them are both right, none means that no article answers), and its help centre in `articles/`.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from escalade.assistant.answering import Assistant
from escalade.assistant.question import Question
from escalade.domain.errors import Invalid
from escalade.domain.model import Millis, OrganisationId, Reason
from escalade.domain.organisation import AssistantSettings

PERSON = "person"  # among an intent's articles: some of those who say so ask for a person
ANY = AssistantSettings(minimum_confidence=0)
LEVELS = tuple(range(101))


@dataclass(frozen=True, slots=True)
class Case:
    """A question, and the articles of which any answers it."""

    question: str
    articles: frozenset[str]
    split: str

    @property
    def is_answerable(self) -> bool:
        """Say whether an article answers it."""
        return bool(self.articles)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the assistant made of a question."""

    case: Case
    first: str  # the article it found first
    confidence: int  # in percent; -1 where it would not have answered however sure
    reason: Reason | None

    @property
    def is_right(self) -> bool:
        """Say whether the article it found first answers the question."""
        return self.first in self.case.articles


@dataclass(frozen=True, slots=True)
class Level:
    """What comes of answering from some confidence on, in shares of 1."""

    confidence: int
    answered: int
    precision: float  # of the answers, those from an article that answers; 1 where there are none
    coverage: float  # of the answerable questions, those that are answered
    refusal: float  # of the unanswerable ones, those that are not


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """What a set came to, as it is kept and drawn: a level for each confidence from 0 to 100."""

    name: str  # of the set
    model: str | None  # that read for meaning; none by words alone
    questions: int
    answerable: int
    first: float  # how often the right article came first, of the answerable questions
    levels: tuple[Level, ...]
    measured_at: Millis | None = None

    def at(self, confidence: int) -> Level:
        """Give what comes of answering from this confidence on."""
        return self.levels[max(0, min(confidence, len(self.levels) - 1))]


@dataclass(frozen=True, slots=True)
class Measured:
    """What a set came to."""

    asked: tuple[Asked, ...]

    @property
    def first(self) -> float:
        """Give how often the right article is found first, of the answerable questions."""
        answerable = [one for one in self.asked if one.case.is_answerable]
        return sum(one.is_right for one in answerable) / len(answerable) if answerable else 0.0

    def level(self, confidence: int) -> Level:
        """Give what comes of answering from this confidence on."""
        answered = [one for one in self.asked if one.confidence >= confidence]
        answerable = sum(one.case.is_answerable for one in self.asked)
        others = len(self.asked) - answerable
        covered = sum(one.case.is_answerable for one in answered)
        return Level(
            confidence=confidence,
            answered=len(answered),
            precision=sum(one.is_right for one in answered) / len(answered) if answered else 1.0,
            coverage=covered / answerable if answerable else 0.0,
            refusal=1 - (len(answered) - covered) / others if others else 1.0,
        )

    def levels(self, at: Sequence[int] = LEVELS) -> list[Level]:
        """Give the level of each of these confidences."""
        return [self.level(confidence) for confidence in at]

    def curve(self, name: str, model: str | None) -> Curve:
        """Give the curve of a set of this name, measured with this model."""
        return Curve(
            name=name,
            model=model,
            questions=len(self.asked),
            answerable=sum(one.case.is_answerable for one in self.asked),
            first=self.first,
            levels=tuple(self.levels()),
        )


def read_set(folder: Path, split: str, utterances: Path | None = None) -> list[Case]:
    """Read the cases of a set, of one split or `all`; with `utterances`, also those its `intents.csv` maps."""
    cases = [_case(row) for row in _rows(folder / "questions.csv", {"question", "article", "split"})]
    if utterances is not None:
        by_intent = {row["intent"]: row["article"] for row in _rows(folder / "intents.csv", {"intent", "article"})}
        for row in _rows(utterances, {"utterance", "intent"}):
            if PERSON not in by_intent.get(row["intent"], PERSON):  # who asks for a person is measured elsewhere
                said = row["utterance"]
                half = "dev" if hashlib.sha256(said.encode()).digest()[0] % 2 else "test"
                cases.append(_case({"question": said, "article": by_intent[row["intent"]], "split": half}))
    return [case for case in cases if split in ("all", case.split)]


async def ask(
    assistant: Assistant,
    organisation: OrganisationId,
    cases: Sequence[Case],
    progress: Callable[[int, int], None] | None = None,
    settings: AssistantSettings = ANY,
) -> Measured:
    """Ask every question on its own, with no confidence demanded, whatever the settings say of that."""
    settings = replace(settings, minimum_confidence=0)
    asked: list[Asked] = []
    for done, case in enumerate(cases, 1):
        verdict = await assistant.consider(Question(organisation=organisation, text=case.question, settings=settings))
        first = verdict.passages[0].source_id if verdict.passages else ""
        answers = verdict.decision == "answer" and bool(verdict.citations)
        asked.append(Asked(case, first, verdict.confidence if answers else -1, verdict.reason))
        if progress:
            progress(done, len(cases))
    return Measured(tuple(asked))


def _case(row: dict[str, str]) -> Case:
    return Case(row["question"], frozenset(filter(None, row["article"].split("|"))), row["split"])


def _rows(path: Path, columns: set[str]) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise Invalid(f"{path} cannot be read ({error.strerror}); a set is a folder with this file in it") from error
    if not rows or not columns <= set(rows[0]):
        raise Invalid(f"{path} needs the columns {', '.join(sorted(columns))}")
    return rows
