"""L4: PostgreSQL killed in part or whole, stopped, started again, its connections cut, while the product serves.

Meanwhile whoever asks is told to come again (503 and `Retry-After`), and afterwards nothing that was acknowledged is
missing and nothing is there twice. The product is not touched: it must find its way back by itself.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from torture.crash.company import Company, waiting
from torture.crash.ordeal import Ordeals, ordeal
from torture.crash.stores import Server, postgres
from torture.part import Outcome

FAULTS = 24  # in one unit
DOWN_S = (0.0, 0.3, 1.0, 3.0)
HOW = ("postmaster killed", "connections cut", "all its processes killed", "stopped at once", "restarted")


def break_the_database(folder: Path, unit: int, faults: int = FAULTS) -> Outcome:
    """Break one company's database again and again; the product must live through all of it."""
    with postgres(folder) as server, Company(folder, seed=unit, live=unit % 3 != 2, store=server) as company:

        def strike(fault: int) -> Counter[str]:
            waiting(company.dice.uniform(0.2, 1.5), company.keep_alive)
            how = HOW[fault % len(HOW)]
            _break(server, how, company.dice.choice(DOWN_S))
            return Counter({"database faults": 1, f"met.{how}": 1})

        return ordeal(company, unit, faults, strike)


def _break(server: Server, how: str, down: float) -> None:
    match how:
        case "postmaster killed":
            server.kill()
        case "all its processes killed":
            server.kill_all()
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


PART = Ordeals(
    name="databases",
    promise="PostgreSQL killed, stopped, restarted, its connections cut: told to come again, nothing lost or twice",
    aims={"database faults": 200},
    workers=2,
    one=break_the_database,
    wanted=(*(f"met.{how}" for how in HOW), "met.told to come again"),
)
