"""One company, and one trouble after the other while everybody talks: what the parts of that kind have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from torture.crash.company import Company, waiting
from torture.crash.stores import a_folder
from torture.part import Outcome

BEFORE_S = 2.0  # until the first trouble


def ordeal(company: Company, unit: int, troubles: int, strike: Callable[[int], Counter[str]]) -> Outcome:
    """Put a company through this many troubles, and give what came of it; `strike` makes one and says what it was."""
    counts: Counter[str] = Counter()
    waiting(BEFORE_S)
    for number in range(troubles):
        counts.update(strike(number))
    violations = company.close()
    counts["the product ended by itself"] += company.ended
    counts["met.told to come again"] += company.answers["503"]
    counts.update({f"messages {what}": count for what, count in company.messages.items()})
    counts.update({f"answers {what}": count for what, count in company.answers.items()})
    return Outcome(unit=unit, counts=counts, violations=tuple(f"seed {unit}: {violation}" for violation in violations))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordeals:
    """A part of the proof of which each unit is the ordeal of one company."""

    name: str
    promise: str
    aims: Mapping[str, int]
    workers: int
    one: Callable[[Path, int], Outcome]
    wanted: tuple[str, ...]  # kinds of trouble, each of which must have been met
    units: int | None = None

    def run(self, unit: int) -> Outcome:
        """Put one company through it."""
        with a_folder() as folder:
            return self.one(folder, unit)

    def missing(self, counts: Mapping[str, int]) -> list[str]:
        """Say which kind of trouble never was."""
        return [kind for kind in self.wanted if not counts.get(kind)]
