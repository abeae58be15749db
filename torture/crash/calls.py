"""L2: killed right before a call by which something leaves the process, wherever in it that is: in C, too.

A world is a chain of such deaths (`chain.py`); before how many calls each life ends is drawn by seed, mostly few. A
unit is a story on one engine.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping

from torture.crash.call import CallKiller
from torture.crash.chain import kill_along
from torture.crash.haste import Haste
from torture.crash.lines import HASTE, UNSURE_WAIT_S
from torture.crash.play import prepare
from torture.crash.stage import Stage
from torture.crash.stores import ENGINES, a_folder, store
from torture.crash.stories import STORIES
from torture.part import Outcome

WORLDS = 3  # in one unit
MOST = 150  # calls of one life


class Calls:
    """The part."""

    name = "calls"
    promise = "killed by SIGKILL right before a write, a sync, a send: nothing lost, twice or out of order"
    aims: Mapping[str, int] = {"kills at a call": 2_000}
    workers = 4
    units: int | None = None

    def run(self, unit: int) -> Outcome:
        """Kill in a story on one engine, again and again."""
        engine = ENGINES[unit % len(ENGINES)]
        name = list(STORIES)[unit // len(ENGINES) % len(STORIES)]
        story, dice = STORIES[name], random.Random(f"calls {unit}")
        counts: Counter[str] = Counter()
        violations: list[str] = []
        with a_folder() as folder, store(engine, folder) as database:
            stage = Stage(folder, Haste(HASTE), database, unsure_wait_s=UNSURE_WAIT_S)
            start = prepare(stage, story, story.most)
            for _ in range(WORLDS):
                chain = kill_along(stage, story, start, lambda _: CallKiller(int(MOST ** dice.random())), dice)
                counts["kills at a call"] += len(chain.deaths)
                counts["stopped as for an upgrade"] += chain.stops
                counts.update(f"met.before {call.name} on {engine}" for call in chain.deaths)
                where = " ".join(str(call) for call in chain.deaths)
                violations += [f"{name} on {engine} killed before {where}: {what}" for what in chain.violations]
        return Outcome(unit=unit, counts=counts, violations=tuple(violations))

    def missing(self, counts: Mapping[str, int]) -> list[str]:
        """Say which kind of call never was the last."""
        wanted = ("pwrite64 on sqlite", "fdatasync on sqlite", "sendto on sqlite", "sendto on postgres")
        return [f"never before {kind}" for kind in wanted if not counts.get(f"met.before {kind}")]


PART = Calls()
