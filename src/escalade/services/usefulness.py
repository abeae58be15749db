"""What customers found of the assistant's answers: how often each article helped, and the answers that did not.

Found anew from what is kept at every look, so an erased customer's words are in it no longer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from escalade.domain.model import Citation, Feedback, Millis, OrganisationId
from escalade.store import feedback
from escalade.store.database import Database, Tx
from escalade.store.feedback import Rated

MOST_RATED = 5_000  # the newest
MOST_SHOWN = 20  # answers that did not help
MOST_ARTICLES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """How often answers that cite an article were found helpful, and how often not."""

    title: str
    url: str | None
    helpful: int
    not_helpful: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unhelpful:
    """An answer that was found not helpful, and what had been asked."""

    question: str
    answer: Rated


@dataclass(frozen=True, slots=True, kw_only=True)
class Usefulness:
    """What was found of the answers in a stretch of time; articles that helped least come first."""

    helpful: int
    not_helpful: int
    articles: tuple[Article, ...]
    others: int  # articles that are not shown
    unhelpful: tuple[Unhelpful, ...]  # the newest


async def usefulness(database: Database, organisation: OrganisationId, since: Millis) -> Usefulness:
    """Give what was found of answers since then, as far as the newest words go."""

    def read(tx: Tx) -> tuple[list[Rated], tuple[Unhelpful, ...]]:
        rated = feedback.given(tx, organisation, since, MOST_RATED)
        shown = [one for one in rated if one.feedback is Feedback.NOT_HELPFUL][:MOST_SHOWN]
        return rated, tuple(Unhelpful(question=feedback.question(tx, organisation, one), answer=one) for one in shown)

    rated, unhelpful = await database.read(read)
    articles = _by_article(rated)
    helpful = sum(one.feedback is Feedback.HELPFUL for one in rated)
    return Usefulness(
        helpful=helpful,
        not_helpful=len(rated) - helpful,
        articles=tuple(articles[:MOST_ARTICLES]),
        others=max(0, len(articles) - MOST_ARTICLES),
        unhelpful=unhelpful,
    )


def _by_article(rated: Iterable[Rated]) -> list[Article]:
    """Count for each article the answers that cite it; its newest title is its name."""
    named: dict[tuple[str, str | None], Citation] = {}
    counts: dict[tuple[str, str | None], list[int]] = {}
    for one in rated:
        for key, citation in {(cited.source_id, cited.url): cited for cited in one.citations}.items():
            named.setdefault(key, citation)
            counts.setdefault(key, [0, 0])[one.feedback is Feedback.NOT_HELPFUL] += 1
    articles = [
        Article(title=named[key].title, url=key[1], helpful=helpful, not_helpful=not_helpful)
        for key, (helpful, not_helpful) in counts.items()
    ]
    return sorted(articles, key=lambda one: (-one.not_helpful, one.helpful, one.title))
