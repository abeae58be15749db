"""L1: killed at every line. The product dies by SIGKILL at a line of its own, comes back, and nothing is missing.

A lap kills once at every line that a story runs, at one of the times it runs, drawn for that lap; two laps seldom draw
the same. A unit is a part of one story's lap, in worlds of many deaths each (`chain.py`). The more lines there are to
die at, the sooner a life comes to one, so parts are large.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping
from zlib import crc32

from torture.crash.chain import Chain, kill_along, unharmed
from torture.crash.haste import Haste
from torture.crash.line import Killer, Point, Recorder, watch
from torture.crash.play import Start, prepare
from torture.crash.stage import Stage
from torture.crash.stores import ENGINES, a_folder, store
from torture.crash.stories import STORIES, Story
from torture.part import Outcome

HASTE = 4.0  # few enough that a busy machine makes no time-outs of its own
UNSURE_WAIT_S = 8.0
SHARES = 4  # units of a lap of one story
MOST_IN_VAIN = 2  # worlds in a row in which nobody comes to a line


def lines_of(stage: Stage, story: Story, start: Start) -> dict[tuple[str, int], int]:
    """Play a story unharmed and give every line of ours that ran, with how often it did."""
    path = stage.folder / "lines"
    recorder = Recorder()
    wrong = unharmed(
        stage,
        story,
        start,
        before=lambda: watch(recorder, boot=story.boot),
        after=lambda: path.write_text("\n".join(recorder.lines())),
    )
    if wrong:
        raise AssertionError("\n".join(("unharmed, and yet:", *wrong)))
    found = [line.rpartition("*") for line in path.read_text().splitlines()]
    return {(name.rpartition(":")[0], int(name.rpartition(":")[2])): int(count) for name, _, count in found}


def points_of(lines: Mapping[tuple[str, int], int], lap: int, share: int) -> list[Point]:
    """Draw when each line of a share is the last: mostly one of the first times, seldom one of the last."""
    drawn = []
    for (file, line), count in sorted(lines.items()):
        name = f"{file}:{line}"
        if crc32(name.encode()) % SHARES == share:
            part = crc32(f"{name} {lap}".encode()) / 2**32
            drawn.append(Point(file, line, int(count**part)))
    return drawn


def chains(stage: Stage, story: Story, start: Start, left: set[Point], dice: random.Random) -> Iterator[Chain[Point]]:
    """Kill at these points, in as many worlds as it takes; what is left in the end nobody came to again."""

    def doom(deaths: list[Point]) -> Killer:
        return Killer(sorted(left - set(deaths)))

    in_vain = 0
    while left and in_vain < MOST_IN_VAIN:
        chain = kill_along(stage, story, start, doom, dice)
        left -= set(chain.deaths)
        in_vain = 0 if chain.deaths else in_vain + 1
        yield chain


class Lines:
    """The part."""

    name = "lines"
    promise = "killed by SIGKILL at every line of ours that a story runs: nothing lost, twice or out of order"
    aims: Mapping[str, int] = {
        "kills at a line": 10_000,
        "shares of the first lap": SHARES * len(STORIES) * len(ENGINES),
    }
    workers = 4
    units: int | None = None

    def run(self, unit: int) -> Outcome:
        """Kill at the lines of one share of a story's lap."""
        engine, unit_of_engine = ENGINES[unit % len(ENGINES)], unit // len(ENGINES)
        name = list(STORIES)[unit_of_engine % len(STORIES)]
        lap, share = divmod(unit_of_engine // len(STORIES), SHARES)
        counts: Counter[str] = Counter({"shares of the first lap": int(lap == 0)})
        violations: list[str] = []
        with a_folder() as folder, store(engine, folder) as database:
            stage = Stage(folder, Haste(HASTE), database, unsure_wait_s=UNSURE_WAIT_S)
            story = STORIES[name]
            start = prepare(stage, story, story.most)
            left = set(points_of(lines_of(stage, story, start), lap, share))
            for chain in chains(stage, story, start, left, random.Random(f"lines {unit}")):
                counts["worlds"] += 1
                counts["kills at a line"] += len(chain.deaths)
                counts["stopped as for an upgrade"] += chain.stops
                counts[f"met.{name} on {engine}"] += len(chain.deaths)
                where = " ".join(str(point) for point in chain.deaths)
                violations += [f"{name} on {engine} killed at {where}: {violation}" for violation in chain.violations]
            counts["never came to the line again"] += len(left)
        return Outcome(unit=unit, counts=counts, violations=tuple(violations))

    def missing(self, counts: Mapping[str, int]) -> list[str]:
        """Say which story was never killed into."""
        kinds = [f"{name} on {engine}" for name in STORIES for engine in ENGINES]
        return [f"{kind} never killed into" for kind in kinds if not counts.get(f"met.{kind}")]


PART = Lines()
