"""L6: the sending process stopped for a while, in the middle of whatever it is at, and let go on.

A paused process does not know that time has passed. What it was about to send it sends, so nobody else may have sent
it meanwhile: on SQLite a second program must refuse to serve the same database, however long the first is silent; on
PostgreSQL two serve, and neither takes over what the other has begun while that one lives.

Pauses are 0.1 to 8 seconds while a request that was given up may arrive for 4 (`ESCALADE_UNSURE_WAIT_S`); with the
minute that is the default they would be 1.5 seconds to two minutes.
"""

from __future__ import annotations

import signal
from collections import Counter
from pathlib import Path

from torture.crash.company import Company, waiting
from torture.crash.ordeal import Ordeals, ordeal
from torture.crash.stores import ENGINES, store
from torture.part import Outcome

PAUSES = 20  # in one unit
LONG_S = (4.5, 8.0)  # longer than anything may still arrive
SHORT_S = (0.1, 1.5)
LONG_EVERY = 6


def pause_again_and_again(folder: Path, unit: int, pauses: int = PAUSES) -> Outcome:
    """Stop one company's product many times, and let it go on."""
    engine = ENGINES[unit % len(ENGINES)]
    live = unit % 3 != 2
    with store(engine, folder) as database, Company(folder, seed=unit, live=live, store=database) as company:
        if engine == "postgres":
            company.add_second()

        def strike(pause: int) -> Counter[str]:
            waiting(company.dice.uniform(0.1, 1.0), company.keep_alive)
            refused = _pause(company, long=pause % LONG_EVERY == LONG_EVERY - 1)
            return Counter({"pauses": 1, "met.a rival refused to serve": refused, f"met.paused on {engine}": 1})

        return ordeal(company, unit, pauses, strike)


def _pause(company: Company, *, long: bool) -> bool:
    """Stop a process for a while: of two, either; of one, and for long, with a rival that must refuse to serve."""
    paused = company.product if company.second is None else company.dice.choice((company.product, company.second))
    paused.send(signal.SIGSTOP)
    rival = company.stage.server_life() if long and company.second is None else None
    waiting(company.dice.uniform(*(LONG_S if long else SHORT_S)))
    refused = rival is not None and rival.is_over() and not rival.ended_well()
    if rival is not None:
        rival.end()
    paused.send(signal.SIGCONT)
    return refused


PART = Ordeals(
    name="pauses",
    promise="the sending process stopped and let go on: nothing twice, and no other takes its place meanwhile",
    aims={"pauses": 200},
    workers=3,
    one=pause_again_and_again,
    wanted=("met.a rival refused to serve", *(f"met.paused on {engine}" for engine in ENGINES)),
)
