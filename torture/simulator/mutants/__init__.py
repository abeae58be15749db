"""The protocol broken on purpose, one rule at a time: a simulator that does not notice is no proof of the others.

Each mutant is a known-bad patch of the product, applied at run time inside this process and taken back. It must be
convicted within a thousand seeds; the first seed that does is counted.

    mutant.py     what a mutant is, and the hunt for one
    outward.py    rules of the way to the desk
    inward.py     rules of the way from the desk
    customers.py  rules of the customer's end
    companies.py  what keeps companies apart
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torture.part import Outcome
from torture.simulator.mutants import companies, customers, inward, outward
from torture.simulator.mutants.mutant import MUTANTS, SEEDS, Mutant

__all__ = ["MUTANTS", "PART", "Mutant"]
ROOMS = (outward, inward, customers, companies)  # each has counted its own


@dataclass(frozen=True, slots=True)
class Mutants:
    """Broken protocols, hunted."""

    name: str = "mutants"
    promise: str = "known-bad patches of the protocol: the simulator and the judge notice each of them"
    aims: Mapping[str, int] = field(default_factory=lambda: {"convicted": len(MUTANTS)})
    workers: int = 2
    units: int | None = len(MUTANTS)

    def run(self, unit: int) -> Outcome:
        """Hunt one mutant."""
        found = MUTANTS[unit].hunt()
        if found is None:
            return Outcome(unit=unit, violations=(f"got away for {SEEDS} seeds: {MUTANTS[unit].name}",))
        return Outcome(unit=unit, counts={"convicted": 1, "seeds": found[0] + 1})

    def missing(self, counts: Mapping[str, int]) -> list[str]:
        """Nothing beside the aim."""
        return []


PART = Mutants()
