"""How sure one may be of the first passage, in percent: how many of the answers that are at least as clear are right.

Where a model has read the passages, this is measured (2026-11, the shop's `dev` questions, its plain questions, and the
customers' utterances of the `dev` half, each third weighing the same, a third or so of them unanswerable): answering
from 90 on, nine in ten answers were right. From words alone it is set by hand on the shop's plain questions, and 90
means no more than "as clear as those that were right".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from escalade.assistant.retrieval import Passage

# Chances by logistic regression, and how many of the answers from there on were right, by eight-fold cross-validation.
_MEASURED = ((0.0, 0.0), (0.1, 56.0), (0.2, 65.0), (0.3, 72.0), (0.5, 77.0), (0.6, 83.0), (0.65, 87.0), (0.7, 89.0),
             (0.75, 93.0), (0.8, 94.0), (0.85, 95.5), (0.95, 99.0), (1.0, 100.0))  # fmt: skip


def confidence(passages: Sequence[Passage]) -> int:
    """Say in percent how sure one may be of the first passage; `passages` come best first."""
    if not passages:
        return 0
    best = passages[0]
    rival = next((passage for passage in passages[1:] if passage.document != best.document), None)
    return round(_by_words(best, rival) if best.likeness is None else _by_meaning(best, rival))


def _by_meaning(best: Passage, rival: Passage | None) -> float:
    ahead = best.score - (rival.score if rival else 0.0)
    chance = 1 / (1 + math.exp(-(8.51 * best.score + 5.41 * min(ahead, 0.5) - 3.64)))
    for (low, from_low), (high, from_high) in pairwise(_MEASURED):
        if chance <= high:
            return from_low + (from_high - from_low) * (chance - low) / (high - low)
    return 100.0


def _by_words(best: Passage, rival: Passage | None) -> float:
    """Weigh the evidence of words: one of the question that the knowledge has never seen counts fully against it."""
    margin = 1.0 if rival is None or not best.score else min(1.0, (1 - rival.score / best.score) / 0.3)
    # Set by hand, not fitted: all words held, a title that is half the question and a small lead come to about 95;
    # an article whose title and heading share nothing with the question stays below 90, whatever else it holds.
    evidence = 0.62 * best.coverage + 0.23 * min(1.0, 2 * best.focus) + 0.15 * margin
    return 100 / (1 + math.exp(-14 * (evidence - 0.62)))
