"""Run the proof, or parts of it, and print one table. It may take a night; it goes on where it was stopped.

python -m torture                       everything, up to every aim
python -m torture schedules kills       these parts
python -m torture schedules --unit 17   one unit again, with its story
python -m torture --share 0.01          a hundredth of every aim
python -m torture --fresh               forget what earlier runs have shown
python -m torture --table               print what has been shown so far
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import multiprocessing
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from torture.part import Outcome, Part
from torture.parts import PARTS, ignore_interrupts, part_named, timed

RESULTS = Path(".torture")


@dataclass(slots=True)
class Standing:
    """What a part has shown so far."""

    units: set[int] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    violations: list[tuple[int, str]] = field(default_factory=list)
    versions: Counter[str] = field(default_factory=Counter)  # of the program, and how many units each has run
    seconds: float = 0.0

    def add(self, outcome: Outcome, seconds: float, version: str) -> None:
        """Count a unit in."""
        self.versions[version] += 1
        self.units.add(outcome.unit)
        self.counts.update(outcome.counts)
        self.violations += [(outcome.unit, violation) for violation in outcome.violations]
        self.seconds += seconds


def recall(name: str) -> Standing:
    """Read what earlier runs of a part have shown."""
    standing = Standing()
    path = RESULTS / f"{name}.jsonl"
    for line in path.read_text().splitlines() if path.exists() else ():
        try:
            kept = json.loads(line)
        except ValueError:
            continue  # the run was killed while it wrote this
        outcome = Outcome(unit=kept["unit"], counts=kept["counts"], violations=tuple(kept["violations"]))
        if outcome.unit not in standing.units:
            standing.add(outcome, kept["seconds"], kept.get("version", "unknown"))
    return standing


def version() -> str:
    """Give the commit this runs at: what an older one has shown, it has shown of the older one."""
    command = ("git", "describe", "--always", "--dirty")
    told = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    return told.stdout.strip() or "unknown"


def keep(name: str, outcome: Outcome, seconds: float, version: str) -> None:
    """Write down what a unit came to."""
    RESULTS.mkdir(exist_ok=True)
    line = {"unit": outcome.unit, "counts": dict(outcome.counts), "violations": outcome.violations}
    line |= {"seconds": seconds, "version": version}
    with (RESULTS / f"{name}.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")


def aims_of(part: Part, share: float) -> dict[str, int]:
    """Give the aims of a run that wants this share of them."""
    return {name: max(1, math.ceil(aim * share)) for name, aim in part.aims.items()}


def is_through(standing: Standing, aims: Mapping[str, int]) -> bool:
    """Say whether every aim is reached."""
    return all(standing.counts[name] >= aim for name, aim in aims.items())


def _units(part: Part, done: set[int]) -> Iterator[int]:
    every = itertools.count() if part.units is None else iter(range(part.units))
    return (unit for unit in every if unit not in done)


def run(part: Part, standing: Standing, aims: Mapping[str, int], progress: Progress) -> None:
    """Run units until every aim is reached, or there are no more."""
    leading, aim = next(iter(aims.items()))
    bar = progress.add_task(part.name, total=aim, completed=min(aim, standing.counts[leading]))
    at = version()
    fork = multiprocessing.get_context("spawn")  # a fresh interpreter each: nothing is left over from another unit
    units = _units(part, set(standing.units))
    with ProcessPoolExecutor(part.workers, mp_context=fork, initializer=ignore_interrupts) as pool:
        running: set[Future[tuple[Outcome, float]]] = set()
        while True:
            while len(running) < part.workers and not is_through(standing, aims):
                if (unit := next(units, None)) is None:
                    break
                running.add(pool.submit(timed, part.name, unit))
            if not running:
                break
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                outcome, seconds = future.result()
                keep(part.name, outcome, seconds, at)
                standing.add(outcome, seconds, at)
                for violation in outcome.violations:
                    progress.console.print(
                        f"[red]{part.name} {outcome.unit}[/red]: {escape(violation)}", highlight=False
                    )
            progress.update(bar, completed=min(aim, standing.counts[leading]))


def table(standings: Mapping[str, Standing], share: float) -> tuple[Table, bool]:
    """Draw what was shown; say whether all of it is as promised."""
    drawn = Table(title="Nothing lost, nothing twice, nothing out of order", title_justify="left", expand=True)
    for column, ratio in {"part": 5, "counted": 4, "units": 3, "min": 2, "verdict": 5}.items():
        drawn.add_column(column, overflow="fold", ratio=ratio)
    good = True
    for name, standing in standings.items():
        part = part_named(name)
        aims = aims_of(part, share)
        counted = "\n".join(f"{standing.counts[what]:,} of {aim:,} {what}" for what, aim in aims.items())
        short = [] if is_through(standing, aims) else ["not through"]
        lacking = short + part.missing(standing.counts)
        told = "\n".join(f"unit {unit}: {escape(text.splitlines()[0])}" for unit, text in standing.violations[:5])
        verdict = f"{len(standing.violations)} violations\n{told}" if told else "; ".join(lacking) or "holds"
        verdict = verdict if standing.units else "not run"
        good = good and verdict == "holds"
        drawn.add_row(
            f"[bold]{name}[/bold]\n{part.promise}",
            counted,
            "\n".join(f"{units:,} of {version}" for version, units in standing.versions.items()),
            f"{standing.seconds / 60:.1f}",
            verdict,
            end_section=True,
        )
    return drawn, good


def main() -> int:
    """Choose, run, print."""
    parser = argparse.ArgumentParser(prog="python -m torture", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all if none is named")
    parser.add_argument("--share", type=float, default=1.0, help="how much of every aim to reach; 1 is the whole proof")
    parser.add_argument("--unit", type=int, help="run this one unit again and tell its story")
    parser.add_argument("--fresh", action="store_true", help="forget what earlier runs have shown")
    parser.add_argument("--table", action="store_true", help="run nothing; print what has been shown")
    chosen = parser.parse_args()
    unknown = [name for name in chosen.parts if name not in PARTS]
    if unknown:
        parser.error(f"no part {', '.join(unknown)}; there are: {', '.join(PARTS)}")
    names = chosen.parts or list(PARTS)
    console = Console()
    if chosen.unit is not None:
        outcome, _ = timed(names[0], chosen.unit)
        console.print_json(json.dumps({"counts": dict(outcome.counts)}))
        for violation in outcome.violations:
            print(violation)
        return bool(outcome.violations)
    if chosen.fresh:
        for name in names:
            (RESULTS / f"{name}.jsonl").unlink(missing_ok=True)
    standings = {name: recall(name) for name in names}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=console) as progress:
            for name in names if not chosen.table else ():
                part = part_named(name)
                run(part, standings[name], aims_of(part, chosen.share), progress)
    except KeyboardInterrupt:
        console.print("stopped; the same command goes on from here")
    drawn, good = table(standings, chosen.share)
    console.print(drawn)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
