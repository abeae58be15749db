"""L1: killed at every line. The product dies by SIGKILL at a line of its own, comes back, and nothing is missing.

A lap kills once at every line that a story runs, at one of the times it runs, drawn for that lap; two laps seldom draw
the same. A unit is a part of one story's lap.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from zlib import crc32

from torture.crash.haste import Haste
from torture.crash.line import Killer, Point, Recorder, watch
from torture.crash.play import Run, Start, play, prepare
from torture.crash.stage import Stage
from torture.crash.stores import store
from torture.crash.stories import STORIES, Story
from torture.part import Outcome

HASTE = 12.0
SHARES = 32  # units of a lap of one story
SHM = Path("/dev/shm")
ENGINES = ("sqlite", "postgres")


@contextmanager
def a_folder() -> Iterator[Path]:
    """Give a folder until the block ends, in memory where that can be: what is killed here need not reach a disk."""
    with tempfile.TemporaryDirectory(dir=SHM if SHM.is_dir() else None, prefix="escalade-") as folder:
        yield Path(folder)


def lines_of(stage: Stage, story: Story, start: Start) -> dict[tuple[str, int], int]:
    """Play a story unharmed and give every line of ours that ran, with how often it did."""
    path = stage.folder / "lines"
    recorder = Recorder()
    run = play(
        stage,
        story,
        start,
        before=lambda: watch(recorder, boot=story.boot),
        after=lambda: path.write_text("\n".join(recorder.lines())),
    )
    if run.violations:
        raise AssertionError("\n".join(("unharmed, and yet:", *run.violations)))
    found = [line.rpartition("*") for line in path.read_text().splitlines()]
    return {(name.rpartition(":")[0], int(name.rpartition(":")[2])): int(count) for name, _, count in found}


def points_of(lines: Mapping[tuple[str, int], int], lap: int, share: int) -> list[Point]:
    """Draw when each line of a share is the last."""
    drawn = []
    for (file, line), count in sorted(lines.items()):
        name = f"{file}:{line}"
        if crc32(name.encode()) % SHARES == share:
            drawn.append(Point(file, line, 1 + crc32(f"{name} {lap}".encode()) % count))
    return drawn


def kill_at(stage: Stage, story: Story, start: Start, point: Point) -> Run:
    """Play a story whose product dies at a point."""
    return play(stage, story, start, before=lambda: watch(Killer(point), boot=story.boot))


class Lines:
    """The part."""

    name = "lines"
    promise = "killed by SIGKILL at every line of ours that a story runs: nothing lost, twice or out of order"
    aims: Mapping[str, int] = {
        "kills at a line": 10_000,
        "shares of the first lap": SHARES * len(STORIES) * len(ENGINES),
    }
    workers = 4

    def run(self, unit: int) -> Outcome:
        """Kill at the lines of one share of a story's lap."""
        engine, unit_of_engine = ENGINES[unit % len(ENGINES)], unit // len(ENGINES)
        name = list(STORIES)[unit_of_engine % len(STORIES)]
        lap, share = divmod(unit_of_engine // len(STORIES), SHARES)
        counts: Counter[str] = Counter({"shares of the first lap": int(lap == 0)})
        violations: list[str] = []
        with a_folder() as folder, store(engine, folder) as database:
            stage = Stage(folder, Haste(HASTE), database)
            story = STORIES[name]
            start = prepare(stage, story)
            for point in points_of(lines_of(stage, story, start), lap, share):
                run = kill_at(stage, story, start, point)
                counts["kills at a line"] += run.deaths
                counts["never came to the line again"] += not run.deaths
                counts[f"met.{name} on {engine}"] += run.deaths
                violations += [f"{name} on {engine} killed at {point}: {violation}" for violation in run.violations]
        return Outcome(unit=unit, counts=counts, violations=tuple(violations))

    def missing(self, counts: Mapping[str, int]) -> list[str]:
        """Say which story was never killed into."""
        kinds = [f"{name} on {engine}" for name in STORIES for engine in ENGINES]
        return [f"{kind} never killed into" for kind in kinds if not counts.get(f"met.{kind}")]


PART = Lines()
