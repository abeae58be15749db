"""L5: the power goes. What was not synced vanishes, in whole or in sectors, and what was acknowledged is there.

A story dies at a line of its own or at a sync, right before or right after; then the files are what the disk had kept
(`durable.py`). A product that does not sync as it should, or when it should, is convicted by the same cuts: the tests
show it with `synchronous=OFF` and `NORMAL`.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from torture.crash.durable import Disk
from torture.crash.haste import Haste
from torture.crash.line import Killer, Point, watch
from torture.crash.lines import HASTE, lines_of
from torture.crash.play import Run, Start, nothing, play, prepare
from torture.crash.stage import Stage
from torture.crash.stores import a_folder
from torture.crash.stories import STORIES, Story
from torture.part import Outcome

CUTS = 40  # in one unit
MOST_SYNCS = 20  # a story has about as many


class Cuts:
    """A story on a disk whose power fails, again and again."""

    def __init__(self, folder: Path, name: str, product: Callable[[], object] = nothing) -> None:
        """Prepare the story; `product` may spoil the product that is tried."""
        self.name = name
        self._story: Story = STORIES[name]
        self._stage = Stage(folder, Haste(HASTE))
        self._disk = Disk(folder)
        self._product = product
        self._start: Start = prepare(self._stage, self._story)
        self._lines = sorted(lines_of(self._stage, self._story, self._start).items())

    def cut(self, seed: int) -> tuple[str, Run]:
        """Cut once, at a moment drawn by the seed; say which, and what came of it."""
        dice = random.Random(f"{self.name} {seed}")
        disk = self._disk
        if dice.random() < 0.5:
            (file, line), count = dice.choice(self._lines)
            point = Point(file, line, dice.randint(1, count))
            moment = f"at {point}"
            disk.cut_at = 0
        else:
            point = None
            disk.cut_at = dice.randint(1, MOST_SYNCS) * dice.choice((1, -1))
            moment = f"right {'after' if disk.cut_at > 0 else 'before'} sync {abs(disk.cut_at)}"

        def before() -> None:
            self._product()
            disk.syncs = 0
            if point is not None:
                watch(Killer([point]), boot=self._story.boot)

        def dead() -> None:
            disk.cut(dice)
            disk.cut_at = 0

        with disk.under_sqlite():
            run = play(self._stage, self._story, self._start, ready=disk.settle, before=before, dead=dead)
        return moment, run


class Power:
    """The part."""

    name = "power"
    promise = "the power cut between any two syncs: every acknowledged message is there afterwards (SQLite)"
    aims: Mapping[str, int] = {"power cuts": 1_000}
    workers = 4
    units: int | None = None

    def run(self, unit: int) -> Outcome:
        """Cut the power again and again in one story."""
        name = list(STORIES)[unit % len(STORIES)]
        counts: Counter[str] = Counter()
        violations: list[str] = []
        with a_folder() as folder:
            cuts = Cuts(folder, name)
            for seed in range(unit * CUTS, (unit + 1) * CUTS):
                moment, run = cuts.cut(seed)
                counts["power cuts"] += run.deaths
                counts["met.cut at a line"] += run.deaths if moment.startswith("at") else 0
                counts["met.cut at a sync"] += run.deaths if moment.startswith("right") else 0
                violations += [f"{name}, cut {seed} {moment}: {violation}" for violation in run.violations]
        return Outcome(unit=unit, counts=counts, violations=tuple(violations))

    def missing(self, counts: Mapping[str, int]) -> list[str]:
        """Say which kind of moment was never met."""
        return [kind for kind in ("met.cut at a line", "met.cut at a sync") if not counts.get(kind)]


PART = Power()
