"""A rule of the protocol broken on purpose, for a while: what it is, and the hunt for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from torture.simulator.profile import Fault, draw
from torture.simulator.schedules import kinds_of, verdict_of
from torture.simulator.world import simulate

SEEDS = 1_000


@contextmanager
def patched(place: Any, name: str, broken: Any) -> Iterator[None]:
    """Put something broken in the place of what is right, for a while."""
    right = place.__dict__[name]
    setattr(place, name, broken)
    try:
        yield
    finally:
        setattr(place, name, right)


Patches = list[tuple[Any, str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One rule broken."""

    name: str
    patches: Callable[[], Patches]
    needs: frozenset[Fault]  # faults without which the broken rule makes no difference: they are on in every seed
    like: Mapping[str, Any]  # what else every seed's profile is like, for the same reason

    @contextmanager
    def loose(self) -> Iterator[None]:
        """Let it loose until the block ends."""
        with ExitStack() as stack:
            for place, name, broken in self.patches():
                stack.enter_context(patched(place, name, broken))
            yield

    def hunt(self, seeds: int = SEEDS, first: int = 0) -> tuple[int, frozenset[str]] | None:
        """Give the first seed that convicts it, and of what; nothing if it got away."""
        for seed in range(first, first + seeds):
            profile = draw(seed, always=self.needs, **self.like)
            with self.loose():
                wrong = verdict_of(simulate(seed, profile))
            if wrong:
                unbroken = verdict_of(simulate(seed, profile))
                if unbroken:
                    raise AssertionError(f"seed {seed} goes wrong with no rule broken: {'; '.join(unbroken)}")
                return seed, kinds_of(wrong)
        return None


MUTANTS: list[Mutant] = []  # filled by the rooms beside this one


def mutant(*needs: Fault, **like: Any) -> Callable[[Callable[[], Patches]], Callable[[], Patches]]:
    """Count a function as a mutant, named after itself."""

    def counted(patches: Callable[[], Patches]) -> Callable[[], Patches]:
        name = patches.__name__.replace("_", " ")
        MUTANTS.append(Mutant(name=name, patches=patches, needs=frozenset(needs), like=like))
        return patches

    return counted
