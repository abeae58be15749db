"""What the knowledge lacks: questions that went to people for want of an answer, those that are alike together.

Found anew from what is kept at every look, so an erased customer's words are in it no longer. No language model is
asked: what an article would need is said by the customers' own words.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from escalade.assistant.clusters import ALIKE_IN_MEANING, Neighbours, clusters, neighbours_by_words
from escalade.assistant.confidence import confidence
from escalade.assistant.moods import says_unhelpful
from escalade.assistant.retrieval import Passage, query_terms
from escalade.assistant.words import stem, words
from escalade.domain.model import ConversationId, Millis, OrganisationId, Reason
from escalade.domain.transcript import says_something
from escalade.services.library import Library
from escalade.services.ports import Ports
from escalade.services.vectors import Vectors
from escalade.store import past
from escalade.store.database import Database
from escalade.store.past import Unanswered

if TYPE_CHECKING:
    from escalade.assistant.embedding import Encoder, Floats

REASONS = frozenset({Reason.NO_ANSWER, Reason.UNHELPFUL, Reason.LOOP})
MOST_QUESTIONS = 300  # the newest
MOST_GAPS = 30
MOST_KEPT = 4_000  # vectors of questions in memory, 1.5 kB each
MOST_EXAMPLES = 4
MOST_WORDS = 6
LOOKED_AT = 5  # passages, as for an answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question that went to a person, in the customer's words."""

    conversation: ConversationId
    asked_at: Millis
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Questions that are alike, the most typical first, and how near the knowledge comes to them now."""

    questions: tuple[Asked, ...]
    nearest: Passage | None  # to the most typical one
    confidence: int  # in percent, of an answer from it
    missing: tuple[str, ...]  # words of the questions that the nearest article does not have

    @property
    def last_at(self) -> Millis:
        """Say when it was last asked."""
        return max(one.asked_at for one in self.questions)

    @property
    def examples(self) -> tuple[Asked, ...]:
        """Give some that were not put in the same words."""
        different = {" ".join(one.text.split()).casefold(): one for one in reversed(self.questions)}
        return tuple(reversed(different.values()))[:MOST_EXAMPLES]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lacking:
    """The gaps that were asked for most, of so many questions."""

    gaps: tuple[Gap, ...]
    questions: int
    others: int  # gaps that are not shown
    by_meaning: bool


class Gaps:
    """Finds what articles are wanted."""

    def __init__(self, database: Database, ports: Ports, library: Library, vectors: Vectors) -> None:
        self._database = database
        self._ports = ports
        self._library = library
        self._vectors = vectors
        self._known: dict[bytes, Floats] = {}  # by the text's digest: reading takes a hundredth of a second

    async def of(self, organisation: OrganisationId, since: Millis) -> Lacking:
        """Give the gaps of the questions asked since then, those asked most often first."""
        found = await self._database.read(lambda tx: past.unanswered(tx, organisation, REASONS, since, MOST_QUESTIONS))
        questions = [asked for one in found if (asked := _asked(one)) is not None]
        encoder = await self._vectors.encoder()

        def together() -> list[list[int]]:
            texts = [one.text for one in questions]
            near: Neighbours = neighbours_by_words(texts)
            if encoder is not None and texts:
                from escalade.assistant.meaning import neighbours  # numpy, only where there is something to calculate

                near = neighbours(self._read(encoder, texts), ALIKE_IN_MEANING)
            return clusters(near)

        alike = [[questions[at] for at in one] for one in await self._ports.aside(together)]
        alike.sort(key=lambda one: (-len(one), -max(question.asked_at for question in one)))
        return Lacking(
            gaps=tuple([await self._gap(organisation, one) for one in alike[:MOST_GAPS]]),
            questions=len(questions),
            others=max(0, len(alike) - MOST_GAPS),
            by_meaning=encoder is not None,
        )

    def _read(self, encoder: Encoder, texts: Sequence[str]) -> Floats:
        """Give the vectors of texts, a row each; those that were read at an earlier look are not read again."""
        import numpy as np

        names = [hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest() for text in texts]
        known = dict(self._known)
        new = {name: text for name, text in zip(names, texts, strict=True) if name not in known}
        made = encoder.encode(list(new.values())) if new else ()
        known |= dict(zip(new, made, strict=True))
        rows = np.stack([known[name] for name in names])
        # Another look may replace them meanwhile; what is lost by that is read again.
        self._known = known if len(known) <= MOST_KEPT else dict(list(known.items())[-MOST_KEPT // 2 :])
        return rows

    async def _gap(self, organisation: OrganisationId, questions: Sequence[Asked]) -> Gap:
        passages = await self._library.search(organisation, questions[0].text, LOOKED_AT)
        nearest = passages[0] if passages else None
        return Gap(
            questions=tuple(questions),
            nearest=nearest,
            confidence=confidence(passages),
            missing=_missing([one.text for one in questions], nearest),
        )


def _asked(unanswered: Unanswered) -> Asked | None:
    """Find the question: the last words that are no complaint of an answer, if there are any."""
    said = [text for text in unanswered.said if says_something(text)]
    text = next((text for text in said if not says_unhelpful(text)), said[0] if said else "")
    return Asked(conversation=unanswered.conversation, asked_at=unanswered.asked_at, text=text) if text else None


def _missing(texts: Sequence[str], nearest: Passage | None) -> tuple[str, ...]:
    """Give the words of a third of the questions or more, in any of their forms, that a passage does not have."""
    told = "" if nearest is None else f"{nearest.title} {nearest.heading} {nearest.text}"
    held = {stem(word) for word in words(told)}
    wanted = Counter(
        term.word for text in texts for term in query_terms(text) if held.isdisjoint(term.stems) and term.word.isalpha()
    )
    return tuple(word for word, count in wanted.most_common(MOST_WORDS) if count * 3 >= len(texts))
