"""One part of the proof: a name, an aim, and units that anyone can run again.

A unit is a whole number: a seed, or the number of a kill point. The same unit gives the same faults. What a unit
counted is added up; a part is through when each count has reached its aim and nothing was violated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one unit came to."""

    unit: int
    counts: Mapping[str, int] = field(default_factory=dict)  # what happened how often: `schedules`, `kills`, `met.…`
    violations: tuple[str, ...] = ()  # one sentence each, with its witness; empty is good


class Part(Protocol):
    """What every part offers; a module registers one as `PART`."""

    @property
    def name(self) -> str:
        """Give the word it is chosen by."""
        ...

    @property
    def promise(self) -> str:
        """Say in one line what it shows."""
        ...

    @property
    def aims(self) -> Mapping[str, int]:
        """Say how often each thing must have happened before the part is through."""
        ...

    @property
    def workers(self) -> int:
        """Say how many units may run beside each other."""
        ...

    @property
    def units(self) -> int | None:
        """Say how many units there are; None where there are always more."""
        ...

    def run(self, unit: int) -> Outcome:
        """Run one unit, in a process of its own."""
        ...

    def missing(self, counts: Mapping[str, int]) -> list[str]:
        """Say what the whole run has not met although it must have (beside the aims): a vacuous run is no proof."""
        ...
