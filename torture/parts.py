"""Every part of the proof, and how a process of its own runs one unit of one.

Not in `__main__`, because a process that is started anew finds no functions there.
"""

from __future__ import annotations

import importlib
import signal
import time
import traceback
from collections.abc import Mapping

from torture.part import Outcome, Part

# Name, and where its `PART` is: imported when it runs, so that one part does not wait for what another needs.
PARTS: Mapping[str, str] = {
    "schedules": "torture.simulator.schedules",
    "mutants": "torture.simulator.mutants",
    "lines": "torture.crash.lines",
    "calls": "torture.crash.calls",
    "kills": "torture.crash.kills",
    "databases": "torture.crash.databases",
    "power": "torture.crash.power",
    "pauses": "torture.crash.pauses",
    "disk": "torture.crash.disk",
    "bodies": "torture.fuzz.bodies",
    "schema": "torture.fuzz.schema",
}


def part_named(name: str) -> Part:
    """Give a part by its name."""
    found: Part = importlib.import_module(PARTS[name]).PART
    return found


def timed(name: str, unit: int) -> tuple[Outcome, float]:
    """Run a unit; one that breaks has shown nothing, and that is a violation too."""
    started = time.monotonic()
    try:
        outcome = part_named(name).run(unit)
    except Exception:
        outcome = Outcome(unit=unit, violations=(f"broke off: {traceback.format_exc()}",))
    return outcome, time.monotonic() - started


def ignore_interrupts() -> None:
    """Leave it to the parent: a unit under way is finished or thrown away."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
