"""Every decision of chance, in order: recorded, replayed, shrunk.

A simulation asks the tape and nothing else. Recording, the answer comes from the seed's dice; replaying, from the
tape, and beyond its end the answer is nought. Nought is always the quiet answer: no fault, no wait, the first of a
list. So a tape with entries set to nought, or cut off, is a calmer schedule, and shrinking means doing that for as
long as the verdict stays bad.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


class Tape:
    """The decisions of one schedule."""

    def __init__(self, seed: int, recorded: Sequence[int] | None = None) -> None:
        self.entries: list[int] = []
        self._dice = random.Random(seed)
        self._recorded = recorded

    def below(self, count: int) -> int:
        """Choose a whole number from nought up to, not including, `count`."""
        if self._recorded is None:
            entry = self._dice.randrange(count)
        else:
            place = len(self.entries)
            entry = min(self._recorded[place], count - 1) if place < len(self._recorded) else 0
        self.entries.append(entry)
        return entry

    def happens(self, chance: float) -> bool:
        """Say whether something with this chance happens; what cannot is not asked."""
        if chance <= 0:
            return False
        if self._recorded is None:
            entry = int(self._dice.random() < chance)
            self.entries.append(entry)
            return bool(entry)
        return bool(self.below(2))

    def seconds(self, least: float, most: float) -> float:
        """Choose a time, to the millisecond; the quiet answer is the least."""
        return least + self.below(int((most - least) * 1000) + 1) / 1000

    def one_of(self, choices: Sequence[T]) -> T:
        """Choose one; the quiet answer is the first."""
        return choices[self.below(len(choices))]


def shrink(tape: Sequence[int], is_bad: Callable[[Sequence[int]], bool], tries: int = 400) -> list[int]:
    """Find a calmer tape on which it still goes wrong: cut the end off, then set ever smaller stretches to nought."""
    left = tries
    best = list(tape)

    def worth(candidate: list[int]) -> bool:
        nonlocal left, best
        if left <= 0 or candidate == best:
            return False
        left -= 1
        if not is_bad(candidate):
            return False
        best = candidate
        return True

    length = len(best)
    while length > 1 and worth(best[: length // 2]):
        length = len(best)
    stretch = max(1, len(best) // 2)
    while stretch >= 1 and left > 0:
        place = 0
        while place < len(best):
            calmer = [*best[:place], *([0] * len(best[place : place + stretch])), *best[place + stretch :]]
            worth(calmer)
            place += stretch
        stretch //= 2
    while best and best[-1] == 0:
        best.pop()
    return best
