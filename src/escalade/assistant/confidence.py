"""How sure one may be of the first passage, in percent: how many of the answers that are at least as clear are right.

Where a model has read the passages, this is measured (2026-11, the shop's `dev` questions, which weigh as much as its
plain questions and the customers' utterances of the `dev` half together, a third or so of them unanswerable): answering
from 90 on, nine in ten answers were right. Two things say how clear an answer is: how well its passage speaks to the
question, and how much closer to it the best sentence comes than any of another article. From words alone it is set by
hand on the shop's plain questions, and 90 means no more than "as clear as those that were right".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from escalade.assistant.likeness import Likeness
from escalade.assistant.retrieval import Passage

# Chances by logistic regression, and how many of the answers from there on were right, by eight-fold cross-validation
# over articles.
_MEASURED = ((0.0, 0.0), (0.1, 57.0), (0.2, 65.0), (0.3, 70.0), (0.4, 74.0), (0.5, 77.0), (0.55, 81.0), (0.6, 85.0),
             (0.7, 87.0), (0.75, 90.0), (0.8, 92.0), (0.85, 95.0), (0.9, 98.0), (1.0, 100.0))  # fmt: skip
FURTHEST_AHEAD = 0.3  # where nothing else is near, nothing else has been seen


def confidence(passages: Sequence[Passage]) -> int:
    """Say in percent how sure one may be of the first passage; `passages` come best first."""
    if not passages:
        return 0
    best = passages[0]
    rivals = [passage for passage in passages[1:] if passage.document != best.document]
    return round(_by_words(best, rivals) if best.likeness is None else _by_meaning(best, best.likeness, rivals))


def _by_meaning(best: Passage, likeness: Likeness, rivals: Sequence[Passage]) -> float:
    closest = max((rival.likeness.sentence for rival in rivals if rival.likeness), default=0.0)
    ahead = min(likeness.sentence - closest, FURTHEST_AHEAD)
    chance = 1 / (1 + math.exp(-(10.73 * best.score + 9.22 * ahead - 4.71)))
    for (low, from_low), (high, from_high) in pairwise(_MEASURED):
        if chance <= high:
            return from_low + (from_high - from_low) * (chance - low) / (high - low)
    return 100.0


def _by_words(best: Passage, rivals: Sequence[Passage]) -> float:
    """Weigh the evidence of words: one of the question that the knowledge has never seen counts fully against it."""
    margin = min(1.0, (1 - rivals[0].score / best.score) / 0.3) if rivals and best.score else 1.0
    # Set by hand, not fitted: all words held, a title that is half the question and a small lead come to about 95;
    # an article whose title and heading share nothing with the question stays below 90, whatever else it holds.
    evidence = 0.62 * best.coverage + 0.23 * min(1.0, 2 * best.focus) + 0.15 * margin
    return 100 / (1 + math.exp(-14 * (evidence - 0.62)))
