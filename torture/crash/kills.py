"""L3: the whole program killed at any time while both sides talk, and started again at once.

How long it lives is drawn by seed: mostly a moment, so that it is often killed while it starts, sometimes long enough
to finish what it was unsure about.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from torture.crash.company import Company, waiting
from torture.crash.ordeal import Ordeals, ordeal
from torture.crash.stores import ENGINES, store
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

        def strike(kill: int) -> Counter[str]:
            long = kill % LONG_EVERY == LONG_EVERY - 1
            waiting(LONG_S if long else SHORTEST_S + company.dice.expovariate(1 / MEAN_S))
            serving = company.is_serving()
            company.kill()
            mode = "live" if live else "ticket"
            return Counter({"kills": 1, "met.killed while it served": serving, f"met.{mode}": 1, f"met.{engine}": 1})

        return ordeal(company, unit, kills, strike)


PART = Ordeals(
    name="kills",
    promise="the whole program killed at random times under load: nothing lost, twice or out of order",
    aims={"kills": 1_000},
    workers=2,
    one=kill_again_and_again,
    wanted=("met.killed while it served", "met.live", "met.ticket", "met.sqlite", "met.postgres"),
)
