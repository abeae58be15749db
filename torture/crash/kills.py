"""L3: the whole program killed at any time while both sides talk, and started again at once.

How long it lives is drawn by seed: mostly a moment, so that it is often killed while it starts, sometimes long enough
to finish what it was unsure about.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from torture.crash.company import Company, waiting
from torture.crash.lines import ENGINES, a_folder
from torture.crash.stores import store
from torture.part import Outcome

KILLS = 40  # in one unit
MEAN_S = 0.7
SHORTEST_S = 0.05
LONG_EVERY = 8
LONG_S = 6.0


def kill_again_and_again(folder: Path, unit: int, kills: int = KILLS) -> Outcome:
    """Kill one company's product many times."""
    live, engine = unit % 3 != 2, ENGINES[unit % 4 == 3]
    with store(engine, folder) as database, Company(folder, seed=unit, live=live, store=database) as company:
        counts = _kill(company, kills)
        violations = company.close()
    counts[f"met.{'live' if live else 'ticket'}"] += kills
    counts[f"met.{engine}"] += kills
    counts.update({f"messages {what}": count for what, count in company.messages.items()})
    return Outcome(unit=unit, counts=counts, violations=tuple(f"seed {unit}: {violation}" for violation in violations))


def _kill(company: Company, kills: int) -> Counter[str]:
    counts: Counter[str] = Counter()
    waiting(1.0)
    for kill in range(kills):
        long = kill % LONG_EVERY == LONG_EVERY - 1
        waiting(LONG_S if long else SHORTEST_S + company.dice.expovariate(1 / MEAN_S))
        counts["met.killed while it served"] += company.is_serving()
        company.kill()
        counts["kills"] += 1
    return counts


class Kills:
    """The part."""

    name = "kills"
    promise = "the whole program killed at random times under load: nothing lost, twice or out of order"
    aims: Mapping[str, int] = {"kills": 1_000}
    workers = 2

    def run(self, unit: int) -> Outcome:
        """Kill again and again in one company."""
        with a_folder() as folder:
            return kill_again_and_again(folder, unit)

    def missing(self, counts: Mapping[str, int]) -> list[str]:
        """Say what kind of death never was."""
        wanted = ("met.killed while it served", "met.live", "met.ticket", "met.sqlite", "met.postgres")
        return [kind for kind in wanted if not counts.get(kind)]


PART = Kills()
