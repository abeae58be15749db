"""L4: PostgreSQL killed, stopped, started again, its connections cut, while the product serves.

Meanwhile whoever asks is told to come again (503 and `Retry-After`), and afterwards nothing that was acknowledged is
missing and nothing is there twice. The product is not touched: it must find its way back by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from torture.crash.company import Company, waiting
from torture.crash.lines import a_folder
from torture.crash.stores import Server, postgres
from torture.part import Outcome

FAULTS = 24  # in one unit
DOWN_S = (0.0, 0.3, 1.0, 3.0)
HOW = ("postmaster killed", "connections cut", "stopped at once", "connections cut", "restarted")


def break_the_database(folder: Path, unit: int, faults: int = FAULTS) -> Outcome:
    """Break one company's database again and again."""
    counts: Counter[str] = Counter()
    live = unit % 3 != 2
    with postgres(folder) as server, Company(folder, seed=unit, live=live, store=server, may_end=True) as company:
        waiting(2.0)
        for fault in range(faults):
            waiting(company.dice.uniform(0.2, 1.5), company.keep_alive)
            how = HOW[fault % len(HOW)]
            _break(server, how, company.dice.choice(DOWN_S))
            counts["database faults"] += 1
            counts[f"met.{how}"] += 1
        violations = company.close()
        counts["the product ended by itself"] += company.ended
    counts["met.told to come again"] += company.answers["503"]
    counts.update({f"messages {what}": count for what, count in company.messages.items()})
    counts.update({f"answers {what}": count for what, count in company.answers.items()})
    return Outcome(unit=unit, counts=counts, violations=tuple(f"seed {unit}: {violation}" for violation in violations))


def _break(server: Server, how: str, down: float) -> None:
    match how:
        case "postmaster killed":
            server.kill()
        case "stopped at once":
            server.stop_at_once()
        case "restarted":
            server.restart()
            return
        case _:
            server.cut_connections()
            return
    waiting(down)
    server.start()


class Databases:
    """The part."""

    name = "databases"
    promise = "PostgreSQL killed, stopped, restarted, its connections cut: told to come again, nothing lost or twice"
    aims: Mapping[str, int] = {"database faults": 200}
    workers = 2

    def run(self, unit: int) -> Outcome:
        """Break one company's database again and again."""
        with a_folder() as folder:
            return break_the_database(folder, unit)

    def missing(self, counts: Mapping[str, int]) -> list[str]:
        """Say which trouble never was, or that nobody ever noticed any."""
        wanted = [*(f"met.{how}" for how in HOW), "met.told to come again"]
        return [kind for kind in wanted if not counts.get(kind)]


PART = Databases()
